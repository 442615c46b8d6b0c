"""One side of `bench_mirror`, as a process: follows the topic from its beginning, prints records a second, ends.

The clock runs from the end of the first batch: joining the group is not what is compared.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from adapters.kafka.faust_app import make_app
from adapters.kafka.mirror import AWAY, Mirror, mirroring
from adapters.kafka.mirror_schema import metadata
from adapters.kafka.records import Effects, Record
from adapters.kafka.topics import STATUS, STATUS_DLQ, named
from adapters.kafka.worker import Member, Work
from adapters.kafka.worker import run as run_worker
from adapters.wiring import now
from projections.contact_status import ContactStatus

SESSION = 10.0
TAKEN, WITHIN = 500, 0.05
"""As many records at once as our worker takes; seconds that Faust's `take` waits for them."""

_UPSERT = """
INSERT INTO mirror_contact (contact, revision, gone, position, at, marketing_status, merged_into, erased)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (contact) DO UPDATE SET revision = excluded.revision, gone = excluded.gone,
    position = excluded.position, at = excluded.at, marketing_status = excluded.marketing_status,
    merged_into = excluded.merged_into, erased = excluded.erased
WHERE excluded.revision > revision OR excluded.revision = revision AND excluded.gone >= gone
"""
_DELETE = "DELETE FROM mirror_cell WHERE contact = ?"
_INSERT = "INSERT INTO mirror_cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Pace:
    """Counts what is done; at `count` it prints the pace and ends the process in good order."""

    def __init__(self, count: int) -> None:
        self._count, self._done = count, 0
        self._first, self._began = 0, 0.0

    def did(self, records: int) -> None:
        """So many more."""
        self._done += records
        if not self._began:
            self._first, self._began = self._done, time.perf_counter()
        elif self._done >= self._count:
            print((self._done - self._first) / (time.perf_counter() - self._began), flush=True)
            os.kill(os.getpid(), signal.SIGTERM)


def ours(servers: str, prefix: str, group: str, database: Path, pace: Pace) -> None:
    """The mirror worker as `streams worker mirror` runs it."""
    with closing(Mirror(f"sqlite:///{database}")) as mirror:
        handle = mirroring(mirror, named(STATUS_DLQ, prefix), now)

        def counted(records: Sequence[Record]) -> Effects:
            effects = handle(records)
            pace.did(len(records))
            return effects

        member = Member(group, servers, "127.0.0.1", None, SESSION, 60.0)
        run_worker(Work(group, named(STATUS, prefix), counted, AWAY), member, lambda _: None)


async def bare(servers: str, prefix: str, group: str, database: Path, pace: Pace, taken: int) -> None:
    """An agent as Faust's documentation writes it, on the plain driver. It trusts that a later record is newer."""
    engine = sa.create_engine(f"sqlite:///{database}")
    metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(database)
    app = make_app(group, group, servers, SESSION)
    topic = app.topic(named(STATUS, prefix), key_type=bytes, value_type=bytes, value_serializer="raw")
    dead = app.topic(named(STATUS_DLQ, prefix), key_type=bytes, value_type=bytes, value_serializer="raw")

    async def work(stream: Any) -> None:
        async for values in stream.take(taken, within=WITHIN):
            refused = _store(connection, values)
            for value in refused:
                await (await dead.send(key=b"refused", value=value[:100]))
            pace.did(len(values))

    app.agent(topic, name="work")(work)
    app.finalize()
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await app.start()
    await asked.wait()
    await app.stop()
    connection.close()


_decode = msgspec.json.Decoder(ContactStatus).decode
encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode


def _store(connection: sqlite3.Connection, values: Sequence[bytes]) -> list[bytes]:
    """One transaction; the values that cannot be read."""
    newest: dict[str, ContactStatus] = {}
    refused = []
    for value in values:
        try:
            status = _decode(value)
        except msgspec.DecodeError:
            refused.append(value)
        else:
            newest[status.contact] = status
    found = newest.values()
    with connection:
        connection.executemany(_UPSERT, [_contact(one) for one in found])
        connection.executemany(_DELETE, [(one.contact,) for one in found])
        connection.executemany(_INSERT, [cell for one in found for cell in _cells(one)])
    return refused


def _contact(one: ContactStatus) -> tuple[Any, ...]:
    return (
        one.contact,
        one.revision,
        False,
        one.position,
        one.at.strftime("%Y-%m-%d %H:%M:%S.%f"),
        one.marketing_status,
        one.merged_into,
        one.erased,
    )


def _cells(one: ContactStatus) -> list[tuple[Any, ...]]:
    return [
        (
            one.contact,
            cell.purpose,
            cell.channel,
            cell.address or "",
            cell.allowed,
            cell.basis,
            cell.rule,
            cell.reason,
            cell.marketing_status,
            encode(cell.segments).decode(),
        )
        for cell in one.cells
    ]


def main(side: str, servers: str, prefix: str, group: str, database: str, count: str) -> None:
    """`ours`, `bare`, or `single`: bare with a transaction for each message."""
    pace, at = Pace(int(count)), Path(database)
    if side == "ours":
        ours(servers, prefix, group, at, pace)
    else:
        asyncio.run(bare(servers, prefix, group, at, pace, 1 if side == "single" else TAKEN))


if __name__ == "__main__":
    main(*sys.argv[1:])
