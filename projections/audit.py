"""The audit question: is any marketing purpose by e-mail from this controller allowed at a moment?

One verdict for each CRM record, reached from the folds of its contact; nothing here reads a file or a
clock. The buckets and actions are described in docs/reference/audit.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entries, Entry, latest_per_record, undeliverable
from ledger.lost_stops import hidden_since, is_shown, lost_stops, open_files, rows_are_lost
from ledger.policy.dossier import Dossier
from ledger.policy.judge import STOP_TIME_UNKNOWN, STOPPED, UNDER_REVIEW, Bench, segments, stop_reason
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Candidate, Claim, Decision, Question
from ledger.policy.rules import Policy, midnight
from ledger.terms import BEGINNING, BY_SUPPRESSION, MARKETING_PURPOSES, UNREAD_ROW
from projections.steps import next_step, question_of, wave_of
from projections.verdicts import Action, Bucket, Origin, Speaker, Verdict, speaker_of

CHANNEL = "email"
REPERMISSION = "marketing.repermission"
PENDING = timedelta(days=7)
"""How long a double opt-in request is kept open (rule DOI-1)."""
STOPS = STOPPED
CONFIRMED_BY_MACHINE = "confirmed_by_machine"
ROW_UNREAD, STOPS_LOST, OPT_OUTS_HIDDEN = "row_unread", "stops_lost", "opt_outs_hidden"
CLAIM_REASONS = {
    "consent": "claimed_consent",
    "confirmation": "claimed_confirmation",
    "contract": "claimed_sale",
    "interest_customer": "claimed_sale",
}


class Record(NamedTuple):
    """A CRM record to judge. `differs`: it stood twice in one export with differing consent columns.

    `ambiguous`: its id stands with other addresses too, so its flag may be another's; `shared`: its address also
    stands on a record of somebody else; `astray`: its id and its address belong to different contacts; `lead`: the
    CRM hints at a `customer`, a `deal` or a `form`; `origin`: see `Verdict`; `created` the day the record was made.
    """

    contact: str
    record: str | None
    address: str | None
    record_id: str | None
    email: str | None
    differs: bool = False
    shared: bool = False
    astray: bool = False
    lead: str | None = None
    origin: Origin | None = None
    created: date | None = None
    ambiguous: bool = False


class Auditor:
    """Gives verdicts at one moment under one rule set."""

    def __init__(
        self,
        policy: Policy,
        catalogue: Catalogue,
        at: datetime,
        purpose: str | None = None,
        platform: str = "hubspot",
    ) -> None:
        """`platform`: whose terms are shown beside the law."""
        self.policy = policy
        self.catalogue = catalogue
        self.at = at
        self.purposes = (purpose,) if purpose else MARKETING_PURPOSES
        self._accepted = frozenset(policy.accepted_by(platform))
        lost = lost_stops(catalogue)
        unread = open_files(lost)
        self._lost = rows_are_lost(lost)
        self._hidden_since = hidden_since(lost)
        self._looked = frozenset(
            n.event.source.partition(".")[2]
            for n in catalogue.imports
            if isinstance(n.event, e.ImportFinished) and n.event.file not in unread
        )
        self._unshown = {n.position for n in catalogue.declared.by_key.values() if not n.event.evidence}
        self._known: dict[object, _Asked] = {}

    def verdict(self, contacts: Sequence[Contact], record: Record) -> Verdict:
        """The verdict for one record of the first contact; the others are linked with it."""
        owner = contacts[0]
        asked = self._asked(contacts, record)
        held = Dossier(contacts).held if any(contact.reviews for contact in contacts) else None
        waits = held is not None
        freed = self._asked([_without_holds(contact) for contact in contacts], record) if waits else asked
        bucket, reason, decision = self._bucket(owner, record, freed)
        if waits:
            bucket, reason, decision = _while_held(bucket, reason, decision, asked)
            reason = ROW_UNREAD if reason == UNDER_REVIEW and _is_unread(held) else reason
        stopped_by = speaker_of(reason) if bucket is Bucket.STOPPED else None
        flag = _flag(owner, record)
        dead = bool(owner.bounces) and undeliverable(owner, record.address) is not None
        action, reason = _action(bucket, reason, flag, dead)
        missing = self._missing(owner, record)
        if missing is not None and action is Action.KEEP:
            action, reason = Action.REVIEW, missing  # it may be this person's stop that is lost, or not shown
        claim = decision.claimed if bucket is Bucket.BASIS_CLAIMED else None
        rule = self.policy.rules.get(decision.rules[0]) if decision.allowed and decision.rules else None
        question = question_of(bucket, reason, claim, _tokens(owner)) if action is Action.REVIEW else None
        lead = record.lead or _lead(owner)
        sign = _last_sign(owner, record) if bucket is Bucket.NO_BASIS else None
        free = bucket is Bucket.BASIS_PROVEN and missing is None
        asking = asked.asking if free and asked.asking and asked.asking.allowed else None
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
            stopped_all=any(member.stops for member in contacts)
            and all(d.reason in STOPPED and speaker_of(d.reason) is not Speaker.REVIEW for d in asked.decisions),
            shown_stopped=_shown(owner, record),
            jurisdictions=asked.laws,
            expires_at=decision.changes_at.date() if decision.allowed and decision.changes_at else None,
            rule_confidence=rule.confidence if rule else None,
            declaration=_rests(decision, claim, asked.resting),
            platform_shown=decision.basis in self._accepted if decision.allowed else None,
            may_be_asked=asking is not None and not dead,
            ask_basis=asking.basis if asking else None,
            ask_until=asking.changes_at.date() if asking and asking.changes_at else None,
            next_step=next_step(
                bucket,
                reason,
                claim,
                question,
                lead,
                dead,
                self._looked,
                sign,
                _undeclared(owner, claim, asked.resting),
            ),
            wave=wave_of(bucket, action, dead, lead),
            question=question,
            origin=record.origin,
            stopped_by=stopped_by,
        )

    def is_free(self, contacts: Sequence[Contact], record: Record) -> bool:
        """Whether nothing keeps the record's address out of a send, whatever the CRM's mark says."""
        if self._missing(contacts[0], record) is not None:
            return False
        return self.verdict(contacts, record).bucket is Bucket.BASIS_PROVEN

    def _missing(self, owner: Contact, record: Record) -> str | None:
        """Why a stop of this record may be missing here, as a reason; None: nothing that is known of says so."""
        if self._lost:
            return STOPS_LOST
        since = self._hidden_since
        if since is None or is_shown(owner, record.record, record.address, since):
            return None
        return OPT_OUTS_HIDDEN

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
        asking = next((d for p, d in zip(self.purposes, decisions, strict=True) if p == REPERMISSION), None)
        asked = _Asked(tuple(law.code for law in laws), decisions, bench.resting, asking)
        if alike is not None:
            self._known[alike] = asked
        return asked

    def _decide(self, bench: Bench, purpose: str, address: str | None, laws: tuple[Candidate, ...]) -> Decision:
        question = Question(purpose=purpose, channel=CHANNEL, at=self.at, address=address, jurisdictions=laws)
        return segments(bench, question, self.at)[0].decision

    def _bucket(self, owner: Contact, record: Record, asked: _Asked) -> tuple[Bucket, str, Decision]:
        """The first bucket that matches, its reason, and the decision it rests on."""
        decisions = asked.decisions
        allowed = next((d for d in decisions if d.allowed), None)
        first = allowed or decisions[0]
        conflict = _conflict(owner, record, decisions, allowed)
        if conflict is not None:
            return Bucket.CONFLICT, conflict, first
        if allowed is not None:
            return Bucket.BASIS_PROVEN, "proven", allowed
        if all(d.reason in STOPPED for d in decisions):
            stop = min(decisions, key=_by_speaker)
            return Bucket.STOPPED, _stop_word(owner, stop), stop
        claimed = next((d for d in decisions if d.claimed is not None), None)
        if claimed is not None:
            return Bucket.BASIS_CLAIMED, self._claim_word(owner, claimed, asked.resting), claimed
        return Bucket.NO_BASIS, self._nothing_word(owner, record, first), first

    def _claim_word(self, owner: Contact, decision: Decision, resting: Mapping[int, int]) -> str:
        claim = decision.claimed
        if claim is not None and any(resting.get(position) in self._unshown for position in claim.evidence):
            return "declared_not_evidenced"
        if claim is not None and _from_facts(owner, claim):
            return CONFIRMED_BY_MACHINE if _by_machine(owner, claim) else "claimed_evidence"
        tokens = _tokens(owner)
        for token, reason in CLAIM_REASONS.items():
            if token in tokens:
                return reason
        return "claimed_interest" if tokens else "claimed_evidence"

    def _nothing_word(self, owner: Contact, record: Record, decision: Decision) -> str:
        if record.address is None:
            return "no_address"
        if decision.reason == "minor":
            return "minor"
        return "confirmation_pending" if _pending(owner, record.address, self.at) else "nothing_known"


def _while_held(bucket: Bucket, reason: str, decision: Decision, asked: _Asked) -> tuple[Bucket, str, Decision]:
    """What a hold makes of an answer: it allows nothing meanwhile, and turns no stop or contradiction into less."""
    if bucket is Bucket.STOPPED:
        return bucket, reason, decision
    refused = asked.decisions[0]
    if bucket is Bucket.CONFLICT:
        return bucket, reason, refused
    # a basis that is shown is not one to write on before the hold has ended
    return Bucket.BASIS_CLAIMED if bucket is Bucket.BASIS_PROVEN else bucket, UNDER_REVIEW, refused


def _is_unread(held: Entry | None) -> bool:
    """Whether nobody held this person but the program, for a row that it could not read."""
    return held is not None and isinstance(held.event, e.ReviewDecided) and held.event.question == UNREAD_ROW


def _without_holds(contact: Contact) -> Contact:
    reviews = [n for n in contact.reviews if not (isinstance(n.event, e.ReviewDecided) and n.event.outcome == "hold")]
    return msgspec.structs.replace(contact, reviews=tuple(reviews))


class _Asked(NamedTuple):
    laws: tuple[str, ...]
    decisions: list[Decision]
    resting: Mapping[int, int]
    asking: Decision | None


def _rests(decision: Decision, claim: Claim | None, resting: Mapping[int, int]) -> int | None:
    evidence = decision.evidence if decision.allowed else claim.evidence if claim else ()
    return next((resting[position] for position in evidence if position in resting), None)


def _tokens(owner: Contact) -> frozenset[str]:
    """What the CRM claims now: what an older row claimed is superseded, whichever was taken in first."""
    claims = Dossier((owner,)).claims() if owner.claims else ()
    return frozenset(t for n in claims if isinstance(n.event, e.BasisClaimed) for t in n.event.claims)


def _from_facts(owner: Contact, claim: Claim) -> bool:
    """Whether a fact stands behind the claim, and not the CRM's word alone."""
    return any(n.position in claim.evidence for place in (*_COULD_MATTER, "activity") for n in getattr(owner, place))


def _by_machine(owner: Contact, claim: Claim) -> bool:
    """Whether the confirmation alone is missing, and one is on record that no person can have made."""
    if claim.missing != ("address_verified",):
        return False
    grants = (*owner.opt_ins, *owner.answers, *owner.activity)
    opted_in = [n.event for n in grants if n.position in claim.evidence]
    dossier = Dossier((owner,))
    return any(dossier.is_by_machine(n.event, event) for event in opted_in for n in owner.confirmations)


def _undeclared(owner: Contact, claim: Claim | None, resting: Mapping[int, int]) -> str | None:
    """The step that names the form or pipeline a claim comes from, where nobody has declared what it meant."""
    for position in claim.evidence if claim else ():
        if position in resting:
            continue
        for _, _, event in (n for n in (*owner.answers, *owner.activity, *owner.deals) if n.position == position):
            if isinstance(event, e.BoxAnswered | e.FormSubmitted) and event.form:
                return f"declare_form:{event.form}"
            if isinstance(event, e.DealWon):
                return f"declare_sale:{event.pipeline or ''}"
    return None


def _lead(owner: Contact) -> str | None:
    """What the ledger holds that hints at a relationship, whatever the CRM's record says."""
    if owner.deals or owner.contracts:
        return "deal"
    return "form" if owner.answers or any(isinstance(n.event, e.FormSubmitted) for n in owner.activity) else None


def _last_sign(owner: Contact, record: Record) -> datetime | None:
    """The last own act of the person on record, else when the record was made, or first seen here."""
    acts = [n.event.earliest for n in owner.activity if n.event.by not in ("system", "third_party")]
    seen = [n.event.captured_at for n in owner.flags if n.event.captured_at is not None]
    made = midnight(record.created) if record.created else None
    return max((act for act in acts if act > BEGINNING), default=None) or made or min(seen, default=None)


def _pending(owner: Contact, address: str | None, at: datetime) -> bool:
    """Whether a double opt-in mail went out within its time and is not answered (DOI-1)."""
    return any(
        isinstance(n.event, e.OptInRequested)
        and Dossier((owner,)).is_about(n.event, address)
        and n.event.earliest <= at < n.event.earliest + PENDING
        and not any(c.event.latest >= n.event.earliest for c in owner.confirmations)
        for n in owner.sendings
    )


class _Flag(NamedTuple):
    marketing: bool | None
    scheduled: bool


def _flag(owner: Contact, record: Record) -> _Flag:
    # a row without the column was seen, and says nothing of the flag
    if record.ambiguous:
        return _Flag(None, scheduled=False)
    flags = tuple(n for n in owner.flags if getattr(n.event, "marketing", None) is not None)
    seen = _latest(flags, record)
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
    doubtful = bucket in (Bucket.BASIS_CLAIMED, Bucket.CONFLICT) or reason in (UNDER_REVIEW, ROW_UNREAD)
    if flag.marketing is False or flag.scheduled:
        if doubtful:
            return Action.REVIEW, reason
        return Action.NONE, "already_scheduled" if flag.scheduled else reason
    if dead and flag.marketing and bucket is not Bucket.CONFLICT:
        settled = bucket in (Bucket.STOPPED, Bucket.NO_BASIS)
        return Action.SET_NON_MARKETING, reason if settled else "undeliverable"
    if doubtful:
        return Action.REVIEW, reason
    if reason == "confirmation_pending":
        return Action.KEEP, reason
    return (Action.KEEP if bucket is Bucket.BASIS_PROVEN else Action.SET_NON_MARKETING), reason


def _conflict(owner: Contact, record: Record, decisions: list[Decision], allowed: Decision | None) -> str | None:
    if any(_stops(n, owner) for n in owner.reviews):
        return None  # a review has settled it: stopped
    if record.differs or record.ambiguous:
        return "same_record_twice"
    if allowed is None and _lifted(owner, record) and any(d.reason in STOPPED for d in decisions):
        return "stop_shown_lifted"
    if allowed is not None and record.shared:
        return "shared_address"
    if allowed is not None and record.astray:
        return "two_contacts"
    if allowed is None and any(d.uncertain and d.reason != STOP_TIME_UNKNOWN for d in decisions):
        return "times_overlap"
    return None


def _stops(review: Entry, owner: Contact) -> bool:
    said = review.event
    return isinstance(said, e.ReviewDecided) and said.outcome == "stop" and review.position not in owner.undone


def _lifted(owner: Contact, record: Record) -> bool:
    """Whether the CRM once showed this record opted out and shows it so no more."""
    history = [
        n.event.opted_out
        for n in sorted(owner.shown, key=lambda n: (n.event.captured_at or owner.recorded_at, n.position))
        if n.event.record == record.record and isinstance(n.event, e.OptOutShown)
    ]
    return bool(history) and not history[-1] and any(history)


def _by_speaker(decision: Decision) -> int:
    """Orders stopped answers: who is stopped in part by themselves, and as a whole by others, is stopped by these."""
    return (Speaker.REVIEW, Speaker.OTHERS, Speaker.PERSON).index(speaker_of(decision.reason))


def _stop_word(owner: Contact, decision: Decision) -> str:
    """Why it is stopped: a stop re-applied from the suppression list says so, where nothing graver is on record."""
    if decision.reason == "opted_out" and any(stop.event.via == BY_SUPPRESSION for stop in owner.stops):
        return "suppressed"
    return decision.reason


def _reference(owner: Contact, bucket: Bucket, decision: Decision) -> str:
    """The contact and the position the answer rests on: its evidence, its last stop, its last claim."""
    position = owner.position
    if decision.allowed and decision.evidence:
        position = decision.evidence[0]
    elif decision.reason in STOPPED and owner.stops:
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
    if any(isinstance(n.event, e.FormSubmitted) for n in owner.activity):
        return None  # to send a form in may have been to sign up
    if any(_says_who(n.event) for n in owner.described):
        return None
    if len(owner.addresses) > 1 and any(isinstance(n.event, e.AddressUnlinked) for n in owner.addresses):
        return None
    shown = owner.countries[0].event if owner.countries else None
    hints = shown.hints if isinstance(shown, e.CountryEvidenced) else ()
    if not owner.stops and not owner.claims:
        return hints
    if any(n.event.latest > at for n in owner.stops):
        return None
    stops = frozenset(_scope(n.event, record.address) for n in owner.stops)
    claims = frozenset(
        (n.event.field, n.event.claims, Dossier((owner,)).is_about(n.event, record.address))
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
    "answers",
    "deals",
    "contracts",
    "enquiries",
    "support",
    "published",
    "reviews",
    "links",
    "stop_links",
    "corrections",
    "erasures",
)


def _says_who(event: e.Event) -> bool:
    """Whether a description says more than that the address is a role's, which no rule asks for by itself."""
    told = ("professional", "corporate_subscriber", "role_relevant", "informed_of_objection", "minor", "age")
    return any(getattr(event, name, None) is not None for name in told)


def _scope(stop: e.Event, address: str | None) -> object:
    if not isinstance(stop, e.Stop):
        return None
    here = stop.address in (None, address)
    kind = getattr(stop, "subscription_type", None)
    return (
        type(stop),
        stop_reason(stop),
        kind,
        stop.purposes,
        stop.channels,
        stop.except_purposes,
        stop.address_only and not here,
    )
