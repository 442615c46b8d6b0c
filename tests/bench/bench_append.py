"""Appending against the raw driver: `run()` measures both sides in the same run, round by round in turn.

Each row: {name, ours, reference, ratio, bar, holds}; rates are entries a second, medians of the rounds.
"""

from __future__ import annotations

import gc
import hmac
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import codec, log_schema
from ledger.application import Fact
from ledger.database import uuid_bytes, uuid_text
from ledger.events import OptedIn
from ledger.log import Draft, Log
from ledger.sqlite import SqliteDatabase
from tests.ledgers import open_ledger

BATCH = 1_000
ENTRIES = 40_000
SINGLES = 1_600
THREADS = 16
ROUNDS = 5
_START = datetime(2026, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def _contacts(entries: int) -> list[str]:
    return [uuid_text(os.urandom(16)) for _ in range(entries // 5)]


def _event(contact: str, number: int) -> OptedIn:
    moment = _START + timedelta(seconds=number)
    return OptedIn(
        stream=contact,
        source="hubspot",
        occurred_from=moment,
        captured_at=moment,
        captured_by="property_history",
        address=contact,
        by="data_subject",
        via="form",
        act="unticked_box",
        purposes=("marketing.similar",),
        channels=("email",),
        proof="individual",
        form="newsletter",
    )


def _drafts(entries: int) -> list[Draft]:
    contacts = _contacts(entries)
    drafts = []
    for number in range(entries):
        event = _event(random.choice(contacts), number)
        sid = os.urandom(16)
        drafts.append(Draft(event.stream, codec.topic_of(event), codec.encode(event, sid=sid.hex()), sid))
    return drafts


def _rate(count: int, work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _row(name: str, ours: list[float], reference: list[float], bar: float) -> dict[str, Any]:
    ratio = statistics.median(ours) / statistics.median(reference)
    return {
        "name": name,
        "ours": round(statistics.median(ours)),
        "reference": round(statistics.median(reference)),
        "ratio": round(ratio, 2),
        "bar": bar,
        "holds": ratio >= bar,
    }


# --- batches -----------------------------------------------------------------------------------------


def _in_batches(driver: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    for start in range(0, len(rows), BATCH):
        driver.execute("BEGIN IMMEDIATE")
        driver.executemany(statement, rows[start : start + BATCH])
        driver.execute("COMMIT")


def _versioned(drafts: Sequence[Draft]) -> list[int]:
    last: dict[str, int] = {}
    versions = []
    for draft in drafts:
        last[draft.stream] = last.get(draft.stream, 0) + 1
        versions.append(last[draft.stream])
    return versions


def _bare(path: Path) -> sqlite3.Connection:
    driver = sqlite3.connect(path, isolation_level=None)
    driver.execute("PRAGMA journal_mode = WAL")
    driver.execute("PRAGMA synchronous = FULL")
    driver.execute(
        "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB, "
        "PRIMARY KEY (originator_id, originator_version))"
    )
    return driver


def _bare_table(home: Path, drafts: Sequence[Draft]) -> float:
    rows = [
        (draft.stream.replace("-", ""), version, draft.topic, draft.entry)
        for draft, version in zip(drafts, _versioned(drafts), strict=True)
    ]
    driver = _bare(home / "bare.db")
    rate = _rate(len(rows), lambda: _in_batches(driver, "INSERT INTO stored_events VALUES (?, ?, ?, ?)", rows))
    driver.close()
    return rate


def _same_schema(home: Path, drafts: Sequence[Draft]) -> float:
    rows = [
        (position, uuid_bytes(draft.stream), version, draft.topic, draft.entry, draft.sid)
        for position, (draft, version) in enumerate(zip(drafts, _versioned(drafts), strict=True), 1)
    ]
    database = SqliteDatabase(home / "same.db", log_schema.metadata, log_schema.PRAGMAS)
    rate = _rate(
        len(rows),
        lambda: _in_batches(database.driver, log_schema.INSERT, rows),
    )
    database.close()
    return rate


def _our_append(home: Path, drafts: Sequence[Draft]) -> float:
    with Log.make(home / "log.db", now) as log:

        def work() -> None:
            for start in range(0, len(drafts), BATCH):
                log.append(drafts[start : start + BATCH])

        return _rate(len(drafts), work)


def batches(entries: int = ENTRIES, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """`log.append` of a thousand at a time against raw executemany: bare table, and our own schema."""
    bare: list[float] = []
    same: list[float] = []
    ours: list[float] = []
    for _ in range(rounds):
        drafts = _drafts(entries)
        with tempfile.TemporaryDirectory() as home:
            sides = [(bare, _bare_table), (ours, _our_append), (same, _same_schema)]
            random.shuffle(sides)
            for rates, measure in sides:
                rates.append(measure(Path(home), drafts))
    return [
        _row("append, 1,000 a transaction, against a bare table", ours, bare, 0.50),
        _row("append, 1,000 a transaction, against the same schema", ours, same, 0.70),
    ]


# --- facts with payloads -----------------------------------------------------------------------------

_encoder = msgspec.json.Encoder(order="sorted")


def _facts(entries: int) -> list[Fact]:
    contacts = _contacts(entries)
    return [
        Fact(
            _event(random.choice(contacts), number),
            f"form-{number}",
            {"ip": "203.0.113.7", "page": "https://example.org/newsletter", "wording": "Yes, send me news."},
        )
        for number in range(entries)
    ]


def _our_facts(home: Path, facts: Sequence[Fact]) -> float:
    with open_ledger(home / "ours", now, os.urandom, {}) as ledger:
        return _rate(len(facts), lambda: ledger.record_many(facts))


def _bare_facts(home: Path, facts: Sequence[Fact]) -> float:
    """The same hashes, ciphers, encodes and rows, with nothing looked up and nothing guarded."""
    (home / "bare").mkdir()
    with open_ledger(home / "bare", now, os.urandom, {}) as ledger:
        log, vault = ledger.log._database, ledger.vault._database
        assert isinstance(log, SqliteDatabase)
        assert isinstance(vault, SqliteDatabase)
        return _rate(len(facts), lambda: _bare_loop(log.driver, vault.driver, facts))


def _bare_loop(log: sqlite3.Connection, vault: sqlite3.Connection, facts: Sequence[Fact]) -> None:
    secret = os.urandom(32)
    wrapping = AESGCM(secret)
    ciphers: dict[str, AESGCM] = {}
    versions: dict[str, int] = {}
    for start in range(0, len(facts), 2_000):
        entries, payloads, keys = [], [], []
        recorded_at = codec.instant(now())
        for number, (event, source_id, payload) in enumerate(facts[start : start + 2_000], start + 1):
            codec.check(event)
            contact = uuid_bytes(event.stream)
            sid = hmac.digest(secret, f"{event.source}\0{source_id}".encode(), "sha256")[:16]
            content = _encoder.encode(payload)
            fingerprint = hmac.digest(secret, codec.content(event) + content, "sha256")
            r = os.urandom(32)
            commitment = hmac.digest(r, b"\x01" + content, "sha256")
            if event.stream not in ciphers:
                key, nonce = os.urandom(32), os.urandom(12)
                ciphers[event.stream] = AESGCM(key)
                keys.append((contact, nonce + wrapping.encrypt(nonce, key, contact)))
            nonce = os.urandom(12)
            body = nonce + ciphers[event.stream].encrypt(nonce, r + content, contact + commitment)
            payloads.append((commitment, contact, fingerprint, body))
            version = versions[event.stream] = versions.get(event.stream, 0) + 1
            entry = codec.encode(event, sid=sid.hex(), commitment=commitment.hex())
            entries.append((number, contact, version, codec.topic_of(event), codec.stamp(entry, recorded_at), sid))
        vault.execute("BEGIN IMMEDIATE")
        vault.executemany("INSERT INTO contact_key VALUES (?, ?)", keys)
        vault.executemany("INSERT INTO payload VALUES (?, ?, ?, ?)", payloads)
        vault.execute("COMMIT")
        log.execute("BEGIN IMMEDIATE")
        log.executemany(log_schema.INSERT, entries)
        log.execute("COMMIT")


def facts(entries: int = 10_000, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """`record_many` of facts with payloads, both files durable, against a bare loop of the same work."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        some = _facts(entries)
        with tempfile.TemporaryDirectory() as home:
            sides = [(bare, _bare_facts), (ours, _our_facts)]
            random.shuffle(sides)
            for rates, measure in sides:
                rates.append(measure(Path(home), some))
    return [_row("record_many with payloads, against a bare loop", ours, bare, 0.60)]


# --- single appends from many threads ----------------------------------------------------------------


def _raw_singles(home: Path, drafts: Sequence[Draft]) -> float:
    driver = _bare(home / "bare.db")

    def work() -> None:
        for number, draft in enumerate(drafts):
            driver.execute("BEGIN IMMEDIATE")
            driver.execute(
                "INSERT INTO stored_events VALUES (?, ?, ?, ?)",
                (draft.stream, number, draft.topic, draft.entry),
            )
            driver.execute("COMMIT")

    rate = _rate(len(drafts), work)
    driver.close()
    return rate


def _threaded_singles(home: Path, drafts: Sequence[Draft]) -> float:
    with Log.make(home / "log.db", now) as log, ThreadPoolExecutor(THREADS) as pool:

        def some(first: int) -> None:
            for draft in drafts[first::THREADS]:
                log.append([draft])

        return _rate(len(drafts), lambda: list(pool.map(some, range(THREADS))))


def threads(entries: int = SINGLES, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Single appends from 16 threads sharing commits, against raw inserts, one a transaction.

    The bar is 2 where a commit really waits for the disk: under 5,000 raw transactions a second.
    """
    ours: list[float] = []
    raw: list[float] = []
    for _ in range(rounds):
        drafts = _drafts(entries)
        with tempfile.TemporaryDirectory() as home:
            raw.append(_raw_singles(Path(home), drafts))
            ours.append(_threaded_singles(Path(home), drafts))
    bar = 2.0 if statistics.median(raw) < 5_000 else 1.0
    return [_row("single appends from 16 threads, against raw one a transaction", ours, raw, bar)]


def run(*, quick: bool = False) -> list[dict[str, Any]]:
    """Every figure of this module."""
    if quick:
        return threads()
    return [*batches(), *facts(), *threads()]
