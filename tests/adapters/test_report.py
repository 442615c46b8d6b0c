"""The folder of an audit: what it says, what it hides, and that nothing in it can be run."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import stat
import weakref
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from adapters.report import wording
from adapters.report.cells import fits_import, reading_cell
from adapters.report.documents import audit_schema
from adapters.report.files import write_outputs
from adapters.report.markup import Html, linked_files
from adapters.report.masking import mask_email
from adapters.report.permission import own_routes
from adapters.report.tally import SumsDisagreeError
from adapters.report.text import render_audit
from adapters.report.wording import percent
from projections.verdicts import (
    REASONS,
    UNNAMED,
    Action,
    Audit,
    Before,
    Bucket,
    CorrectionListed,
    Count,
    DeclarationRests,
    Expiring,
    FileRead,
    Looked,
    Money,
    OriginCount,
    RuleSet,
    Speaker,
    Verdict,
    speaker_of,
)

HOSTILE = '<script>alert("x")</script><img src=http://evil.example/x.png>'
NAMES = {
    "audit.json",
    "do-not-send.csv",
    "IMPORT-ORDER.md",
    "manifest.json",
    "may-be-asked.csv",
    "NEXT-STEPS.md",
    "NEXT-STEPS.html",
    "IMPORT-ORDER.html",
    "opt-out-list.csv",
    "rejected.csv",
    "report.html",
    "set-non-marketing.csv",
    "verdicts.csv",
}


class Rejected(msgspec.Struct, frozen=True):
    """A rejected row, as an importer might shape it."""

    file: str
    row: int
    column: str | None
    reason: str


def verdict(number: int, bucket: Bucket, action: Action, reason: str, **more: object) -> Verdict:
    """One verdict with an address of its own."""
    values: dict[str, object] = {
        "record_id": str(1000 + number),
        "email": f"person{number}@example{number}.com",
        "bucket": bucket,
        "action": action,
        "reason": reason,
        "reference": f"0f8fad5b-d9cb-469f-a165-{number:012d}@{5000 + number}",
        "marketing": True,
        "stopped_by": speaker_of(reason) if bucket is Bucket.STOPPED else None,
        **more,
    }
    return msgspec.convert(values, Verdict)


def rich_verdicts() -> Iterator[Verdict]:
    """Every bucket, action and flag, and a few records that mean harm."""
    for number in range(40):
        yield verdict(
            number,
            Bucket.BASIS_PROVEN,
            Action.KEEP,
            "proven",
            allowed=True,
            basis="soft_opt_in" if number % 3 else "explicit_consent",
            rule="GB-PECR-22-3" if number % 3 else "GB-PECR-22-2",
            expires_at=date(2027, 1, 31),
            platform_shown=number % 3 == 0,
            declaration=77 if number >= 30 else None,
            may_be_asked=number < 3,
            ask_basis="implied_consent" if number == 1 else "explicit_consent",
            ask_until=date(2027, 1, 31) if number == 1 else None,
        )
    claims = (
        "claimed_consent",
        "claimed_sale",
        "claimed_interest",
        "claimed_confirmation",
        "claimed_evidence",
    )
    for number in range(40, 70):
        flag = (True, None, False)[number % 3]
        yield verdict(
            number,
            Bucket.BASIS_CLAIMED,
            Action.REVIEW,
            claims[number % 5],
            marketing=flag,
            question="consent",
            next_step="bring_form_record" if number % 2 else "dpo_question:consent",
        )
    for number in range(70, 160):
        lead = "form" if number < 80 else None
        step = "ask_at_next_own_act" if lead else f"delete_after:20{25 + number % 3}-06-30"
        yield verdict(
            number,
            Bucket.NO_BASIS,
            Action.SET_NON_MARKETING,
            "nothing_known",
            wave=3 if lead else 2,
            next_step=step,
        )
    for number in range(160, 200):
        yield verdict(number, Bucket.NO_BASIS, Action.NONE, "nothing_known", marketing=False)
    stops = ("opted_out", "objected", "complained", "erasure_requested")
    for number in range(200, 220):
        yield verdict(
            number,
            Bucket.STOPPED,
            Action.SET_NON_MARKETING,
            stops[number % 4],
            stopped_all=True,
            shown_stopped=number % 2 == 0,
            wave=1,
        )
    yield verdict(
        220, Bucket.STOPPED, Action.SET_NON_MARKETING, "opted_out", stopped_all=True, email="=1+1@evil.com", wave=1
    )
    yield verdict(
        221,
        Bucket.STOPPED,
        Action.NONE,
        "opted_out",
        stopped_all=True,
        email="PERSON201@example201.com",
        marketing=False,
    )
    yield verdict(222, Bucket.CONFLICT, Action.REVIEW, "same_record_twice", record_id="=cmd|' /C calc'!A0")
    yield verdict(
        223,
        Bucket.CONFLICT,
        Action.REVIEW,
        "times_overlap",
        email=HOSTILE + "@example.com",
        record_id=HOSTILE,
    )
    yield verdict(224, Bucket.CONFLICT, Action.REVIEW, "two_contacts", email="-x@example.com", record_id=None)
    yield verdict(225, Bucket.NO_BASIS, Action.SET_NON_MARKETING, "undeliverable", undeliverable=True, wave=1)
    yield verdict(226, Bucket.NO_BASIS, Action.SET_NON_MARKETING, "no_address", email=None, record_id=None, wave=2)


def audit_of(verdicts: list[Verdict], **more: object) -> Audit:
    """The sums of these verdicts, with everything else a report shows."""
    buckets = {str(bucket): Count() for bucket in Bucket}
    for one in verdicts:
        buckets[one.bucket].contacts += 1
        buckets[one.bucket].marketing += one.marketing is True
    stopped_by = {str(speaker): Count() for speaker in Speaker}
    for one in verdicts:
        if one.stopped_by is not None:
            stopped_by[one.stopped_by].contacts += 1
            stopped_by[one.stopped_by].marketing += one.marketing is True
    actions = Counter(str(one.action) for one in verdicts)
    acted: dict[str, Counter[str]] = {}
    for one in verdicts:
        acted.setdefault(str(one.bucket), Counter())[str(one.action)] += 1
    proven = [one for one in verdicts if one.bucket is Bucket.BASIS_PROVEN]
    values: dict[str, object] = {
        "at": datetime(2026, 11, 23, 10, 15, tzinfo=UTC),
        "controller": "Example & Söhne GmbH",
        "sender_country": None,
        "assumed_country": None,
        "timezone": None,
        "purpose": None,
        "files": [],
        "totals": {
            "contacts": len(verdicts),
            "marketing": sum(one.marketing is True for one in verdicts),
            "rejected": 0,
            "marketing_unknown": sum(one.marketing is None for one in verdicts),
        },
        "buckets": buckets,
        "stopped_by": stopped_by,
        "actions": {str(action): actions[action] for action in Action},
        "actions_by_bucket": acted,
        "reasons": dict(Counter(one.reason for one in verdicts)),
        "jurisdictions": {},
        "expiring": [],
        "avoidable_marketing": actions["set_non_marketing"],
        "do_not_send": sum(one.marketing is not False and not one.allowed for one in verdicts),
        "stopped_still_marketing": buckets["stopped"].marketing,
        "undeliverable_marketing": sum(one.undeliverable for one in verdicts),
        "scheduled": 0,
        "rule_set": RuleSet(
            hash="9f" * 32, adopted_by=None, resting_on_medium=0, resting_on_policy=0, rules_unchecked=0
        ),
        "corrections": [],
        "notes": [],
        "ledger_position": 0,
        "next_steps": dict(Counter(one.next_step.partition(":")[0] for one in verdicts)),
        "questions": dict(Counter(one.question for one in verdicts if one.question)),
        "waves": dict(Counter(str(one.wave) for one in verdicts if one.wave)),
        "proven_own_record": sum(one.declaration is None for one in proven),
        "proven_declared": sum(one.declaration is not None for one in proven),
        "without_consent": sum(one.basis == "opt_out_regime" for one in proven),
        "platform_not_shown": sum(one.platform_shown is False for one in proven),
        "may_be_asked": sum(one.may_be_asked for one in verdicts),
        **more,
    }
    return Audit(**values)  # type: ignore[arg-type]


def rich_audit() -> Audit:
    """An audit with something in every part, some of it hostile."""
    file = FileRead(
        name="hubspot-contacts.csv",
        sha256="ab" * 32,
        encoding="cp1252",
        encoding_assumed=True,
        delimiter=";",
        language="German",
        rows=229,
        records=227,
        without_address=1,
        rejected=2,
        columns_used=("Datensatz-ID", "E-Mail", "Marketingkontakt-Status", "Von allen E-Mails abgemeldet"),
        columns_left_out=("Vorname", "Nachname", "Telefonnummer", HOSTILE),
        columns_missing=("Rechtsgrundlage für die Datenverarbeitung",),
    )
    correction = CorrectionListed(
        position=4711,
        undoes=4002,
        recorded_at=datetime(2026, 10, 2, 8, 30, tzinfo=UTC),
        actor="dpo",
        reason="wrong address typed in by the call centre",
        reference="0f8fad5b-d9cb-469f-a165-70867728950e@4711",
    )
    return audit_of(
        list(rich_verdicts()),
        files=[file, msgspec.structs.replace(file, name=HOSTILE, encoding="utf-8", encoding_assumed=False)],
        sender_country="DE",
        jurisdictions={
            "DE": Count(contacts=120, marketing=90),
            "GB": Count(contacts=60, marketing=50),
            "XX": Count(contacts=47, marketing=20),
        },
        expiring=[
            Expiring(month="2027-01", rule="GB-PECR-22-3", contacts=26),
            Expiring(month="2026-12", rule="CA-10-10-E", contacts=3),
        ],
        scheduled=4,
        rule_set=RuleSet(
            hash="9f" * 32, adopted_by=None, resting_on_medium=7, resting_on_policy=3, rules_unchecked=44, rules=67
        ),
        corrections=[correction],
        notes=["2 rows had more cells than the header", HOSTILE],
        ledger_position=5300,
        declarations=[
            DeclarationRests(
                position=77,
                key="form:webinar-2025",
                name="Ana Muster",
                role="DPO",
                declared_on="2026-10-01",
                contacts=10,
                marketing=10,
            )
        ],
        origins=[
            OriginCount(by="flag_source", value="contact_import", contacts=61),
            OriginCount(by="flag_source", value="form_submission", contacts=22),
            OriginCount(by="flag_source_name", value=HOSTILE, contacts=40),
            OriginCount(by="source", value="Offline Sources", contacts=58),
            OriginCount(by="created_month", value="2023-04", contacts=33),
        ],
        looked_at=[
            Looked(
                kind="export",
                looked_at=True,
                files=1,
                facts=900,
                taken_on=datetime(2026, 11, 20, 9, tzinfo=UTC),
                first=date(2021, 3, 2),
                last=date(2026, 11, 20),
            ),
            Looked(kind="subscriptions", looked_at=False, could_change=3),
            Looked(kind="forms", looked_at=False, could_change=15),
            Looked(kind="audience", looked_at=False),
        ],
        money=Money(tier=10000, price=500.0, currency="EUR", step=1000, renewal=date(2027, 3, 1)),
        before=Before(at=datetime(2026, 10, 1, 8, tzinfo=UTC), buckets={"basis_proven": 12, "no_basis": 158}),
    )


def write_rich(folder: Path) -> list[Path]:
    """The rich audit, written."""
    rejected = [
        Rejected("hubspot-contacts.csv", 17, "E-Mail", "not an address"),
        Rejected("hubspot-contacts.csv", 91, None, '=HYPERLINK("http://evil.example")'),
    ]
    return write_outputs(rich_audit(), rich_verdicts(), rejected, folder, tool_version="0.1.0")


def rows_of(path: Path) -> list[list[str]]:
    """A CSV as lists, its line ends checked."""
    content = path.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rich audit on disk, for tests that only look at it."""
    out = tmp_path_factory.mktemp("audit") / "out"
    write_rich(out)
    return out


def test_writes_every_file_for_the_owner_alone(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == NAMES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_returns_the_report_first(tmp_path: Path) -> None:
    written = write_rich(tmp_path / "out")
    assert written[0].name == "report.html"
    assert {path.name for path in written} == NAMES


def test_same_arguments_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_rich(tmp_path / "again")
    write_rich(tmp_path / "again")  # over itself: what is there is replaced
    for name in NAMES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_failed_run_leaves_what_was_there(tmp_path: Path) -> None:
    write_rich(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken() -> Iterator[Verdict]:
        yield next(rich_verdicts())
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_outputs(rich_audit(), broken(), [], tmp_path)
    with pytest.raises(SumsDisagreeError):
        write_outputs(rich_audit(), list(rich_verdicts())[1:], [], tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_audit_completed_by_its_own_stream_is_read_last(tmp_path: Path) -> None:
    audit, known = audit_of([]), rich_audit()

    def stream() -> Iterator[Verdict]:
        yield from rich_verdicts()
        for field in Audit.__struct_fields__:
            setattr(audit, field, getattr(known, field))

    write_outputs(audit, stream(), [], tmp_path)
    assert json.loads((tmp_path / "audit.json").read_bytes())["totals"]["contacts"] == 227


# --- the CSV files ---------------------------------------------------------------------------------


def test_verdicts_are_one_row_a_record_in_order(folder: Path) -> None:
    header, *rows = rows_of(folder / "verdicts.csv")
    assert header == [
        *("Record ID", "bucket", "action", "basis", "rule", "reason", "reference"),
        *("next_step", "question", "declaration", "platform"),
        *(f"{name} in words" for name in ("bucket", "action", "legal basis", "reason", "next step")),
    ]
    assert [row[6] for row in rows] == [one.reference for one in rich_verdicts()]
    assert rows[0][:5] == ["1000", "basis_proven", "keep", "explicit_consent", "GB-PECR-22-2"]
    assert rows[0][7:11] == ["none", "", "", "shown"]
    assert rows[31][7:11] == ["none", "", "77", "not shown"]
    assert rows[40][7:11] == ["dpo_question:consent", "consent", "", ""]


def test_no_row_leaves_a_reader_with_tokens_alone(folder: Path) -> None:
    """Every row of the lists says in words what its tokens say, and no word is a token."""
    _, *rows = rows_of(folder / "verdicts.csv")
    assert rows[0][11:] == [
        *("Evidence on file", "May stay marketing", "consent", "Everything that the rule requires is on record"),
        "Nothing to do",
    ]
    assert rows[40][15] == (
        "Answered by a question of the review sheet: Which form or list did these people sign up with? "
        "Show what it showed, and their own records."
    )
    _, *held = rows_of(folder / "do-not-send.csv")
    for words in [row[11:] for row in rows] + [row[4:] for row in held]:
        assert words
        assert not any(re.search("[a-z]_[a-z]", cell) for cell in words)


def test_no_cell_of_any_csv_can_be_run(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        for row in rows_of(path):
            for cell in row:
                for part in re.split("[;|\t\r\n]", cell):
                    assert not part.lstrip(' "').startswith(tuple("=+-@")), (path.name, cell)


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r1", " =1", '"=1', "a;=1", "a\n-1", "＝1"])
def test_risky_cells_are_disarmed_and_unfit_for_import(cell: str) -> None:
    assert not fits_import(cell)
    assert reading_cell(cell) != cell
    assert reading_cell(cell).replace("'", "") == cell


@pytest.mark.parametrize("cell", ["a@b.com", "o'neil@b.com", "a+b-c@d.com", "1234", "", "x=y@z.com"])
def test_harmless_cells_stay_as_they_are(cell: str) -> None:
    assert fits_import(cell)
    assert reading_cell(cell) == cell


def test_do_not_send_holds_whoever_may_be_mailed_and_must_not(folder: Path) -> None:
    header, *rows = rows_of(folder / "do-not-send.csv")
    assert header == ["Record ID", "Email", "bucket", "reason", "reason in words"]
    due = {
        one.record_id
        for one in rich_verdicts()
        if one.marketing is not False and (not one.allowed or one.action is Action.REVIEW)
    }
    risky = {"=cmd|' /C calc'!A0", None}
    assert {row[0] for row in rows} - {""} == due - risky
    by_address = [row for row in rows if not row[0]]
    assert [row[1] for row in by_address] == ["person222@example222.com"]


def test_a_risky_address_is_left_out_never_changed(folder: Path) -> None:
    row = next(row for row in rows_of(folder / "set-non-marketing.csv") if row[0] == "1220")
    assert row == ["1220", "", "1"]
    assert not any("evil.com" in cell for row in rows_of(folder / "opt-out-list.csv") for cell in row)
    order = (folder / "IMPORT-ORDER.md").read_text()
    assert r"Audit of Example \& Söhne GmbH" in order, "no name is read as Markdown"
    assert "opt-out-list.csv: Record ID 1220" in order
    assert r"do-not-send.csv: address -x\@example.com" in order


def test_opt_out_list_is_addresses_once_not_shown_stopped(folder: Path) -> None:
    header, *rows = rows_of(folder / "opt-out-list.csv")
    assert header == ["Email"]
    # 221 is 201 in capitals: one address, kept as first written.
    assert [row[0] for row in rows] == [f"person{n}@example{n}.com" for n in range(201, 220, 2)]


def test_set_non_marketing_is_its_action(folder: Path) -> None:
    header, *rows = rows_of(folder / "set-non-marketing.csv")
    assert header == ["Record ID", "Email", "wave"]
    asked = {one.record_id: one.wave for one in rich_verdicts() if one.action is Action.SET_NON_MARKETING}
    assert {row[0]: row[2] for row in rows} == {record: str(wave) for record, wave in asked.items() if record}
    assert {row[2] for row in rows} == {"1", "2", "3"}


def test_may_be_asked_is_only_who_may_be_asked_now(folder: Path) -> None:
    assert rows_of(folder / "may-be-asked.csv") == [
        ["Record ID", "Email", "route", "last day"],
        ["1000", "person0@example0.com", "consent on file covers it", ""],
        ["1001", "person1@example1.com", "CASL implied consent, ask before it lapses", "2027-01-31"],
        ["1002", "person2@example2.com", "consent on file covers it", ""],
    ]


def test_rejected_rows_are_listed(folder: Path) -> None:
    assert rows_of(folder / "rejected.csv") == [
        ["file", "row", "column", "reason"],
        ["hubspot-contacts.csv", "17", "E-Mail", "not an address"],
        ["hubspot-contacts.csv", "91", "", '\'=HYPERLINK("http://evil.example")'],
    ]


# --- the JSON files --------------------------------------------------------------------------------


def test_audit_json_is_the_audit(folder: Path) -> None:
    content = (folder / "audit.json").read_bytes()
    assert msgspec.json.decode(content, type=Audit) == rich_audit()
    document = json.loads(content)
    assert set(document["totals"]) >= {"contacts", "marketing", "rejected"}
    assert document["buckets"]["stopped"] == {"contacts": 22, "marketing": 21}
    assert content.startswith(b'{\n  "schema": "consent-ledger/audit/1",\n')


def test_audit_schema_names_every_field() -> None:
    schema = audit_schema()
    assert set(schema["$defs"]["Audit"]["properties"]) == set(Audit.__struct_fields__)


def test_manifest_has_every_file_and_input(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert {one["name"] for one in manifest["files"]} == NAMES - {"manifest.json"}
    for one in manifest["files"]:
        content = (folder / one["name"]).read_bytes()
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
        assert one["bytes"] == len(content)
    assert manifest["inputs"][0]["sha256"] == "ab" * 32
    assert manifest["tool"] == {"name": "consent-ledger", "version": "0.1.0"}
    assert manifest["at"] == "2026-11-23T10:15:00Z"


# --- the page --------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects what a browser would see: tags, what they would load, and the text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action", "poster") or (name == "href" and tag != "a"):
                self.loads.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            assert not name.startswith("on"), name

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.fixture(params=["rich", "empty"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Page:
    """The page of the rich audit, and of one that found nothing."""
    if request.param == "rich":
        write_rich(tmp_path)
    else:
        write_outputs(audit_of([]), [], [], tmp_path)
    return Page((tmp_path / "report.html").read_text())


def test_page_loads_nothing_and_is_well_formed(page: Page) -> None:
    assert page.loads == []
    assert page.open == []
    assert page.tags["script"] == page.tags["img"] == page.tags["link"] == 0
    beside = {link for link in page.links if not link.startswith(("https://", "#"))}
    assert all(re.fullmatch(r"[A-Za-z-]+\.(csv|html|json|xlsx)", link) for link in beside)
    assert "set-non-marketing.csv" in beside
    assert page.tags["main"] == page.tags["h1"] == page.tags["nav"] == 1
    assert page.tags["caption"] == page.tags["table"]


def test_page_never_says_that_anything_is_lawful(page: Page) -> None:
    assert "lawful" not in page.text.lower()
    assert "not legal advice" in page.text.lower()
    for said in ("£13,000", "£70,000", "£10,500", "regulation 22", "section 1(3)"):
        assert said in page.text


def test_page_masks_addresses_and_escapes_text(folder: Path) -> None:
    content = (folder / "report.html").read_text()
    assert re.search(r"person\d|example\d|evil\.com", content) is None
    assert "p…@e….com" in content
    assert HOSTILE not in content
    assert HOSTILE in Page(content).text


def test_page_says_what_it_rests_on(folder: Path) -> None:
    seen = Page((folder / "report.html").read_text()).text
    for said in (
        "Of 166 marketing contacts, 40 (24 %) have evidence on file that allows marketing to them.",
        "10 records have no readable HubSpot flag",
        "nobody: no named person has said",
        "Rechtsgrundlage für die Datenverarbeitung. What they would say is unknown",
        "cp1252 (assumed",
        "7 contacts rest",
        "44 of 67 rules",
        "January 2027",
        "wrong address typed in by the call centre",
        "allowed by the rules applied",
        "cannot be shown",
        "0f8fad5b-d9cb-469f-a165-000000000000@5000",
    ):
        assert said in seen, said
    for token in rich_audit().reasons:
        assert REASONS[token][1:] in seen


def test_page_shows_one_example_of_each_reason_first(folder: Path) -> None:
    seen = Page((folder / "report.html").read_text()).text
    undeliverable = next(one for one in rich_verdicts() if one.reason == "undeliverable")
    assert undeliverable.reference in seen


# --- small things ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ana@example.com", "a…@e….com"),
        ("a@b.de", "a…@b….de"),
        ("x.y@mail.example.co.uk", "x…@m….uk"),
        ("müller@straße.de", "m…@s….de"),
        ("root@localhost", "r…@l…"),
        ("<b>@[127.0.0.1]", "…@…"),
        ("\u202eana@example.com", "…@e….com"),
        ("nonsense", "…"),
        ("", "no address"),
        (None, "no address"),
    ],
)
def test_masks(address: str | None, shown: str) -> None:
    assert mask_email(address) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "–"), (0, 5, "0 %"), (1, 1000, "<1 %"), (999, 1000, ">99 %"), (5, 5, "100 %"), (1, 3, "33 %")],
)
def test_percent_never_rounds_to_all_or_none(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == shown


def test_verdicts_are_read_once_and_not_kept(tmp_path: Path) -> None:
    """Of however many, a few stay in memory, as examples; how fast they are written, `make bench` says."""

    class Seen(Verdict, frozen=True, kw_only=True, gc=True, weakref=True):
        """One that can be followed."""

    made: list[weakref.ref[Seen]] = []
    most = 0

    def stream() -> Iterator[Verdict]:
        nonlocal most
        for number in range(1_000):
            one = verdict(number, Bucket.NO_BASIS, Action.SET_NON_MARKETING, "nothing_known")
            followed = msgspec.convert(msgspec.to_builtins(one), Seen)
            made.append(weakref.ref(followed))
            most = max(most, sum(ref() is not None for ref in made))
            yield followed

    known = audit_of(list(stream()))
    assert most == 1_000
    made.clear()
    most = 0
    write_outputs(known, stream(), [], tmp_path)
    assert len(made) == 1_000
    assert most < 50


# --- the terminal ----------------------------------------------------------------------------------


def printed(audit: Audit, **options: object) -> str:
    """What a pipe of 80 columns receives."""
    stream = io.StringIO()
    console = Console(file=stream, width=80, **options)  # type: ignore[arg-type]
    out = Path("consent-audit")
    render_audit(audit, console, out, [out / "report.html", out / "verdicts.csv"])
    return stream.getvalue()


def test_terminal_fits_eighty_columns_and_leads_with_counts() -> None:
    shown = printed(rich_audit())
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "\x1b" not in shown
    assert "lawful" not in shown
    for said in (
        "No data left this machine.",
        " MARKETING CONTACTS TODAY            166",
        "   evidence on file                   40   24 % → may stay marketing",
        "not counted as paid for",
        "113  marketing contacts are avoidable: set-non-marketing.csv",
        "Do not mail all of them to ask",
        "This is not legal advice.",
        "consent-audit/report.html",
        HOSTILE[:20],
    ):
        assert said in shown, said
    assert not re.search("[€$£]|EUR", printed(audit_of([])))


def test_terminal_of_nothing() -> None:
    shown = printed(audit_of([]))
    assert "0  found in what was read" in shown


def test_terminal_neither_obeys_nor_breaks_on_foreign_text() -> None:
    shown = printed(audit_of([], controller="[bold]\x1b[31mEvil[/bold] \u202e"))
    assert "[bold]\ufffd[31mEvil[/bold] \ufffd" in shown


def test_terminal_without_unicode() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    render_audit(rich_audit(), Console(file=stream, width=80), Path("out"), [])
    stream.flush()
    assert b"-> may stay marketing" in raw.getvalue()


def test_a_file_that_the_report_names_is_a_link_to_it_and_no_link_stands_in_another() -> None:
    """Only files that lie beside it, and only where they stand as files."""
    named = Html('<p><code>a&amp;b.csv</code> <a href="#x">see <code>b.csv</code></a> <code>c.csv</code></p>')
    assert linked_files(named, ["a&b.csv", "b.csv"]) == (
        '<p><a href="a&amp;b.csv"><code>a&amp;b.csv</code></a> <a href="#x">see <code>b.csv</code></a> '
        "<code>c.csv</code></p>"
    )


def test_a_report_of_a_company_that_nobody_named_says_so_and_leaves_a_blank_in_texts_for_others() -> None:
    """Not a made-up name on a page that is filed, nor in a box on somebody's form."""
    assert wording.company(UNNAMED) == "Company not named"
    assert wording.company("Example Ltd") == wording.company_or_blank("Example Ltd") == "Example Ltd"
    assert "Yes, [name of the company] may send me e-mails" in str(own_routes(UNNAMED))
