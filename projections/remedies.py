"""What would turn a no into a yes, found by judging the same facts again with one thing changed."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry
from ledger.policy.dossier import Dossier
from ledger.policy.judge import STOP_REASONS, UNDER_REVIEW, judge
from ledger.policy.jurisdictions import UNKNOWN, candidates
from ledger.policy.question import Decision, Question
from ledger.policy.rules import Policy
from ledger.terms import Party

Remedy = Literal["own_opt_in", "guardian_opt_in", "contract", "correction", "review_answer", "address_link"]
"""What may end a no by itself: a full opt-in of the person, or of a guardian, or a contract, after all that is on
record; that the stops were a mistake; that the reviews that hold it release it; that the address is theirs again."""
_STEP = timedelta(seconds=1)


def remedies_of(
    group: Sequence[Contact], question: Question, decision: Decision, policy: Policy, catalogue: Catalogue
) -> frozenset[Remedy]:
    """Those of which each alone would make an answer yes. Nothing helps an answer that is one."""
    if decision.allowed:
        return frozenset()

    def helps(changed: Sequence[Contact], asked: Question = question) -> bool:
        return judge(changed, asked, policy, catalogue).allowed

    owner, others = group[0], group[1:]
    after = max(question.at, Dossier(group).newest) + _STEP  # an opt-in of then is later than every stop
    later = msgspec.structs.replace(question, at=after + _STEP)
    found: set[Remedy] = set()
    if helps(_with_opt_in(group, question, after, "data_subject"), later):
        found.add("own_opt_in")
    elif helps(_with_opt_in(group, question, after, "guardian"), later):
        found.add("guardian_opt_in")
    elif helps(_with_contract(group, question, after), later):
        found.add("contract")
    stops = {a.position for a in decision.against if a.what in STOP_REASONS.values()}
    if stops and helps([_without_stops(contact, stops) for contact in group]):
        found.add("correction")
    if decision.reason == UNDER_REVIEW and helps([_without_holds(contact) for contact in group]):
        found.add("review_answer")
    if decision.reason == "address_unlinked":
        linked = tuple(n for n in owner.addresses if not isinstance(n.event, e.AddressUnlinked))
        if helps((msgspec.structs.replace(owner, addresses=linked), *others)):
            found.add("address_link")
    return frozenset(found)


def countries_that_help(
    group: Sequence[Contact], question: Question, decision: Decision, policy: Policy, catalogue: Catalogue
) -> tuple[str, ...]:
    """Codes of the countries asked of which each, were it declared to be the recipient's, would make an answer yes."""
    if decision.allowed or all(law.strong for law in question.jurisdictions):
        return ()
    found = []
    for code in (law.code for law in question.jurisdictions if not law.strong and law.code != UNKNOWN):
        hints = (e.CountryHint(country=code, kind="declared"),)
        said = e.CountryEvidenced(**_now(group, question, question.at), hints=hints)
        owner, *others = group
        changed = (msgspec.structs.replace(owner, countries=(*owner.countries, _next(group, said))), *others)
        laws = candidates(Dossier(changed).country_entries(), catalogue)
        if judge(changed, msgspec.structs.replace(question, jurisdictions=laws), policy, catalogue).allowed:
            found.append(code)
    return tuple(found)


def _with_opt_in(group: Sequence[Contact], question: Question, at: datetime, by: Party) -> Sequence[Contact]:
    """The group, had its owner an opt-in that lacks nothing, for just what is asked about."""
    opt_in = e.OptedIn(
        **_now(group, question, at),
        act="unticked_box",
        by=by,
        purposes=(question.purpose,),
        channels=(question.channel,),
        to=("own",),
        informed=True,
        specific=True,
        proof="individual",
        address_verified=True,
    )
    owner, *others = group
    return (msgspec.structs.replace(owner, opt_ins=(*owner.opt_ins, _next(group, opt_in))), *others)


def _with_contract(group: Sequence[Contact], question: Question, at: datetime) -> Sequence[Contact]:
    """The group, had its owner just bought something."""
    bought = e.ContractStarted(**_now(group, question, at), by="data_subject", kind="purchase")
    owner, *others = group
    return (msgspec.structs.replace(owner, contracts=(*owner.contracts, _next(group, bought))), *others)


def _now(group: Sequence[Contact], question: Question, at: datetime) -> dict[str, Any]:
    """The fields of a fact about the owner that is recorded as it happens."""
    return {
        "stream": group[0].contact,
        "address": question.address,
        "source": "",
        "occurred_from": at,
        "occurred_to": at,
        "recorded_at": at,
    }


def _next(group: Sequence[Contact], event: e.Event) -> Entry:
    return Entry(max(contact.position for contact in group) + 1, group[0].version + 1, event)


def _without_stops(contact: Contact, stops: Set[int | None]) -> Contact:
    """A contact, had it never made these stops."""
    return msgspec.structs.replace(
        contact,
        stops=tuple(n for n in contact.stops if n.position not in stops),
        reviews=tuple(n for n in contact.reviews if n.position not in stops),
    )


def _without_holds(contact: Contact) -> Contact:
    """A contact, had no review ever held it."""
    reviews = tuple(n for n in contact.reviews if getattr(n.event, "outcome", None) != "hold")
    return msgspec.structs.replace(contact, reviews=reviews)
