"""Every entry of a log: dense, canonical, where it says it belongs, and never recorded before the one before it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from ledger import codec
from ledger.checking.findings import Finding
from ledger.database import uuid_text
from ledger.events import AddressLinked, AnyEvent
from ledger.scanning import Scan, bytes_of

_ENTRIES = "SELECT position, stream, version, topic, state, sid FROM entry WHERE position > ? ORDER BY position"
_DOCUMENTS = "SELECT sha256, bytes FROM document WHERE length(bytes) >= ? ORDER BY sha256"


class Claim(NamedTuple):
    """What an entry says the vault holds for a contact: a payload by its commitment, or an address."""

    position: int
    contact: bytes
    commitment: bytes | None
    address: bytes | None


class Entries:
    """Reads a log once from end to end. Afterwards `head` is its last position, `streams` who has entries."""

    def __init__(self, scan: Scan, store: str) -> None:
        self._scan = scan
        self._store = store
        self._last_recorded = ""
        self._documents: dict[str, int] = {}
        self.head = 0
        self.streams: dict[bytes, int] = {}

    def check(self) -> Iterator[Finding | Claim]:
        """What is wrong, and what the vault must hold, entry by entry."""
        for position, stream, version, topic, state, sid in self._scan.rows(_ENTRIES, (0,)):
            stream, state, sid = bytes_of(stream), bytes_of(state), None if sid is None else bytes_of(sid)
            if position != self.head + 1:
                yield self._gap(position)
            self.head = position
            expected = self.streams.get(stream, 0) + 1
            if version != expected:
                text = f"it is version {version} of contact {uuid_text(stream)}, where {expected} is the next"
                yield self._finding(position, "version", text)
            self.streams[stream] = version
            yield from self._time(position, state)
            yield from self._content(position, stream, topic, state, sid)
        yield from self._head()
        yield from self._kept()

    def _gap(self, position: int) -> Finding:
        first, last = self.head + 1, position - 1
        if last < first:
            return self._finding(position, "gap", f"it stands behind position {self.head}")
        missing = f"entry {first} is" if first == last else f"entries {first} to {last} are"
        return self._finding(first, "gap", f"{missing} missing in the middle of the log")

    def _time(self, position: int, state: bytes) -> Iterator[Finding]:
        moment = codec.recorded_at(state)
        if moment is None:
            return
        if moment < self._last_recorded:
            text = f"it was recorded at {moment}, before an earlier entry ({self._last_recorded})"
            yield self._finding(position, "order", text)
        self._last_recorded = max(moment, self._last_recorded)

    def _content(
        self, position: int, stream: bytes, topic: str, state: bytes, sid: bytes | None
    ) -> Iterator[Finding | Claim]:
        try:
            event = codec.decode_strict(state)
            own_stream, claim = _claim_of(position, event)
            own_sid = None if event.sid is None else bytes.fromhex(event.sid)
        except ValueError as error:  # an EntryError, or an id that is none
            yield self._finding(position, "not_an_entry", f"its bytes are not an entry in canonical form: {error}")
            return
        if own_stream != stream:
            text = f"it stands in the stream of contact {uuid_text(stream)}, and is about {event.stream}"
            yield self._finding(position, "moved", text)
        if codec.topic_of(event) != topic:
            yield self._finding(position, "topic", f"it is filed as {topic}, and is {codec.topic_of(event)}")
        if own_sid != sid:
            yield self._finding(position, "sid", "it is filed under another source id than the one it holds")
        document = getattr(event, "document", None)  # evidence may be named by its hash alone, and kept elsewhere
        if isinstance(document, str):
            self._documents.setdefault(document, position)
        if claim is not None:
            yield claim

    def _head(self) -> Iterator[Finding]:
        """On a server the head is a row of its own, which moves with every entry."""
        if isinstance(self._scan.driver, sqlite3.Connection):
            return
        row = self._scan.driver.execute("SELECT position FROM head").fetchone()
        kept = None if row is None else row[0]
        if kept is None:
            yield Finding(self._store, "head", "", "what it kept of its last entry is gone: somebody removed it")
        elif kept != self.head:
            text = f"its last entry is {self.head}, and it was left with {kept}: the last ones were removed or added"
            yield Finding(self._store, "head", "", text)

    def _kept(self) -> Iterator[Finding]:
        """Every document has the hash it is kept under, and every one that an entry names is there."""
        there: set[str] = set()
        for sha256, content in self._scan.rows(_DOCUMENTS, (0,)):
            name = bytes(sha256).hex()
            there.add(name)
            if hashlib.sha256(bytes(content)).digest() != bytes(sha256):
                text = "its bytes are not those that were kept under this hash"
                yield Finding(self._store, "document", f"document {name}", text)
        for name, position in self._documents.items():
            if name not in there:
                yield self._finding(position, "document", f"it names the document {name}, which is not there")

    def _finding(self, position: int, kind: str, text: str) -> Finding:
        return Finding(self._store, kind, f"entry {position}", text)


def _claim_of(position: int, event: AnyEvent) -> tuple[bytes, Claim | None]:
    """The stream an entry is about, and what it says the vault holds. ValueError for an id that is none."""
    stream = bytes.fromhex(event.stream.replace("-", ""))
    commitment = None if event.commitment is None else bytes.fromhex(event.commitment)
    linked = event.address if isinstance(event, AddressLinked) else None
    address = None if linked is None else bytes.fromhex(linked.replace("-", ""))
    if commitment is None and address is None:
        return stream, None
    return stream, Claim(position, stream, commitment, address)
