"""The one way in: facts and people into the vault and the log, each source event once.

A ledger is a directory of one controller: `log.db`, `vault.db`, `keys`; or `keys` alone beside a PostgreSQL
database. The vault is written before the log: a crash between the two leaves an orphan in the vault, never an
entry whose payload is missing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple, Self

from cryptography.exceptions import InvalidTag

from ledger import codec
from ledger.database import chunks
from ledger.events import AnyEvent, ErasureRequested, Event
from ledger.keys import Random
from ledger.linking import Linking
from ledger.log import Clock, Draft, Known, Log
from ledger.opening import Parts, Place, make_parts, open_parts, replaced_parts, settle
from ledger.resolving import Resolved
from ledger.sealing import NONCE_BYTES, Corrupt, Sealing, keyed
from ledger.stores import Misfit
from ledger.terms import Party, Precision
from ledger.vault import PayloadDraft, Registration

Status = Literal["recorded", "unchanged", "conflict"]
Person = Resolved
"""(contact, address, record, created, finding): whom a registration means."""

_CHUNK = 10_000


class Fact(NamedTuple):
    """What happened, the id its source gave it, and what is personal about it.

    `event` holds no `sid`, `commitment` or `recorded_at`; those are set here.
    """

    event: Event
    source_id: str | None = None
    payload: Mapping[str, object] | None = None


class Receipt(NamedTuple):
    """Where a fact is. `conflict`: its source id is taken by other content, and nothing was recorded."""

    position: int
    version: int
    status: Status


@dataclass(slots=True)
class Outcome:
    """What became of many facts. `positions` has one place for each, in order.

    conflicts: places of facts whose source id is taken by other content, which stands at `positions[place]`
    forgotten: places of facts recorded without their payload, because the contact is erased
    """

    recorded: int = 0
    unchanged: int = 0
    conflicts: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)


class _Prepared(NamedTuple):
    event: Event
    sid: bytes | None
    payload: PayloadDraft | None


class Ledger:
    """One controller's ledger. Thread-safe; several processes may hold one directory open."""

    def __init__(self, parts: Parts, clock: Clock, random: Random) -> None:
        self.log, self.vault, self.identity = parts.log, parts.vault, parts.identity
        self._parts = parts
        self._keys = keys = parts.keys
        self._clock = clock
        self._random = random
        self._sealing = Sealing(keys.sealing)
        self._linking = Linking(self.log, self.vault, self.sid, clock)
        self._linking.catch_up()

    @classmethod
    def init(
        cls,
        directory: str | Path,
        clock: Clock,
        random: Random,
        env: Mapping[str, str],
        database_url: str | None = None,
    ) -> bool:
        """Make the ledger of a directory, or of a database with its keys there; False: there is one already.

        Raises StoresError where parts of a ledger are found without the others; else as `open`.
        """
        return make_parts(Place(Path(directory), database_url), clock, random, env)

    @classmethod
    def open(
        cls,
        directory: str | Path,
        clock: Clock,
        random: Random,
        env: Mapping[str, str],
        database_url: str | None = None,
    ) -> Self:
        """The ledger of a directory, with log and vault in a database if one is named. Makes no part of it.

        Raises NoLedgerError, StoresError, KeyFileError, DurabilityError, SetupError, and eventsourcing's
        OperationalError.
        """
        return cls(open_parts(Place(Path(directory), database_url), clock, random, env), clock, random)

    @property
    def id(self) -> str:
        """A UUID that names this ledger in what it sends, for as long as it lives."""
        return self.identity.ledger

    @property
    def epoch(self) -> str:
        """The epoch of its log: another one since it was restored from a copy."""
        return self.identity.epoch

    @property
    def rows_key(self) -> bytes:
        """The key of the check that every stored answer carries."""
        return self._keys.rows

    def replaced(self) -> list[Misfit]:
        """Parts that were taken away or replaced since it was opened; while there are any, nothing may be answered."""
        return replaced_parts(self._parts)

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Bytes that only this ledger opens again, about the same thing."""
        return self._sealing.seal(plain, about, self._random(NONCE_BYTES))

    def unseal(self, sealed: bytes, about: bytes) -> bytes | Corrupt:
        """What `seal` was given."""
        try:
            return self._sealing.open(sealed, about)
        except InvalidTag:
            return Corrupt("the tag does not fit")

    def stamp(self, content: bytes, about: bytes) -> str:
        """A keyed hash by which this ledger alone recognises what it handed out, about the same thing; in hex."""
        return keyed(self._keys.stamping, about, content).hex()

    @property
    def recorder(self) -> Log:
        """The log, as eventsourcing's EventStore and notification log know it."""
        return self.log

    def settle(self) -> None:
        """Let the vault know how far the log has come, so that a log that lacks the last entries is known beside it."""
        settle(self._parts)

    def close(self) -> None:
        """Close log and vault. Idempotent."""
        if not self.log.closed:
            self.settle()
        self.log.close()
        self.vault.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- facts ----------------------------------------------------------------------------------

    def record(self, fact: Fact) -> Receipt:
        """Record one fact; returns when it is durable. Raises codec.EntryError for a malformed one."""
        (receipt,) = self._record_chunk([fact])
        return receipt[0]

    def record_each(self, facts: Sequence[Fact]) -> list[Receipt]:
        """Record facts in few transactions; each one's receipt. EntryError as for `record_many`."""
        return [receipt for part in chunks(facts, _CHUNK) for receipt, _ in self._record_chunk(part)]

    def record_many(self, facts: Iterable[Fact]) -> Outcome:
        """Record facts by the thousand. EntryError stops at a malformed one; the chunks before it stay.

        Doing it again records nothing twice, as far as the facts have source ids.
        """
        outcome = Outcome()
        rest = iter(facts)
        while chunk := list(islice(rest, _CHUNK)):
            for receipt, forgotten in self._record_chunk(chunk):
                place = len(outcome.positions)
                outcome.positions.append(receipt.position)
                if receipt.status == "conflict":
                    outcome.conflicts.append(place)
                elif receipt.status == "unchanged":
                    outcome.unchanged += 1
                else:
                    outcome.recorded += 1
                if forgotten:
                    outcome.forgotten.append(place)
        return outcome

    def _record_chunk(self, facts: Sequence[Fact]) -> list[tuple[Receipt, bool]]:
        """Each fact's receipt, and whether its payload was left out: vault first, then one append."""
        prepared = [self._prepare(fact) for fact in facts]
        known = self.log.find({one.sid for one in prepared if one.sid is not None})
        fresh = _first_of_each(prepared, known)
        commitments = self._keep_payloads(fresh)
        places = self.log.append([_draft(one, commitment) for one, commitment in zip(fresh, commitments, strict=True)])
        recorded = {
            id(one): (
                Receipt(place.position, place.version, "recorded"),
                bool(one.payload and not commitment),
            )
            for one, place, commitment in zip(fresh, places, commitments, strict=True)
            if place.fresh
        }
        repeated = [one for one in prepared if id(one) not in recorded]
        recorded.update(self._compare(repeated, known))
        return [recorded[id(one)] for one in prepared]

    def _prepare(self, fact: Fact) -> _Prepared:
        event, source_id, payload = fact
        if any(value is not None for value in (event.sid, event.commitment, event.recorded_at, event.recorded_clock)):
            raise codec.EntryError("sid, commitment, recorded_at and recorded_clock are set by the ledger alone")
        codec.check(event)
        sid = None if source_id is None else self._sid(event.source, source_id)
        draft = None if payload is None else self.vault.draft_payload(event.stream, payload, codec.content(event))
        return _Prepared(event, sid, draft)

    def sid(self, source: str, source_id: str) -> bytes:
        """The keyed hash a source's event id stands in the log as."""
        return self._sid(source, source_id)

    def _sid(self, source: str, source_id: str) -> bytes:
        return hmac.digest(self._keys.sid, f"{source}\0{source_id}".encode(), "sha256")[:16]

    def _keep_payloads(self, fresh: Sequence[_Prepared]) -> list[str | None]:
        """Beside each fact the commitment to its payload; None where there is none, or no key any more."""
        drafts = [one.payload for one in fresh if one.payload is not None]
        if not drafts:
            return [None] * len(fresh)
        kept = iter(self.vault.put_payloads(drafts))
        return [None if one.payload is None else next(kept) for one in fresh]

    def _compare(
        self, repeated: Sequence[_Prepared], known: dict[bytes, Known]
    ) -> Iterator[tuple[int, tuple[Receipt, bool]]]:
        """Receipts of facts whose sid the log holds: the same content, or a conflict."""
        if not repeated:
            return
        known |= self.log.find({one.sid for one in repeated if one.sid is not None} - set(known))
        entries = {sid: codec.decode(held.entry) for sid, held in known.items()}
        fingerprints = self.vault.fingerprints({entry.commitment for entry in entries.values() if entry.commitment})
        for one in repeated:
            if one.sid is None:
                continue
            held, entry = known[one.sid], entries[one.sid]
            same = codec.content(entry) == codec.content(one.event) and self._same_payload(
                one.payload, entry, fingerprints
            )
            yield id(one), (Receipt(held.position, held.version, "unchanged" if same else "conflict"), False)

    def _same_payload(self, payload: PayloadDraft | None, entry: AnyEvent, fingerprints: Mapping[str, bytes]) -> bool:
        """Whether payloads agree, as far as can still be known: an erased one contradicts nothing."""
        if entry.commitment is not None and entry.commitment in fingerprints:
            return payload is not None and hmac.compare_digest(payload.fingerprint, fingerprints[entry.commitment])
        if payload is None and entry.commitment is None:
            return True
        return self.vault.is_erased(entry.stream)

    # --- people ---------------------------------------------------------------------------------

    def register_many(self, registrations: Sequence[Registration]) -> list[Person]:
        """Contacts, addresses and records of people, known or new; ValueError for one that names nobody.

        Every address linked for the first time is an entry; a suppressed one first stops its contact. Contacts that
        meet are linked by their stops (see `ledger.linking`). Done again after a crash, it appends what is missing.
        """
        people: list[Person] = []
        for part in chunks(registrations, _CHUNK):
            resolved = self.vault.resolve_many(part)
            people += self._linking.link(part, resolved)
        return people

    def erasure_request(
        self,
        email: str,
        *,
        source: str,
        source_id: str | None = None,
        occurred_from: datetime | None = None,
        precision: Precision = "exact",
        by: Party = "data_subject",
        via: str | None = None,
        payload: Mapping[str, object] | None = None,
    ) -> Receipt:
        """Take an erasure request: suppress the address for good, then record the request.

        The suppression comes first, so that a crash leaves a person too well protected, never too little.
        """
        # from the request's own date on, so that it matters not whether the address was known by then
        self.vault.suppress(email, "erasure", occurred_from or self._clock())
        (person,) = self.register_many([Registration(email, source, None)])
        event = ErasureRequested(
            stream=person.contact,
            source=source,
            address=person.address,
            occurred_from=occurred_from,
            precision=precision,
            by=by,
            via=via,
        )
        return self.record(Fact(event, source_id, payload))

    # --- reading --------------------------------------------------------------------------------

    def contact_entries(self, contact: str, upto_position: int | None = None) -> list[tuple[int, int, AnyEvent]]:
        """A contact's entries in order, as (position, version, event)."""
        return [
            (position, version, codec.decode(state))
            for position, version, state in self.log.stream(contact, upto_position)
        ]


def _first_of_each(prepared: Sequence[_Prepared], known: Iterable[bytes]) -> list[_Prepared]:
    """The facts whose sid neither the log nor an earlier fact of the chunk holds."""
    seen = set(known)
    fresh: list[_Prepared] = []
    for one in prepared:
        if one.sid is None or one.sid not in seen:
            fresh.append(one)
        if one.sid is not None:
            seen.add(one.sid)
    return fresh


def _draft(one: _Prepared, commitment: str | None) -> Draft:
    event, sid, _ = one
    entry = codec.encode(event, sid=sid.hex() if sid else None, commitment=commitment)
    return Draft(event.stream, codec.topic_of(event), entry, sid)
