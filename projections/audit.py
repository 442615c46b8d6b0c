"""The audit question: is any marketing purpose by e-mail from this controller allowed at a moment?

One verdict for each CRM record, reached from the folds of its contact; nothing here reads a file or a
clock. The buckets and actions are described in docs/reference/audit.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entries, Entry, latest_per_record, undeliverable
from ledger.policy.judge import STOP_REASONS, Bench, segments
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Candidate, Decision, Question
from ledger.policy.rules import Policy
from ledger.terms import MARKETING_PURPOSES
from projections.verdicts import Action, Bucket, Verdict

CHANNEL = "email"
STOPS = frozenset(STOP_REASONS.values())
CLAIM_REASONS = {
    "consent": "claimed_consent",
    "confirmation": "claimed_confirmation",
    "contract": "claimed_sale",
    "interest_customer": "claimed_sale",
}


class Record(NamedTuple):
    """A CRM record to judge. `differs`: it stood twice in one export with differing consent columns.

    `shared`: its address also stands on a record of somebody else; `astray`: its id and its address
    belong to different contacts.
    """

    contact: str
    record: str | None
    address: str | None
    record_id: str | None
    email: str | None
    differs: bool = False
    shared: bool = False
    astray: bool = False


class Auditor:
    """Gives verdicts at one moment under one rule set."""

    def __init__(
        self,
        policy: Policy,
        catalogue: Catalogue,
        at: datetime,
        purpose: str | None = None,
    ) -> None:
        self.policy = policy
        self.catalogue = catalogue
        self.at = at
        self.purposes = (purpose,) if purpose else MARKETING_PURPOSES
        self._known: dict[object, _Asked] = {}

    def verdict(self, contacts: Sequence[Contact], record: Record) -> Verdict:
        """The verdict for one record of the first contact; the others are linked with it."""
        owner = contacts[0]
        laws, decisions = self._asked(contacts, record)
        bucket, reason, decision = self._bucket(owner, record, decisions)
        flag = _flag(owner, record)
        dead = bool(owner.bounces) and undeliverable(owner, record.address) is not None
        action, reason = _action(bucket, reason, flag, dead)
        claim = decision.claimed if bucket is Bucket.BASIS_CLAIMED else None
        rule = self.policy.rules.get(decision.rules[0]) if decision.allowed and decision.rules else None
        return Verdict(
            record_id=record.record_id,
            email=record.email,
            bucket=bucket,
            action=action,
            reason=reason,
            reference=_reference(owner, bucket, decision),
            basis=decision.basis or (claim.basis if claim else None),
            rule=(claim.rule if claim else None) or (decision.rules[0] if decision.rules else None),
            allowed=decision.allowed,
            marketing=flag.marketing,
            scheduled=flag.scheduled,
            undeliverable=dead,
            stopped_all=bool(owner.stops) and all(d.reason in STOPS for d in decisions),
            shown_stopped=_shown(owner, record),
            jurisdictions=laws,
            expires_at=decision.changes_at.date() if decision.allowed and decision.changes_at else None,
            rule_confidence=rule.confidence if rule else None,
        )

    def _asked(self, contacts: Sequence[Contact], record: Record) -> _Asked:
        """The laws that may apply, and one decision for each purpose.

        Contacts alike in all that policy reads of them share their answers.
        """
        alike = _likeness(contacts, record, self.at)
        if alike is not None and alike in self._known:
            return self._known[alike]
        bench = Bench(contacts, self.policy, self.catalogue)
        laws = candidates(bench.dossier.country_entries(), self.catalogue)
        decisions = [self._decide(bench, purpose, record.address, laws) for purpose in self.purposes]
        asked = _Asked(tuple(law.code for law in laws), decisions)
        if alike is not None:
            self._known[alike] = asked
        return asked

    def _decide(self, bench: Bench, purpose: str, address: str | None, laws: tuple[Candidate, ...]) -> Decision:
        question = Question(purpose=purpose, channel=CHANNEL, at=self.at, address=address, jurisdictions=laws)
        return segments(bench, question, self.at)[0].decision

    def _bucket(self, owner: Contact, record: Record, decisions: list[Decision]) -> tuple[Bucket, str, Decision]:
        """The first bucket that matches, its reason, and the decision it rests on."""
        allowed = next((d for d in decisions if d.allowed), None)
        first = allowed or decisions[0]
        conflict = _conflict(owner, record, decisions, allowed)
        if conflict is not None:
            return Bucket.CONFLICT, conflict, first
        if allowed is not None:
            return Bucket.BASIS_PROVEN, "proven", allowed
        if all(d.reason in STOPS for d in decisions):
            return Bucket.STOPPED, _stop_word(owner, first), first
        claimed = next((d for d in decisions if d.claimed is not None), None)
        if claimed is not None:
            return Bucket.BASIS_CLAIMED, _claim_word(owner), claimed
        return Bucket.NO_BASIS, "no_address" if record.address is None else "nothing_known", first


class _Asked(NamedTuple):
    laws: tuple[str, ...]
    decisions: list[Decision]


class _Flag(NamedTuple):
    marketing: bool | None
    scheduled: bool


def _flag(owner: Contact, record: Record) -> _Flag:
    seen = _latest(owner.flags, record)
    if seen is None or not isinstance(seen.event, e.MarketingStatusObserved):
        return _Flag(None, scheduled=False)
    return _Flag(seen.event.marketing, scheduled=seen.event.until_next_update is True)


def _latest(entries: Entries, record: Record) -> Entry | None:
    """What a record showed last; most contacts have one record that showed it once."""
    if len(entries) == 1 and entries[0].event.record == record.record:
        return entries[0]
    return latest_per_record(entries).get(record.record) if entries else None


def _shown(owner: Contact, record: Record) -> bool | None:
    seen = _latest(owner.shown, record)
    return seen.event.opted_out if seen and isinstance(seen.event, e.OptOutShown) else None


def _action(bucket: Bucket, reason: str, flag: _Flag, dead: bool) -> tuple[Action, str]:
    """What to do, from the bucket and the CRM's billing mark; unknown counts as marketing."""
    doubtful = bucket in (Bucket.BASIS_CLAIMED, Bucket.CONFLICT)
    if flag.marketing is False or flag.scheduled:
        if doubtful:
            return Action.REVIEW, reason
        return Action.NONE, "already_scheduled" if flag.scheduled else reason
    if dead and flag.marketing and bucket is not Bucket.CONFLICT:
        settled = bucket in (Bucket.STOPPED, Bucket.NO_BASIS)
        return Action.SET_NON_MARKETING, reason if settled else "undeliverable"
    if doubtful:
        return Action.REVIEW, reason
    return (Action.KEEP if bucket is Bucket.BASIS_PROVEN else Action.SET_NON_MARKETING), reason


def _conflict(owner: Contact, record: Record, decisions: list[Decision], allowed: Decision | None) -> str | None:
    if record.differs:
        return "same_record_twice"
    if allowed is None and _lifted(owner, record) and any(d.reason in STOPS for d in decisions):
        return "stop_shown_lifted"
    if allowed is not None and record.shared:
        return "shared_address"
    if allowed is not None and record.astray:
        return "two_contacts"
    if allowed is None and any(d.uncertain for d in decisions):
        return "times_overlap"
    return None


def _lifted(owner: Contact, record: Record) -> bool:
    """Whether the CRM once showed this record opted out and shows it so no more."""
    history = [
        n.event.opted_out
        for n in sorted(owner.shown, key=lambda n: (n.event.captured_at or owner.recorded_at, n.position))
        if n.event.record == record.record and isinstance(n.event, e.OptOutShown)
    ]
    return bool(history) and not history[-1] and any(history)


def _stop_word(owner: Contact, decision: Decision) -> str:
    """Why it is stopped: a stop re-applied from the suppression list says so."""
    if any(stop.event.via == "suppression" for stop in owner.stops):
        return "suppressed"
    return decision.reason


def _claim_word(owner: Contact) -> str:
    tokens = {t for n in owner.claims if isinstance(n.event, e.BasisClaimed) for t in n.event.claims}
    for token, reason in CLAIM_REASONS.items():
        if token in tokens:
            return reason
    return "claimed_interest" if tokens else "claimed_evidence"


def _reference(owner: Contact, bucket: Bucket, decision: Decision) -> str:
    """The contact and the position the answer rests on: its evidence, its last stop, its last claim."""
    position = owner.position
    if decision.allowed and decision.evidence:
        position = decision.evidence[0]
    elif decision.reason in STOPS and owner.stops:
        position = owner.stops[-1].position
    elif bucket is Bucket.BASIS_CLAIMED and owner.claims:
        position = owner.claims[-1].position
    return f"CL-{owner.contact[:8]}-{position}"


def _likeness(contacts: Sequence[Contact], record: Record, at: datetime) -> object | None:
    """A key under which contacts get the same answers, apart from positions: what policy reads of them.

    None for everybody of whom something is known that could allow, or that makes two people one. What is
    left is signs of a country, stops and claims; of a stop only its scope counts, once it has begun.
    """
    owner = contacts[0]
    if len(contacts) > 1 or len(owner.countries) > 1 or any(getattr(owner, p) for p in _COULD_MATTER):
        return None
    if any(_says_who(n.event) for n in owner.described):
        return None
    if len(owner.addresses) > 1 and any(isinstance(n.event, e.AddressUnlinked) for n in owner.addresses):
        return None
    shown = owner.countries[0].event if owner.countries else None
    hints = shown.hints if isinstance(shown, e.CountryEvidenced) else ()
    if not owner.stops and not owner.claims:
        return hints
    if any(n.event.earliest > at for n in owner.stops):
        return None
    stops = frozenset(_scope(n.event, record.address) for n in owner.stops)
    claims = frozenset(
        (n.event.field, n.event.claims, n.event.address in (None, record.address))
        for n in owner.claims
        if isinstance(n.event, e.BasisClaimed)
    )
    if len(owner.claims) > 1:
        places = {(n.event.record, _field(n.event)) for n in owner.claims}
        if len(places) < len(owner.claims):
            return None  # one replaces another: which, is for the judge to say
    return hints, stops, claims


def _field(claim: e.Event) -> str | None:
    return claim.field if isinstance(claim, e.BasisClaimed) else None


_COULD_MATTER = (
    "opt_ins",
    "contracts",
    "enquiries",
    "support",
    "published",
    "reviews",
    "links",
    "corrections",
)


def _says_who(event: e.Event) -> bool:
    """Whether a description says more than that the address is a role's, which no rule asks for by itself."""
    told = ("professional", "corporate_subscriber", "role_relevant", "informed_of_objection", "minor", "age")
    return any(getattr(event, name, None) is not None for name in told)


def _scope(stop: e.Event, address: str | None) -> object:
    if not isinstance(stop, e.Stop):
        return None
    here = stop.address in (None, address)
    return type(stop), stop.purposes, stop.channels, stop.except_purposes, stop.address_only and not here
