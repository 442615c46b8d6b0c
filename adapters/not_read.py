"""Files that were come across, were not read, and may hold opt-outs: kept in the ledger until read or answered for.

Each is an import that lost what may be anybody's stop, so all that follows from lost stops follows from it: see
`ledger.lost_stops`. It is known by its bytes. One in a form that nobody can read here is also known by its name, once
it is gone and another file of that name has shown opt-outs.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple, cast

from adapters.evidence import Taken
from adapters.reading import undated
from adapters.sources import BROKEN, is_read_as_a_table
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.lost_stops import A_DAY, UNREAD, lost_stops
from ledger.terms import LEDGER_STREAM


class NotRead(NamedTuple):
    """A file, a member of an archive or a sheet that was not read. `taken_on`: the file's own time."""

    name: str
    sha256: str
    taken_on: datetime


def not_read(name: str, path: Path, member: str | None = None, known: str | None = None) -> NotRead:
    """What is kept of it. `known`: its digest, where that is at hand. What cannot be opened is known by its name."""
    try:
        digest = known or _digest(path, member)
        taken_on = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except BROKEN:
        digest, taken_on = hashlib.sha256(f"not opened\0{name}".encode("utf-8", "surrogatepass")).hexdigest(), now()
    return NotRead(name, digest, taken_on)


def of_sheet(sha256: str, name: str) -> str:
    """A digest that tells a sheet from the others of its workbook, whose bytes they share."""
    return hashlib.sha256(f"{sha256}\0{PurePath(name).name}".encode("utf-8", "surrogatepass")).hexdigest()


def keep(
    house: House, found: Sequence[NotRead], read: Iterable[str], taken: Sequence[Taken], days: Sequence[datetime]
) -> None:
    """Record the files that were not read, once each, and which of those on record were read now after all.

    read   digests of what was read; `taken`, `days`: what became of each file of evidence, and its own time
    """
    known = {n.event.file for n in house.catalogue.imports if isinstance(n.event, e.ImportFinished)}
    for one in {one.sha256: one for one in found if one.sha256 not in known}.values():
        _record(house, one.sha256, one.taken_on, _named(house, one.name), {"file": one.name})
    sums, lying = set(read), {one.sha256 for one in found}
    showing = {
        (_named(house, f"{PurePath(one.name).stem}.xls"), day)
        for one, day in zip(taken, days, strict=True)
        if one.stops
    }
    for event in _open(house):
        before = (event.captured_at or now()) - A_DAY
        replaced = event.named is not None and any(name == event.named and day >= before for name, day in showing)
        if event.file in sums or (replaced and event.file not in lying):
            _record(house, event.file or "", event.captured_at, event.named, {}, lost=0)


def _open(house: House) -> Iterator[e.ImportFinished]:
    for entry in lost_stops(house.catalogue):
        if isinstance(entry.event, e.ImportFinished) and entry.event.source == UNREAD:
            yield entry.event


def _named(house: House, name: str) -> str | None:
    """By what a file that takes its place is known; None: it is of a form that is read here, as it stands."""
    if is_read_as_a_table(name):
        return None
    return house.ledger.sid(UNREAD, f"name:{undated(PurePath(name).stem)}").hex()


def _record(
    house: House, sha256: str, taken_on: datetime | None, named: str | None, said: dict[str, object], lost: int = 1
) -> None:
    event = e.ImportFinished(
        stream=LEDGER_STREAM,
        source=UNREAD,
        by="system",
        occurred_from=now(),
        captured_at=taken_on,
        captured_by="import_file",
        file=sha256,
        lost=lost,
        named=named,
    )
    house.ledger.record(Fact(event, payload=said or None))


def _digest(path: Path, member: str | None) -> str:
    digest = hashlib.sha256()
    with _opened(path, member) as file:
        while chunk := file.read(1024**2):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        if member is None:
            yield file
            return
        with zipfile.ZipFile(file) as archive, archive.open(member) as inner:
            yield cast("BinaryIO", inner)
