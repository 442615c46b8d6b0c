"""The shape of one answer to "why was, or may, this person be written to?", for a page, a screen, a file."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from ledger.terms import Precision
from projections.explain import Facts

VerdictSentence = Literal[
    "allowed by the rules applied",
    "not allowed by the rules applied",
    "cannot be shown",
]
Note = Literal["counts", "grants nothing", "stop", "not known then", "corrected"]
Audience = Literal["counsel", "person"]
RowKind = Literal["grant", "stop", "send", "link", "other"]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the answer: plain values, in words ready to be read."""


class WhyQuestion(_Part, frozen=True, kw_only=True):
    """What was asked, with its moment on each clock.

    day       the day asked about, where no moment was named; `on` is then the send's moment, or the day's end
    known_at  what was recorded by then counts; unasked: the last fact the answer could rest on
    law_at    only law in force, and declared, by then counts; None: the law as the rule set knows it
    """

    purpose: str
    channel: str
    on: datetime
    known_at: datetime
    law_at: datetime | None = None
    day: date | None = None


class WhySend(_Part, frozen=True, kw_only=True):
    """One e-mail on record. What is None is not on record; `verdict` None: its purpose is not classified.

    classified  who says which purpose it had, in words
    """

    at: datetime | None
    position: int | None = None
    precision: Precision = "exact"
    subject: str | None = None
    message: str | None = None
    campaign: str | None = None
    sender: str | None = None
    list: str | None = None
    workflow: str | None = None
    purpose: str | None = None
    classified: str | None = None
    verdict: VerdictSentence | None = None


class WhyLine(_Part, frozen=True, kw_only=True):
    """The answer for one purpose, on one line."""

    purpose: str
    verdict: VerdictSentence
    reason: str
    basis: str | None = None
    changes_at: date | None = None


class WhyRule(_Part, frozen=True, kw_only=True):
    """The rule the answer rests on; `law`: the law it is made of, by name."""

    id: str
    law: str = ""
    text: str
    source: str
    confidence: str
    checked_by: str | None = None
    checked_on: str | None = None


class WhyCondition(_Part, frozen=True, kw_only=True):
    """One need of the rule. `met` None: unknown, which is never counted as yes."""

    name: str
    met: bool | None
    positions: tuple[int, ...] = ()


class WhyRow(_Part, frozen=True, kw_only=True):
    """One fact of the history, on the clocks kept apart.

    happened_from, happened_to  the interval it happened in; both None: unknown
    kind                        `link`: an address or record joined to another, told apart from what the person did
    held_since                  since when the source provably held it; None: not shown
    recorded_at                 since when this ledger holds it
    linked                      it stands on a record merged with this one
    """

    position: int | None
    what: str
    recorded_at: datetime
    kind: RowKind = "other"
    happened_from: datetime | None = None
    happened_to: datetime | None = None
    precision: Precision = "exact"
    held_since: datetime | None = None
    note: Note | None = None
    source: str | None = None
    linked: bool = False


class WhyStop(_Part, frozen=True, kw_only=True):
    """One objection: received, recorded and effective, and what was sent in between.

    received_from, received_to  when the person said it; both None: not on record
    effective   from when it holds here; None: from ever, since its time is not on record
    between     sends from its effect on until this ledger held it; after: those since
    """

    what: str
    recorded: datetime
    position: int | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    precision: Precision = "exact"
    held_since: datetime | None = None
    effective: datetime | None = None
    scope: str = ""
    via: str | None = None
    words: str | None = None
    taken_back: bool = False
    between: tuple[WhySend, ...] = ()
    after: tuple[WhySend, ...] = ()


class WhyDocument(_Part, frozen=True, kw_only=True):
    """One kept document. `text`: its words as plain text, None when it has none that can be shown."""

    role: str
    sha256: str
    form: str
    size: int | None = None
    text: str | None = None
    shortened: bool = False
    positions: tuple[int, ...] = ()


class WhyDeclaration(_Part, frozen=True, kw_only=True):
    """What somebody answers for, and the answer rests on. `evidence` empty: it counts as unknown."""

    position: int
    says: str
    by: str
    role: str
    on: str
    recorded: datetime
    evidence: tuple[str, ...] = ()


class WhyPlatform(_Part, frozen=True, kw_only=True):
    """A platform's terms, a second line beside the law and never a basis."""

    platform: str
    shown: bool
    accepts: tuple[str, ...] = ()
    source: str = ""


class WhyJurisdiction(_Part, frozen=True, kw_only=True):
    """A country whose rules were asked, and what points to it."""

    code: str
    name: str = ""
    evidence: tuple[str, ...] = ()


class WhyClaim(_Part, frozen=True, kw_only=True):
    """A rule the CRM's own word would meet, and what is missing to show it."""

    rule: str
    missing: tuple[str, ...]
    law: str = ""
    basis: str | None = None


class WhyLinked(_Part, frozen=True, kw_only=True):
    """A record merged with this one: its masked addresses, and who merged them when.

    `stops_only`: it is not merged, and may be the same person; only what forbids there counts here.
    """

    reference: str
    addresses: tuple[str, ...] = ()
    merged: str = ""
    stops_only: bool = False


class WhyRequest(_Part, frozen=True, kw_only=True):
    """An erasure or access request not yet answered, and the last day to answer it."""

    kind: Literal["erasure", "access"]
    received: date
    due: date
    position: int | None = None


class WhyLooked(_Part, frozen=True, kw_only=True):
    """A kind of source that was taken in; `first`, `last`: the days its facts speak of."""

    name: str
    files: int
    taken_on: date | None = None
    first: date | None = None
    last: date | None = None


class WhyMissing(_Part, frozen=True, kw_only=True):
    """A kind of source nobody brought, what it could show, and how to get it."""

    name: str
    settles: str
    get: str
    could_change: bool = False


class WhyNote(_Part, frozen=True, kw_only=True):
    """A note on this person, recorded as a fact."""

    by: str
    role: str
    text: str
    recorded: datetime
    position: int | None = None


class Why(_Part, frozen=True, kw_only=True):
    """The whole answer. Sentences are ready to be read.

    facts         the answer for machines, as it is sent over HTTP; of counsel's answer alone
    sentence      the condition that decides, in words
    email         the address asked about, in full: a page about one person is filed under it
    reference     the one that was asked for, else that of the address; `why` takes it again; empty for the person
    sends         on record on the day asked about; `looked_for_send`: whether a day was asked about
    answers       one line a purpose, when no purpose was named
    since         since when it has been allowed without a break; None: it is not
    known_then    what this ledger would have answered at that moment, from what it held by then
    """

    schema: str = "consent-ledger/why/2"
    facts: Facts | None = None
    audience: Audience = "counsel"
    email: str | None = None
    email_masked: str
    reference: str
    controller: str | None = None
    question: WhyQuestion
    verdict: VerdictSentence
    sentence: str = ""
    sends: tuple[WhySend, ...] = ()
    answers: tuple[WhyLine, ...] = ()
    since: datetime | None = None
    known_then: str | None = None
    basis: str | None = None
    rule: WhyRule | None = None
    conditions: tuple[WhyCondition, ...] = ()
    jurisdictions: tuple[WhyJurisdiction, ...] = ()
    timeline: tuple[WhyRow, ...] = ()
    stops: tuple[WhyStop, ...] = ()
    documents: tuple[WhyDocument, ...] = ()
    declarations: tuple[WhyDeclaration, ...] = ()
    platform: WhyPlatform | None = None
    spoke_against: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    changes_at: date | None = None
    claimed: WhyClaim | None = None
    liabilities: tuple[str, ...] = ()
    other_addresses: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    linked: tuple[WhyLinked, ...] = ()
    requests: tuple[WhyRequest, ...] = ()
    policy_hash: str
    adopted_by: str | None = None
    adopted_on: date | None = None
    looked_at: tuple[WhyLooked, ...] = ()
    not_looked_at: tuple[WhyMissing, ...] = ()
    notes: tuple[WhyNote, ...] = ()


def why_json(why: Why) -> bytes:
    """The answer for machines, two spaces deep."""
    return msgspec.json.format(msgspec.json.encode(why), indent=2) + b"\n"
