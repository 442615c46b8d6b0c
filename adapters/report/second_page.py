"""The report's second page: the seven next steps, and on the first page the first three of them."""

from __future__ import annotations

from adapters.report import changes, prose
from adapters.report.markup import Html, join, paragraph, section, text
from adapters.report.next_steps import Step
from projections.verdicts import Audit

ANCHOR = "next-steps"


def second_page(audit: Audit, steps: tuple[Step, ...]) -> Html:
    """The page, each step with a heading to link to."""
    parts = [
        Html(f'<h3 id="step-{number}">{number}. {text(step.title)}</h3>{prose.html(step.blocks)}')
        for number, step in enumerate(steps, start=1)
    ]
    since = Html("")
    if audit.before:
        since = join(
            (
                paragraph(text(f"What changed {changes.since(audit)}:")),
                prose.html([prose.Points(tuple(changes.changed(audit)))]),
            )
        )
    return section(ANCHOR, "Next steps", since, *parts)


def first_three(steps: tuple[Step, ...]) -> Html:
    """The first three steps that there is something to do for, a line each."""
    due = [(number, step) for number, step in enumerate(steps, start=1) if step.short][:3]
    if not due:
        return paragraph(text("Nothing to do now."))
    items = "".join(f'<li><a href="#step-{number}">{prose.inline_html(step.short)}</a></li>' for number, step in due)
    return Html(f"<ol>{items}</ol>")
