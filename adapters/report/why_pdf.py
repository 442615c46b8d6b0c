"""The page about one person as a PDF: PDF/A-3 and PDF/UA-1 at once, the answer for machines attached.

The same answer gives the same bytes: the document's date is the answer's, the fonts are those that the typesetter
brings along. Every text reaches the template as data; none of it is ever read as markup.
"""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec
import typst

from adapters.report.why import Why, why_json
from adapters.report.why_blocks import Page
from adapters.report.why_pages import page_of

STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
ATTACHED = "why.json"
NOT_SHOWN = "Letters written as [U+…] are in no font of this machine; the attached file has them."
# Latin, Greek, Cyrillic, punctuation and signs that the fonts brought along can show.
_UNSHOWABLE = re.compile(
    "[^\n\x20-\x7e\u00a0-\u00ac\u00ae-\u017f\u0391-\u03a1\u03a3-\u03ce\u0410-\u044f\u2010-\u2026\u20ac\ufffd]"
)


def why_pdf(why: Why) -> bytes:
    """The PDF. Scripts that the fonts brought along lack are set in the machine's own; else written as [U+6F22]."""
    page = page_of(why)
    attached = why_json(why).decode()
    try:
        return _compiled(page, attached, own_fonts=True)
    except typst.TypstError as error:
        if not _is_missing_letter(error):
            raise
    try:
        return _compiled(page, attached, own_fonts=False)
    except typst.TypstError as error:
        if not _is_missing_letter(error):
            raise
    return _compiled(_spelled(page), attached, own_fonts=True)


def _compiled(page: Page, attached: str, *, own_fonts: bool) -> bytes:
    template = (files("adapters.report") / "why.typ").read_bytes()
    given = {"page": msgspec.json.encode(page).decode(), "attached": attached, "name": ATTACHED}
    found = typst.Compiler(template, ignore_system_fonts=own_fonts).compile(
        format="pdf", sys_inputs=given, pdf_standards=STANDARDS, timestamp=page.dated.replace(microsecond=0)
    )
    assert isinstance(found, bytes)  # noqa: S101 - a PDF is one file
    return found


def _is_missing_letter(error: typst.TypstError) -> bool:
    """A letter in no font, or one that means nothing outside the machine it was written on."""
    return "could not be displayed" in error.message or "contains the codepoint" in error.message


def _spelled(page: Page) -> Page:
    """The same page with every letter that may be in no font spelled out."""
    data = msgspec.json.encode(page).decode()
    data = _UNSHOWABLE.sub(lambda found: f"[U+{ord(found[0]):04X}]", data)
    spelled = msgspec.json.decode(data, type=Page)
    return msgspec.structs.replace(spelled, footer=(*spelled.footer, NOT_SHOWN))
