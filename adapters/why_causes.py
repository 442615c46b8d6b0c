"""The first sentence of an answer: the condition that decides it, in words for counsel and for the person.

Both are made by one function from one cause, so that a letter cannot say another thing than the page that is filed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from adapters.report import wording
from adapters.why_acts import act_of, clause_of
from adapters.why_evidence import meaning_of
from adapters.why_facts import day_of, noun, of_day, on_day, span_of
from adapters.why_history import Held
from adapters.why_needs import need_in_words, obligation_in_words, unmet_in_words
from adapters.why_words import CLAIMS, PERSON_SUPPRESSED, stopped_by_others
from ledger import events as e
from ledger.commands import is_suppressing
from ledger.policy.calendar import local_date
from ledger.policy.dossier import Dossier
from ledger.policy.jurisdictions import UNKNOWN
from ledger.policy.rules import Policy, Rule
from ledger.terms import BY_OUR_WRITE, END, UNREAD_ROW
from projections.matter import Cause

_LAWLESS = frozenset({"stopped", "stop_time_unknown", "overlap", "erased", "under_review", "minor", "address_unlinked"})
"""Causes that decide under every law."""
MOST = 3
"""Conditions that a sentence names."""
_aside = re.compile(r"\s*(?:;|, (?:inserted|as amended|in force)\b|\s\([a-z]).*", re.DOTALL)


def law_name(rule: Rule) -> str:
    """The law that a rule is made of, by its first source; a rule of ours is called so."""
    if rule.confidence == "policy":
        return "our strictest rule" if rule.id.startswith(f"{UNKNOWN}-") else "our own rule"
    return _aside.sub("", rule.source)


class CauseWords:
    """Words for the causes of one person's answers. `person`: in a letter to that person, else for counsel."""

    def __init__(self, held: Held, policy: Policy, *, person: bool = False) -> None:
        self._held, self._policy, self._person = held, policy, person

    def sentence(self, cause: Cause, at: datetime, *, marketing: bool = True) -> str:
        """The condition that decides, in one sentence; of a stop, a second on what came after it."""
        if cause.kind == "proven":
            return self._proven(cause, marketing)
        clause = self._under(cause, self._clause(cause, at))
        later = cause.later
        if later is not None and not (self._person and later.fact is None):
            clause += f". What came later does not lift it: {self._clause(later, at)}"
        return clause[:1].upper() + clause[1:] + "."

    # --- the frame ---------------------------------------------------------------------------------

    def _under(self, cause: Cause, clause: str) -> str:
        """The clause, with whose rules it stands under where that decides."""
        if cause.kind in _LAWLESS or cause.law is None:
            return clause
        if self._is_of_others(cause.law):
            return f"the strictest of the rules that may apply decide: {clause}"
        titles = [self._title(code) for code in cause.allowed_by if not self._is_of_others(code)]
        whose = "one country" if len(titles) == 1 else "some countries"
        allowing = f"the rules of {whose} alone would allow it ({wording.listed(titles)})" if titles else ""
        if cause.law == UNKNOWN:
            unknown = unknown_countries(self._held, person=self._person)
            if allowing:
                return f"{unknown}, so the strictest rules count too, although {allowing}: {clause}"
            return f"{unknown}, so the strictest rules count: {clause}"
        if allowing:
            return f"{allowing}, but others count too, those of {self._title(cause.law)} among them: {clause}"
        return clause

    def _title(self, code: str) -> str:
        return self._policy.regime(code).title

    def _is_of_others(self, law: str | None) -> bool:
        """Whether a law is asked because of somebody else's country, of which a letter must not tell."""
        return self._person and law is not None and law not in self._held.own_laws

    def _law(self, cause: Cause) -> str:
        rule = self._policy.rules[cause.rule] if cause.rule else None
        if rule is None:
            return "the rules"
        if self._is_of_others(cause.law):
            return "the strictest of these rules"
        return law_name(rule) if self._person else f"{law_name(rule)} (rule {rule.id})"

    def _proven(self, cause: Cause, marketing: bool) -> str:
        stands = ", and no opt-out that covers this stood against it at the moment asked about"
        rest = stands if marketing else "; it is not marketing, so no opt-in is needed"
        return f"Everything that {self._law(cause)} requires is on record{rest}."

    # --- facts -------------------------------------------------------------------------------------

    def _event(self, position: int | None) -> e.Event | None:
        """The fact at a position; for the person, only an own one."""
        entry = self._held.by_position.get(position) if position is not None else None
        if entry is None:
            return None
        event = entry.event
        own = event.stream == self._held.contact and event.address in (None, self._held.address)
        return event if own or not self._person else None

    def _at(self, position: int | None) -> str:
        return "" if self._person or position is None else f" [{position}]"

    def _fact(self, position: int | None) -> str:
        """`the opt-in of 1 May 2024 [4]`."""
        event = self._event(position)
        if event is None:
            return "what is on record"
        deal = any(n.position == position and isinstance(n.event, e.DealWon) for n in self._held.entries)
        name = "won deal" if deal and getattr(event, "kind", "unknown") == "unknown" else noun(event)
        own = event.by == "data_subject" or act_of(event, person=self._person) is None
        return f"{'your' if self._person and own else 'the'} {name} {of_day(event)}{self._at(position)}"

    # --- clauses -----------------------------------------------------------------------------------

    def _clause(self, cause: Cause, at: datetime) -> str:
        clause: Callable[[Cause, datetime], str] = getattr(self, f"_when_{cause.kind}")
        return clause(cause, at)

    def _when_stopped(self, cause: Cause, at: datetime) -> str:
        event = self._event(cause.fact)
        yours = "we hold no later opt-in of yours" if self._person else "there is no later opt-in"
        yours += f" to this{self._by_then(at)} that can be shown"
        if event is None:
            return f"an opt-out is on record that reaches this address, and {yours}"
        what = self._no(event, cause.fact)
        return f"{what}, and {yours}"

    def _no(self, event: e.Event, position: int | None) -> str:
        where = self._at(position)
        if is_suppressing(event):
            what = PERSON_SUPPRESSED if self._person else "this address was suppressed when its erasure was asked for"
            return f"{what[:1].lower()}{what[1:]}{where}"
        if isinstance(event, e.ReviewDecided):
            whose = "we decided" if self._person else "a review by the company decided"
            return f"{whose} on {day_of(event.recorded_at)} to stop all marketing{where}"
        others = stopped_by_others(event, person=self._person)
        if others is not None:
            day = "" if event.via == BY_OUR_WRITE else f" {on_day(event)}"
            return f"{others[:1].lower()}{others[1:]}{day}{where}"
        act = act_of(event, person=self._person)
        if act is None:
            return f"an opt-out is on record{where}"
        clause = clause_of(event, act, person=self._person)
        if event.stream != self._held.contact:
            may_be = event.stream in self._held.joined
            clause += f", on {'a contact that may be the same person' if may_be else 'a contact merged with this one'}"
        return f"{clause}{where}"

    def _when_stop_time_unknown(self, cause: Cause, _: datetime) -> str:
        unsure = "nothing shows whether it came before this moment or after it"
        return f"an opt-out is on record{self._at(cause.fact)}, and {unsure}"

    def _when_overlap(self, cause: Cause, _: datetime) -> str:
        event = self._event(cause.fact)
        what = "an opt-out is on record" if event is None else self._no(event, cause.fact)
        return f"{what}, and nothing shows that the opt-in on record came after it; in doubt the opt-out counts"

    def _by_then(self, at: datetime) -> str:
        """Says of "no opt-in" until when, where one came later than the moment asked about."""
        opt_ins = (n.event for n in self._held.by_position.values() if isinstance(n.event, e.OptedIn))
        return ", up to the moment asked about," if any(event.latest > at for event in opt_ins) else ""

    def _when_erased(self, cause: Cause, at: datetime) -> str:
        whose = "your data" if self._person else "the data of this contact"
        later = f"no later opt-in to this{self._by_then(at)} can be shown"
        return f"{whose} was erased{self._at(cause.fact)}, and {later}"

    def _when_under_review(self, cause: Cause, at: datetime) -> str:
        event = self._event(cause.fact)
        if isinstance(event, e.ReviewDecided) and event.question == UNREAD_ROW:
            what = "a row of a file that may be an opt-out could not be read"
            return f"{what}{self._at(cause.fact)}; nothing is sent until somebody has looked at it"
        began = event.recorded_at if event is not None else None
        if began is not None and at < began:
            what = f"a review of {day_of(began)}{self._at(cause.fact)} is not answered yet"
            return f"{what}, so it is not shown either whether this was allowed before"
        day = f" since {day_of(began)}" if began is not None else ""
        return f"a review puts this on hold{day}{self._at(cause.fact)}; nothing is sent until it is answered"

    def _when_minor(self, cause: Cause, _: datetime) -> str:
        who = "you are" if self._person else "the person is"
        if self._person and self._event(cause.fact) is None:
            return f"our records leave open whether {who} a minor, and no guardian's consent can be shown"
        return f"the records say that {who} a minor{self._at(cause.fact)}, and no guardian's consent can be shown"

    def _when_address_unlinked(self, _: Cause, __: datetime) -> str:
        return "this address no longer belongs to " + ("you, by our records" if self._person else "this contact")

    def _when_address_may_be_reassigned(self, cause: Cause, _: datetime) -> str:
        return (
            f"this address took no mail for half a year or more after {self._fact(cause.fact)} and may belong to "
            "somebody else since; only an opt-in after that counts"
        )

    def _when_unknown_purpose(self, _: Cause, __: datetime) -> str:
        return "no rule knows this purpose"

    def _when_unknown_channel(self, _: Cause, __: datetime) -> str:
        return "no rule knows this channel"

    def _when_message(self, cause: Cause, _: datetime) -> str:
        return f"the message does not {wording.listed([obligation_in_words(one) for one in cause.unmet])}"

    def _when_withdrawn_declaration(self, cause: Cause, _: datetime) -> str:
        on = day_of(cause.since)
        if self._person:
            return f"what a form or a sale meant was declared in our records, and no longer counts since {on}"
        return (
            f"the declaration that {meaning_of(self._held, cause.declaration)} [{cause.declaration}] no longer counts "
            f"since {on}; with it, {self._fact(cause.fact)} would be enough"
        )

    def _when_recorded_later(self, cause: Cause, at: datetime) -> str:
        shown = "we had it" if self._person else "it existed"
        return (
            f"{self._fact(cause.fact)} is on record only since {day_of(cause.since)}; nothing shows that {shown} "
            f"on {wording.day(at.astimezone(UTC))}"
        )

    def _when_begins_later(self, cause: Cause, _: datetime) -> str:
        event = self._event(cause.fact)
        day = day_of(cause.since)
        if isinstance(event, e.ContractStarted | e.DealWon):
            return f"{self._fact(cause.fact)} began after the moment asked about"
        if isinstance(event, e.DoubleOptInConfirmed):
            return f"the opt-in was confirmed only on {day}{self._at(cause.fact)}, after the moment asked about"
        return (
            f"{self._fact(cause.fact)} came after the moment asked about; nothing from before it could be a legal basis"
        )

    def _when_not_in_force(self, cause: Cause, _: datetime) -> str:
        day = f" before {day_of(cause.since)}" if cause.since is not None else " then"
        return f"{self._law(cause)} was not yet in force, or not yet declared,{day}; {self._fact(cause.fact)} needs it"

    def _when_no_longer_in_force(self, cause: Cause, _: datetime) -> str:
        day = day_of(cause.since)
        return f"{self._law(cause)} is not in force any more since {day}; {self._fact(cause.fact)} needs it"

    def _when_lapsed(self, cause: Cause, _: datetime) -> str:
        fact, last = self._fact(cause.fact), f"at the end of {self._last_day(cause)}"
        if cause.period is None:
            if isinstance(self._event(cause.fact), e.ContractStarted):
                return f"{fact} ended on {day_of(cause.since)}"
            return f"{fact} was given for a time that ended {last}"
        span = span_of(cause.period)
        choice = "; the number is our choice, the law names none" if cause.chosen else ""
        rule = self._policy.rules[cause.rule] if cause.rule else None
        if rule is not None and rule.inactivity:
            after = f"after {self._fact(cause.last)}" if cause.last is not None else "after it"
            return f"{fact} lapsed {last}: {span} passed without contact {after}{choice}"
        if cause.counted_from == "one_mail":
            return f"{fact} allows one confirmation mail within {span}; it was sent, or that time is over{choice}"
        after = {"end": "its end", "contact": "the last contact that counts"}.get(cause.counted_from, "it")
        left = f"{self._law(cause)} leaves {span} after {after}{choice}"
        return f"{fact} does not count any more after {self._last_day(cause)}: {left}"

    def _last_day(self, cause: Cause) -> str:
        """The last day on which it counted, where the law's recipient is."""
        if cause.since is None or cause.since >= END:
            return "an unknown day"
        zone = self._policy.regime(cause.law or UNKNOWN).zone
        return wording.day(local_date(cause.since - timedelta(microseconds=1), zone))

    def _when_unmet(self, cause: Cause, _: datetime) -> str:
        why = wording.listed([unmet_in_words(token) for token in cause.unmet], MOST)
        return f"{self._fact(cause.fact)} does not meet {self._law(cause)}: {why}"

    def _when_missing(self, cause: Cause, _: datetime) -> str:
        lacks = f"there is no evidence of {wording.listed([need_in_words(token) for token in cause.missing], MOST)}"
        event = self._event(cause.fact)
        is_act = event is not None and not isinstance(event, e.CountryEvidenced)
        fact = f"{self._fact(cause.fact)} is on record, but " if is_act else ""
        return f"{fact}{lacks}, which {self._law(cause)} requires{self._by_machine(cause)}"

    def _by_machine(self, cause: Cause) -> str:
        """What is said of a confirmation that no person can have made, where a confirmation is what is missing."""
        event = self._event(cause.fact)
        if event is None or "address_verified" not in cause.missing:
            return ""
        dossier = Dossier(self._held.read)
        for position, _, confirmed in dossier.owner.confirmations:
            if dossier.is_by_machine(confirmed, event):
                return f"; a machine may have made the confirmation {of_day(confirmed)}{self._at(position)}"
        return ""

    def _when_claimed(self, cause: Cause, _: datetime) -> str:
        return f"{self._claim(cause)}, but the records that would prove it are missing"

    def _claim(self, cause: Cause) -> str:
        event = self._event(cause.fact)
        crm = "our system" if self._person else "the CRM"
        claims = event.claims if isinstance(event, e.BasisClaimed) else ()
        what = wording.listed([CLAIMS.get(one, one.replace("_", " ")) for one in claims]) or "a legal basis"
        return f"{crm} claims {what}{self._at(cause.fact)}"

    def _when_not_accepted(self, cause: Cause, _: datetime) -> str:
        event = self._event(cause.fact)
        what = self._claim(cause) if isinstance(event, e.BasisClaimed) else f"{self._fact(cause.fact)} is on record"
        return (
            f"{what}, and in at least one of the countries in question no rule accepts that as a legal basis for this"
        )

    def _when_nothing(self, _: Cause, __: datetime) -> str:
        about = "you" if self._person else "this person"
        return f"nothing on record about {about} could be a legal basis for this"


def unknown_countries(held: Held, *, person: bool = False) -> str:
    """Which country is not known, for which the rules for an unknown country are asked: a clause."""
    who = "you are" if person else "the recipient is"
    where = "" if held.is_country_known else f"nothing declares where {who}, and no two signs of it agree"
    either = " either" if where else ""
    whose = "" if held.catalogue.country else f"the sender's country is not declared{either}"
    return "; ".join(filter(None, (where, whose))) or "the country is not known"
