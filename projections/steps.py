"""What to do next about a record: a step from a closed list, a wave, and the question that would settle it.

Derived from the verdict and from what was looked at so far; nothing here decides who may be written to.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger.policy.calendar import end_of_window
from ledger.policy.question import Claim
from ledger.policy.rules import span
from projections.verdicts import Action, Bucket

FORMS, DEALS, CONFIRMATIONS = "forms", "deals", "subscriptions"
"""Kinds of sources that settle claims (see `adapters.kinds`)."""
RETENTION = "P3Y"
"""After the last sign of a person: CNIL's three years for prospects, taken everywhere (our choice)."""

_QUESTION_OF = {
    "claimed_consent": "consent",
    "claimed_confirmation": "confirmation",
    "declared_not_evidenced": "declared",
    "under_review": "under_review",
    "row_unread": "under_review",
}
_UTC = ZoneInfo("UTC")
_TICK = timedelta(microseconds=1)
_SALE_NEEDS = frozenset(
    {
        "seller_is_sender",
        "collected_from_person",
        "opt_out_offered_at_collection",
        "not_refused",
        "sale_or_negotiation",
        "purchase",
        "contract",
        "relationship",
    }
)


def question_of(bucket: Bucket, reason: str, claim: Claim | None, tokens: frozenset[str]) -> str | None:
    """The id of the question that would settle a claimed or contradictory record; None for any other."""
    if bucket is Bucket.CONFLICT:
        return reason
    if reason in ("under_review", "row_unread", "declared_not_evidenced"):
        return _QUESTION_OF[reason]
    if bucket is not Bucket.BASIS_CLAIMED:
        return None
    only_other = bool(tokens) and tokens <= {"other"}
    if claim is not None and claim.rule is None:
        return "other_claim" if only_other else "no_rule"
    if reason == "claimed_sale":
        return "contract" if "contract" in tokens else "customer"
    if reason == "confirmed_by_machine":
        return "opt_ins"
    if reason == "claimed_evidence":
        return "deals" if claim is not None and _SALE_NEEDS & set(claim.missing) else "opt_ins"
    return _QUESTION_OF.get(reason, "other_claim")


def next_step(
    bucket: Bucket,
    reason: str,
    claim: Claim | None,
    question: str | None,
    lead: str | None,
    dead: bool,
    looked: frozenset[str],
    last_sign: datetime | None,
    undeclared: str | None = None,
) -> str:
    """The token.

    undeclared the form or pipeline that the claim comes from, and of which nobody has declared anything
    dead       the address takes no mail
    looked     kinds of sources taken in so far
    last_sign  of the person, or of the record; asked for where nothing is on record
    """
    if dead and bucket is Bucket.NO_BASIS:
        return "none"
    if reason in _ASKED_BY:
        return _ASKED_BY[reason]
    if bucket is Bucket.BASIS_CLAIMED:
        bring = None if question == "no_rule" else _to_bring(reason, claim, looked)
        if bring is not None:
            return bring
        if undeclared is not None:
            return undeclared
    if question is not None:
        return f"dpo_question:{question}"
    if bucket is not Bucket.NO_BASIS:
        return "none"
    if lead == "form" and FORMS not in looked:
        return "bring_form_record"
    if lead in ("customer", "deal") and DEALS not in looked:
        return "bring_sale_record"
    if lead is not None and reason != "minor":
        return "ask_at_next_own_act"
    return f"delete_after:{_delete_after(last_sign)}" if last_sign is not None else "ask_at_next_own_act"


_ASKED_BY = {
    "confirmation_pending": "bring_confirmation",
    "stops_lost": "mend_file",
    "opt_outs_hidden": "bring_opt_outs",
}
"""Reasons that say by themselves what is to be done."""


def _to_bring(reason: str, claim: Claim | None, looked: frozenset[str]) -> str | None:
    missing = frozenset(claim.missing) if claim is not None else frozenset[str]()
    if reason == "claimed_consent" and FORMS not in looked:
        return "bring_form_record"
    if reason == "claimed_sale" and DEALS not in looked:
        return "bring_sale_record"
    if reason == "claimed_confirmation" and not looked & {FORMS, CONFIRMATIONS}:
        return "bring_confirmation"
    if reason == "claimed_evidence" and missing == {"address_verified"}:
        return "bring_confirmation"
    return None


def _delete_after(last_sign: datetime) -> date:
    """The last day on which the record may be kept for marketing."""
    return (end_of_window(last_sign, span(RETENTION), _UTC) - _TICK).date()


def wave_of(bucket: Bucket, action: Action, dead: bool, lead: str | None) -> int | None:
    """In which order to take records off the bill: 1 stopped or undeliverable, 2 nothing known, 3 look first."""
    if action is not Action.SET_NON_MARKETING:
        return None
    if bucket is Bucket.STOPPED or dead:
        return 1
    return 3 if lead is not None else 2
