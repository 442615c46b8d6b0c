"""The audit of what was sent: each e-mail a row of a CSV or of a JSON document, and the sums on a screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO

import msgspec
from rich.console import Console

from adapters.report.cells import Sheet, reading_cell
from adapters.report.screen import Screen
from projections.sends import Finding, Totals

SCHEMA = "consent-ledger/sends/1"
SHOWN = 5
"""Mails listed of each finding."""
FINDINGS: dict[Finding, tuple[str, str]] = {
    "after_stop": ("after a stop on record", "a stop was on record when the e-mail went out"),
    "before_effect": ("between stop and effect", "the stop had been made, and was recorded only afterwards"),
    "no_basis": ("without a basis", "no stop, and nothing on record that allows it"),
    "cannot_be_shown": ("basis cannot be shown", "a basis is claimed, or it is not known what came first"),
    "allowed": ("allowed by the rules applied", ""),
}
"""What a finding is called, and what it means; the gravest first."""
NOTHING_HELD = "nothing held"


class SentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One e-mail. The answers are those about the moment it was sent: as known then, and as known now.

    purpose       None: nobody classified the mail, and the answers are the best that a marketing purpose would get
    dated         False: no source says when it was sent; `sent_at` is when it came to be known
    answer_then   `nothing held`: this ledger knew nothing of the person by then
    rules         the rules the answer as known now rests on
    """

    reference: str
    position: int
    sent_at: datetime
    dated: bool
    email_masked: str
    campaign: str | None
    message_id: str | None
    purpose: str | None
    finding: Finding
    answer_then: str
    reason_then: str
    answer_now: str
    reason_now: str
    basis: str | None
    rules: tuple[str, ...]
    stop_position: int | None = None
    stop_made: datetime | None = None
    stop_recorded: datetime | None = None


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked. `since`, `until` None: without a limit."""

    controller: str | None
    since: datetime | None
    until: datetime | None
    asked_at: datetime
    rule_set: str


def write_csv(rows: Iterable[SentRow], stream: IO[str]) -> None:
    """Every e-mail, one a row."""
    names = SentRow.__struct_fields__
    sheet = Sheet(stream, names)
    for row in rows:
        sheet.add(*(_cell(getattr(row, name)) for name in names))


def _cell(value: object) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return reading_cell("; ".join(value) if isinstance(value, tuple) else str(value))


def json_parts(head: Head, rows: Iterable[SentRow], totals: Totals) -> Iterator[bytes]:
    """One document, in pieces: as many e-mails as there are need not be held. The sums come last."""
    encode = msgspec.json.encode
    yield b'{"schema":%b,"asked":%b,"sends":[' % (encode(SCHEMA), encode(head))
    for number, row in enumerate(rows):
        yield (b",\n" if number else b"\n") + encode(row)
    yield b'\n],"totals":%b}\n' % encode(totals)


def render(head: Head, totals: Totals, worst: Sequence[SentRow], console: Console) -> None:
    """The sums, what they mean, and the gravest findings."""
    screen = Screen(console)
    screen.line(f"E-mails sent {_period(head)}, by {head.controller or 'this controller'}", style="bold")
    screen.line()
    screen.columns("e-mails", f"{totals.sends:,}", f"to {totals.contacts:,} contacts")
    for finding, (name, meaning) in FINDINGS.items():
        screen.columns(f"  {name}", f"{totals.findings[finding]:,}", meaning)
    screen.line()
    screen.line("As known when they were sent", style="bold")
    screen.columns("  allowed", f"{totals.then_allowed:,}")
    screen.columns("  not allowed, or not shown", f"{totals.then_refused:,}")
    screen.columns("  nothing held", f"{totals.then_nothing_held:,}", "recorded in this ledger only later")
    _remarks(totals, screen)
    if worst:
        _worst(worst, sum(totals.findings.values()) - totals.findings["allowed"], screen)


def _remarks(totals: Totals, screen: Screen) -> None:
    if totals.not_classified:
        screen.line()
        screen.wrapped(
            "",
            f"{totals.not_classified:,} are of campaigns whose purpose nobody declared (see the evidence map). "
            "They are given the best answer that any marketing purpose would get.",
            0,
        )
    if totals.not_dated:
        screen.wrapped("", f"{totals.not_dated:,} bear no time of their own: not held against a stop.", 0)


def _worst(worst: Sequence[SentRow], found: int, screen: Screen) -> None:
    screen.line()
    screen.line("The gravest findings", style="bold")
    for row in worst:
        screen.line(f"{row.sent_at:%Y-%m-%d %H:%M}  {row.email_masked}  {row.reference}")
        screen.wrapped("", f"{FINDINGS[row.finding][0]}: {_about(row)}", 4)
    if found > len(worst):
        screen.line(f"... and {found - len(worst):,} more: --csv or --json lists every e-mail")
    screen.line("`consent-ledger why --message-id REFERENCE` explains one.")


def _about(row: SentRow) -> str:
    told = [f"campaign {row.campaign}" if row.campaign else "no campaign named", row.purpose or "not classified"]
    if row.stop_position is not None:
        recorded = f", recorded {row.stop_recorded:%Y-%m-%d %H:%M}" if row.stop_recorded else ""
        made = f"made {row.stop_made:%Y-%m-%d %H:%M}" if row.stop_made else "made nobody knows when"
        told.append(f"stop {row.stop_position} {made}{recorded}")
    told.append(f"known then: {row.answer_then}")
    told.append(row.reason_now + (f" ({', '.join(row.rules)})" if row.rules else ""))
    return "; ".join(told)


def _period(head: Head) -> str:
    if head.since is None and head.until is None:
        return "at any time"
    return " ".join(
        f"{word} {moment:%Y-%m-%d}" for word, moment in (("from", head.since), ("to", head.until)) if moment is not None
    )
