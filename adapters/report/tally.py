"""What one pass over the decisions yields for the page: counts to check the sums by, and examples."""

from __future__ import annotations

from collections import Counter
from datetime import date

from adapters.report.permission import route
from projections.verdicts import Audit, Bucket, Speaker, Verdict

SAMPLES = 5


class SumsDisagreeError(ValueError):
    """The decisions do not add up to the audit. A report that contradicts its own files is worse than none."""


class Samples:
    """Up to five examples of a bucket: one of each reason first, so that they show its spread."""

    def __init__(self) -> None:
        self._first_of_reason: dict[str, Verdict] = {}
        self._others: list[Verdict] = []

    def see(self, verdict: Verdict) -> None:
        """Keep the verdict if it is among the first of its kind."""
        if len(self._first_of_reason) < SAMPLES and verdict.reason not in self._first_of_reason:
            self._first_of_reason[verdict.reason] = verdict
        elif len(self._others) < SAMPLES:
            self._others.append(verdict)

    def chosen(self) -> list[Verdict]:
        """The examples to show."""
        return [*self._first_of_reason.values(), *self._others][:SAMPLES]


class Tally:
    """The running counts."""

    def __init__(self) -> None:
        self.contacts: Counter[str] = Counter()
        self.marketing: Counter[str] = Counter()
        self.unknown: Counter[tuple[Bucket, Speaker | None]] = Counter()
        self.stopped_by: Counter[Speaker | None] = Counter()
        self.actions: Counter[str] = Counter()
        self.acted: dict[str, Counter[str]] = {}
        self.steps: Counter[str] = Counter()
        self.questions: Counter[str] = Counter()
        self.waves: Counter[str] = Counter()
        self.delete_after: Counter[str] = Counter()
        self.routes: Counter[str] = Counter()
        self.ask_until: dict[str, date] = {}
        self.samples: dict[Bucket, Samples] = {bucket: Samples() for bucket in Bucket}

    def see(self, verdict: Verdict) -> None:
        """Count one verdict."""
        bucket = verdict.bucket
        self.contacts[bucket] += 1
        if verdict.marketing is None:
            self.unknown[bucket, verdict.stopped_by] += 1
        elif verdict.marketing:
            self.marketing[bucket] += 1
        if bucket is Bucket.STOPPED:
            self.stopped_by[verdict.stopped_by] += 1
        self.actions[verdict.action] += 1
        self.acted.setdefault(bucket.value, Counter())[verdict.action.value] += 1
        self.samples[bucket].see(verdict)
        step, _, value = verdict.next_step.partition(":")
        self.steps[step] += 1
        if step == "delete_after":
            self.delete_after[value] += 1
        if verdict.question is not None:
            self.questions[verdict.question] += 1
        if verdict.wave is not None:
            self.waves[str(verdict.wave)] += 1
        if verdict.may_be_asked:
            self._may_be_asked(verdict)

    def _may_be_asked(self, verdict: Verdict) -> None:
        name = route(verdict.ask_basis)
        self.routes[name] += 1
        if verdict.ask_until is not None:
            self.ask_until[name] = min(verdict.ask_until, self.ask_until.get(name, verdict.ask_until))

    def check(self, audit: Audit) -> None:
        """Raise unless the audit's sums are the sums of these verdicts."""
        said = {name: (count.contacts, count.marketing) for name, count in audit.buckets.items() if count.contacts}
        seen = {str(name): (number, self.marketing[name]) for name, number in self.contacts.items()}
        if said != seen:
            raise SumsDisagreeError(f"buckets: the audit says {said}, its verdicts add up to {seen}")
        stopped = {str(who): count.contacts for who, count in audit.stopped_by.items() if count.contacts}
        if stopped != {str(who): number for who, number in self.stopped_by.items()}:
            raise SumsDisagreeError(f"stopped by: the audit says {stopped}, its verdicts add up to {self.stopped_by}")
        if audit.actions_by_bucket != self.acted:
            raise SumsDisagreeError(f"actions: the audit says {audit.actions_by_bucket}, its verdicts {self.acted}")
        for name, sums, counted in (
            ("actions", audit.actions, self.actions),
            ("next steps", audit.next_steps, self.steps),
            ("questions", audit.questions, self.questions),
            ("waves", audit.waves, self.waves),
        ):
            told = {token: number for token, number in sums.items() if number}
            if told != dict(counted):
                raise SumsDisagreeError(f"{name}: the audit says {told}, its verdicts add up to {dict(counted)}")
        for name, total, summed in (
            ("contacts", audit.totals.get("contacts", 0), self.contacts.total()),
            ("may be asked", audit.may_be_asked, self.routes.total()),
        ):
            if total != summed:
                raise SumsDisagreeError(f"{name}: the audit says {total}, its verdicts add up to {summed}")
