"""The pages beside the report as HTML: each `.md` file has a twin that a browser shows as it is meant to be read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from markdown_it import MarkdownIt

from adapters.report import style
from adapters.report.markup import Html, linked_files, text


def twin_of(name: str) -> str:
    """The name of the HTML file beside a Markdown file."""
    return f"{PurePath(name).stem}.html"


def twin(markdown: str, title: str, beside: Iterable[str]) -> str:
    """A Markdown file as one page that loads nothing. `beside`: names of files that become links.

    Markup in the text is shown, not obeyed: whoever wrote it.
    """
    body = Html(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{style.CONTENT_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">\n',
            f"<title>{text(title)}</title>\n<style>{style.CSS}</style></head>\n",
            f'<body class="plain"><main id="main">\n{linked_files(body, beside)}\n</main></body></html>\n',
        )
    )
