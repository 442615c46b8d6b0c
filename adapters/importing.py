"""An import from beginning to end: look, read, refuse or settle, close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from adapters.crew import Crew, workers_for
from adapters.dates import Order
from adapters.encodings import Ask
from adapters.evidence import Taken
from adapters.hubspot.export import Export, Look, read_export
from adapters.inputs import Inputs
from adapters.intake import SYSTEM, Portion, Progress, close_import, occasion_of
from adapters.not_read import keep
from adapters.portals import SIGNS, Insisted, refuse_other_portal, signs_of
from adapters.statements import Found, NameFound, Wanted, united
from adapters.tabular import Rejected
from adapters.tokens import token_of
from adapters.unread import Named, Unread, explained, hold, unread_of
from adapters.wiring import House, now
from projections.verdicts import FileRead, FileSeen

NOTHING_WANTED = Wanted()
NOBODY_INSISTS = Insisted()
TOMORROW = timedelta(days=1)
"""How far ahead a bare number may count and be a time."""
_MOST_LISTED = 20


class Opened(NamedTuple):
    """Contacts exports, and what a first look at their rows told."""

    export: Export
    look: Look


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and the crew that can go on to judge its records.

    taken     what became of each file of evidence; `found` what all files hold that could be declared
    unread    what could not be read of the contacts exports
    warnings  findings that a person has to know of at once; `seen`: what became of the files, where not all were named
    """

    crew: Crew
    files: list[FileRead]
    taken: list[Taken]
    found: Found
    rejected: list[Rejected]
    findings: list[str]
    rows: int
    added: int
    unchanged: int
    older: int = 0
    unread: Unread = field(default_factory=Unread)
    warnings: list[str] = field(default_factory=list)
    seen: list[FileSeen] = field(default_factory=list)

    @property
    def held(self) -> list[Named]:
        """Whom rows name that could not be read, in the order of the files."""
        return [who for unread in (self.unread, *(one.unread for one in self.taken)) for who in unread.named]

    @property
    def records(self) -> int:
        """How many CRM records there were."""
        return sum(file.records for file in self.files)


@contextmanager
def imported(
    house: House,
    inputs: Inputs,
    *,
    wanted: Wanted = NOTHING_WANTED,
    encoding: str | None = None,
    timezone: ZoneInfo | None = None,
    names: Mapping[str, str] | None = None,
    order: Order | None = None,
    ask: Ask | None = None,
    progress: Progress = lambda _: None,
    workers: int | None = None,
    insisted: Insisted = NOBODY_INSISTS,
    opened: Opened | None = None,
) -> Iterator[Imported]:
    """Take the files in: who is there first, then what is known of them.

    `opened`: the contacts exports, where they were looked at before; `insisted`: see `refuse_other_portal`
    Raises UnreadableInput before anything is recorded of a contacts export that is refused.
    """
    with Crew(house, workers or workers_for(inputs.contacts, inputs.evidence)) as crew:
        done = Imported(crew, [], [], Found(), [], [], 0, 0, 0)
        if inputs.contacts:
            opened = opened or look_at(inputs, encoding=encoding, timezone=timezone, ask=ask, names=names, order=order)
            done = _contacts(house, crew, opened, inputs.contacts, progress, insisted)
        else:
            crew.stand()
        taken = crew.take_in(inputs.evidence, wanted, lambda rows: progress(done.rows + rows))
        keep(house, inputs.seen.not_read, inputs.seen.sums, taken, [file.taken_on for file in inputs.evidence])
        found = united([done.found, *(one.found for one in taken)])
        yield replace(
            done,
            taken=taken,
            found=found,
            warnings=[*done.warnings, *(said for one in taken for said in one.doubts)],
            seen=inputs.seen.files if inputs.seen.gathered else [],
            rejected=[*done.rejected, *(bad for one in taken for bad in one.rejected)],
            findings=[*done.findings, *(said for one in taken for said in one.findings)],
            rows=done.rows + sum(one.rows for one in taken),
            added=done.added + sum(one.added for one in taken),
            unchanged=done.unchanged + sum(one.unchanged for one in taken),
        )


def look_at(
    inputs: Inputs,
    *,
    encoding: str | None = None,
    timezone: ZoneInfo | None = None,
    ask: Ask | None = None,
    names: Mapping[str, str] | None = None,
    order: Order | None = None,
) -> Opened:
    """Open the contacts exports and look at every row once. Raises UnreadableInput for one that is to be refused."""
    export = read_export(
        inputs.contacts,
        encoding=encoding,
        timezone=timezone,
        ask=ask,
        names=names,
        order=order,
        until=now() + TOMORROW,
    )
    return Opened(export, export.look())


def _contacts(
    house: House, crew: Crew, opened: Opened, paths: Sequence[Path], progress: Progress, insisted: Insisted
) -> Imported:
    export, look = opened
    occasion = occasion_of(house, export, paths, look)
    signs = signs_of(house, look.signs)
    read = crew.read(export, occasion, progress)
    if not occasion.first:
        refuse_other_portal(house, read, signs, insisted)
    portions = crew.settle()
    unread = unread_of(look.rejected)
    hold(house, SYSTEM, unread)
    hiding = export.without_opt_outs
    hidden = sum(rows for (table, _), rows in zip(export.tables, look.rows, strict=True) if table.name in hiding)
    kept: dict[str, object] = {SIGNS: signs} if signs else {}
    close_import(
        house, occasion, portions, len(look.rejected), kept | ({"file": ", ".join(hiding)} if hidden else {}), hidden
    )
    types = {name for _, columns in export.tables for _, name in columns.types}
    older = sum(portion.older for portion in portions)
    return Imported(
        crew=crew,
        files=_files(export, look.rows, look.rejected, portions),
        taken=[],
        found=Found(types={token_of(name): NameFound(name) for name in sorted(types)}),
        rejected=explained(look.rejected, unread),
        findings=sorted({found for portion in portions for found in portion.findings}),
        warnings=[*_several(look.several), *_older(older)],
        rows=sum(portion.rows for portion in portions),
        added=sum(portion.added for portion in portions),
        unchanged=sum(portion.unchanged for portion in portions),
        older=older,
        unread=unread,
    )


def _several(found: Mapping[str, Sequence[str]]) -> list[str]:
    """Record ids that stand with different addresses, and these: whose a stop is cannot be told, so all are held."""
    if not found:
        return []
    ids = "1 record id stands" if len(found) == 1 else f"{len(found)} record ids stand"
    listed = [f"{record}: {', '.join(emails)}" for record, emails in sorted(found.items())]
    if len(listed) > _MOST_LISTED:
        listed = [*listed[:_MOST_LISTED], f"and {len(listed) - _MOST_LISTED} more"]
    return [
        f"{ids} with different addresses in this export. Nobody is joined by them, and each of these addresses "
        f"is held for review and in do-not-send.csv until the export is right: {'; '.join(listed)}."
    ]


def _older(rows: int) -> list[str]:
    if not rows:
        return []
    were = "1 row of the contacts export was" if rows == 1 else f"{rows} rows of the contacts export were"
    return [f"{were} older than what is known of the same records: the stops count, what is newer stands."]


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
