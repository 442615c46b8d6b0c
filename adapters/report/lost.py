"""What is said first: rows that may be stops and could not be read. The same sentences on screen and on every page."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.report.prose import said
from adapters.report.wording import counted, listed
from projections.verdicts import Audit, LostStops

_SHOWN = 12


def stands(audit: Audit) -> bool:
    """Whether nobody may stay: rows are lost, opt-outs are hidden, or a file that may hold some was not read."""
    return any(one.stands for one in audit.lost_stops)


def sentences(found: Sequence[LostStops]) -> tuple[str, ...]:
    """One for each file, those that hold everybody back first; then what follows from it."""
    return (*(_sentence(one) for one in found), *_what_follows(found))


def _sentence(one: LostStops) -> str:
    parts = []
    if one.unread:
        parts.append(f"{said(one.file)} was not read and may hold opt-outs.")
        if one.accepted_by:
            parts.append(f"{said(one.accepted_by)} answers for going on without it.")
    elif one.lost:
        rows = counted(one.lost, "row")
        where = f" ({places(one.rows)})" if one.rows else ""
        could = "could not be read and names nobody" if one.lost == 1 else "could not be read and name nobody"
        each = "It" if one.lost == 1 else "Each"
        parts.append(f"{said(one.file)}: {rows}{where} {could}. {each} may be somebody's opt-out.")
        if one.earlier:
            parts.append("An earlier run read this file.")
        if one.accepted_by:
            parts.append(f"{said(one.accepted_by)} answers for going on without them.")
    if one.hidden:
        rows = counted(one.hidden, "row")
        parts.append(
            f"{said(one.file)}: no column of it says who opted out ({rows}), so an opt-out that HubSpot holds is not "
            "seen here."
        )
        if one.in_part:
            parts.append("A later export shows it of some of the contacts; of the others it is still unknown.")
        if one.accepted_by:
            parts.append(f"{said(one.accepted_by)} answers for going on with it.")
    if one.held_rows:
        lead = "" if one.lost else f"{said(one.file)}: "
        rows = counted(len(one.held_rows), "row")
        stops = "an opt-out" if len(one.held_rows) == 1 else "opt-outs"
        people = counted(one.held, "address or record id", "addresses and record ids")
        parts.append(
            f"{lead}{rows} ({places(one.held_rows)}) could not be read and may be {stops}. "
            f"Whoever is named there is held until somebody has looked: {people} in `do-not-send.csv`."
        )
    return " ".join(parts)


def _what_follows(found: Sequence[LostStops]) -> tuple[str, ...]:
    standing = [one for one in found if one.stands]
    if not standing:
        return ()
    first = standing[0]
    lost, hiding, unread = (
        [one for one in standing if one.lost and not one.unread],
        [one for one in standing if one.hidden],
        [one for one in standing if one.unread],
    )
    again = "it" if len(lost) == 1 else "them"
    some = all(one.in_part for one in standing)
    raised = "raises none of them" if some else "raises nobody"
    who = "nobody may stay marketing whom no later export shows" if some else "nobody may stay marketing"
    whoever = "whoever else of them might" if some else "whoever else might"
    steps = [f"Mend {_files(lost)} and give {again} again under the same name."] if lost else []
    if unread:
        steps.append(
            f"Give {_files(unread)} in a form that can be read; a list of people who opted out goes with `--stops`."
        )
    if hiding:
        steps.append(
            f"Export {_files(hiding)} again with the columns that say who opted out, name the column with "
            "`--column NAME=opt_out`, or bring HubSpot's list of unsubscribes of the same day."
        )
    return (
        f"Until then {who}: {whoever} is under “review”, and `hubspot sync` {raised}. "
        f"{' '.join(steps)} Or answer for it: "
        f"`--accept-lost-stops` {said(first.file)}={first.lost or first.hidden} `--by NAME`.",
    )


def _files(found: Sequence[LostStops]) -> str:
    return listed([said(one.file) for one in found])


def places(rows: Sequence[int]) -> str:
    """`row 3`, `rows 3 to 8 and 12`."""
    spans: list[list[int]] = []
    for row in sorted(set(rows)):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    words = [f"{a:,}" if a == b else f"{a:,} to {b:,}" if b > a + 1 else f"{a:,}, {b:,}" for a, b in spans[:_SHOWN]]
    if len(spans) > _SHOWN:
        words.append(f"{sum(b - a + 1 for a, b in spans[_SHOWN:]):,} more, see rejected.csv")
    return f"{'row' if len(set(rows)) == 1 else 'rows'} {listed(words)}"
