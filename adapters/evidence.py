"""Files of evidence into the ledger: statements to people to facts, by the thousand, each fact once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import PurePath
from typing import NamedTuple

import msgspec

from adapters import wide_stops
from adapters.echoed import OURS, are_our_writes
from adapters.intake import CHUNK, Progress
from adapters.reading import NOT_CLEAR, undated
from adapters.recording import CROWDED
from adapters.statements import Evidence, Found, Statement, Wanted
from adapters.tabular import Rejected
from adapters.tokens import token_of
from adapters.unread import Unread, explained, hold, unread_of
from adapters.wide_stops import WideStop
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.lost_stops import lost_stops
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration

TYPES = "crm.types"
"""The source of what a CRM calls its subscription types by."""


@dataclass(slots=True)
class Taken:
    """What became of one file. `first`, `last`: the days its facts speak of; `unread`: rows that may be stops."""

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
    doubts: list[str] = field(default_factory=list)
    found: Found = field(default_factory=Found)
    unread: Unread = field(default_factory=Unread)


def take_in(
    house: House, files: Iterable[Evidence], wanted: Wanted, progress: Progress = lambda _: None
) -> list[Taken]:
    """Take every file in; what is in the ledger already is counted as unchanged. Interrupted, it goes on from there."""
    done = 0
    taken: list[Taken] = []
    for file in files:
        result = Taken(file.name, file.sha256, file.kind, found=file.found)
        before = done

        def step(facts: int, before: int = before) -> None:
            progress(before + facts)

        done += take(house, file, wanted, result, step)
        source = f"{file.system}.{file.kind}"
        if not _was_taken(house, file.sha256) or result.added or _mends(house, source, result):
            close(house, source, file.taken_on, result)
        taken.append(result)
    return taken


def take(house: House, file: Evidence, wanted: Wanted, result: Taken, progress: Progress = lambda _: None) -> int:
    """Record what one file, or one page of an API, states, and count it in; how many facts there were.

    Whoever may be meant by a row that cannot be read is held.
    """
    done = 0
    rejected: list[Rejected] = []
    wide: list[Statement] = []
    for chunk in _chunks(file.statements(wanted, rejected.append)):
        wide += [one for one in chunk if one.wide]
        record(house, file.system, file.name, [one for one in chunk if not one.wide], result)
        done += len(chunk)
        progress(done)
    rejected += _stop_widely(house, file, wide, result)
    result.findings += _unclear(file.name, [one.row for one in rejected if one.reason == NOT_CLEAR])
    unread = unread_of(rejected)
    hold(house, file.system, unread)
    result.unread.rows += unread.rows
    result.rejected += explained(rejected, unread)
    result.rows += file.rows
    result.doubts += file.doubts
    name_types(house, file.found.numbers)
    return done


def _unclear(name: str, rows: Sequence[int]) -> list[str]:
    """What is said of rows that are no stops and whose address is not clear."""
    if not rows:
        return []
    number = "1 row is of no one clear address" if len(rows) == 1 else f"{len(rows)} rows are of no one clear address"
    counts = "The stops of such a row count; whatever else it says counts for nobody."
    return [f"{name}: {number}, the first is row {rows[0]}. {counts}"]


def _stop_widely(house: House, file: Evidence, said: Sequence[Statement], result: Taken) -> list[Rejected]:
    """Record stops of domains and digests, and count them in; those that cannot be used."""
    said = _of_their_file(house, said, file.sha256)
    stops = [
        WideStop(one.wide, one.event, one.source_id, one.payload, one.row)
        for one in said
        if one.wide is not None and isinstance(one.event, e.Stop)
    ]
    if not stops:
        return []
    taken = wide_stops.take(house.ledger, stops)
    result.facts += len(taken.outcome.positions)
    result.added += taken.outcome.recorded
    result.unchanged += taken.outcome.unchanged
    result.stops += len(stops) - len(taken.unusable)
    result.findings += [f"{file.name}, row {stop.row}: {reason}; it stops nobody." for stop, reason in taken.unusable]
    result.findings += [
        f"{file.name}, row {stop.row}: nobody is known at {stop.wide.text} by now; whoever arrives there is stopped."
        for stop in taken.unknown
        if stop.wide.kind == "domain"
    ]
    result.findings += _of_strangers(file.name, stops, taken.unknown)
    return [
        Rejected(file.name, stop.row, None, reason, ((stop.wide.text,),), may_stop=True)
        for stop, reason in taken.unusable
    ]


def _of_strangers(name: str, stops: Sequence[WideStop], unknown: Sequence[WideStop]) -> list[str]:
    """What is said of digests that are nobody's who is known: made in another way, they never are anybody's."""
    given = sum(stop.wide.kind != "domain" for stop in stops)
    strange = sum(stop.wide.kind != "domain" for stop in unknown)
    if not strange:
        return []
    reach = "it reaches" if strange == 1 else "they reach"
    return [
        f"{name}: of {given} addresses given as a digest, {strange} {'is' if strange == 1 else 'are'} not known here, "
        f"so {reach} nobody by now; whoever arrives with one is stopped. A digest that was salted, or made of an "
        "address in capital letters, never reaches anybody."
    ]


def name_types(house: House, names: Iterable[tuple[str, str]]) -> None:
    """Record which number of a subscription type goes with which name, each pair once."""
    said = [
        Fact(e.TypeNamed(stream=LEDGER_STREAM, source=TYPES, by="system", number=number, name=name), f"{number}:{name}")
        for number, name in sorted({(token_of(number), token_of(name)) for number, name in names})
        if number != name
    ]
    house.ledger.record_many(said)


def record(house: House, system: str, name: str, chunk: Sequence[Statement], result: Taken) -> None:
    """Record statements, and count them in. `name`: what they stand in, for a finding."""
    ledger = house.ledger
    chunk = _of_their_file(house, chunk, result.sha256)
    people = ledger.register_many([Registration(one.email, system, one.record_id, False) for one in chunk])
    if CROWDED not in result.findings and any(who.is_crowded for who in people):
        result.findings.append(CROWDED)
    ours = are_our_writes(house, [(one.event, who.contact) for one, who in zip(chunk, people, strict=True)])
    facts = [
        Fact(
            msgspec.structs.replace(
                one.event, stream=who.contact, address=who.address, record=who.record, **(OURS if written else {})
            ),
            f"{one.source_id}:ours" if written else one.source_id,
            one.payload,
        )
        for one, who, written in zip(chunk, people, ours, strict=True)
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
            f"{name}, row {chunk[place].row}: differs from what position {outcome.positions[place]} holds under "
            "the same id; not recorded. Was the source edited? Record what is right with `consent-ledger record`."
        )


def _of_their_file(house: House, chunk: Sequence[Statement], sha256: str) -> list[Statement]:
    """Stops without a time are said anew by each file that says them: they may have come since the last was made."""
    ledger = house.ledger
    undated = {ledger.sid(one.event.source, one.source_id) for one in chunk if _is_undated(one.event)}
    if not sha256 or not undated:
        return list(chunk)
    # a file taken in before ids named their file is still the same file
    known = ledger.log.find(undated) if _was_taken(house, sha256) else {}
    return [
        one._replace(source_id=f"{one.source_id}:{sha256}")
        if _is_undated(one.event) and ledger.sid(one.event.source, one.source_id) not in known
        else one
        for one in chunk
    ]


def _is_undated(event: e.Event) -> bool:
    return isinstance(event, e.Stop) and event.occurred_from is None and event.occurred_to is None


def _was_taken(house: House, sha256: str) -> bool:
    return any(isinstance(n.event, e.ImportFinished) and n.event.file == sha256 for n in house.catalogue.imports)


def _named(house: House, source: str, result: Taken) -> str | None:
    """By what a mended file is known for the one that was broken; None: rows of no file of that name were lost."""
    named = house.ledger.sid(source, f"name:{undated(PurePath(result.name).stem)}").hex()
    open_ones = (n.event for n in lost_stops(house.catalogue) if isinstance(n.event, e.ImportFinished))
    return named if result.unread.lost or any(one.named == named for one in open_ones) else None


def _mends(house: House, source: str, result: Taken) -> bool:
    """Whether a file taken in before is now read without a loss, which is worth recording."""
    return not result.unread.lost and _named(house, source, result) is not None


class Dropped(NamedTuple):
    """How many rows were not taken in, and how many of them may be stops and name nobody."""

    rejected: int
    lost: int


def close(house: House, source: str, taken_on: datetime, result: Taken, dropped: Dropped | None = None) -> None:
    """Record that something was taken in.

    dropped  where not all rows are at hand: of what was pulled, which is no file, and is never read again mended
    """
    named = None if dropped else _named(house, source, result)
    dropped = dropped or Dropped(len(result.rejected), result.unread.lost)
    period = {"first": result.first, "last": result.last}
    house.ledger.record(
        Fact(
            e.ImportFinished(
                stream=LEDGER_STREAM,
                source=source,
                by="system",
                occurred_from=now(),
                captured_at=taken_on,
                captured_by="import_file",
                file=result.sha256,
                rows=result.rows,
                added=result.added,
                unchanged=result.unchanged,
                rejected=dropped.rejected,
                stops=result.stops,
                lost=dropped.lost,
                named=named,
            ),
            payload={name: day.isoformat() for name, day in period.items() if day is not None}
            | {"facts": result.facts}
            | ({"file": result.name} if dropped.lost and named else {}),
        )
    )


def _chunks(statements: Iterator[Statement]) -> Iterator[list[Statement]]:
    while chunk := list(islice(statements, CHUNK)):
        yield chunk
