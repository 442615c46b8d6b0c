"""What the evidence on file rests on: the person's own record, or a declaration by somebody named."""

from __future__ import annotations

from adapters.report.prose import said
from projections.verdicts import Audit, Bucket, Count, DeclarationRests

PLATFORM = "law: allowed; HubSpot's terms: permission not shown"


def lines(audit: Audit) -> list[tuple[int, str]]:
    """Records and what theirs rests on: own record, then each declaration; then what is said beside it."""
    found: list[tuple[int, str]] = []
    if audit.buckets.get(Bucket.BASIS_PROVEN, Count()).contacts:
        found.append((audit.proven_own_record, "the person's own record alone"))
        found += [
            (
                one.contacts,
                f"resting on declaration {said(one.key)} by {declared_by(one)}, of {said(one.declared_on)} "
                f"(ledger position {one.position})",
            )
            for one in audit.declarations
            if one.evidenced
        ]
    if audit.without_consent:
        found.append(
            (audit.without_consent, "among them allowed without consent: an opt-out regime, until they say no")
        )
    if audit.platform_not_shown:
        found.append((audit.platform_not_shown, f"among them {PLATFORM}"))
    return found


def in_short(audit: Audit) -> str:
    """On whose word the evidence on file rests, in one sentence; empty where it rests on none."""
    rests = [one for one in audit.declarations if one.evidenced]
    if not rests:
        return ""
    names = "; ".join(dict.fromkeys(f"{one.name}, {one.role}" for one in rests))  # plain: the page escapes it
    what = "1 declaration" if len(rests) == 1 else f"{len(rests)} declarations"
    own = f" {audit.proven_own_record:,} rest on the person's own record alone." if audit.proven_own_record else ""
    return f"Of the records with evidence on file, {audit.proven_declared:,} rest on {what} by {names}.{own}"


def declared_by(one: DeclarationRests) -> str:
    """Name and role of who answers for it."""
    return f"{said(one.name)}, {said(one.role)}"
