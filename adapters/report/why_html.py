"""The page about one person as one HTML file that loads nothing; printed, it is the sheet and its annex."""

from __future__ import annotations

import base64
import hashlib

from adapters.report import style
from adapters.report.markup import Html, join, paragraph, section, table, text
from adapters.report.why import Why
from adapters.report.why_blocks import Block, Drawing, Facts, Field, Page, Para, Quote, Section, Table
from adapters.report.why_pages import page_of

_LONG = 4000
CSS = (
    style.CSS
    + """
h1{overflow-wrap:anywhere}
.first{border-left:4px solid var(--blue);padding:.1rem 0 .1rem .9rem;margin:1rem 0;max-width:none}
.first p{max-width:none}
div.decided{border:1px solid var(--line);border-left:6px solid var(--soft);border-radius:3px;
padding:.6rem 1rem;margin:1rem 0}
div.decided.allowed{border-left-color:#1d6b3a}
div.decided.not_allowed{border-left-color:var(--risk)}
div.decided.not_shown{border-left-color:var(--waste)}
div.decided p{max-width:none;margin:.2rem 0}
div.decided .said{font-size:1.35rem;font-weight:650;margin:0}
svg.clocks{display:block;width:100%;height:auto;margin:.6rem 0;background:#fff}
#history th:first-child{width:2rem}
#history td:nth-child(2),#stops th{overflow-wrap:anywhere}
#history td:nth-child(n+3),#stops td{white-space:nowrap}
#stops td:nth-child(n+5){white-space:normal}
.words{white-space:pre-line}
.facts dd p{margin:0 0 .2rem;max-width:none;overflow-wrap:anywhere}
.room{border:1px solid var(--ink);min-height:5.5rem;padding:.3rem .6rem;color:var(--soft);font-size:.85rem}
h2.part{font-size:1.6rem;margin-top:2.5rem}
@media print{
body{font-size:7.5pt;line-height:1.24}
h1{font-size:14pt;margin:0 0 .1rem}
h2{font-size:9.5pt;margin:0 0 .1rem}
section{margin-top:.25rem;padding-top:.25rem}
.first,div.decided,p,table,.facts{margin-top:.2rem;margin-bottom:.25rem}
.first,div.decided{padding-top:.15rem;padding-bottom:.15rem}
div.decided .said{font-size:12pt}
table{font-size:7.4pt}
th,td{padding-top:.03rem;padding-bottom:.03rem;border-bottom:0}
.facts div{border-bottom:0}
.facts dd p{margin:0}
thead th{font-size:7pt}
tbody th{font-weight:400}
.facts div{grid-template-columns:8.5rem 1fr;padding:.04rem 0}
.meta,.note{font-size:8pt}
svg.clocks{max-height:24mm;margin:.1rem 0}
.room{min-height:11mm;font-size:7pt;break-inside:avoid}
footer{padding:.3rem 0 0;font-size:7.5pt}
h2.part{break-before:page;font-size:14pt;margin-top:0}
a[href^="https"]::after{content:""}
}
@page{margin:10mm 12mm 12mm}
""".rstrip()
)
_DIGEST = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


def why_html(why: Why) -> str:
    """The whole file."""
    page = page_of(why)
    annex = [Html('<h2 class="part">Annex</h2>'), *map(_section, page.annex)] if page.annex else []
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">\n',
            f"<title>{text(f'{page.kicker} {page.title}')}</title>\n<style>{CSS}</style></head>\n",
            '<body><a class="skip" href="#main">Skip to the answer</a>\n',
            _header(page),
            '<main id="main">\n',
            _answer(page),
            join([*map(_section, page.sections), *annex], "\n"),
            "\n</main>\n",
            Html(f"<footer>{join(paragraph(text(said)) for said in page.footer)}</footer>"),
            "</body></html>\n",
        )
    )


def _header(page: Page) -> Html:
    meta = join((text(said, 600) for said in page.meta), "<br>")
    return Html(
        f'<header><p class="kicker">{text(page.kicker)}</p><h1>{text(page.title)}</h1>'
        f'<p class="meta">{meta}</p></header>\n'
    )


def _answer(page: Page) -> Html:
    first = join(paragraph(text(said, 1200)) for said in page.first)
    said = join(paragraph(text(one, 1200)) for one in page.answer)
    return Html(
        f'<div class="first">{first}</div>\n'
        f'<div class="decided {page.tone}"><p class="said">{text(page.verdict)}</p>{said}</div>\n'
    )


def _section(part: Section) -> Html:
    return section(part.anchor, part.title, *map(_block, part.blocks))


def _block(block: Block) -> Html:
    match block:
        case Para():
            return Html(f'<p class="words{" note" if block.small else ""}">{_lines(block.text)}</p>')
        case Facts():
            rows = join(
                Html(f"<div><dt>{text(name)}</dt><dd>{join(paragraph(_lines(said)) for said in told)}</dd></div>")
                for name, told in block.rows
            )
            return Html(f'<dl class="facts">{rows}</dl>')
        case Table():
            return table(block.caption, block.headers, block.rows)
        case Drawing():
            label = text(block.alt)
            drawn = block.svg.replace("<svg ", f'<svg class="clocks" role="img" aria-label="{label}" ', 1)
            return Html(drawn + paragraph(text(block.legend), kind="note"))
        case Quote():
            said = paragraph(_lines(block.text), kind="words")
            return Html(f"<blockquote>{said}<footer>{text(block.source)}</footer></blockquote>")
        case Field():
            return Html(f'<div class="room">{text(block.label)}</div>')


def _lines(said: str) -> Html:
    """Foreign text with its own line breaks."""
    return Html("\n".join(text(part, _LONG) for part in said.split("\n")))
