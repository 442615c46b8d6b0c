"""`report.html`: one file that loads nothing, for a lawyer and for the people who run the CRM."""

from __future__ import annotations

from adapters.report import background, sections, style, wording
from adapters.report.asking import asking
from adapters.report.markup import Html, join, linked_files, text
from adapters.report.next_steps import Step
from adapters.report.second_page import second_page
from adapters.report.tally import Tally
from projections.verdicts import Audit

_PARTS = (
    ("next-steps", "Next steps"),
    ("standing", "Where contacts stand"),
    ("money", "Money"),
    ("actions", "What to do"),
    ("asking", "Why not ask by mail"),
    ("expiring", "What ends when"),
    ("reasons", "Reasons"),
    ("jurisdictions", "Whose rules"),
    ("samples", "Examples"),
    ("looked-at", "What we looked at"),
    ("rules", "Rules applied"),
    ("corrections", "Corrections"),
)


def page(audit: Audit, tally: Tally, todo: tuple[Step, ...], listed: sections.Listed, tool_version: str) -> str:
    """The whole page: what is wasted and risky first, then the steps, then what it all rests on."""
    beside = {*listed.rows, *listed.beside, "NEXT-STEPS.md", "IMPORT-ORDER.md", "audit.json", "manifest.json"}
    parts = (
        sections.summary(audit, todo),
        second_page(audit, todo),
        sections.standing(audit, tally),
        sections.costs(audit),
        sections.actions(audit, listed),
        asking(),
        background.expiring(audit),
        background.reasons(audit),
        background.jurisdictions(audit),
        sections.samples(tally),
        background.looked_at(audit),
        background.rule_set(audit),
        background.corrections(audit),
    )
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{style.CONTENT_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">\n',
            f"<title>Marketing permission audit: {text(wording.company(audit.controller))}</title>\n",
            f"<style>{style.CSS}</style></head>\n",
            f'<body><a class="skip" href="#main">Skip to the report</a>{sections.PATTERNS}\n',
            _header(audit, tool_version),
            _navigation(),
            '<main id="main">\n',
            linked_files(join(parts, "\n"), beside),
            f"\n</main>\n{_footer(audit, tool_version)}</body></html>\n",
        )
    )


def _header(audit: Audit, tool_version: str) -> Html:
    adopted = f"adopted by {audit.rule_set.adopted_by}" if audit.rule_set.adopted_by else "which nobody has adopted yet"
    meta = (
        f"{wording.moment(audit.at)} · {audit.totals.get('contacts', 0):,} records · "
        f"rule set {audit.rule_set.hash[:12]}, {adopted} · consent-ledger {tool_version}"
    )
    return Html(
        f'<header><p class="kicker">Marketing permission audit</p><h1>{_company(audit)}</h1>'
        f'<p class="meta">{text(meta)}<br>{text(wording.NOTHING_LEFT)} Addresses are masked. '
        "Not legal advice.</p>"
        "</header>\n"
    )


def _company(audit: Audit) -> Html:
    named = text(wording.company(audit.controller))
    return Html(f"{named}: <code>{wording.NAME_IT}</code>") if named == wording.NOT_NAMED else named


def _navigation() -> Html:
    items = "".join(f'<li><a href="#{anchor}">{text(name)}</a></li>' for anchor, name in _PARTS)
    return Html(f'<nav aria-label="Parts of this report"><ul>{items}</ul></nav>\n')


def _footer(audit: Audit, tool_version: str) -> Html:
    return Html(
        f"<footer><p><strong>{text(wording.NOT_ADVICE)}</strong></p>"
        f"<p>Made by consent-ledger {text(tool_version)} from ledger position {audit.ledger_position:,}. "
        "The SHA-256 of every input and of every file written is in <code>manifest.json</code>.</p></footer>"
    )
