"""The audit of what was sent as one HTML file that loads nothing: the sums first, then e-mails of each finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.report import style, wording
from adapters.report.markup import Cell, Html, code, join, paragraph, section, table, text
from adapters.report.sends import AFTER, FINDINGS, Head, SentRow, figures, period_of, remarks
from projections.sends import Finding, Totals
from projections.verdicts import UNNAMED, Speaker

SHOWN = 200
"""E-mails listed of each finding: the newest."""
_SUMS = ("What", "E-mails", "Meaning")
_STOPPED = (
    "Sent (UTC)",
    "Address",
    "Campaign",
    "Stop",
    "Days after it",
    "Recorded here",
    "Days until then",
    "Reference",
)
_OTHERS = ("Sent (UTC)", "Address", "Campaign", "Purpose", "Answer on what is known now", "Reference")
_DAYS = "%Y-%m-%d"


def sends_page(head: Head, totals: Totals, rows: Sequence[SentRow]) -> str:
    """The whole file. `rows`: the newest of each finding, the gravest finding first."""
    title = f"E-mails sent {period_of(head)}"
    company = wording.company(head.controller or UNNAMED)
    meta = f"{title} · asked {wording.moment(head.asked_at)} · rule set {head.rule_set[:12]}"
    parts = (_summary(totals), *_lists(totals, rows))
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{style.CONTENT_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">\n',
            f"<title>{text(title)}: {text(company)}</title>\n<style>{style.CSS}</style></head>\n",
            '<body><a class="skip" href="#main">Skip to the figures</a>\n',
            f'<header><p class="kicker">Audit of what was sent</p><h1>{text(company)}</h1>',
            f'<p class="meta">{text(meta)}<br>{text(wording.NOTHING_LEFT)} Addresses are masked.</p></header>\n',
            f'<main id="main">\n{join(parts, chr(10))}\n</main>\n',
            f"<footer>{paragraph(text(wording.NOT_ADVICE))}</footer></body></html>\n",
        )
    )


def _summary(totals: Totals) -> Html:
    sums: list[list[Cell]] = [["All", totals.sends, f"to {wording.counted(totals.contacts, 'contact')}"]]
    sums += [[_named(name), number, meaning] for name, number, meaning in figures(totals)]
    then: list[list[Cell]] = [
        ["Allowed", totals.then_allowed],
        ["Not allowed, or not shown", totals.then_refused],
        ["Nothing held: recorded in this ledger only later", totals.then_nothing_held],
    ]
    return section(
        "sums",
        "In short",
        table("E-mails by what they come to, on all that is known now", _SUMS, sums, numbers=(1,)),
        table("As known when they were sent", ("Answer", "E-mails"), then, numbers=(1,)),
        *(paragraph(text(said, 1000), kind="note") for said in remarks(totals)),
    )


def _named(name: str) -> str:
    """A finding with a capital; a part of the one above it says so."""
    return f"– of them {name.strip()}" if name.startswith(" ") else f"{name[:1].upper()}{name[1:]}"


def _or_dash(days: int | None) -> Cell:
    return "–" if days is None else days


def _lists(totals: Totals, rows: Sequence[SentRow]) -> Iterator[Html]:
    for finding, (name, meaning) in FINDINGS.items():
        listed = [row for row in rows if row.finding == finding]
        if finding != "allowed" and listed:
            yield _list(finding, name, meaning, listed, totals.findings[finding])


def _list(finding: Finding, name: str, meaning: str, listed: Sequence[SentRow], found: int) -> Html:
    stopped = any(row.stop_position is not None for row in listed)
    lines = [_stopped(row) if stopped else _other(row) for row in listed]
    few = "" if len(listed) == found else f" The newest {len(listed):,} of {found:,}: --csv lists every e-mail."
    caption = f"{name[:1].upper()}{name[1:]}"
    said = f"{meaning[:1].upper()}{meaning[1:]}.{few}"
    return section(
        finding.replace("_", "-"),
        caption,
        paragraph(text(said)),
        table(caption, _STOPPED if stopped else _OTHERS, lines, numbers=(4, 6) if stopped else ()),
    )


def _about(row: SentRow) -> list[Cell]:
    return [f"{row.sent_at:%Y-%m-%d %H:%M}", row.email_masked, row.campaign or "not named"]


def _stopped(row: SentRow) -> list[Cell]:
    who = "" if row.stopped_by in (None, Speaker.PERSON) else f", {AFTER[Speaker(row.stopped_by)]}"
    made = f"{row.stop_made:{_DAYS}}" if row.stop_made else "day unknown"
    recorded = f"{row.stop_recorded:{_DAYS}}" if row.stop_recorded else "–"
    days, delay = _or_dash(row.days_after_stop), _or_dash(row.days_to_record)
    return [*_about(row), f"{made}{who}", days, recorded, delay, (code(row.reference),)]


def _other(row: SentRow) -> list[Cell]:
    purpose = wording.purpose(row.purpose) if row.purpose else "not classified"
    return [*_about(row), purpose, f"{row.answer_now}: {row.reason_now}", (code(row.reference),)]
