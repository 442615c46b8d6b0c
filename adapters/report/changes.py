"""What changed since the audit before this one."""

from __future__ import annotations

from adapters.report import wording
from projections.verdicts import Audit, Count


def since(audit: Audit) -> str:
    """Since when; empty if there was no audit before."""
    return f"since the audit of {wording.moment(audit.before.at)}" if audit.before else ""


def changed(audit: Audit) -> list[str]:
    """`evidence on file 412 → 3,980`, a line for each bucket whose number is another now."""
    if audit.before is None:
        return []
    found = []
    for bucket in wording.SHOWN_ORDER:
        was, now = audit.before.buckets.get(bucket, 0), audit.buckets.get(bucket, Count()).contacts
        if was != now:
            found.append(f"{wording.BUCKETS[bucket][0].lower()} {was:,} → {now:,}")
    return found or ["Nothing changed: every bucket is as it was"]
