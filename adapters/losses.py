"""Which files of an audit lost a stop, or may have: for its first lines, and for `audit.json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from adapters.importing import Imported
from adapters.unread import Row
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.catalogue import Catalogue
from ledger.lost_stops import EXPORT, UNREAD, is_shown_in_part, lost_stops, open_files
from ledger.terms import LEDGER_STREAM
from projections.verdicts import FileSeen, LostStops


def losses_of(house: House, catalogue: Catalogue, source: Imported) -> list[LostStops]:
    """Every file of which rows that may be stops could not be read: those that stand open first."""
    standing = lost_stops(catalogue)
    unread, answered = open_files(standing), _accepted(house, catalogue)
    rows: dict[tuple[str, str], list[Row]] = {}
    shas = {file.name: file.sha256 for file in source.files}
    for row in source.unread.rows:
        rows.setdefault((row.rejected.file, shas.get(row.rejected.file, "")), []).append(row)
    for taken in source.taken:
        if taken.unread.rows:
            rows.setdefault((taken.name, taken.sha256), []).extend(taken.unread.rows)
    found = [
        LostStops(
            file=name,
            sha256=sha256,
            lost=sum(row.lost for row in these),
            rows=[place for row in these if row.lost for place in row.places],
            held=len({who for row in these for who in row.named}),
            held_rows=[place for row in these if row.named and not row.lost for place in row.places],
            stands=sha256 in unread,
            accepted_by=answered.get(sha256),
        )
        for (name, sha256), these in rows.items()
    ]
    given = {one.sha256 for one in found}
    found += [
        LostStops(
            file=file, sha256=event.file or "", lost=event.lost, hidden=event.hidden, rows=[], stands=True,
            earlier=event.lost > 0 and event.source != UNREAD, in_part=in_part, unread=event.source == UNREAD,
        )
        for event, file, in_part in _said(house, catalogue)
        if event.file not in given
    ]  # fmt: skip
    found += [
        *_accepted_exports(house, catalogue, answered),
        *_accepted_unread(house, catalogue, answered, source.seen),
    ]
    return sorted(found, key=lambda one: (not one.stands, not one.lost))


def _accepted_unread(
    house: House, catalogue: Catalogue, answered: dict[str, str], seen: Sequence[FileSeen]
) -> Iterator[LostStops]:
    """Files of this run that were not read, where somebody goes on without them."""
    here = {one.name for one in seen if one.may_stop}
    for event in (n.event for n in catalogue.imports if isinstance(n.event, e.ImportFinished)):
        if event.source == UNREAD and event.lost and event.file in answered and _name(house, event) in here:
            yield LostStops(
                file=_name(house, event),
                sha256=event.file or "",
                lost=event.lost,
                rows=[],
                unread=True,
                accepted_by=answered[event.file],
            )


def _accepted_exports(house: House, catalogue: Catalogue, answered: dict[str, str]) -> Iterator[LostStops]:
    """The newest export of contacts, where it hides opt-outs and somebody goes on with it."""
    exports = [n.event for n in catalogue.imports if isinstance(n.event, e.ImportFinished) and n.event.source == EXPORT]
    for event in exports[-1:]:
        if event.hidden and event.file in answered:
            yield LostStops(
                file=_name(house, event),
                sha256=event.file or "",
                lost=0,
                hidden=event.hidden,
                rows=[],
                accepted_by=answered[event.file],
            )


def accept(house: House, file: str, lost: int, name: str) -> str:
    """Record that somebody answers for going on without the lost rows of a file; what is wrong with that, if anything.

    Of files accepted already nothing is recorded again.
    """
    found = [entry.event for entry in lost_stops(house.catalogue) if isinstance(entry.event, e.ImportFinished)]
    mine = [one for one in found if _name(house, one) in (file, PurePath(file).name)]
    meant = [one for one in mine if rows_open(one) == lost]
    if mine and not meant:
        left = rows_open(mine[-1])
        rows = "1 row" if left == 1 else f"{left} rows"
        return f"{file} leaves {rows} to answer for, not {lost}: say how many you go on without"
    if not mine and (file, lost) not in _answered_for(house):
        return f"{file} has no rows that may be stops and are lost, and it hides no opt-outs"
    for one in meant:
        event = e.LostStopsAccepted(
            stream=LEDGER_STREAM, source="cli", by="officer", precision="recorded", file=one.file or "", lost=lost
        )
        house.ledger.record(Fact(event, f"lost_stops:{one.file}", {"name": name, "file": file}))
    return ""


def rows_open(event: e.ImportFinished) -> int:
    """How many rows of a file somebody has to answer for: those that are lost, else those that hide opt-outs."""
    return event.lost or event.hidden


def _answered_for(house: House) -> set[tuple[str, int]]:
    return {
        (str(house.payload(n.event).get("file", "")), n.event.lost)
        for n in house.catalogue.accepted
        if isinstance(n.event, e.LostStopsAccepted)
    }


class Open(NamedTuple):
    """A file that stands open. `rows`: how many somebody has to answer for; `in_part`, `unread`: see `LostStops`."""

    name: str
    sha256: str
    rows: int
    in_part: bool = False
    unread: bool = False


def standing_files(house: House, catalogue: Catalogue) -> list[Open]:
    """The files that stand open."""
    return [
        Open(name, event.file or "", rows_open(event), in_part, event.source == UNREAD)
        for event, name, in_part in _said(house, catalogue)
    ]


def without_settled(found: Sequence[LostStops], held: int) -> list[LostStops]:
    """The files but for those of which later ones show every record of an audit. `held`: records that they do not."""
    return [one for one in found if held or one.accepted_by or not one.in_part or one.lost]


def _said(house: House, catalogue: Catalogue) -> Iterator[tuple[e.ImportFinished, str, bool]]:
    for entry in lost_stops(catalogue):
        if isinstance(entry.event, e.ImportFinished):
            in_part = entry.event.hidden > 0 and is_shown_in_part(entry, catalogue)
            yield entry.event, _name(house, entry.event), in_part


def _name(house: House, event: e.ImportFinished) -> str:
    return str(house.payload(event).get("file", event.source))


def _accepted(house: House, catalogue: Catalogue) -> dict[str, str]:
    """SHA-256 of the files that somebody goes on with -> who answers for it."""
    return {
        n.event.file: str(house.payload(n.event).get("name", "?"))
        for n in catalogue.accepted
        if isinstance(n.event, e.LostStopsAccepted)
    }
