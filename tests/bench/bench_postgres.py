"""Appending to PostgreSQL against the raw driver and the stock library: both sides in one run, in turn.

Raw is the least that a table can be given: binary COPY of the four columns of the stock table, with its primary
key, one transaction a batch; or one prepared INSERT a transaction. Ours assigns positions and versions under a
lock, stamps, knows sids and is guarded; the log alone, without a vault.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from struct import Struct
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from eventsourcing.persistence import DatetimeAsISO, EventStore, JSONTranscoder, Mapper, UUIDAsHex
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from ledger.log import Draft, Log
from tests.bench.bench_append import _drafts, _rate, _row, _versioned, now
from tests.bench.bench_rebuild import Recorded
from tests.services import postgres
from tests.services.postgres import Fresh, driver_of

ENTRIES = {1_000: 40_000, 10_000: 60_000}
SINGLES = 1_500
ROUNDS = 5
BARS = {1_000: 0.35, 10_000: 0.50}
SINGLE_BAR = 0.70

_TABLE = (
    "CREATE TABLE bare (originator_id uuid NOT NULL, originator_version bigint NOT NULL, topic text, state bytea, "
    "PRIMARY KEY (originator_id, originator_version))"
)
_COPY = "COPY bare FROM STDIN (FORMAT BINARY)"
_fixed = Struct(">hi16siqi").pack
_length = Struct(">i").pack


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Every figure of this module."""
    rounds = 1 if quick else ROUNDS
    with ExitStack() as stack:
        server = _server(stack)
        lines = [_singles(server, 50 if quick else SINGLES, rounds)]
        for batch, entries in ENTRIES.items():
            lines += _batches(server, batch, 2 * batch if quick else entries, rounds)
        lines[1:1] = _stock(server, 200 if quick else 4_000)
        return lines


def _server(stack: ExitStack) -> str:
    """The one named, else one of our own that waits for the disk as it should."""
    given = os.environ.get(postgres.GIVEN)
    if given:
        postgres.prepare(given)
        return given
    return stack.enter_context(postgres.own_server(shared_buffers="512MB", max_wal_size="4GB")).url


def _batches(server: str, batch: int, entries: int, rounds: int) -> list[dict[str, Any]]:
    ours: list[float] = []
    packed: list[float] = []
    by_value: list[float] = []
    for _ in range(rounds):
        drafts = _drafts(entries)
        ours.append(_on(server, lambda made: _our_batches(made, drafts, batch)))  # noqa: B023 - called at once
        packed.append(_on(server, lambda made: _raw_copy(made, drafts, batch)))  # noqa: B023
        by_value.append(_on(server, lambda made: _raw_copy_by_value(made, drafts, batch)))  # noqa: B023
    name = f"PostgreSQL: append in batches of {batch:,}, entries/s, against"
    return [
        _row(f"{name} raw binary COPY", ours, by_value, BARS[batch]),
        _row(f"{name} binary COPY of one prepared buffer", ours, packed, 0.0) | {"bar": None, "holds": None},
    ]


def _singles(server: str, entries: int, rounds: int) -> dict[str, Any]:
    ours: list[float] = []
    raw: list[float] = []
    for _ in range(rounds):
        drafts = _drafts(max(entries, 10))[:entries]
        ours.append(_on(server, lambda made: _our_batches(made, drafts, 1)))  # noqa: B023 - called at once
        raw.append(_on(server, lambda made: _raw_inserts(made, drafts)))  # noqa: B023
    return _row("PostgreSQL: append one by one, entries/s, against raw prepared INSERT", ours, raw, SINGLE_BAR)


def _on(server: str, work: Callable[[Fresh], float]) -> float:
    with postgres.fresh(server) as made:
        with driver_of(server) as connection:
            connection.execute("CHECKPOINT")
        gc.collect()
        gc.freeze()  # as `serve` does: what the bench itself has made is not to be looked through
        try:
            return work(made)
        finally:
            gc.unfreeze()


def _our_batches(made: Fresh, drafts: Sequence[Draft], batch: int) -> float:
    with Log.make(made.url, now) as log:

        def work() -> None:
            for start in range(0, len(drafts), batch):
                log.append(drafts[start : start + batch])

        return _rate(len(drafts), work)


Bare = tuple[bytes, int, bytes, bytes]


def _bare(made: Fresh, drafts: Sequence[Draft]) -> tuple[psycopg.Connection[Any], list[Bare]]:
    connection = driver_of(made.owner_url)
    connection.execute(_TABLE)
    rows = [
        (UUID(draft.stream).bytes, version, draft.topic.encode(), draft.entry)
        for draft, version in zip(drafts, _versioned(drafts), strict=True)
    ]
    return connection, rows


def _raw_copy(made: Fresh, drafts: Sequence[Draft], batch: int) -> float:
    """The buffer is packed before the clock starts: what is timed is the database alone."""
    connection, rows = _bare(made, drafts)
    buffers = [_packed(rows[start : start + batch]) for start in range(0, len(rows), batch)]

    def work() -> None:
        for buffer in buffers:
            with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.write(buffer)

    with connection:
        return _rate(len(drafts), work)


def _packed(rows: Sequence[Bare]) -> bytes:
    parts = [b"PGCOPY\n\xff\r\n\0" + bytes(8)]
    for stream, version, topic, state in rows:
        parts += (_fixed(4, 16, stream, 8, version, len(topic)), topic, _length(len(state)), state)
    return b"".join([*parts, b"\xff\xff"])


def _raw_copy_by_value(made: Fresh, drafts: Sequence[Draft], batch: int) -> float:
    """As psycopg does it: a row at a time, types set, binary."""
    connection, rows = _bare(made, drafts)
    typed = [(UUID(bytes=stream), version, topic.decode(), state) for stream, version, topic, state in rows]

    def work() -> None:
        for start in range(0, len(typed), batch):
            with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.set_types(["uuid", "int8", "text", "bytea"])
                for row in typed[start : start + batch]:
                    copy.write_row(row)

    with connection:
        return _rate(len(drafts), work)


def _raw_inserts(made: Fresh, drafts: Sequence[Draft]) -> float:
    connection, rows = _bare(made, drafts)
    typed = [(UUID(bytes=stream), version, topic.decode(), state) for stream, version, topic, state in rows]

    def work() -> None:
        for row in typed:
            connection.execute("INSERT INTO bare VALUES (%b, %b, %t, %b)", row, prepare=True)

    with connection:
        return _rate(len(drafts), work)


# --- the stock library ---------------------------------------------------------------------------------


def _stock(server: str, entries: int) -> list[dict[str, Any]]:
    """eventsourcing's own recorder and mapper over the same facts, beside ours; no bar."""
    lines = []
    for batch in (1, 1_000):
        drafts = _drafts(max(entries // 4 if batch == 1 else entries, 10))
        ours = _on(server, lambda made: _our_batches(made, drafts, batch))  # noqa: B023 - called at once
        stock = _on(server, lambda made: _stock_puts(made, drafts, batch))  # noqa: B023
        what = "one by one" if batch == 1 else f"in batches of {batch:,}"
        name = f"PostgreSQL: append {what}, entries/s, against the library's stock recorder and mapper"
        lines.append(_row(name, [ours], [stock], 0.0) | {"bar": None, "holds": None})
    return lines


def _stock_puts(made: Fresh, drafts: Sequence[Draft], batch: int) -> float:
    url = sa.make_url(made.owner_url)
    store = PostgresDatastore(
        dbname=url.database or "", host=url.host or "", port=url.port or 5432, user=url.username or "", password=""
    )
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    transcoder.register(DatetimeAsISO())
    recorder = PostgresApplicationRecorder(store, events_table_name="stock")
    recorder.create_table()
    events: EventStore[UUID] = EventStore(Mapper(transcoder), recorder)
    facts = [
        Recorded(
            originator_id=UUID(draft.stream),
            originator_version=version,
            timestamp=now(),
            kind=draft.topic,
            occurred_from=now(),
            address=draft.stream,
            purposes=["marketing.similar"],
            channels=["email"],
            detail={"source": "hubspot", "act": "unticked_box", "form": "newsletter"},
        )
        for draft, version in zip(drafts, _versioned(drafts), strict=True)
    ]

    def work() -> None:
        for start in range(0, len(facts), batch):
            events.put(facts[start : start + batch])

    try:
        return _rate(len(drafts), work)
    finally:
        store.close()
