"""The parts of the page that answer: what is wasted, what is risky, where contacts stand, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from adapters.report import changes, figures, lost, money, prose, resting, wording
from adapters.report.markup import Cell, Html, bullets, code, join, paragraph, section, table, text
from adapters.report.masking import mask_email
from adapters.report.next_steps import Step
from adapters.report.second_page import first_three
from adapters.report.tally import Tally
from projections.verdicts import Action, Audit, Bucket, Count, Speaker

_BAR = 400
_OVERLAP = "These figures overlap: do not add them up."
PATTERNS = Html(
    '<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)">'
    '<rect class="paper" width="5" height="5"/>'
    '<rect class="blue" width="2" height="5"/></pattern></defs></svg>'
)
_FILLS = {"marketing": 'class="rim blue"', "unknown": 'class="rim" fill="url(#hatch)"', "other": 'class="rim paper"'}


class Listed(NamedTuple):
    """The files beside the report: rows of each CSV, records left out of them, and what else was written.

    besides  rows of `do-not-send.csv` that are no record's
    """

    rows: dict[str, int]
    by_hand: Counter[str]
    beside: frozenset[str]
    besides: figures.Besides = figures.NO_MORE


def summary(audit: Audit, todo: tuple[Step, ...]) -> Html:
    """What is paid for in vain, and what may go wrong: the first thing read."""
    claimed = audit.buckets.get(Bucket.BASIS_CLAIMED, Count()).marketing
    cards = (
        _card(
            "waste",
            "Wasted",
            audit.avoidable_marketing,
            "avoidable marketing contacts: no rule allows marketing to them, or they take no mail",
            "set-non-marketing.csv",
        ),
        _card(
            "waste",
            "Wasted",
            audit.undeliverable_marketing,
            "marketing contacts whose address takes no mail: paid for, never reached",
            "set-non-marketing.csv",
        ),
        *_stopped(audit),
        _card(
            "risk",
            "Risk",
            claimed,
            "marketing contacts that rest on a claim in the CRM which nothing shows",
            "do-not-send.csv",
        ),
    )
    below = " ".join(filter(None, (_OVERLAP, resting.in_short(audit))))
    return Html(
        '<section id="summary" aria-labelledby="summary-title"><h2 id="summary-title">In short</h2>'
        f"{_unread(audit)}{paragraph(text(wording.outcome(audit)), kind='lead')}"
        f'<ul class="cards">{join(cards)}</ul>{paragraph(text(below), kind="note")}'
        f'<div class="two"><div>{_brief(audit)}</div>'
        f"<div><h3>The next three steps</h3>{first_three(todo)}{_since(audit)}</div></div>"
        '<p class="dont"><strong>Do not mail them all to ask.</strong> An e-mail that asks for permission '
        'to send marketing is itself marketing. <a href="#asking">Why, with sources</a>.</p></section>'
    )


def _stopped(audit: Audit) -> Iterator[Html]:
    """The stopped who are still marketing contacts: nobody is said to have said no whom others stopped."""
    for speaker, words in wording.STILL_MARKETING.items():
        number = audit.stopped_by.get(speaker, Count()).marketing
        listed = () if speaker is Speaker.REVIEW else ("opt-out-list.csv",)
        if number or speaker is Speaker.PERSON:
            yield _card("risk", "Risk", number, f"people who {words} contacts", *listed, "set-non-marketing.csv")


def _unread(audit: Audit) -> Html:
    """Rows that may be stops and could not be read: before every figure."""
    sentences = lost.sentences(audit.lost_stops)
    if not sentences:
        return Html("")
    points = prose.html([prose.Points(sentences)])
    return Html(f'<div class="dont"><h3>Opt-outs may be missing</h3>{points}</div>')


def _brief(audit: Audit) -> Html:
    """The buckets in a few lines; drawn out further down."""
    rows: list[list[Cell]] = [
        [line.name, line.records.marketing, line.records.contacts] for line in wording.lines(audit)
    ]
    return table("Where the contacts stand", ("Bucket", "HubSpot flag on", "All"), rows, numbers=(1, 2))


def _since(audit: Audit) -> Html:
    """What changed, in a line."""
    if audit.before is None:
        return Html("")
    said = "; ".join(changes.changed(audit))
    return paragraph(text(f"Changed {changes.since(audit)}: {said}.", 1000), kind="note")


def _card(kind: str, tag: str, figure: int, what: str, *files: str) -> Html:
    step = join((code(file) for file in files), ", ") if figure else text("Nothing to do")
    return Html(
        f'<li class="{kind}"><span class="tag">{tag}</span><span class="figure">{figure:,}</span>'
        f'<span class="what">{text(what)}</span><span class="step">{step}</span></li>'
    )


def standing(audit: Audit, tally: Tally) -> Html:
    """Buckets against the HubSpot flag, with a bar drawn to one scale."""
    largest = max((count.contacts for count in audit.buckets.values()), default=0)
    rows: list[list[Cell]] = []
    for line in wording.lines(audit):
        count = line.records
        unknown = tally.unknown[line.bucket, line.speaker]
        rest = count.contacts - count.marketing - unknown
        rows.append(
            [
                (_bucket_cell(line, _bar(count.marketing, unknown, rest, largest)),),
                count.marketing,
                wording.percent(count.marketing, audit.totals.get("marketing", 0)),
                unknown,
                rest,
                count.contacts,
            ]
        )
    unknown_all = audit.totals.get("marketing_unknown", 0)
    contacts, marketing = audit.totals.get("contacts", 0), audit.totals.get("marketing", 0)
    rows.append(
        [
            "All",
            marketing,
            wording.percent(marketing, marketing),
            unknown_all,
            contacts - marketing - unknown_all,
            contacts,
        ]
    )
    headers = ("Bucket", "Marketing", "Share of marketing", "Flag unknown", "Non-marketing", "All")
    return section(
        "standing",
        "Where the contacts stand",
        paragraph(
            text(
                "The HubSpot flag says who is paid for. It says nothing about who may be written to. "
                "Each record falls in exactly one bucket, and unknown is never rounded up to yes."
            )
        ),
        *_apart(audit),
        _legend(),
        table("Records by bucket and HubSpot flag", headers, rows, numbers=range(1, 6)),
        _rests_on(audit),
    )


def _apart(audit: Audit) -> list[Html]:
    """What no figure of the table shows by itself."""
    said = [figures.of_rows(audit), wording.flags_unknown(audit)]
    if audit.scheduled:
        who = wording.counted(audit.scheduled, "contact")
        said.append(f"HubSpot already turns {who} non-marketing at its next update.")
    words = " ".join(filter(None, said))
    return [paragraph(prose.inline_html(words), kind="note")] if words else []


def _bucket_cell(line: wording.Line, bar: Html) -> Html:
    return Html(
        f'{text(line.name)}{bar}<span class="means">{text(line.meaning)} '
        f'Ledger answer: <span class="answer">{text(line.answer)}</span>.</span>'
    )


def _rests_on(audit: Audit) -> Html:
    """What the evidence on file rests on, and what is said of it beside the law."""
    found = resting.lines(audit)
    if not found:
        return Html("")
    rows: list[list[Cell]] = [[(prose.inline_html(words),), number] for number, words in found]
    return table("What the evidence on file rests on", ("What", "Records"), rows, numbers=(1,))


def costs(audit: Audit) -> Html:
    """What the avoidable contacts cost, from what was given."""
    said = [text(line, 1000) for line in (*money.lines(audit), money.missing(audit)) if line]
    return section("money", "Money", bullets(said))


def _bar(marketing: int, unknown: int, rest: int, largest: int) -> Html:
    """One horizontal bar: solid is marketing, hatched is unknown, outlined is non-marketing."""
    label = f"{marketing:,} marketing, {unknown:,} of unknown flag, {rest:,} non-marketing"
    pieces, at = [], 1.0
    for kind, number in (("marketing", marketing), ("unknown", unknown), ("other", rest)):
        if number:
            # At least two units: a few people among many thousands still show.
            width = max(2.0, number * (_BAR - 8) / largest)
            pieces.append(f'<rect x="{at:.1f}" y="1" width="{width:.1f}" height="12" {_FILLS[kind]} stroke-width="1"/>')
            at += width
    return Html(
        f'<svg class="bar" viewBox="0 0 {_BAR} 14" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(label)}">{"".join(pieces)}</svg>'
    )


def _legend() -> Html:
    names = {"marketing": "marketing contact", "unknown": "flag unknown", "other": "non-marketing"}
    keys = "".join(
        f'<span><svg class="key" viewBox="0 0 24 12" aria-hidden="true">'
        f'<rect x=".5" y=".5" width="23" height="11" '
        f"{_FILLS[kind]}/></svg>{text(name)}</span>"
        for kind, name in names.items()
    )
    return Html(f'<p class="legend">{keys}</p>')


def actions(audit: Audit, listed: Listed) -> Html:
    """What to do, and the file to do it with."""
    todo: list[list[Cell]] = []
    for action in Action:
        name, meaning, file = wording.ACTIONS[action]
        todo.append([name, audit.actions.get(action, 0), meaning, (code(file),)])
    said = (figures.of_staying(audit), figures.of_the_bill(audit), figures.of_sending(audit, listed.besides))
    files: list[list[Cell]] = [
        [(code(name),), listed.rows.get(name, "–"), listed.by_hand[name] or "–", sentence]
        for name, sentence in wording.FILES.items()
        if name not in wording.MADE_BESIDE or name in listed.beside
    ]
    return section(
        "actions",
        "What to do",
        table("Records by action", ("Action", "Records", "What it means", "File"), todo, numbers=(1,)),
        *(paragraph(prose.inline_html(sentence), kind="note") for sentence in said if sentence),
        paragraph(
            Html(
                f"<strong>{audit.do_not_send:,}</strong> records must not be mailed now: marked as "
                "marketing, or of unknown flag, and nothing shows that a rule allows it. The clicks in HubSpot, in "
                "order, with how to check and how to undo, are in "
            ),
            code("IMPORT-ORDER.md"),
            text(", with the records to do by hand because they do not fit into a file unchanged."),
        ),
        table("Files beside this report", ("File", "Rows", "By hand", "What it holds"), files, numbers=(1, 2)),
    )


def samples(tally: Tally) -> Html:
    """A few records of each bucket, masked, with the reference to look them up by."""
    parts: list[Html] = []
    for bucket in wording.SHOWN_ORDER:
        chosen = tally.samples[bucket].chosen()
        if not chosen:
            continue
        rows: list[list[Cell]] = [
            [
                verdict.record_id or "none",
                mask_email(verdict.email),
                wording.reason_sentence(verdict.reason),
                wording.ACTIONS[verdict.action][0],
                (code(verdict.reference),),
            ]
            for verdict in chosen
        ]
        name = wording.BUCKETS[bucket][0]
        parts.append(table(name, ("Record ID", "Address", "Reason", "Action", "Reference"), rows))
    if not parts:
        parts.append(paragraph(text("There are no records to show.")))
    return section(
        "samples",
        "Examples to check",
        paragraph(
            text(
                "Up to five records of each bucket, addresses masked. To see the whole history of one and "
                "the rule applied to it: "
            ),
            code("consent-ledger why REFERENCE"),
        ),
        *parts,
    )
