"""When a rule that a fact would meet is out of its time: not in force, not begun, recorded too late, lapsed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from ledger import events as e
from ledger.policy.dossier import usable_from
from ledger.policy.mechanisms import ONE_OFF
from ledger.policy.plans import plans_of
from ledger.policy.question import Trial
from ledger.policy.rules import Rule, midnight
from projections.matter import Cause, Matter, first_fact, latest_fact, time_of


def timing_of(matter: Matter, trial: Trial) -> Cause | None:
    """How a trial is out of its time; None: it is in time."""
    at = matter.question.at
    if trial.start <= at < trial.until:
        return None
    floor, ceiling = _in_force(matter, trial)
    if at < floor:
        return Cause(kind="not_in_force", fact=first_fact(trial), since=floor)
    if ceiling <= at:
        return Cause(kind="no_longer_in_force", fact=first_fact(trial), since=ceiling)
    return _begins(matter, trial) if at < trial.start else _ended(matter, trial)


def _in_force(matter: Matter, trial: Trial) -> tuple[datetime, datetime]:
    question = matter.question
    plans = plans_of(matter.policy).together(matter.policy, (trial.jurisdiction,), question.purpose, question.channel)
    for planned in plans.plans[0].rules:
        if planned.rule.id == trial.rule:
            return planned.floor, planned.ceiling
    rule = matter.policy.rules[trial.rule]
    return midnight(rule.valid_from), midnight(rule.valid_to)


def _begins(matter: Matter, trial: Trial) -> Cause:
    """The fact of a trial that came, or came to be held, after the moment asked about."""
    late = [matter.facts[p] for p in trial.evidence if p in matter.facts]
    late = [entry for entry in late if usable_from(entry.event) > matter.question.at]
    if not late:
        return Cause(kind="begins_later", fact=first_fact(trial), since=trial.start)
    for entry in late:
        if entry.event.latest > matter.question.at:
            return Cause(kind="begins_later", fact=entry.position, since=entry.event.latest)
    worst = max(late, key=lambda entry: usable_from(entry.event))
    return Cause(kind="recorded_later", fact=worst.position, since=usable_from(worst.event))


def _ended(matter: Matter, trial: Trial) -> Cause:
    """What ended a trial before the moment asked about: an end that was agreed or came, or a period that ran out."""
    rule = matter.policy.rules[trial.rule]
    entry = matter.facts.get(trial.evidence[0]) if trial.evidence else None
    event = entry.event if entry is not None else None
    cause = Cause(kind="lapsed", fact=first_fact(trial), since=trial.until)
    until = getattr(event, "valid_until", None)
    runs = isinstance(event, e.ContractStarted) and event.kind not in ONE_OFF
    if (until is not None and until <= trial.until) or (rule.mechanism == "ongoing_relationship" and runs):
        return cause
    last = latest_fact(matter, [p for p in trial.evidence if time_of(matter, p) <= matter.question.at])
    return msgspec.structs.replace(
        cause,
        period=rule.inactivity or rule.window or rule.after_end or rule.recent,
        chosen=rule.period_from == "choice",
        counted_from=_counted_from(rule, runs=runs),
        last=last if last != first_fact(trial) else None,
    )


def _counted_from(rule: Rule, *, runs: bool) -> Literal["fact", "end", "contact", "one_mail"]:
    """What the period of a rule runs from. `runs`: the fact is a contract that is not over when it is made."""
    if rule.mechanism == "confirmation_mail":
        return "one_mail"
    if rule.inactivity or rule.window_from:
        return "contact"
    from_end = rule.after_end is not None or rule.mechanism == "contract_window"
    return "end" if from_end and runs else "fact"
