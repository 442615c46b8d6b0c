"""What changed since the audit before this one."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.report import wording
from projections.verdicts import Audit, Before, Bucket, Count


def since(audit: Audit) -> str:
    """Since when; empty if there was no audit before."""
    return f"since the audit of {wording.moment(audit.before.at)}" if audit.before else ""


def changed(audit: Audit) -> list[str]:
    """`evidence on file 412 → 3,980`, a line for each bucket whose number is another now."""
    if audit.before is None:
        return []
    found = []
    for name, was, now in _compared(audit, audit.before):
        if was != now:
            found.append(f"{name.lower()} {was:,} → {now:,}")
    return found or ["Nothing changed: every bucket is as it was"]


def _compared(audit: Audit, before: Before) -> Iterator[tuple[str, int, int]]:
    """Each bucket with its numbers before and now; the stopped by who decided it, where the audit before knew that."""
    for bucket in wording.SHOWN_ORDER:
        if bucket is Bucket.STOPPED and before.stopped_by is not None:
            for speaker, (name, _) in wording.SPEAKERS.items():
                yield name, before.stopped_by.get(speaker, 0), audit.stopped_by.get(speaker, Count()).contacts
        else:
            now = audit.buckets.get(bucket, Count()).contacts
            yield wording.BUCKETS[bucket][0], before.buckets.get(bucket, 0), now
