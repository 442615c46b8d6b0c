"""The documentation is run: its commands, its examples of bytes, its links, its generated parts.

How a page is written: a fence `console` holds commands, each behind `$ `, run in order in a folder of the
page's own; `# exit 3` behind a command is the exit code it must have. A fence such as `csv contacts.csv`
is that file. A page with a fence `sql` runs on a real PostgreSQL, where that was run first; one that asks
HubSpot, against a fake of it.
`python -m tests.test_docs --write` (`make docs`) writes the generated parts again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import pytest
import sqlalchemy as sa

from ledger.codec import MAX_ENTRY_BYTES, EntryError, decode_strict, encode
from ledger.events import TOPICS, CountryHint, Event
from tests import compose, http_docs, hubspot_docs, streams_docs
from tests.services import postgres
from tests.waiting import BUDGET

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
ENTRY_FORMAT = ROOT / "docs/reference/entry-format.md"
CLI_REFERENCE = ROOT / "docs/reference/cli.md"
OTHER_FILES = ROOT / "docs/how-to/bring-other-files.md"
HTTP = ROOT / "docs/reference/http.md"
OPENAPI = ROOT / "docs/reference/openapi.json"
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT_CODES = {
    "OK": "done",
    "ERROR": "an error; the message says what to do",
    "USAGE": "the command was not understood",
    "FINDINGS": "findings: `--fail-on` named a bucket, and it is not empty; or a review was shown and not recorded",
    "VERIFICATION": "verification failed: a store is damaged or does not fit the others, "
    "or a replay came out otherwise than what is stored",
    "UNREADABLE": "an input could not be read",
    "TEMPORARY": "temporary, such as a locked file: try again",
    "INTERRUPTED": "interrupted",
}


class Fence(NamedTuple):
    """A fenced block: its language, the rest of its info line, its text."""

    language: str
    about: str
    text: str


def name(path: Path) -> str:
    """A page as it is called here."""
    return str(path.relative_to(ROOT))


def fences(path: Path) -> Iterator[Fence]:
    """The fenced blocks of a page, in order."""
    for info, text in FENCE.findall(path.read_text("utf-8")):
        language, _, about = info.strip().partition(" ")
        yield Fence(language, about, text)


# --- commands ------------------------------------------------------------------------------------


def environment(home: Path) -> dict[str, str]:
    """The installed program first on the path, plain output, nobody's settings and nobody's secrets."""
    kept = {key: os.environ[key] for key in ("LANG", "LC_ALL", "TMPDIR") if key in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return kept | {"PATH": path, "HOME": str(home), "NO_COLOR": "1", "COLUMNS": "100", "TERM": "dumb"}


@contextmanager
def on_postgresql(statements: str) -> Iterator[tuple[dict[str, str], Callable[[str], str]]]:
    """What a page's SQL makes, under names of one's own: the URLs it leads to, and what renames in a command."""
    own = f"docs_{uuid4().hex}"
    names = {"ledger_owner": f"{own}_owner", "ledger_writer": f"{own}_writer", "DATABASE ledger ": f"DATABASE {own} "}

    def renamed(text: str) -> str:
        for shown, used in names.items():
            text = text.replace(shown, used)
        return text

    server = sa.make_url(postgres.server_url())
    with postgres.driver_of(server.render_as_string(hide_password=False)) as superuser:
        try:
            for statement in renamed(statements).split(";"):
                superuser.execute(statement.encode())
            yield (
                {
                    f"CONSENT_LEDGER_{name}": server.set(
                        username=f"{own}_{role}", password=password, database=own
                    ).render_as_string(hide_password=False)
                    for name, role, password in (
                        ("OWNER_URL", "owner", "one"),
                        ("DATABASE_URL", "writer", "another"),
                    )
                },
                renamed,
            )
        finally:
            for statement in (f"DATABASE IF EXISTS {own} WITH (FORCE)", f"ROLE {own}_owner", f"ROLE {own}_writer"):
                superuser.execute(f"DROP {statement}".encode())


def run(command: str, folder: Path, env: Mapping[str, str] = MappingProxyType({})) -> str:
    """Run one documented command; return its output."""
    expected = int(match[1]) if (match := re.search(r"# exit (\d+)$", command)) else 0
    words = shlex.split(command, comments=True)
    if words[0] == "make":  # would install and test again: what it would do is checked, not done
        words = ["make", "-n", "-C", str(ROOT), *words[1:]]
    elif words[0] == "docker":  # no engine here: what it names has to be there
        compose.check(words)
        return ""
    else:
        words = ["sh", "-c", command]
    done = subprocess.run(
        words,
        cwd=folder,
        env={**environment(folder), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BUDGET,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace")
    assert done.returncode == expected, f"$ {command}\nexit code {done.returncode}, not {expected}\n{output}"
    return output


def needing() -> list[Any]:
    """The pages; one with SQL needs PostgreSQL."""
    return [
        pytest.param(page, marks=pytest.mark.service) if "sql" in {one.language for one in fences(page)} else page
        for page in PAGES
    ]


@pytest.mark.parametrize("page", needing(), ids=name)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    """Whoever follows a page from top to bottom meets no error that the page does not announce."""
    with ExitStack() as stack:
        env = dict[str, str]()
        renamed: Callable[[str], str] = str
        for statements in (fence.text for fence in fences(page) if fence.language == "sql"):
            env, renamed = stack.enter_context(on_postgresql(statements))
        if any(fence.language == "console" and hubspot_docs.is_asked_by(fence.text) for fence in fences(page)):
            env = {**env, **stack.enter_context(hubspot_docs.portal())}
        follow(page, tmp_path, env, renamed)


def follow(page: Path, folder: Path, env: Mapping[str, str], renamed: Callable[[str], str]) -> None:
    """Do what a page says, from top to bottom."""
    for fence in fences(page):
        if fence.language == "console":
            for line in fence.text.splitlines():
                if line.startswith("$ "):
                    run(renamed(line.removeprefix("$ ")), folder, env)
        elif "." in fence.about and fence.language in {"csv", "text", "json", "toml"}:
            (folder / fence.about).write_text(fence.text, "utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_are_shown_where_they_are_run(page: Path) -> None:
    """A command outside a `console` fence would be run by nobody."""
    stray = [
        line
        for fence in fences(page)
        if fence.language != "console"
        for line in fence.text.splitlines()
        if re.match(r"(\$ )?(consent-ledger|make|docker) [a-z]", line)
    ]
    assert not stray or page == CLI_REFERENCE


# --- links ---------------------------------------------------------------------------------------


def links(page: Path) -> set[Path]:
    """The files of this repository that a page links to."""
    text = FENCE.sub("", page.read_text("utf-8"))
    targets = re.findall(r"]\(([^)\s]+)\)", text)
    return {
        (page.parent / target.partition("#")[0]).resolve()
        for target in targets
        if "://" not in target and not target.startswith(("#", "mailto:"))
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link into the repository names a file that is there."""
    assert [str(target) for target in sorted(links(page)) if not target.exists()] == []


def test_every_page_is_found_from_the_index() -> None:
    """A page nobody links to is a page nobody reads."""
    seen, new = set[Path](), {ROOT / "README.md"}
    while new:
        seen |= new
        new = {target for page in new for target in links(page) if target.suffix == ".md"} - seen
    assert [name(page) for page in PAGES if page.resolve() not in seen] == []


# --- the entry format ----------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> str:
    """RFC 6962, 2.1: what the Merkle tree of the log holds of an entry."""
    return hashlib.sha256(b"\x00" + entry).hexdigest()


def examples(about: str) -> list[bytes]:
    """The fences `json entry` (or `json refused`) of the page, as bytes."""
    found = [fence.text.removesuffix("\n").encode() for fence in fences(ENTRY_FORMAT) if fence.about == about]
    assert found
    return found


@pytest.mark.parametrize("entry", examples("entry"))
def test_an_entry_shown_is_an_entry_to_the_byte(entry: bytes) -> None:
    """Decoded and encoded again, an example is the same bytes."""
    assert encode(decode_strict(entry)) == entry


@pytest.mark.parametrize("entry", examples("refused"))
def test_an_entry_shown_as_refused_is_refused(entry: bytes) -> None:
    """What the page calls no entry, the codec calls no entry."""
    with pytest.raises(EntryError):
        decode_strict(entry)


def test_length_and_leaf_hash_of_each_entry_shown_are_right() -> None:
    """Each example says how long it is and what its leaf in the tree is."""
    said = re.findall(r"^(\d+) bytes; leaf hash `([0-9a-f]{64})`", ENTRY_FORMAT.read_text("utf-8"), re.MULTILINE)
    assert said == [(str(len(entry)), leaf_hash(entry)) for entry in examples("entry")]


def test_the_format_page_has_every_field_and_limit() -> None:
    """No field, topic or limit of the format is missing on its page."""
    text = ENTRY_FORMAT.read_text("utf-8")
    named = set(re.findall(r"`([\w.,]+)`", text))
    assert {*Event.__struct_fields__, *CountryHint.__struct_fields__, *TOPICS} - named == set()
    assert f"{MAX_ENTRY_BYTES:,}" in text


# --- generated parts -----------------------------------------------------------------------------


def kind_in_words(kind: Any) -> str:
    """A field's type as the reader of a JSON document would say it."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " ".join(f"`{part}`" for part in parts)
    if origin is typing.Annotated:
        return kind_in_words(parts[0])
    if origin is tuple:
        return f"list of {kind_in_words(parts[0])}s"
    if parts:
        return kind_in_words(next(part for part in parts if part is not type(None)))
    names = {
        "str": "token",
        "datetime": "time",
        "CountryHint": "hint",
        "int": "integer",
        "bool": "true or false",
    }
    return names[kind.__name__]


def default_in_words(default: object) -> str:
    """What an absent field means."""
    if default is None:
        return "unknown"
    return f"`{msgspec.json.encode(default).decode()}`" if default != () else "none"


def topics() -> str:
    """The table of topics: own fields, their types, and what their absence means."""
    rows = ["| topic | field | holds | absent means |", "| --- | --- | --- | --- |"]
    for topic, cls in TOPICS.items():
        hints = typing.get_type_hints(cls, include_extras=True)
        own = [field for field in msgspec.structs.fields(cls) if _is_own(field)]
        shown = f"`{topic}`"
        for field in own:
            absent = "never absent" if field.required else default_in_words(field.default)
            kind = "id" if field.name in ("other", "alike") else kind_in_words(hints[field.name])
            rows.append(f"| {shown} | `{field.name}` | {kind} | {absent} |")
            shown = ""
        if not own:
            rows.append(f"| {shown} | | | |")
    return "\n".join(rows)


def _is_own(field: msgspec.structs.FieldInfo) -> bool:
    return field.name not in Event.__struct_fields__


def cli_reference() -> str:
    """The reference of the command line, as typer writes it from the program itself."""
    done = subprocess.run(
        [sys.executable, "-m", "typer", "adapters.cli.main", "utils", "docs", "--name", "consent-ledger"],
        cwd=ROOT,
        env=environment(ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    body = re.sub(r"[ \t]+$", "", done.stdout, flags=re.MULTILINE).strip()
    body = body.replace("```console\n$ ", "```text\n")  # a usage line, not a command to run
    return (
        "<!-- Written by `make docs`; change the program, not this page. -->\n\n"
        f"{body}\n\n## Exit codes\n\n{exit_codes()}\n"
    )


def exit_codes() -> str:
    """What each exit code of the program means."""
    from adapters.cli.options import EXIT

    rows = [f"| {code.value} | {EXIT_CODES[code.name]} |" for code in EXIT]
    return "\n".join(["| code | means |", "| --- | --- |", *rows])


def demo() -> str:
    """What `make demo` prints, on a terminal of 80 columns."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["consent-ledger", "demo", "--out", "build/demo"],
            cwd=folder,
            env=environment(Path(folder)) | {"COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=True,
        )
        text = re.sub(r"[ \t]+$", "", done.stdout.replace(f"{folder}/", ""), flags=re.MULTILINE).strip("\n")
    return f"```text\n{text}\n```"


def kinds() -> str:
    """The rows of the table of sources."""
    from adapters.kinds import KINDS

    return "\n".join(
        ["| kind | what it settles | how to get it | what backs its times |", "| --- | --- | --- | --- |"]
        + [f"| {kind.name} | {kind.settles} | {kind.get} | {kind.clock} |" for kind in KINDS.values()]
    )


def between(text: str, marker: str, new: str | None = None) -> str:
    """The part of a page between its markers, or the page with a new one."""
    found = re.search(rf"(?<=<!-- {marker} -->\n).*?(?=\n<!-- /{marker} -->)", text, re.DOTALL)
    assert found, f"no <!-- {marker} -->"
    return found[0] if new is None else text[: found.start()] + new + text[found.end() :]


def test_the_table_of_topics_is_fresh() -> None:
    """`make docs` would change nothing."""
    assert between(ENTRY_FORMAT.read_text("utf-8"), "topics") == topics()


def test_the_reference_of_the_command_line_is_fresh() -> None:
    """`make docs` would change nothing."""
    assert CLI_REFERENCE.read_text("utf-8") == cli_reference()


def test_the_table_of_sources_is_fresh() -> None:
    """`make docs` would change nothing."""
    assert between(OTHER_FILES.read_text("utf-8"), "kinds") == kinds()


def test_the_tables_of_the_streams_are_fresh() -> None:
    """`make docs` would change nothing; the files beside them are tested with the schemas."""
    page = streams_docs.TOPICS_PAGE.read_text("utf-8")
    assert between(page, "topics") == streams_docs.topics_table()
    assert between(page, "settings") == streams_docs.settings_table()


def http_tables(text: str) -> str:
    """The page of the HTTP service with its tables made anew."""
    for part in (http_docs.operations, http_docs.roles, http_docs.problems):
        text = between(text, part.__name__, part())
    return text


def test_the_tables_of_the_http_service_are_fresh() -> None:
    """`make docs` would change nothing."""
    assert HTTP.read_text("utf-8") == http_tables(HTTP.read_text("utf-8"))


def test_the_openapi_document_is_fresh() -> None:
    """`make docs` would change nothing."""
    assert OPENAPI.read_text("utf-8") == http_docs.openapi_json()


def test_the_readme_shows_what_the_demo_prints() -> None:
    """The figures follow the day on which `make docs` ran; names of buckets, files and the warning do not."""
    from adapters.report.wording import BUCKETS, FILES, NOT_ADVICE, SPEAKERS
    from projections.verdicts import Bucket, Speaker

    shown = " ".join(between((ROOT / "README.md").read_text("utf-8"), "demo").split())
    printed = " ".join(demo().split())
    names = {bucket: name for bucket, (name, _, _) in BUCKETS.items()}
    names[Bucket.STOPPED], _ = SPEAKERS[Speaker.PERSON]  # the stopped stand there by who stopped them
    for words in (*(name.lower() for name in names.values()), *FILES, NOT_ADVICE):
        assert words in shown
        assert words in printed


def test_the_files_page_names_every_file_of_an_audit() -> None:
    """Each file that an audit writes is explained."""
    from adapters.report.wording import FILES

    text = (ROOT / "docs/reference/files.md").read_text("utf-8")
    assert [file for file in FILES if f"`{file}`" not in text] == []


def _anew(made: str, _before: str) -> str:
    return made


def write() -> None:
    """Write the generated parts again."""

    def mend(path: Path, change: Callable[[str], str]) -> None:
        before = path.read_text("utf-8") if path.exists() else ""
        after = change(before)
        if after != before:
            path.write_text(after, "utf-8")
            print(f"wrote {name(path)}")

    mend(ENTRY_FORMAT, lambda text: between(text, "topics", topics()))
    mend(OTHER_FILES, lambda text: between(text, "kinds", kinds()))
    mend(CLI_REFERENCE, lambda _: cli_reference())
    mend(streams_docs.TOPICS_PAGE, lambda text: between(text, "topics", streams_docs.topics_table()))
    mend(streams_docs.TOPICS_PAGE, lambda text: between(text, "settings", streams_docs.settings_table()))
    for path, made in streams_docs.files().items():
        mend(path, partial(_anew, made))
    mend(HTTP, http_tables)
    mend(OPENAPI, lambda _: http_docs.openapi_json())
    mend(ROOT / "README.md", lambda text: between(text, "demo", demo()))


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit("usage: python -m tests.test_docs --write")
    write()
