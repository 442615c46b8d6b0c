"""The report on paper: as few pages as its content needs, none of them nearly empty but the last."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from pypdf import PdfReader

from adapters.hubspot.portal import write_portal
from adapters.report.twins import twin
from tests.adapters.test_cli import run
from tests.waiting import BUDGET

CHROMIUM = shutil.which("chromium")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer"),
]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an audit of a made-up portal with every file."""
    home = tmp_path_factory.mktemp("printed")
    files = home / "portal"
    write_portal(files, contacts=300, seed=3, today=date(2026, 11, 30))
    names = ("forms", "deals.csv", "unsubscribes-and-bounces.csv", "subscription-timeline.json", "email-events.json")
    given = [files / name for name in ("contacts.csv", *names, "mailchimp-audience.zip")]
    common = ("--ledger", home / "ledger", "--timezone", "Europe/Berlin", "--sender-country", "DE")
    run("audit", *given, "--map", files / "audit.toml", "--out", home / "out", *common)
    return home / "out"


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser that prints")
def test_the_report_takes_few_pages_and_fills_them(audited: Path, tmp_path: Path) -> None:
    """Twelve sheets of A4 at most; each but the last has more than a third of the words of an average one."""
    out = tmp_path / "report.pdf"
    page = (audited / "report.html").as_uri()
    words = [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={out}", page]
    subprocess.run(words, check=True, capture_output=True, timeout=BUDGET)
    pages = [len(sheet.extract_text()) for sheet in PdfReader(io.BytesIO(out.read_bytes())).pages]
    assert len(pages) <= 12
    average = sum(pages) / len(pages)
    assert [size for size in pages[:-1] if size < average / 3] == []


@pytest.mark.parametrize("name", ["NEXT-STEPS", "IMPORT-ORDER"])
def test_each_page_beside_it_has_a_twin_for_a_browser(audited: Path, name: str) -> None:
    """The same words, with links to the files, and nothing that a Markdown file shows raw."""
    written, shown = ((audited / f"{name}.{kind}").read_text("utf-8") for kind in ("md", "html"))
    plain = re.sub(r"<[^>]*>", " ", MarkdownIt("commonmark").enable("table").render(written))
    assert re.sub(r"<[^>]*>", " ", shown[shown.index("<main") :]).split() == plain.split()
    assert "\\>" not in shown
    assert '<a href="do-not-send.csv">' in shown
    assert "script" not in shown


def test_the_report_links_to_the_twins(audited: Path) -> None:
    page = (audited / "report.html").read_text("utf-8")
    assert '<a href="IMPORT-ORDER.html"><code>IMPORT-ORDER.md</code></a>' in page
    for target in set(re.findall(r'<a href="([^"#:]+)"', page)):
        assert (audited / target).is_file()


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    shown = twin("# T\n\n<script>alert(1)</script> [x](javascript:alert(1)) ![y](http://x.example/y.png)\n", "<b>", ())
    assert "<script" not in shown
    assert 'href="javascript' not in shown
    assert "<b>" not in shown
