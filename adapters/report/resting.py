"""What the evidence on file rests on: the person's own record, or a declaration by somebody named."""

from __future__ import annotations

from adapters.report.prose import said
from adapters.report.wording import verb
from projections.verdicts import Audit, Bucket, Count, DeclarationRests


def lines(audit: Audit) -> list[tuple[int, str]]:
    """Records and what theirs rests on: own record, then each declaration; then what is said beside it."""
    found: list[tuple[int, str]] = []
    own, free, bare = audit.proven_own_record, audit.without_consent, audit.platform_not_shown
    if audit.buckets.get(Bucket.BASIS_PROVEN, Count()).contacts:
        found.append((own, f"{verb(own, 'rests', 'rest')} on the person's own record alone"))
        found += [(one.contacts, _declaration(one)) for one in audit.declarations if one.evidenced]
    if free:
        found.append((free, f"of them {verb(free, 'is', 'are')} allowed without consent, until they opt out"))
    if bare:
        found.append(
            (
                bare,
                f"of them {verb(bare, 'is', 'are')} allowed by law, but nothing shows the permission that HubSpot's "
                "own terms ask for",
            )
        )
    return found


def _declaration(one: DeclarationRests) -> str:
    rest = verb(one.contacts, "rests", "rest")
    return (
        f"{rest} on the declaration {said(one.key)} by {declared_by(one)}, of {said(one.declared_on)} "
        f"(ledger position {one.position})"
    )


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
