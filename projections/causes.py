"""The condition that decides an answer, found from the decision and the trials behind it.

A decision says yes or no and names a reason; of a person's history it does not say which condition failed. Here that
is found by the same trials, so that words, pages and machines all name the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ledger import events as e
from ledger.policy.judge import ERASED, STOP_REASONS, STOP_TIME_UNKNOWN, UNDER_REVIEW
from ledger.policy.question import Candidate, Trial
from ledger.policy.rules import midnight
from ledger.terms import BEGINNING
from projections.matter import IN_TIME, Cause, Kind, Matter, first_fact, latest_fact, time_of
from projections.timing import timing_of


class Found(NamedTuple):
    """The cause of an answer, and the trial it was found by: the one to show beside it. None: no rule found a fact."""

    cause: Cause
    grounds: Trial | None = None


def find_cause(matter: Matter) -> Found:
    """The condition that decides the answer. One trial makes conditions, missing needs and cause alike."""
    decision, question = matter.decision, matter.question
    law = decision.jurisdiction
    if decision.allowed:
        grounds = _carrying(matter)
        return Found(Cause(kind="proven", law=law, rule=decision.rules[0], fact=first_fact(grounds)), grounds)
    allowed_by = _allowed_by(matter) if len(question.jurisdictions) > 1 else ()
    nearest = _nearest(matter)
    found = _forbidden(matter) or _former(matter, nearest) or _declared_later(matter) or nearest.cause
    missing = found.missing or (nearest.cause.missing if decision.claimed is not None else ())
    return Found(msgspec.structs.replace(found, law=law, allowed_by=allowed_by, missing=missing), nearest.grounds)


def _carrying(matter: Matter) -> Trial | None:
    """The trial that an allowed answer rests on, in time at the moment asked about."""
    decision, at = matter.decision, matter.question.at
    found = [
        t
        for t in matter.trials
        if t.rule in decision.rules
        and t.start <= at < t.until
        and not t.blocked_by
        and _is_met(t)
        and set(t.evidence) <= set(decision.evidence)
    ]
    return min(
        found, key=lambda t: (t.jurisdiction != decision.jurisdiction, decision.rules.index(t.rule)), default=None
    )


def _is_met(trial: Trial) -> bool:
    return all(condition.met is True for condition in trial.conditions)


def _allowed_by(matter: Matter) -> tuple[str, ...]:
    """The jurisdictions that alone would allow it."""

    def allows(candidate: Candidate) -> bool:
        return matter.judged(msgspec.structs.replace(matter.question, jurisdictions=(candidate,))).allowed

    return tuple(candidate.code for candidate in matter.question.jurisdictions if allows(candidate))


# --- what forbids ----------------------------------------------------------------------------------

_PLAIN: dict[str, Kind] = {
    ERASED: "erased",
    UNDER_REVIEW: "under_review",
    "minor": "minor",
    "address_unlinked": "address_unlinked",
    "unknown_purpose": "unknown_purpose",
    "unknown_channel": "unknown_channel",
}


def _forbidden(matter: Matter) -> Cause | None:
    """What forbids whatever else is on record: a stop, a hold, a minor, the question itself."""
    decision = matter.decision
    reason = decision.reason
    against = [a.position for a in decision.against if a.what == reason and a.position is not None]
    if reason == STOP_TIME_UNKNOWN:
        return Cause(kind="stop_time_unknown", fact=_last_possible(matter))
    if decision.uncertain:
        return Cause(kind="overlap", fact=_last_possible(matter))
    if reason in STOP_REASONS.values():
        standing = [stop.position for stop in matter.standing()]
        of_the_reason = [position for position in against if position in standing]
        fact = latest_fact(matter, of_the_reason or standing or against)
        return Cause(kind="stopped", fact=fact, later=_later(matter))
    if reason in _PLAIN:
        return Cause(kind=_PLAIN[reason], fact=latest_fact(matter, against))
    if reason.startswith("message:"):
        return Cause(kind="message", unmet=(reason.removeprefix("message:"),))
    return None


def _last_possible(matter: Matter) -> int | None:
    """The position of the stop that may have come last: the one of which nothing shows that an opt-in followed it."""
    reasons = frozenset(STOP_REASONS.values())
    against = {a.position for a in matter.decision.against if a.what in reasons}
    stops = [entry for position, entry in matter.facts.items() if position in against]
    last = max(stops, key=lambda entry: (entry.event.latest, entry.position), default=None)
    return last.position if last is not None else None


def _later(matter: Matter) -> Cause | None:
    """Why an opt-in given after every stop does not lift them; None: there is none."""
    rules, at = matter.policy.rules, matter.question.at
    after = [
        t
        for t in _of_the_law(matter)
        if not t.blocked_by
        and t.evidence
        and rules[t.rule].mechanism == "consent"
        and time_of(matter, t.evidence[0]) <= at
    ]
    best = _best(matter, after)
    return None if best is None else _of(matter, best)


def _former(matter: Matter, nearest: Found) -> Cause | None:
    """The declaration, withdrawn or replaced since, with which it would be allowed."""
    for former in matter.former:
        decision, resting = former.judged(matter.question)
        if decision.allowed and former.position in resting:
            return Cause(
                kind="withdrawn_declaration",
                rule=decision.rules[0],
                fact=next(iter(decision.evidence), None),
                since=former.ended,
                declaration=former.position,
                missing=nearest.cause.missing,
            )
    return None


def _declared_later(matter: Matter) -> Cause | None:
    """Where only law declared by a day counts: the rule by which it is allowed as the law is known today."""
    if matter.question.law_at is None:
        return None
    decision = matter.judged(msgspec.structs.replace(matter.question, law_at=None))
    if not decision.allowed:
        return None
    rule = matter.policy.rules[decision.rules[0]]
    after = [midnight(day) for day in (rule.valid_from, *rule.known_from.values())]
    return Cause(
        kind="not_in_force",
        rule=rule.id,
        fact=next(iter(decision.evidence), None),
        since=min([moment for moment in after if moment > matter.question.law_at], default=None),
        missing=(IN_TIME["not_in_force"],),
    )


# --- the nearest trial -----------------------------------------------------------------------------


def _of_the_law(matter: Matter) -> list[Trial]:
    return [t for t in matter.trials if t.jurisdiction == matter.decision.jurisdiction]


def _nearest(matter: Matter) -> Found:
    """What the fact that came nearest lacks; of the claimed rule, where one is claimed."""
    claim, trials = matter.decision.claimed, _of_the_law(matter)
    if claim is not None and claim.rule is not None:
        exact = [t for t in matter.trials if t.rule == claim.rule and t.evidence[:1] == claim.evidence[:1]]
        trials = _same_law(matter, exact or [t for t in matter.trials if t.rule == claim.rule]) or trials
    best = _best(matter, trials)
    if best is not None and claim is not None and claim.rule not in (None, best.rule) and not _is_met(best):
        best = None
    if best is None:
        return Found(_without_facts(matter))
    if _void(matter, best):
        return Found(Cause(kind="address_may_be_reassigned", rule=best.rule, fact=first_fact(best)), best)
    return Found(_of(matter, best), best)


def _same_law(matter: Matter, trials: list[Trial]) -> list[Trial]:
    return [t for t in trials if t.jurisdiction == matter.decision.jurisdiction] or trials


def _without_facts(matter: Matter) -> Cause:
    claim = matter.decision.claimed
    if claim is None:
        fact = latest_fact(matter, [n.position for n in matter.facts.values() if _could_grant(matter, n.event)])
        return Cause(kind="nothing" if fact is None else "not_accepted", fact=fact)
    fact = next(iter(claim.evidence), None)
    if claim.rule is None:
        return Cause(kind="not_accepted", fact=fact)
    return Cause(kind="claimed", rule=claim.rule, fact=fact, missing=claim.missing)


def _could_grant(matter: Matter, event: e.Event) -> bool:
    """Whether a fact is the owner's, about this address, of a kind that some rule somewhere accepts."""
    if event.stream != matter.owner or event.address not in (None, matter.question.address):
        return False
    if isinstance(event, e.BoxAnswered) and not event.ticked:
        return False
    return isinstance(event, _GRANTS) and event.earliest <= matter.question.at


_GRANTS = (e.OptedIn, e.FormSubmitted, e.BoxAnswered, e.ContractStarted, e.DealWon, e.Enquired, e.Donated)


def _void(matter: Matter, trial: Trial) -> bool:
    void = any(a.what == "address_may_be_reassigned" for a in matter.decision.against)
    return void and _is_met(trial) and trial.start <= matter.question.at < trial.until


def _best(matter: Matter, trials: Sequence[Trial]) -> Trial | None:
    """The trial that came nearest: fewest contradictions, fewest gaps, begun by then, and the latest fact."""
    at = matter.question.at

    def distance(trial: Trial) -> tuple[object, ...]:
        met = [condition.met for condition in trial.conditions]
        when = time_of(matter, trial.evidence[0]) if trial.evidence else BEGINNING
        outside = not trial.start <= at < trial.until
        late = (when > at, -when.timestamp(), trial.start > at, -trial.start.timestamp())
        return (met.count(False), met.count(None), outside, *late)

    return min(trials, key=distance, default=None)


def _of(matter: Matter, trial: Trial) -> Cause:
    """What one trial lacks: needs that are contradicted, its time, needs that nothing shows. In this order."""
    unmet = tuple(condition.name for condition in trial.conditions if condition.met is False)
    missing = tuple(condition.name for condition in trial.conditions if condition.met is None)
    timing = timing_of(matter, trial)
    if timing is not None:
        missing += (IN_TIME[timing.kind],)
    cause = Cause(kind="unmet" if unmet else "missing", fact=first_fact(trial))
    if timing is not None and not unmet:
        cause = timing
    return msgspec.structs.replace(cause, law=trial.jurisdiction, rule=trial.rule, unmet=unmet, missing=missing)
