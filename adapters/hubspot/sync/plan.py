"""From what HubSpot should show and what it shows to the calls that are needed: pure. Nothing where both are equal.

No call that is planned here can turn an address on that was turned off: `subscribe` is planned only where nobody
has decided anything yet, and is the one call that HubSpot itself refuses for whoever opted out meanwhile.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from adapters.hubspot.sync.desired import (
    Answer,
    Held,
    Meanings,
    Standing,
    WantedAddress,
    explanation,
    legal_basis,
    reference,
    wanted_address,
    wanted_record,
)

Call = Literal["unsubscribe_all", "unsubscribe", "update", "subscribe"]
ORDER: tuple[Call, ...] = ("unsubscribe_all", "unsubscribe", "update", "subscribe")
"""Stops first, permissions last: whatever ends a run in between leaves people too well protected."""

VERDICT, BASIS, REASON = "consent_ledger_verdict", "consent_ledger_basis", "consent_ledger_reason"
REFERENCE, CHECKED_AT = "consent_ledger_reference", "consent_ledger_checked_at"
AWAITING = "awaiting_approval"
STOPS_LOST = "stops_lost"
MARKETABLE, UNTIL_UPDATE, ALL_OUT = "hs_marketable_status", "hs_marketable_until_renewal", "hs_email_optout"
MERGED = ("hs_merged_object_ids", "hs_calculated_merged_vids")
READ = ("email", "hs_additional_emails", *MERGED, MARKETABLE, UNTIL_UPDATE, ALL_OUT, VERDICT, BASIS, REASON, REFERENCE)
"""What is read of a record before anything is written to it."""


class TypeShown(Protocol):
    """One subscription of an address, as `adapters.hubspot.api` reads it."""

    @property
    def type_id(self) -> str: ...
    @property
    def state(self) -> str: ...


class StateShown(Protocol):
    """The subscriptions of an address."""

    @property
    def types(self) -> Sequence[TypeShown]: ...
    @property
    def all_out(self) -> bool: ...


class RecordShown(NamedTuple):
    """A record as HubSpot shows it: its properties, its addresses (the primary one first), who of the ledger it is.

    `known`: the ledger's own reference of the record
    """

    id: str
    properties: Mapping[str, str | None]
    held: tuple[Held, ...]
    contacts: tuple[str, ...]
    known: str | None = None


class Step(NamedTuple):
    """One thing to be written. `position`: of the entry it rests on; what a call has no use for is None."""

    call: Call
    contact: str
    record: str
    position: int
    email: str | None = None
    type_id: str | None = None
    legal_basis: str | None = None
    explanation: str | None = None
    properties: Mapping[str, str] | None = None

    @property
    def reference(self) -> str:
        """Under which the ledger shows why."""
        return reference(self.contact, self.position)


class Demotion(NamedTuple):
    """A record that is marketing in HubSpot and should not be. `pending`: HubSpot will change it at its next update."""

    contact: str
    record: str
    pending: bool


class Allowance(NamedTuple):
    """Raises that somebody approved: records raised already, and how many more may be."""

    raised: Container[str] = frozenset()
    left: int = 0


class Plan(NamedTuple):
    """What to write, in order.

    raises     records that one more marketing contact comes of
    waiting    records that would be raised, were it approved
    held_back  records that are not told to be marketing while rows of stops are lost
    demotions  records that are to be no marketing contact any more
    equal      records and addresses at which nothing is to be done
    """

    steps: tuple[Step, ...] = ()
    raises: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    demotions: tuple[Demotion, ...] = ()
    equal: int = 0
    held_back: tuple[str, ...] = ()


class Scene(NamedTuple):
    """What a plan is made of: what the ledger answers, what HubSpot shows, and what may be done there.

    head          position of the log that the answers are not older than
    stops_lost    rows that may be anybody's stop could not be read: nobody is raised, nothing is switched on
    hidden_since  an export of that day hides who opted out: the same for every record that no later one shows
    """

    records: Sequence[RecordShown]
    standings: Mapping[str, Standing]
    states: Mapping[str, StateShown]
    meant: Meanings
    can_subscribe: bool
    at: datetime
    head: int = 0
    stops_lost: bool = False
    hidden_since: datetime | None = None

    def may_miss_a_stop(self, record: RecordShown) -> bool:
        """Whether a stop of this record may be lost, or hidden in an export."""
        if self.stops_lost or self.hidden_since is None:
            return self.stops_lost
        shown = (self.standings[one].shown.get(record.known or "") for one in record.contacts)
        return not any(day is not None and day >= self.hidden_since for day in shown)


def plan(scene: Scene, allowance: Allowance) -> Plan:
    """The steps, stops first. The same scene gives the same plan."""
    steps: list[Step] = []
    raises: list[str] = []
    waiting: list[str] = []
    demotions: list[Demotion] = []
    held_back: list[str] = []
    equal = 0
    for record in scene.records:
        wanted = wanted_record([scene.standings[one] for one in record.contacts], record.held)
        verdict: str = wanted.verdict
        marketing = record.properties.get(MARKETABLE) == "true"
        if verdict == "marketing" and scene.may_miss_a_stop(record) and record.properties.get(VERDICT) != "marketing":
            held_back.append(record.id)
            wanted = wanted._replace(verdict="undecided", basis=None, reason=STOPS_LOST)
            verdict = wanted.verdict
        elif verdict == "marketing" and not marketing and record.id not in allowance.raised:
            if len(raises) < allowance.left:
                raises.append(record.id)
            else:
                waiting.append(record.id)
                verdict = AWAITING
        if verdict != "marketing" and marketing and wanted.reason != STOPS_LOST:
            pending = record.properties.get(UNTIL_UPDATE) == "true"
            demotions.append(Demotion(wanted.contact, record.id, pending))
        said = {VERDICT: verdict, BASIS: wanted.basis or "", REASON: wanted.reason, REFERENCE: wanted.reference}
        found = [*_update(record, wanted.contact, wanted.position, said, scene.at)]
        equal += not found
        steps += found
    for step in _addresses(scene):
        if step is None:
            equal += 1
        else:
            steps.append(step)
    steps.sort(key=lambda step: ORDER.index(step.call))
    return Plan(tuple(steps), tuple(raises), tuple(waiting), tuple(demotions), equal, tuple(held_back))


def _update(record: RecordShown, contact: str, position: int, said: Mapping[str, str], at: datetime) -> Iterator[Step]:
    """That it was looked at is written when something else is, and is never a difference of its own."""
    if any((record.properties.get(name) or "") != value for name, value in said.items()):
        properties = {**said, CHECKED_AT: f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        yield Step("update", contact, record.id, position, properties=properties)


def _addresses(scene: Scene) -> Iterator[Step | None]:
    """Of each address once, whatever records show it; None: as it should be."""
    seen: set[str] = set()
    for record in scene.records:
        for email, contact, address in record.held:
            if contact is None or address is None or email in seen or email not in scene.states:
                continue
            standing = scene.standings.get(contact)
            if standing is None or address not in standing.addresses:
                continue
            seen.add(email)
            wanted = wanted_address(standing, address, scene.meant)
            steps = [*_stops(record, email, wanted, scene.states[email])]
            steps += [*_permissions(record, email, wanted, scene)]
            yield from steps or (None,)


def _stops(record: RecordShown, email: str, wanted: WantedAddress, shown: StateShown) -> Iterator[Step]:
    if shown.all_out:
        return
    if wanted.all_out is not None:
        yield _step("unsubscribe_all", record, email, wanted.contact, wanted.all_out, None, None)
        return
    left = {one.type_id for one in shown.types if one.state == "unsubscribed"}
    for kind, (state, answer) in wanted.types.items():
        if state == "unsubscribed" and kind not in left:
            yield _step("unsubscribe", record, email, wanted.contact, answer, kind, None)


def _permissions(record: RecordShown, email: str, wanted: WantedAddress, scene: Scene) -> Iterator[Step]:
    """Where nobody decided, and nothing speaks against: a stop the ledger has not heard of yet is one."""
    shown = scene.states[email]
    left = {one.type_id for one in shown.types if one.state == "unsubscribed"}
    opted_out = shown.all_out or record.properties.get(ALL_OUT) == "true"
    if scene.may_miss_a_stop(record) or not scene.can_subscribe:
        return
    if opted_out or wanted.all_out is not None or left & wanted.unheard:
        return
    undecided = {one.type_id for one in shown.types if one.state == "not_specified"}
    for kind, (state, answer) in wanted.types.items():
        if state == "subscribed" and kind in undecided:
            yield _step("subscribe", record, email, wanted.contact, answer, kind, legal_basis(answer.basis))


def _step(
    call: Call, record: RecordShown, email: str, contact: str, answer: Answer, kind: str | None, basis: str | None
) -> Step:
    words = explanation(contact, answer)
    return Step(call, contact, record.id, answer.position, email, kind, basis, words)


def next_update(day: int, today: date) -> date:
    """The day on which HubSpot next changes marketing contacts; a 31st means the month's last day."""
    for years, months in ((0, 0), (0, 1)):
        month = today.month - 1 + months
        year = today.year + years + month // 12
        month = month % 12 + 1
        found = date(year, month, min(day, monthrange(year, month)[1]))
        if found > today:
            return found
    raise AssertionError  # the same day of the next month always lies ahead


def merged_ids(properties: Mapping[str, str | None]) -> tuple[str, ...]:
    """The records that were merged into this one."""
    found: Iterable[str] = (part.strip() for name in MERGED for part in (properties.get(name) or "").split(";"))
    return tuple(dict.fromkeys(part for part in found if part.isdigit()))
