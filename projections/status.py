"""The answer for each (contact, purpose, channel, address) as segments: written once, read by any clock.

A row is a function of the log and the rule set. It begins at `since`, the moment its newest entry was
recorded, so that a live row and a rebuilt one are equal to the byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from ledger import catalogue as catalogues
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.codec import instant
from ledger.contact import Entry
from ledger.database import uuid_bytes, uuid_text
from ledger.policy.judge import Bench, Segment, segments
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Against, Claim, Decision, Question
from ledger.policy.rules import Policy
from ledger.terms import BEGINNING
from projections.cells import cells_of
from projections.groups import Kin

MarketingStatus = Literal["marketing", "non_marketing", "undecided"]
OPEN_REASONS = frozenset({"claimed", "under_review"})
"""Refusals that a person could still turn: no mail until answered."""

Row = tuple[bytes, str, str, bytes, bytes, str | None, int]
"""(contact, purpose, channel, address or empty, segments, next_change, revision), as stored."""


class Setting(NamedTuple):
    """What holds for all contacts, and the entry that last changed it for all."""

    policy: Policy
    catalogue: Catalogue
    position: int = 0
    recorded_at: datetime = BEGINNING


def touches_all(event: e.Event) -> bool:
    """Whether a ledger-wide entry changes what `judge` reads of the catalogue."""
    return isinstance(event, e.PolicyAdopted | e.ControllerDescribed | e.Declaration | e.TypeNamed)


class Settings(NamedTuple):
    """The ledger-wide fold on its way to a `Setting`."""

    catalogue: Catalogue = Catalogue()
    position: int = 0
    recorded_at: datetime = BEGINNING

    def after(self, entries: Iterable[Entry]) -> Settings:
        """Folded on."""
        catalogue, position, recorded_at = self
        for entry in entries:
            catalogue = catalogues.evolve(catalogue, entry)
            if touches_all(entry.event):
                position, recorded_at = entry.position, entry.event.recorded_at or recorded_at
        return Settings(catalogue, position, recorded_at)


class Status(NamedTuple):
    """One row, read."""

    contact: str
    purpose: str
    channel: str
    address: str | None
    segments: tuple[Segment, ...]
    next_change: datetime | None
    revision: int

    def at(self, moment: datetime) -> Decision | None:
        """The answer that holds at a moment; None: before the row begins, which only `explain` can answer."""
        held = None
        for segment in self.segments:
            if segment.start > moment:
                break
            held = segment.decision
        return held


def rows_of(person: Kin, setting: Setting) -> list[Row]:
    """The rows of one contact, in their order."""
    owner = person.group[0]
    bench = Bench(person.group, setting.policy, setting.catalogue)
    laws = candidates(bench.dossier.country_entries(), setting.catalogue)
    since = max(person.newest.recorded_at, setting.recorded_at)
    revision = max(person.newest.position, setting.position)
    contact = uuid_bytes(owner.contact)
    rows: list[Row] = []
    # By identity, and with the segments themselves: a tuple that nobody keeps gives its id to the next.
    packed: dict[int, tuple[tuple[Segment, ...], bytes, str | None]] = {}
    for purpose, channel, address in cells_of(bench.dossier.owner):
        question = Question(purpose=purpose, channel=channel, at=since, address=address or None, jurisdictions=laws)
        found = segments(bench, question, since)
        made = packed.get(id(found))
        if made is None:  # cells that are alike share their segments, which the bench keeps
            made = packed[id(found)] = (found, pack(found), instant(found[1].start) if len(found) > 1 else None)
        rows.append((contact, purpose, channel, uuid_bytes(address) if address else b"", *made[1:], revision))
    return rows


def pack(found: Sequence[Segment]) -> bytes:
    """Segments as compact JSON; policy and `changes_at` are left out, the view and its order tell them."""
    return _encoder.encode([_packed(segment.start, segment.decision) for segment in found])


def _packed(start: datetime, given: Decision) -> tuple[object, ...]:
    claim = given.claimed
    return (
        start,
        given.allowed,
        given.reason,
        given.basis,
        given.jurisdiction,
        given.rules,
        given.evidence,
        [(a.what, a.rule, a.position) for a in given.against],
        (claim.rule, claim.basis, claim.evidence, claim.missing) if claim else None,
        given.obligations,
        given.uncertain,
    )


class _Against(msgspec.Struct, array_like=True):
    what: str
    rule: str
    position: int | None


class _Claim(msgspec.Struct, array_like=True):
    rule: str | None
    basis: str | None
    evidence: tuple[int, ...]
    missing: tuple[str, ...]


class _Packed(msgspec.Struct, array_like=True):
    start: datetime
    allowed: bool
    reason: str
    basis: str | None
    jurisdiction: str | None
    rules: tuple[str, ...]
    evidence: tuple[int, ...]
    against: tuple[_Against, ...]
    claimed: _Claim | None
    obligations: tuple[str, ...]
    uncertain: bool


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[_Packed])


def unpack(packed: bytes, policy: str) -> tuple[Segment, ...]:
    """The segments `pack` wrote, each with the rule set it was judged by and the moment the next begins."""
    found = _decoder.decode(packed)
    ends = [one.start for one in found[1:]] + [None]
    return tuple(Segment(one.start, _decision(one, end, policy)) for one, end in zip(found, ends, strict=True))


def answer_at(packed: bytes, policy: str, moment: datetime) -> Decision | None:
    """What `Status.at` answers, without reading the segments that do not hold then."""
    held, end = None, None
    for one in _decoder.decode(packed):
        if one.start > moment:
            end = one.start
            break
        held = one
    return None if held is None else _decision(held, end, policy)


def _decision(one: _Packed, end: datetime | None, policy: str) -> Decision:
    return Decision(
        allowed=one.allowed,
        reason=one.reason,
        basis=one.basis,
        jurisdiction=one.jurisdiction,
        rules=one.rules,
        evidence=one.evidence,
        against=tuple(Against(a.what, a.rule, a.position) for a in one.against),
        claimed=(
            Claim(one.claimed.rule, one.claimed.basis, one.claimed.evidence, one.claimed.missing)
            if one.claimed
            else None
        ),
        obligations=one.obligations,
        uncertain=one.uncertain,
        changes_at=end,
        policy=policy,
    )


class _Answer(msgspec.Struct, array_like=True, gc=False):
    """What a packed segment begins with; the rest of it is not read."""

    start: datetime
    allowed: bool


_answers = msgspec.json.Decoder(list[_Answer])


class Answers(NamedTuple):
    """A stored row's yes and no, without the grounds: a tenth of what reading the row costs."""

    cell: tuple[str, str, bytes]
    revision: int
    told: list[_Answer]

    @property
    def since(self) -> datetime:
        """The moment the row begins."""
        return self.told[0].start

    @property
    def boundaries(self) -> list[datetime]:
        """The moments at which the answer changes by itself."""
        return [one.start for one in self.told[1:]]

    def allowed_at(self, moment: datetime) -> bool:
        """Whether it is allowed at a moment; before the row begins nothing is."""
        held = False
        for one in self.told:
            if one.start > moment:
                break
            held = one.allowed
        return held


def answers(row: Row) -> Answers:
    """A stored row's yes and no."""
    _, purpose, channel, address, packed, _, revision = row
    return Answers((purpose, channel, address), revision, _answers.decode(packed))


def read_row(row: Row, policy: str) -> Status:
    """A stored row as a reader wants it."""
    contact, purpose, channel, address, packed, next_change, revision = row
    return Status(
        uuid_text(contact),
        purpose,
        channel,
        uuid_text(address) if address else None,
        unpack(packed, policy),
        datetime.fromisoformat(next_change) if next_change else None,
        revision,
    )


def marketing_status(rows: Iterable[Status], at: datetime) -> MarketingStatus:
    """The CRM's answer for one contact by the reader's clock: marketing by e-mail, at any of its addresses.

    `undecided`: nothing is allowed, and a claim without evidence, an open review or overlapping times
    could still be answered. A moment before a row begins is undecided too: never rounded up.
    """
    status: MarketingStatus = "non_marketing"
    for row in rows:
        if row.channel != "email" or not row.purpose.startswith("marketing."):
            continue
        given = row.at(at)
        if given is not None and given.allowed:
            return "marketing"
        if given is None or given.uncertain or given.reason in OPEN_REASONS:
            status = "undecided"
    return status
