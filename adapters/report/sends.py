"""The audit of what was sent: each e-mail a row of a CSV or of a JSON document, and the sums on a screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO

import msgspec
from rich.console import Console

from adapters.report import wording
from adapters.report.cells import Sheet, reading_cell
from adapters.report.screen import Screen
from adapters.report.wording import counted
from projections.sends import Finding, Totals, median_of
from projections.verdicts import Speaker

SCHEMA = "consent-ledger/sends/2"
SHOWN = 5
"""Mails listed of each finding."""
FINDINGS: dict[Finding, tuple[str, str]] = {
    "after_stop": ("sent after a stop", "the stop had been made when the e-mail went out"),
    "stop_day_unknown": ("day of the opt-out unknown", "it may have come before the e-mail, or after it"),
    "no_basis": ("without a basis", "no stop, and nothing on record that allows it"),
    "cannot_be_shown": ("basis cannot be shown", "a basis is claimed, or a stop may have come first"),
    "allowed": ("allowed by the rules applied", ""),
}
"""What a finding is called, and what it means; the gravest first."""
AFTER: dict[Speaker, str] = {
    Speaker.PERSON: "after the person opted out",
    Speaker.REVIEW: "after your review's stop",
    Speaker.OTHERS: "after others took them off",
}
"""What an e-mail sent after a stop is called, by who decided the stop."""
NOTHING_HELD = "nothing held"


class SentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One e-mail. The answers are those about the moment it was sent: as known then, and as known now.

    purpose       None: nobody classified the mail, and the answers are the best that a marketing purpose would get
    dated         False: no source says when it was sent; `sent_at` is when it came to be known
    answer_then   `nothing held`: this ledger knew nothing of the person by then
    stopped_by    who decided the stop: `person`, `review` or `others`
    stop_made     when the stop was made, at the earliest (None: nobody knows the day); `stop_made_by`: at the latest
    stop_on_record  whether this ledger had recorded the stop when the e-mail went out
    days_after_stop, days_to_record  whole days from `stop_made_by` to the e-mail, and to `stop_recorded`
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
    stopped_by: str | None = None
    stop_position: int | None = None
    stop_made: datetime | None = None
    stop_made_by: datetime | None = None
    stop_recorded: datetime | None = None
    stop_on_record: bool | None = None
    days_after_stop: int | None = None
    days_to_record: int | None = None

    @property
    def title(self) -> str:
        """What the finding is called."""
        return (
            AFTER[Speaker(self.stopped_by)]
            if self.finding == "after_stop" and self.stopped_by
            else FINDINGS[self.finding][0]
        )


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
    yield b'\n],"totals":%b}\n' % encode({**msgspec.structs.asdict(totals), "after": after_sums(totals)})


class AfterSums(msgspec.Struct, frozen=True, kw_only=True):
    """Mails sent after a stop. The medians are in whole days, and leave out stops of an unknown day."""

    mails: int
    on_record: int
    day_unknown: int
    median_days_after_stop: int | None
    median_days_to_record: int | None


def after_sums(totals: Totals) -> dict[Speaker, AfterSums]:
    """The sums of the e-mails sent after a stop, by who decided it."""
    return {
        who: AfterSums(
            mails=sums.mails,
            on_record=sums.on_record,
            day_unknown=sums.day_unknown,
            median_days_after_stop=median_of(sums.days),
            median_days_to_record=median_of(sums.to_record),
        )
        for who, sums in totals.after.items()
    }


def render(head: Head, totals: Totals, worst: Sequence[SentRow], console: Console) -> None:
    """The sums, what they mean, and the gravest findings."""
    screen = Screen(console)
    screen.line(f"E-mails sent {period_of(head)}, by {head.controller or 'this controller'}", style="bold")
    screen.line()
    screen.columns("e-mails", f"{totals.sends:,}", f"to {totals.contacts:,} contacts")
    for name, number, meaning in figures(totals):
        screen.columns(f"  {name}", f"{number:,}", meaning)
    screen.line()
    screen.line("As known when they were sent", style="bold")
    screen.columns("  allowed", f"{totals.then_allowed:,}")
    screen.columns("  not allowed, or not shown", f"{totals.then_refused:,}")
    screen.columns("  nothing held", f"{totals.then_nothing_held:,}", "recorded in this ledger only later")
    for number, sentence in enumerate(remarks(totals)):
        if number == 0:
            screen.line()
        screen.wrapped("", sentence, 0)
    if worst:
        _worst(worst, sum(totals.findings.values()) - totals.findings["allowed"], screen)


def figures(totals: Totals) -> Iterator[tuple[str, int, str]]:
    """Each finding with its mails, and what is said of them; the gravest first."""
    for finding, (name, meaning) in FINDINGS.items():
        if finding == "after_stop":
            yield from _after_figures(totals)
        else:
            yield name, totals.findings[finding], meaning


def _after_figures(totals: Totals) -> Iterator[tuple[str, int, str]]:
    for who, sums in after_sums(totals).items():
        if not sums.mails and who is not Speaker.PERSON:
            continue
        yield AFTER[who], sums.mails, _medians(sums)
        if sums.mails:
            yield "  on record here by then", sums.on_record, "this ledger had recorded it when the e-mail went out"
        if sums.day_unknown:
            yield "  on an unknown day", sums.day_unknown, "certainly before the e-mail; in no median"


def _medians(sums: AfterSums) -> str:
    if sums.median_days_after_stop is None or sums.median_days_to_record is None:
        return ""
    sent, recorded = (counted(n, "day") for n in (sums.median_days_after_stop, sums.median_days_to_record))
    return f"a median of {sent} later; this ledger recorded it {recorded} later (median)"


def remarks(totals: Totals) -> Iterator[str]:
    """What no figure shows by itself."""
    if totals.not_classified:
        yield (
            f"{totals.not_classified:,} are of campaigns whose purpose nobody declared (see the evidence map). "
            "They are given the best answer that any marketing purpose would get."
        )
    if totals.not_dated:
        yield f"{totals.not_dated:,} bear no time of their own: not held against a stop."


def _worst(worst: Sequence[SentRow], found: int, screen: Screen) -> None:
    screen.line()
    screen.line("The gravest findings", style="bold")
    for row in worst:
        screen.line(f"{row.sent_at:%Y-%m-%d %H:%M}  {row.email_masked}  {row.reference}")
        screen.wrapped("", f"{row.title}: {_about(row)}", 4)
    if found > len(worst):
        screen.line(f"... and {found - len(worst):,} more: --csv or --json lists every e-mail")
    screen.line("`consent-ledger why --message-id REFERENCE` explains one.")


def _about(row: SentRow) -> str:
    purpose = wording.purpose(row.purpose) if row.purpose else "not classified"
    told = [f"campaign {row.campaign}" if row.campaign else "no campaign named", purpose]
    if row.stop_position is not None:
        told.append(f"stop {row.stop_position} {stop_of(row)}")
    told.append(f"known then: {row.answer_then}")
    told.append(row.reason_now + (f" ({', '.join(row.rules)})" if row.rules else ""))
    return "; ".join(told)


def stop_of(row: SentRow) -> str:
    """When the stop was made and when this ledger recorded it."""
    made = f"made {row.stop_made:%Y-%m-%d %H:%M}" if row.stop_made else "made nobody knows when"
    if row.days_after_stop is not None:
        made += f", {counted(row.days_after_stop, 'day')} before the e-mail"
    recorded = f"recorded {row.stop_recorded:%Y-%m-%d %H:%M}" if row.stop_recorded else ""
    if row.days_to_record is not None:
        recorded += f", {counted(row.days_to_record, 'day')} after it was made"
    return "; ".join(filter(None, (made, recorded)))


def period_of(head: Head) -> str:
    """The window in words."""
    if head.since is None and head.until is None:
        return "at any time"
    return " ".join(
        f"{word} {moment:%Y-%m-%d}" for word, moment in (("from", head.since), ("to", head.until)) if moment is not None
    )
