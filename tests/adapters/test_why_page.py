"""The page for counsel and the one for the person: what stands on it, and what must not."""

from __future__ import annotations

import io
import json
import re
import stat
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.report.why import Why, why_json
from adapters.report.why_blocks import Page
from adapters.report.why_html import why_html
from adapters.report.why_page import NO_SEND, counsel_page
from adapters.report.why_pdf import ATTACHED, NOT_SHOWN, why_pdf
from adapters.why_evidence import words_of
from adapters.why_person import for_person
from adapters.whys import Asked, answer
from ledger import events as e
from ledger.commands import CommandRefusedError
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from tests.adapters.why_world import ANA, SUBJECT, World, at, classified, opened, opted_out, sent, signed_up

SEND_DAY = Asked(at(2024, 1, 10, 23, 59, 59), day=date(2024, 1, 10))


def asked(directory: Path, question: Asked = SEND_DAY, whom: str = ANA, *, person: bool = False) -> Why:
    """One answer from a ledger's directory."""
    with opened(directory) as house:
        why = answer(house, whom, question)
        return for_person(house, whom, question, why) if person else why


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Ana signed up in May 2023; a campaign mail went out in January 2024; it is classified."""
    made = World(tmp_path / "ledger")
    who = signed_up(made)
    classified(made)
    sent(made, who, at(2024, 1, 10, 7, 5))
    return made


def on(*day: int) -> Asked:
    """A whole day."""
    return Asked(at(*day, 23, 59, 59), day=date(*day))


def pdf_text(content: bytes) -> str:
    """Every word of a PDF, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def all_text(page: Page) -> str:
    """Every word of a page."""
    return msgspec.json.encode(page).decode()


# --- the first line, and the purposes -------------------------------------------------------------


def test_the_first_line_is_the_send_on_record(world: World) -> None:
    """Message id, subject, campaign, sending entity, list, purpose and who classified it."""
    why = asked(world.directory)
    (first,) = counsel_page(why).first
    for said in (
        "2024-01-10 07:05 UTC",
        SUBJECT,
        "<1f3a.winter@mail.example.de>",
        "campaign Winter sale 2024",
        "from Example GmbH <news@example.de>",
        "list Newsletter DE",
        "purpose: advertising for similar products of our own",
        "classified by Mark Market, head of marketing, on 2024-02-01",
    ):
        assert said in first
    assert why.question.on == at(2024, 1, 10, 7, 5)
    assert why.verdict == why.sends[0].verdict == "allowed by the rules applied"


def test_without_a_send_the_page_says_so(world: World) -> None:
    why = asked(world.directory, on(2024, 1, 11))
    assert counsel_page(why).first == (NO_SEND + " Sends at other times are in the history below.",)
    assert NO_SEND == "No send on record; this answers whether one would have been allowed."
    assert NO_SEND in pdf_text(why_pdf(why))


def test_an_allowed_answer_says_since_when_and_until_when(world: World) -> None:
    """From the moment every need was met; a day where it ends by itself."""
    why = asked(world.directory, on(2024, 1, 11))
    assert why.since is not None
    assert why.since <= why.question.on
    assert f"Allowed since {why.since:%Y-%m-%d}" in pdf_text(why_pdf(why))


def test_a_classification_without_a_file_is_none(tmp_path: Path) -> None:
    """Who says it is named; the purpose stays unknown, and every purpose has its line."""
    made = World(tmp_path / "ledger")
    who = signed_up(made)
    classified(made, shown=False)
    sent(made, who, at(2024, 1, 10, 7, 5))
    why = asked(made.directory)
    assert (why.sends[0].purpose, why.sends[0].verdict) == (None, None)
    assert "Mark Market, head of marketing, says marketing.similar, without evidence" in counsel_page(why).first[0]
    assert [line.purpose for line in why.answers] == list(MARKETING_PURPOSES)


def test_a_named_purpose_is_answered_alone(world: World) -> None:
    every = asked(world.directory)
    assert {line.purpose: line.verdict for line in every.answers}["marketing.third_party"] != every.verdict
    one = asked(world.directory, SEND_DAY._replace(purpose="marketing.third_party"))
    assert one.answers == ()
    assert one.question.purpose == "marketing.third_party"
    assert one.verdict == "not allowed by the rules applied"


def test_the_send_is_judged_at_its_own_moment(world: World) -> None:
    """A no in the evening does not reach back to the morning; asked about the evening, it holds."""
    world.time = at(2024, 3, 1)
    opted_out(world, world.person(ANA), at(2024, 1, 10, 18))
    assert asked(world.directory).verdict == "allowed by the rules applied"
    evening = asked(world.directory, Asked(at(2024, 1, 10, 20)))
    assert evening.verdict == "not allowed by the rules applied"


# --- clocks and objections ------------------------------------------------------------------------


def test_an_objection_shows_its_times_and_the_sends_in_between(world: World) -> None:
    """Said on 1 June, recorded on 20 June: one send before, two in between, one since."""
    who = world.person(ANA)
    world.time = at(2024, 6, 20, 9)
    for day in (5, 15):
        sent(world, who, at(2024, 6, day, 7))
    opted_out(world, who, at(2024, 6, 1, 12))
    world.time = at(2024, 7, 2)
    sent(world, who, at(2024, 7, 1, 7))
    why = asked(world.directory, on(2024, 6, 15))
    (stop,) = why.stops
    assert (stop.received_from, stop.effective, stop.recorded.date()) == (
        at(2024, 6, 1, 12),
        at(2024, 6, 1, 12),
        date(2024, 6, 20),
    )
    assert [send.at for send in stop.between] == [at(2024, 6, 5, 7), at(2024, 6, 15, 7)]
    assert [send.at for send in stop.after] == [at(2024, 7, 1, 7)]
    assert stop.words == "Bitte keine Werbung mehr"
    assert why.verdict == "not allowed by the rules applied"
    assert why.known_then == "On what this ledger held at that moment, the answer was: allowed by the rules applied."
    shown = pdf_text(why_pdf(why))
    assert "2: 2024-06-05, 2024-06-15" in shown
    assert "1: 2024-07-01" in shown


def test_a_no_without_a_time_holds_from_ever(world: World) -> None:
    opted_out(world, world.person(ANA), None)
    why = asked(world.directory)
    assert why.stops[0].effective is None
    assert len(why.stops[0].between) == 1
    assert "always, as its day is unknown" in pdf_text(why_pdf(why))


def test_the_three_clocks_stand_apart(world: World) -> None:
    row = next(one for one in asked(world.directory).timeline if one.kind == "grant")
    assert (row.happened_from, row.held_since) == (at(2023, 5, 4, 8, 30), at(2023, 5, 4, 8, 30))
    assert row.recorded_at.date() == date(2024, 2, 1)
    assert row.note == "counts"


# --- grounds --------------------------------------------------------------------------------------


def test_the_declaration_it_rests_on_is_named_with_its_evidence(world: World) -> None:
    """Who declared what, in which role, when, and the SHA-256 of what shows it."""
    why = asked(world.directory)
    (said,) = why.declarations
    assert (said.by, said.role, said.on) == ("Dora Duty", "data protection officer", "2024-02-01")
    assert said.says.startswith("box newsletter of form kontakt: not ticked beforehand, not required")
    shown = pdf_text(why_pdf(why))
    assert f"declaration {said.position} by Dora Duty, data protection officer, 2024-02-01" in shown
    for one in why.documents:
        assert one.sha256 in shown.replace("\u200b", "")
    assert set(said.evidence) < {one.sha256 for one in why.documents}
    words = next(one.text for one in why.documents if one.role == "wording shown")
    assert words is not None
    assert words.startswith("[ ] Yes, Example GmbH may send me its newsletter")
    assert "track()" not in words


def test_a_declaration_without_a_file_shows_nothing(tmp_path: Path) -> None:
    made = World(tmp_path / "ledger")
    signed_up(made, evidence=False)
    why = asked(made.directory, Asked(at(2024, 2, 2)))
    assert why.verdict == "cannot be shown"
    assert why.would_change[0].startswith(f"a file that shows declaration {why.declarations[0].position}")
    assert "without a file that shows it: it counts as unknown" in all_text(counsel_page(why))


def test_the_platforms_terms_are_a_second_line(world: World) -> None:
    """A law that asks nobody does not satisfy them; consent does."""
    assert "permission shown. They accept" in all_text(counsel_page(asked(world.directory)))
    who = world.person("bob@example.com")
    hints = (e.CountryHint(country="US", kind="declared"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="hubspot.export", hints=hints))
    document = world.keep(b'{"controller":"Example GmbH"}')
    world.record(e.ControllerDescribed(stream=LEDGER_STREAM, source="cli", document=document, country="US"))
    why = asked(world.directory, Asked(at(2024, 2, 2), purpose="marketing.similar"), "bob@example.com")
    assert why.basis == "opt_out_regime"
    assert why.platform is not None
    assert not why.platform.shown
    assert "HubSpot's terms" in all_text(counsel_page(why))


def test_open_requests_have_a_due_day_until_answered(world: World) -> None:
    """One month, on the calendar of the sender's country: 31 January is due on 29 February."""
    who = world.person(ANA)
    about: dict[str, Any] = {"stream": who[0], "address": who[1], "source": "cli"}
    world.record(e.AccessRequested(**about, occurred_from=at(2024, 1, 31, 8)))
    (request,) = asked(world.directory).requests
    assert (request.kind, request.received, request.due) == ("access", date(2024, 1, 31), date(2024, 2, 29))
    assert "to be answered by 2024-02-29" in pdf_text(why_pdf(asked(world.directory)))
    world.record(e.AccessAnswered(**about, occurred_from=at(2024, 2, 10)))
    assert asked(world.directory).requests == ()


def test_what_was_not_looked_at_is_said_with_how_to_get_it(world: World) -> None:
    why = asked(world.directory)
    assert {one.name for one in why.looked_at} == {"contacts export", "form submissions"}
    (forms,) = (one for one in why.looked_at if one.name == "form submissions")
    assert (forms.taken_on, forms.first, forms.last) == (date(2024, 1, 31), date(2023, 5, 4), date(2024, 1, 20))
    missing = {one.name: one for one in why.not_looked_at}
    assert missing["unsubscribes and bounces"].could_change
    assert not missing["deals with their contacts"].could_change
    assert missing["unsubscribes and bounces"].get in pdf_text(why_pdf(why))


def test_the_same_question_on_what_was_known_then(world: World) -> None:
    """`known_at` before the import: nothing is held, and no such thing as a wording is shown."""
    why = asked(world.directory, SEND_DAY._replace(known_at=at(2024, 1, 1)))
    assert [why.timeline, why.documents, why.declarations, why.looked_at] == [(), (), (), ()]
    assert why.verdict == "not allowed by the rules applied"
    assert "Nothing on record." in pdf_text(why_pdf(why))


# --- the PDF --------------------------------------------------------------------------------------


def test_the_pdf_is_archival_accessible_and_the_same_every_time(world: World) -> None:
    why = asked(world.directory)
    content = why_pdf(why)
    assert content == why_pdf(asked(world.directory))
    reader = PdfReader(io.BytesIO(content))
    metadata: Any = reader.trailer["/Root"]["/Metadata"]  # type: ignore[index]
    xmp = metadata.get_data().decode()
    assert re.search(r"<pdfaid:part>3</pdfaid:part>\s*<pdfaid:conformance>A</pdfaid:conformance>", xmp)
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert reader.metadata is not None
    assert reader.metadata.creation_date == why.question.known_at.replace(microsecond=0)
    assert reader.attachments[ATTACHED] == [why_json(why)]


@pytest.mark.parametrize("whose", ["counsel", "person"])
def test_the_common_case_is_one_sheet(world: World, whose: str) -> None:
    """With every purpose, one objection, an access request, a note, a linked record."""
    who = world.person(ANA)
    world.time = at(2024, 6, 20, 9)
    opted_out(world, who, at(2024, 6, 1, 12))
    world.record(e.AccessRequested(stream=who[0], address=who[1], source="cli", occurred_from=at(2024, 6, 18)))
    world.record(e.NoteAdded(stream=who[0], source="cli"), name="Carla", role="counsel", text="Complaint of 18 June.")
    for day in ((2024, 1, 10), (2024, 6, 15)):
        why = asked(world.directory, on(*day), person=whose == "person")
        assert len(PdfReader(io.BytesIO(why_pdf(why))).pages) == 1


def test_what_does_not_fit_stands_in_the_annex(world: World) -> None:
    who = world.person(ANA)
    for day in range(1, 29):
        sent(world, who, at(2023, 12, day, 7), f"Offer {day}")
    page = counsel_page(asked(world.directory))
    assert [part.anchor for part in page.annex] == ["all-history", "all-sources"]
    pages = PdfReader(io.BytesIO(why_pdf(asked(world.directory)))).pages
    assert len(pages) == 2
    assert "2023-12-01 07:00" in pages[1].extract_text()
    assert "Note of counsel" in pages[0].extract_text()


HOSTILE = (
    SUBJECT,
    '#read("/etc/passwd") #import "x.typ": * ] } ) \\ " \' `raw` = Head\n- item',
    "</title></style></svg><img src=x onerror=alert(1)> &amp; <!-- ",
    "x" * 4000,
    "\x00\x1b[31m\u202egnp.exe\ud7ff\ufeff\u00ad\u200b",
)


@pytest.mark.parametrize("subject", HOSTILE)
def test_foreign_text_is_only_ever_text(world: World, subject: str) -> None:
    """Neither typesetter nor browser reads a subject as anything but letters."""
    sent(world, world.person(ANA), at(2024, 1, 11, 7), subject)
    why = asked(world.directory, on(2024, 1, 11))
    page = why_html(why)
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</svg>") == 1
    assert page.count("</style>") == 1
    shown = pdf_text(why_pdf(why))
    assert subject[:20].split("\x00", maxsplit=1)[0].strip() in shown
    assert "root:" not in shown


@pytest.mark.parametrize(
    "subject", ["Ωμέγα Привет Łódź Ñandú ß", "漢字 😀", "مرحبا שלום हिन्दी", "\ue000 private", "\u0e01\u0e33"]
)
def test_every_script_is_shown_or_said_not_to_be(world: World, subject: str) -> None:
    """No empty boxes: the machine's fonts, or the letter's number and a line that says so."""
    sent(world, world.person(ANA), at(2024, 1, 11, 7), subject)
    why = asked(world.directory, on(2024, 1, 11))
    content = why_pdf(why)
    assert content == why_pdf(why)
    shown = pdf_text(content)
    spelled = f"[U+{ord(subject[0]):04X}]"
    assert (spelled in shown) == (NOT_SHOWN[:30] in shown)
    assert json.loads(PdfReader(io.BytesIO(content)).attachments[ATTACHED][0])["sends"][0]["subject"] == subject


def test_the_html_loads_nothing_and_holds_the_table_twin(world: World) -> None:
    page = why_html(asked(world.directory))
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert 'role="img" aria-label=' in page
    for said in ("source held it since", "we hold it since", "2023-05-04 08:30", "Note of counsel"):
        assert said in page
    assert "lawful" not in page.lower()
    assert "verdict" not in page.lower()


# --- the person -----------------------------------------------------------------------------------

MARKS = (
    "LEAKNOTE",
    "LEAKAUTHOR",
    "LEAKLINK",
    "LEAKWORDS",
    "LEAKLIST",
    "LEAKMESSAGE",
    "LEAKCAMPAIGN",
    "LEAKFROM",
    "Dora Duty",
    "Mark Market",
    "l…@e…",
    "4711",
    "hubspot",
    "CL-",
)


def test_the_page_for_the_person_holds_nothing_of_others(world: World) -> None:
    """Markers in everything that is not theirs: none reaches the JSON, the HTML or the PDF."""
    who, other = world.person(ANA), world.person("leakother@example.org", "4712")
    world.time = at(2024, 6, 20, 9)
    event = e.CampaignMailSent(
        stream=who[0], address=who[1], source="hubspot.events", campaign="LEAKCAMPAIGN", occurred_from=at(2024, 6, 15)
    )
    kept = {"message_id": "LEAKMESSAGE", "from": "LEAKFROM", "list": "LEAKLIST", "campaign": "LEAKCAMPAIGN"}
    world.record(event, subject="Summer", **kept)
    classified(world, "LEAKCAMPAIGN")
    world.record(e.NoteAdded(stream=who[0], source="cli"), name="LEAKAUTHOR", role="counsel", text="LEAKNOTE")
    opted_out(world, who, at(2024, 6, 1), "LEAKWORDS")
    for one, two in ((who, other), (other, who)):
        link = e.ContactsLinked(stream=one[0], source="ledger.command", other=two[0], by="officer")
        world.record(link, name="LEAKLINK", role="RevOps", reason="same person")
    world.record(e.AccessRequested(stream=other[0], address=other[1], source="cli", occurred_from=at(2024, 6, 2)))
    opted_out(world, other, at(2024, 5, 1), "LEAKWORDS")
    counsel = asked(world.directory, on(2024, 6, 15))
    told = all_text(counsel_page(counsel)) + why_json(counsel).decode()
    assert [mark for mark in MARKS if mark.lower() not in told.lower()] == []  # every marker is there to be kept back
    why = asked(world.directory, on(2024, 6, 15), person=True)
    assert why.requests == ()
    content = why_pdf(why)
    for shown in (why_json(why).decode(), why_html(why).partition("</style>")[2], pdf_text(content)):
        kept_back = (*MARKS, "leakother", "4712", "2024-05-01", "2024-06-02")
        assert [mark for mark in kept_back if mark.lower() in shown.lower()] == []
        assert not re.search("[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-", shown)
        assert ANA in shown
        assert "Summer" in shown
    assert PdfReader(io.BytesIO(content)).attachments[ATTACHED] == [why_json(why)]
    assert {row.position for row in why.timeline} == {None}
    assert "You objected to marketing" in pdf_text(content)


def test_the_page_for_the_person_leaves_out_their_other_address(world: World) -> None:
    who = world.person(ANA)
    home = "b1b1b1b1-0000-4000-8000-000000000001"
    event = e.EmailSent(stream=who[0], address=home, source="hubspot.events", occurred_from=at(2024, 1, 9))
    world.record(event, subject="To the other address")
    assert "To the other address" not in why_json(asked(world.directory, person=True)).decode()


# --- notes, files, the command line ---------------------------------------------------------------


def run(*arguments: object, exit_code: int = 0) -> str:
    """A command in this process."""
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result.stdout


def test_a_note_is_a_fact_and_shown_later(world: World) -> None:
    world.ledger.close()
    where = ("--ledger", world.directory)
    run("note", ANA, "--by", "Carla Counsel", "--role", "counsel", "--note", "Settled by letter.", *where)
    why = json.loads(run("why", ANA, "--json", *where))
    assert [(one["by"], one["role"], one["text"]) for one in why["notes"]] == [
        ("Carla Counsel", "counsel", "Settled by letter.")
    ]
    assert "Carla Counsel, counsel: Settled by letter." in " ".join(run("why", ANA, *where).split())
    assert "Settled" not in run("why", ANA, "--for", "person", "--json", *where)
    with pytest.raises(CommandRefusedError, match="name and role"):
        run("note", ANA, "--by", " ", "--role", "counsel", "--note", "x", *where)


def test_the_files_are_what_the_json_says(world: World, tmp_path: Path) -> None:
    """Private files; the attachment is what `--json` prints."""
    world.ledger.close()
    pdf, html = tmp_path / "why.pdf", tmp_path / "why.html"
    options = (ANA, "--on", "2024-01-10", "--ledger", world.directory)
    printed = run("why", *options, "--pdf", pdf, "--html", html, "--json")
    assert PdfReader(pdf).attachments[ATTACHED] == [printed.encode()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (pdf, html)} == {0o600}
    first = pdf.read_bytes()
    run("why", *options, "--pdf", pdf)
    assert pdf.read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger", "why.html", "why.pdf"]
    run("why", *options, "--for", "nobody", exit_code=2)


@pytest.mark.parametrize(
    ("content", "form", "text"),
    [
        (b"%PDF-1.7 ...", "PDF", None),
        (b"\x80\x81\xff", "file without text", None),
        ("Für Sie".encode("utf-16"), "text", "Für Sie"),
        (b"a\n\n  b  c ", "text", "a\nb c"),
        (b"<p>One<br>two <input type=radio checked required> ok</p>", "web page", "One\ntwo [x] (required) ok"),
        (b"1 < 2 and 3 > 2", "text", "1 < 2 and 3 > 2"),
    ],
)
def test_documents_are_shown_as_words(content: bytes, form: str, text: str | None) -> None:
    assert words_of(content)[:2] == (form, text)


def test_a_long_document_says_that_it_is_shortened() -> None:
    words = words_of(b"word " * 2000)
    assert words.shortened
    assert words.text is not None
    assert len(words.text) == 2400


def test_moments_are_datetimes_of_the_log_alone(world: World) -> None:
    """Without `--known-at` the page is dated by the last fact it could rest on, not by a clock."""
    why = asked(world.directory)
    recorded: datetime = max(row.recorded_at for row in why.timeline)
    assert why.question.known_at >= recorded
    assert why.question.known_at.date() == date(2024, 2, 1)
