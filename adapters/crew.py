"""The shares of one import, worked through together: here for a small input, in processes for a large one.

Every process opens the ledger for itself: log and vault are made for several writers. What the shares
yield is put in the order of the input again, so the answers do not depend on how many there were.
"""

from __future__ import annotations

import gc
import heapq
import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from adapters.evidence import Taken, take_in
from adapters.hubspot.export import Export
from adapters.hubspot.export import Share as RowShare
from adapters.intake import Occasion, Portion, Progress, Share
from adapters.kept_out import with_others
from adapters.standing import Standing
from adapters.statements import Evidence, Wanted
from adapters.wiring import House
from projections.audit import Auditor
from projections.verdicts import Verdict

LARGE = 16 * 1024**2
"""Bytes from which processes of their own pay for starting them."""
JUDGED, SENT = 2_000, 1_000
"""How many records are folded, and how many decisions sent, at a time."""
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[int, Verdict]])


class Brief(NamedTuple):
    """What an audit asks of every record."""

    at: datetime
    purpose: str | None


def workers_for(paths: Sequence[Path], files: Sequence[Evidence] = ()) -> int:
    """How many processes an input is worth on this machine."""
    large = sum(path.stat().st_size for path in paths) + sum(file.size for file in files) >= LARGE
    return min(os.cpu_count() or 1, 4) if large else 1


class Crew:
    """All shares of an import. Use as a context manager; `read`, `settle`, then `verdicts` if wanted."""

    def __init__(self, house: House, workers: int) -> None:
        self._house = house
        self._here: Share | Standing | None = None
        context = multiprocessing.get_context("spawn")
        self._hands = [_Hand(context, house.directory) for _ in range(workers if workers > 1 else 0)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for hand in self._hands:
            hand.stop()

    def read(self, export: Export, occasion: Occasion, progress: Progress) -> list[Portion]:
        """See `Share.read`."""
        if not self._hands:
            share = self._here = Share(self._house, export, occasion)
            return [share.read(progress)]
        for part, hand in enumerate(self._hands):
            export.share = RowShare(part, len(self._hands))
            hand.ask("read", export, occasion)
        return self._results(progress)

    def settle(self) -> list[Portion]:
        """See `Share.settle`."""
        if isinstance(self._here, Share):
            return [self._here.settle()]
        for hand in self._hands:
            hand.ask("settle")
        return self._results(lambda _: None)

    def stand(self) -> None:
        """Let the records be those that the ledger holds, where no export is given."""
        self._here = Standing(self._house)

    def take_in(self, files: Sequence[Evidence], wanted: Wanted, progress: Progress) -> list[Taken]:
        """See `evidence.take_in`: each file by one hand, the largest first; the results in the files' order."""
        if not self._hands or len(files) < 2:
            return take_in(self._house, files, wanted, progress)
        shares: list[list[int]] = [[] for _ in self._hands]
        loads = [0] * len(shares)
        for place in sorted(range(len(files)), key=lambda n: -files[n].size):
            least = loads.index(min(loads))
            shares[least].append(place)
            loads[least] += files[place].size
        for hand, share in zip(self._hands, shares, strict=True):
            hand.ask("take_in", [files[place] for place in share], wanted)
        taken: dict[int, Taken] = {}
        for share, results in zip(shares, self._results(progress), strict=True):
            taken.update(zip(share, results, strict=True))
        return [taken[place] for place in sorted(taken)]

    def verdicts(self, brief: Brief) -> Iterator[Verdict]:
        """The verdict of every record, in the order of the input."""
        if self._here:
            yield from (verdict for _, verdict in judged(self._house, self._here, brief))
            return
        for hand in self._hands:
            hand.ask("judge", brief)
        for _, verdict in heapq.merge(*(hand.stream() for hand in self._hands), key=lambda found: found[0]):
            yield verdict

    def _results(self, progress: Progress) -> list[Any]:
        done = [0] * len(self._hands)

        def seen(place: int) -> Callable[[int], None]:
            def report(rows: int) -> None:
                done[place] = rows
                progress(sum(done))

            return report

        return [hand.result(seen(place)) for place, hand in enumerate(self._hands)]


def judged(house: House, share: Share | Standing, brief: Brief) -> Iterator[tuple[int, Verdict]]:
    """The verdicts of a share, each with its place."""
    auditor = Auditor(house.policy, house.catalogue, brief.at, brief.purpose)
    records = share.records()
    while chunk := list(islice(records, JUDGED)):
        contacts = house.contacts(list({placed.record.contact for placed in chunk if placed.record.contact}))
        for place, record in chunk:
            group = house.group_of(contacts, record.contact)
            yield place, with_others(house, auditor, group, record, auditor.verdict(group, record))


class _Hand:
    """One process, and the line to it."""

    def __init__(self, context: Any, directory: Path) -> None:
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, directory), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, step: str, *given: object) -> None:
        """Have a step done."""
        self._line.send((step, *given))

    def result(self, progress: Progress) -> Any:
        """What the step came to; reports how far it is on the way."""
        while True:
            kind, value = self._receive()
            if kind == "done":
                return value
            progress(value)

    def stream(self) -> Iterator[tuple[int, Verdict]]:
        """Verdicts as they come."""
        while True:
            kind, value = self._receive()
            if kind == "end":
                return
            yield from _decoder.decode(value)

    def _receive(self) -> tuple[str, Any]:
        try:
            kind, value = self._line.recv()
        except EOFError:
            raise RuntimeError("a process of the import ended; run the command again") from None
        if kind == "failed":
            raise RuntimeError(f"a process of the import failed:\n{value}")
        return kind, value

    def stop(self) -> None:
        """End the process. Whatever it has recorded stays."""
        self._line.close()
        self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.terminate()


def _work(line: Connection, directory: Path) -> None:
    """What a process does: steps as they are asked for, until the line is closed."""
    # What an import makes holds itself in no ring; the collector would walk a growing heap for nothing.
    gc.freeze()
    gc.set_threshold(500_000, 20, 100)
    with House.open(directory, os.environ) as house:
        share: Share | None = None
        while True:
            try:
                step, *given = line.recv()
            except EOFError:
                return
            try:
                share = _step(house, share, line, step, given)
            except Exception:
                line.send(("failed", traceback.format_exc()))
                raise


def _step(house: House, share: Share | None, line: Connection, step: str, given: list[Any]) -> Share | None:
    """Do one step; the share of the rows that this process has, once it has one."""

    def progress(rows: int) -> None:
        line.send(("rows", rows))

    if step == "take_in":
        files, wanted = given
        line.send(("done", take_in(house, files, wanted, progress)))
        return share
    share = share or Share(house, *given)
    if step == "read":
        line.send(("done", share.read(progress)))
    elif step == "settle":
        line.send(("done", share.settle()))
    else:
        found = judged(house, share, *given)
        while batch := list(islice(found, SENT)):
            line.send(("verdicts", _encoder.encode(batch)))
        line.send(("end", None))
    return share
