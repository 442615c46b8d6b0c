"""What is asked and answered over HTTP, as it stands in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.reasons import Reason
from adapters.submitting import Answer
from ledger.terms import Moment
from projections.explain import Facts

MOST_FACTS = 1_000
MOST_ENTRIES = 500
MOST_ADDRESSES = 10_000
Text = Annotated[str, Meta(min_length=1, max_length=512)]
Name = Annotated[str, Meta(min_length=1, max_length=96)]
Id = Annotated[str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Reference = Annotated[str, Meta(pattern="^CL-[0-9a-f]{8}-[0-9]{1,15}$")]
RecordId = Annotated[str, Meta(pattern="^([a-z][a-z0-9_.-]*:)?[0-9]{1,20}$")]
Email = Annotated[str, Meta(min_length=3, max_length=320)]
Place = Annotated[int, Meta(ge=0, lt=2**53)]


class FactIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fact. `id`: the one it has in `source`; `data`: who, and the fields of its type."""

    source: str
    type: str
    data: msgspec.Raw
    id: str | None = None
    time: Moment | None = None


class FactsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many facts; each is answered by itself."""

    facts: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_FACTS)]


class FactOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a fact, and what it changed.

    contact   the person it was recorded of; `known`: the ledger had met that person before
    changed   this request changed whether e-mail may be sent to the person for some marketing purpose
    warnings  of a stop: what of it was not understood, so that it reaches further than it says
    near      to a data protection officer, where nobody had the address: those known here that it may be misspelt for
    """

    status: Literal["recorded", "unchanged"]
    position: Place
    contact: str
    known: bool
    changed: bool
    warnings: tuple[Reason, ...] = ()
    near: tuple[str, ...] = ()


class FactsOut(msgspec.Struct, frozen=True):
    """One answer a fact, in order; `position`: of the newest entry by then."""

    answers: list[Answer]
    position: Place


class Whom(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person, in one of four ways: an e-mail address; a reference; a record id; a contact id, with an address's.

    reference  as pages and lists show it: CL-0a1b2c3d-42
    record     the id of a HubSpot record; of another system: SYSTEM:ID
    """

    email: Email | None = None
    reference: Reference | None = None
    record: RecordId | None = None
    contact: Id | None = None
    address: Id | None = None


class GateQuestion(Whom, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """May I write to this address, for this purpose, by this channel, now?"""

    purpose: Name
    channel: Name = "email"


class GateQuestions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """May I write to these addresses, for this purpose, by this channel, now? A campaign, at once."""

    emails: Annotated[list[Text], Meta(min_length=1, max_length=MOST_ADDRESSES)]
    purpose: Name
    channel: Name = "email"


class GateVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one address of many: yes or no, why, and when it changes by itself."""

    allowed: bool
    reason: str
    basis: str | None
    contact: str | None
    valid_until: datetime | None


class GateAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """One answer an address, in the order asked. `position`: each of them counts every entry up to there."""

    answers: list[GateVerdict]
    allowed: Place
    at: datetime
    position: Place


class GateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Yes or no, and what it rests on. Unknown is no.

    reason       `proven`, or the first thing that forbids it; `no_basis`: nothing on record allows it;
                 `unknown_address`: nobody here has this address; `unknown_purpose`, `unknown_channel`: no such word
    basis        what allows it; null: nothing does
    rule         the first rule the answer rests on
    valid_until  when the answer changes by itself; null: not by itself
    revision     the newest entry that bears on this person; `position`: the newest one the answer knows of
    policy       hash of the rule set
    """

    allowed: bool
    reason: str
    basis: str | None
    rule: str | None
    contact: str | None
    address: str | None
    at: datetime
    valid_until: datetime | None
    revision: Place | None
    position: Place
    policy: str | None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one purpose by one channel to one address of the person."""

    purpose: str
    channel: str
    address: str | None
    allowed: bool
    reason: str
    basis: str | None
    rules: tuple[str, ...]
    evidence: tuple[Place, ...]
    valid_until: datetime | None


class StatusOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed now. What is not listed is not allowed."""

    contact: str
    at: datetime
    marketing_status: Literal["marketing", "non_marketing", "undecided"]
    cells: list[Cell]
    position: Place


class WhyQuestion(Whom, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why may, or might, this address be written to? `on`: the moment asked about; now.

    known_at  with what was recorded by then
    law_at    under the law that was in force, and declared, by then
    """

    purpose: Name
    channel: Name = "email"
    on: Moment | None = None
    known_at: Moment | None = None
    law_at: Moment | None = None


class WhyOut(Facts, frozen=True, kw_only=True):
    """The answer with its grounds. Numbers in `evidence` are positions: `history` shows what stands there.

    All but these two stand as `facts` in the page that the command line writes:

    reference  of the address, or as it was asked for: it may be asked for again
    position   of the newest entry by then
    """

    reference: str
    position: Place


class EntryOut(msgspec.Struct, frozen=True, kw_only=True):
    """One fact as it stands in the log."""

    position: Place
    version: Place
    entry: msgspec.Raw


class HistoryOut(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about a contact in their order. `next`: the cursor of the page that follows; null: this is the last."""

    contact: str
    entries: list[EntryOut]
    next: str | None
    position: Place


class Delivered(msgspec.Struct, frozen=True):
    """What a webhook brought is on disk. `new`: how much of it was not there already."""

    taken: int
    new: int


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    alive: bool = True


class Ready(msgspec.Struct, frozen=True):
    """Questions can be answered. `lag`: entries that the rows do not know of yet; those are read from the log."""

    lag: Place
