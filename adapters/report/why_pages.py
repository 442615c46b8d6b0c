"""Which page an answer becomes: counsel's, or the one fit for the person."""

from __future__ import annotations

from adapters.report.why import Why
from adapters.report.why_blocks import Page
from adapters.report.why_page import counsel_page
from adapters.report.why_person_page import person_page


def page_of(why: Why) -> Page:
    """The page as blocks."""
    return person_page(why) if why.audience == "person" else counsel_page(why)
