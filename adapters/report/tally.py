"""What one pass over the verdicts yields for the page: counts to check the sums by, and examples."""

from __future__ import annotations

from collections import Counter

from projections.verdicts import Audit, Bucket, Verdict

SAMPLES = 5


class SumsDisagreeError(ValueError):
    """The verdicts do not add up to the audit. A report that contradicts its own files is worse than none."""


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
        self.unknown: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.samples: dict[Bucket, Samples] = {bucket: Samples() for bucket in Bucket}

    def see(self, verdict: Verdict) -> None:
        """Count one verdict."""
        bucket = verdict.bucket
        self.contacts[bucket] += 1
        if verdict.marketing is None:
            self.unknown[bucket] += 1
        elif verdict.marketing:
            self.marketing[bucket] += 1
        self.actions[verdict.action] += 1
        self.samples[bucket].see(verdict)

    def check(self, audit: Audit) -> None:
        """Raise unless the audit's sums are the sums of these verdicts."""
        said = {name: (count.contacts, count.marketing) for name, count in audit.buckets.items() if count.contacts}
        seen = {str(name): (number, self.marketing[name]) for name, number in self.contacts.items()}
        if said != seen:
            raise SumsDisagreeError(f"buckets: the audit says {said}, its verdicts add up to {seen}")
        acts_said = {name: number for name, number in audit.actions.items() if number}
        acts_seen = {str(name): number for name, number in self.actions.items()}
        if acts_said != acts_seen:
            raise SumsDisagreeError(f"actions: the audit says {acts_said}, its verdicts add up to {acts_seen}")
        total, summed = audit.totals.get("contacts", 0), self.contacts.total()
        if total != summed:
            raise SumsDisagreeError(f"contacts: the audit says {total}, there are {summed} verdicts")
