"""Files of evidence into the ledger: statements to people to facts, by the thousand, each fact once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

import msgspec

from adapters.intake import CHUNK, Progress
from adapters.statements import Evidence, Found, Statement, Wanted
from adapters.tabular import Rejected
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration


@dataclass(slots=True)
class Taken:
    """What became of one file. `first`, `last`: the days its facts speak of."""

    name: str
    sha256: str
    kind: str
    rows: int = 0
    facts: int = 0
    added: int = 0
    unchanged: int = 0
    stops: int = 0
    first: date | None = None
    last: date | None = None
    rejected: list[Rejected] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    found: Found = field(default_factory=Found)


def take_in(
    house: House, files: Iterable[Evidence], wanted: Wanted, progress: Progress = lambda _: None
) -> list[Taken]:
    """Take every file in; what is in the ledger already is counted as unchanged. Interrupted, it goes on from there."""
    done = 0
    taken: list[Taken] = []
    for file in files:
        result = Taken(file.name, file.sha256, file.kind, found=file.found)
        for chunk in _chunks(file.statements(wanted, result.rejected.append)):
            _record(house, file, chunk, result)
            done += len(chunk)
            progress(done)
        result.rows = file.rows
        _close(house, file, result)
        taken.append(result)
    return taken


def _record(house: House, file: Evidence, chunk: Sequence[Statement], result: Taken) -> None:
    ledger = house.ledger
    people = ledger.register_many([Registration(one.email, file.system, one.record_id, False) for one in chunk])
    facts = [
        Fact(
            msgspec.structs.replace(one.event, stream=who.contact, address=who.address, record=who.record),
            one.source_id,
            one.payload,
        )
        for one, who in zip(chunk, people, strict=True)
    ]
    outcome = ledger.record_many(facts)
    result.facts += len(chunk)
    result.added += outcome.recorded
    result.unchanged += outcome.unchanged
    for one in chunk:
        event = one.event
        result.stops += isinstance(event, e.Stop)
        if event.occurred_from is not None:
            day = event.occurred_from.date()
            result.first = day if result.first is None else min(day, result.first)
            result.last = day if result.last is None else max(day, result.last)
    for place in outcome.conflicts:
        result.findings.append(
            f"{file.name}, row {chunk[place].row}: differs from what position {outcome.positions[place]} holds under "
            "the same id; not recorded. Was the source edited? Record what is right with `consent-ledger record`."
        )


def _close(house: House, file: Evidence, result: Taken) -> None:
    """Record that the file was taken in, unless it was before and said nothing new."""
    before = any(isinstance(n.event, e.ImportFinished) and n.event.file == file.sha256 for n in house.catalogue.imports)
    if before and not result.added:
        return
    period = {"first": result.first, "last": result.last}
    house.ledger.record(
        Fact(
            e.ImportFinished(
                stream=LEDGER_STREAM,
                source=f"{file.system}.{file.kind}",
                by="system",
                occurred_from=now(),
                captured_at=file.taken_on,
                captured_by="import_file",
                file=file.sha256,
                rows=result.rows,
                added=result.added,
                unchanged=result.unchanged,
                rejected=len(result.rejected),
                stops=result.stops,
            ),
            payload={name: day.isoformat() for name, day in period.items() if day is not None}
            | {"facts": result.facts},
        )
    )


def _chunks(statements: Iterator[Statement]) -> Iterator[list[Statement]]:
    while chunk := list(islice(statements, CHUNK)):
        yield chunk
