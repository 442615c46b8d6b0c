"""An import from beginning to end: look, read, refuse or settle, close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from adapters.crew import Crew, workers_for
from adapters.encodings import Ask
from adapters.hubspot.export import Export, read_export
from adapters.intake import Portion, Progress, close_import, occasion_of, refuse_other_portal
from adapters.tabular import Rejected
from adapters.wiring import House
from projections.verdicts import FileRead


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the crew that can go on to judge its records."""

    crew: Crew
    files: list[FileRead]
    rejected: list[Rejected]
    findings: list[str]
    rows: int
    added: int
    unchanged: int

    @property
    def records(self) -> int:
        """How many CRM records there were."""
        return sum(file.records for file in self.files)


@contextmanager
def imported(
    house: House,
    paths: Sequence[Path],
    *,
    encoding: str | None = None,
    timezone: ZoneInfo | None = None,
    names: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    progress: Progress = lambda _: None,
    workers: int | None = None,
) -> Iterator[Imported]:
    """Take the files in. Raises UnreadableInput before anything is recorded of a file that is refused."""
    export = read_export(paths, encoding=encoding, timezone=timezone, ask=ask, names=names)
    with Crew(house, workers or workers_for(paths)) as crew:
        look = export.look()
        occasion = occasion_of(house, export, paths, look.shared)
        refuse_other_portal(crew.read(export, occasion, progress))
        portions = crew.settle()
        close_import(house, occasion, portions, len(look.rejected))
        yield Imported(
            crew=crew,
            files=_files(export, look.rows, look.rejected, portions),
            rejected=look.rejected,
            findings=sorted({found for portion in portions for found in portion.findings}),
            rows=sum(portion.rows for portion in portions),
            added=sum(portion.added for portion in portions),
            unchanged=sum(portion.unchanged for portion in portions),
        )


def _files(
    export: Export, rows: Sequence[int], rejected: Sequence[Rejected], portions: Sequence[Portion]
) -> list[FileRead]:
    return [
        msgspec.structs.replace(
            file,
            rows=rows[place],
            records=sum(portion.records[place] for portion in portions),
            without_address=sum(portion.without[place] for portion in portions),
            rejected=sum(bad.file == file.name for bad in rejected),
        )
        for place, file in enumerate(export.files)
    ]
