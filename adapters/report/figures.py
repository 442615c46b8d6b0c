"""Why two figures that look alike differ: a sentence beside each, the same on screen and on every page."""

from __future__ import annotations

from typing import NamedTuple

from adapters.report.wording import counted, listed
from projections.verdicts import Action, Audit, Bucket, Count


def of_rows(audit: Audit) -> str:
    """From the rows of the export to the records that are counted; empty where nothing is left out."""
    rows = sum(one.rows for one in audit.files)
    rejected = sum(one.rejected for one in audit.files)
    contacts = audit.totals.get("contacts", 0)
    again = rows - rejected - contacts
    if not audit.files or again < 0 or rows == contacts:
        return ""
    parts = []
    if rejected:
        parts.append(f"{rejected:,} {'was' if rejected == 1 else 'were'} left out (`rejected.csv` says why)")
    if again:
        repeat = "repeats a record that stood" if again == 1 else "repeat records that stood"
        parts.append(f"{again:,} {repeat} before")
    left = f"so {counted(contacts, 'record is', 'records are')} counted"
    return f"The export has {counted(rows, 'row')}: {', '.join((*parts, left))}."


def of_staying(audit: Audit) -> str:
    """From the records with evidence on file to those that may stay; empty where they are the same."""
    proven = audit.buckets.get(Bucket.BASIS_PROVEN, Count()).contacts
    acted = audit.actions_by_bucket.get(Bucket.BASIS_PROVEN, {})
    kept, stay = acted.get(Action.KEEP, 0), audit.actions.get(Action.KEEP, 0)
    parts = [
        f"{acted[action]:,} {one if acted[action] == 1 else many}"
        for action, one, many in _NOT_KEPT
        if acted.get(action)
    ]
    said = []
    if parts:
        said.append(f"Of {counted(proven, 'record')} with evidence on file, {listed(parts)}.")
    if stay > kept:
        waits = "waits for a confirmation" if stay - kept == 1 else "wait for a confirmation"
        said.append(f"{stay - kept:,} without evidence may stay as well, and {waits} of an opt-in.")
    return " ".join(said)


_NOT_KEPT = (
    (Action.SET_NON_MARKETING, "takes no mail and goes off the bill", "take no mail and go off the bill"),
    (Action.NONE, "is not billed, or no longer from HubSpot's next update",
     "are not billed, or no longer from HubSpot's next update"),
    (Action.REVIEW, "waits for a review", "wait for a review"),
)  # fmt: skip


def of_the_bill(audit: Audit) -> str:
    """From the avoidable marketing contacts to those to be taken off the bill; empty where they are the same."""
    off = audit.actions.get(Action.SET_NON_MARKETING, 0)
    unknown = off - audit.avoidable_marketing
    if unknown <= 0:
        return ""
    have = "has" if unknown == 1 else "have"
    return (
        f"Of the {counted(off, 'record')} to take off the bill, {audit.avoidable_marketing:,} are marked as marketing "
        f"contacts and {unknown:,} {have} no readable HubSpot flag."
    )


class Besides(NamedTuple):
    """Rows of `do-not-send.csv` that are no record's: other addresses of the same people, and who rows name that could
    not be read.
    """

    others: int = 0
    unread: int = 0


NO_MORE = Besides()


def of_sending(audit: Audit, besides: Besides) -> str:
    """From the records that must not be mailed to their list."""
    more = []
    if besides.others:
        more.append(f"{counted(besides.others, 'other address', 'other addresses')} of the same people")
    if besides.unread:
        people = counted(besides.unread, "address or record id", "addresses and record ids")
        more.append(f"{people} from rows that could not be read")
    if not more:
        return ""
    return (
        f"{counted(audit.do_not_send, 'record')} must not be mailed now. `do-not-send.csv` also lists {listed(more)}."
    )


def sentences(audit: Audit) -> list[str]:
    """What is said beside the counts, in the order in which they are read."""
    return [one for one in (of_rows(audit), of_staying(audit), of_the_bill(audit)) if one]
