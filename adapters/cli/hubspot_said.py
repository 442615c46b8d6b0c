"""What a pull says: how far it is while it runs, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from adapters.hubspot.api.portal import RefusedError
from adapters.hubspot.pull.run import Tally

SHOWN = 20
"""Findings that are printed; all of them are in the JSON."""


class Pace:
    """How fast each kind goes, and how long it will take, where it is known how much there is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: dict[str, tuple[float, int]] = {}

    def line(self, kind: str, done: int, total: int | None, allowed: float | None) -> str:
        """One line. `allowed`: calls a second."""
        at, before = self._began.setdefault(kind, (self._clock(), done))
        took, came = self._clock() - at, done - before
        rate = came / took if took > 0 and came else None
        parts = [f"{kind}: {done:,}" + (f" of {total:,}" if total else "")]
        if rate:
            parts.append(f"{rate:,.0f} a second")
            if total and total > done:
                parts.append(f"{_lasting((total - done) / rate)} left")
        if allowed:
            parts.append(f"HubSpot allows {allowed:.0f} calls a second")
        return ", ".join(parts)


def _lasting(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5_400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3_600:.1f} h"


def as_json(tallies: Sequence[Tally], refused: Sequence[RefusedError]) -> bytes:
    """Everything, for a program."""
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "kinds": {tally.kind: {**_counts(tally), "findings": _findings(tally)} for tally in tallies},
                "refused": [
                    {"path": one.call.path, "status": one.status, "scopes": list(one.scopes), "message": one.message}
                    for one in refused
                ],
            }
        ),
        indent=2,
    )


def summary(tallies: Sequence[Tally], refused: Sequence[RefusedError]) -> bytes:
    """A table, what stood out, and what to do next."""
    head = ("", "pages", "rows", "recorded", "known", "stops", "not taken")
    rows: list[tuple[str, ...]] = [head]
    for tally in tallies:
        counts = _counts(tally)
        columns = ("pages", "rows", "recorded", "unchanged", "stops", "rejected")
        rows.append((tally.kind, *(f"{counts[name]:,}" for name in columns)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    found = [f"{said}" for tally in tallies for said in _findings(tally)]
    if found:
        lines += ["", "To look at:", *(f"- {said}" for said in found[:SHOWN])]
        lines += [f"- and {len(found) - SHOWN:,} more: --json lists them"] if len(found) > SHOWN else []
    lines += ["", *_next(tallies, refused)]
    return "\n".join(lines).encode()


def _counts(tally: Tally) -> dict[str, int]:
    counts = tally.counts()
    return {
        "pages": counts.pages,
        "rows": counts.rows,
        "recorded": counts.added,
        "unchanged": counts.unchanged,
        "stops": counts.stops,
        "rejected": counts.rejected,
    }


def _findings(tally: Tally) -> list[str]:
    rejected = [f"{tally.kind}: {bad.column or 'row'}: {bad.reason}" for bad in tally.taken.rejected]
    return [*tally.taken.findings, *dict.fromkeys(rejected)]


def _next(tallies: Sequence[Tally], refused: Sequence[RefusedError]) -> Iterator[str]:
    yield "Next:"
    if refused:
        yield "- give the token the scopes named below, and pull again: the rest is not pulled twice"
    if any(tally.kind == "submissions" and tally.counts().rows for tally in tallies):
        yield "- say in audit.toml what the forms showed: docs/how-to/declare-what-a-form-showed.md"
    yield "- ask about one address: consent-ledger status ADDRESS"
    yield "- pull again whenever you like: only what is new is taken"
