"""The review by the DPO: questions out, answers back, and nothing in between that makes a yes."""

from __future__ import annotations

import hmac
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook, SheetVisibleEnum
from typer.testing import CliRunner, Result
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from adapters.cli.review import app
from adapters.review import words
from adapters.review.answers import Answer, read_review
from adapters.review.cells import day
from adapters.review.deciding import decision
from adapters.review.questions import Questions
from adapters.review.words import ANSWERS, LEAVE, Outcome
from adapters.review.workbook import write_review
from adapters.tabular import UnreadableInput
from adapters.why_causes import law_name
from adapters.why_needs import NEEDS, need_in_words
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.policy.shipped import policy
from ledger.terms import Basis
from ledger.vault import Registration
from projections.audit import Auditor, Record
from projections.verdicts import QUESTIONS, Action, Audit, Bucket, RuleSet, Verdict
from tests.ledger.policy.histories import LAST, Asked, History, ask, histories, questions
from tests.ledger.policy.story import ANNA
from tests.ledgers import open_house

TODAY = datetime.now(UTC).date()
SIGNED: dict[str, Any] = {words.NAME: "Dana Prot", words.ROLE: "DPO", words.DATE: TODAY}
STOP, HOLD, SHOWN, RELEASE = ANSWERS.values()

Filled = Mapping[str, Mapping[str, Any]]


# --- a ledger, its audit, its workbook -----------------------------------------------------------


class Portal:
    """A small ledger of claimed contacts, one of them proven, and the audits of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "ledger"
        self.records: list[Record] = []
        with self.open() as house:
            house.describe_controller("Example Ltd", "DE", None)

    def add(self, name: str, *facts: e.Event, claims: tuple[str, ...] = (), country: str = "DE") -> str:
        """A marketing contact with what the CRM claims of it and other facts; its contact id."""
        with self.open() as house:
            email = f"{name}@example.com"
            person = house.ledger.register_many([Registration(email, "hubspot", name)])[0]
            about: dict[str, Any] = {"stream": person.contact, "source": "t", "record": person.record}
            seen: list[e.Event] = [
                e.MarketingStatusObserved(**about, marketing=True),
                e.CountryEvidenced(**about, hints=(e.CountryHint(country, "declared"),)),
            ]
            if claims:
                seen.append(e.BasisClaimed(**about, claims=claims))
            own = [_of(fact, person.contact, person.address) for fact in facts]
            house.ledger.record_many([Fact(event) for event in [*seen, *own]])
        self.records.append(Record(person.contact, person.record, person.address, name, email))
        return person.contact

    def open(self) -> House:
        return open_house(self.ledger, os.environ)

    def verdicts(self) -> dict[str, Verdict]:
        """Record id -> decision, as an audit reaches it now."""
        with self.open() as house:
            auditor = Auditor(house.policy, house.catalogue, datetime.now(UTC))
            contacts = house.contacts([record.contact for record in self.records])
            return {r.record_id or "": auditor.verdict([contacts[r.contact]], r) for r in self.records}

    def review(self) -> Path:
        """The workbook of an audit now."""
        asked = Questions()
        for verdict in self.verdicts().values():
            asked.see(verdict)
        path = self.folder / "review.xlsx"
        with self.open() as house:
            write_review(path, _audit(house.ledger.log.last_position()), asked, house.policy, house.ledger.stamp)
        return path

    def reviews(self, contact: str) -> list[tuple[e.ReviewDecided, Mapping[str, object]]]:
        """What reviews are on record about a contact, with who signed."""
        with self.open() as house:
            events = [entry.event for entry in house.entries(contact)]
            return [(event, house.payload(event)) for event in events if isinstance(event, e.ReviewDecided)]

    def position(self) -> int:
        with self.open() as house:
            return house.ledger.log.last_position()

    def run(self, path: Path, *more: str, exit_code: int = 0) -> Result:
        """`review import` of a workbook."""
        arguments = ["import", str(path), "--ledger", str(self.ledger), *more]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == exit_code, result.output
        return result

    def take(self, path: Path) -> Any:
        """`review import --yes --json`."""
        return json.loads(self.run(path, "--yes", "--json").stdout)


def _of(event: e.Event, contact: str, address: str | None) -> e.Event:
    return msgspec.structs.replace(event, stream=contact, address=address)


def _audit(position: int) -> Audit:
    return Audit(
        at=datetime(2026, 11, 24, 9, tzinfo=UTC),
        controller="=Example Ltd",
        sender_country="DE",
        assumed_country=None,
        timezone=None,
        purpose=None,
        files=[],
        totals={},
        buckets={},
        actions={},
        reasons={},
        jurisdictions={},
        expiring=[],
        avoidable_marketing=0,
        do_not_send=0,
        stopped_still_marketing=0,
        undeliverable_marketing=0,
        scheduled=0,
        rule_set=RuleSet(hash="", adopted_by=None, resting_on_medium=0, resting_on_policy=0, rules_unchecked=0),
        corrections=[],
        notes=[],
        ledger_position=position,
    )


def sale() -> e.Event:
    """A sale that carries the soft opt-in of Germany."""
    return e.ContractStarted(
        stream="",
        source="t",
        by="data_subject",
        occurred_from=datetime.now(UTC) - timedelta(days=90),
        kind="purchase",
        seller="own",
        refusal_offered=True,
        refused=False,
        collected_from_person=True,
    )


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    """Three who 'have a contract', one claim no rule accepts, one with a proven sale."""
    portal = Portal(tmp_path)
    for name in ("c1", "c2", "c3"):
        portal.add(name, claims=("contract",))
    portal.add("n1", claims=("interest_prospect",))
    portal.add("sold", sale())
    return portal


class Cells(NamedTuple):
    """A workbook's cells, sheet by sheet."""

    sheets: dict[str, list[list[Any]]]

    @classmethod
    def of(cls, path: Path) -> Cells:
        book = CalamineWorkbook.from_path(path)
        return cls({n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in book.sheet_names})

    def row(self, sheet: str, label: str) -> int:
        return next(number for number, row in enumerate(self.sheets[sheet]) if row and row[0] == label)

    def put(self, sheet: str, row: int, column: int, value: Any) -> None:
        cells = self.sheets[sheet][row]
        cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = value

    def save(self, path: Path) -> Path:
        """As another spreadsheet program would: the same cells, nothing else."""
        with Workbook(path) as book:
            days = book.add_format({"num_format": "dd.mm.yyyy"})
            for name, rows in self.sheets.items():
                sheet = book.add_worksheet(name)
                for number, row in enumerate(rows):
                    for column, value in enumerate(row):
                        if isinstance(value, date):
                            sheet.write_datetime(number, column, value, days)
                        elif isinstance(value, float):
                            sheet.write_number(number, column, value)
                        elif value != "":
                            sheet.write_string(number, column, str(value))
        return path


def fill(path: Path, answers: Filled, own: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None) -> Path:
    """The workbook filled in: sheet -> label -> value; own: sheet -> record id -> own answer and file."""
    cells = Cells.of(path)
    for sheet, values in answers.items():
        for label, value in values.items():
            cells.put(sheet, cells.row(sheet, label), 1, value)
    for sheet, rows in (own or {}).items():
        head = cells.row(sheet, words.REFERENCE)
        for number, row in enumerate(cells.sheets[sheet][head:], start=head):
            for column, said in enumerate(rows.get(str(row[1]), ()), start=5):
                cells.put(sheet, number, column, said)
    return cells.save(path.with_name("filled.xlsx"))


# --- what goes out -------------------------------------------------------------------------------


def made_up(number: int, question: str, record_id: str | None = None) -> Verdict:
    return Verdict(
        record_id=record_id or str(number),
        email=f"p{number}@example.com",
        bucket=Bucket.BASIS_CLAIMED,
        action=Action.REVIEW,
        reason="claimed_sale",
        reference=f"CL-{number:08x}-{number}",
        basis="soft_opt_in" if question == "contract" else None,
        marketing=number % 3 > 0,
        jurisdictions=("DE", "FR") if number % 2 else ("DE",),
        question=question,
    )


def written(verdicts: Iterator[Verdict] | list[Verdict]) -> bytes:
    asked, stream = Questions(), io.BytesIO()
    for verdict in verdicts:
        asked.see(verdict)
    write_review(stream, _audit(99), asked, policy(), lambda content, about: sha256(about + content).hexdigest())
    return stream.getvalue()


def test_twenty_thousand_contacts_are_a_sheet_a_question(tmp_path: Path) -> None:
    """And every contact is still known when the workbook comes back."""
    names = list(QUESTIONS)
    path = tmp_path / "review.xlsx"
    path.write_bytes(written([made_up(n, names[n % len(names)]) for n in range(20_000)]))
    book = CalamineWorkbook.from_path(path)
    visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible is SheetVisibleEnum.Visible]
    assert len(visible) == len(QUESTIONS) + 1 == 16
    assert {s.name for s in book.sheets_metadata if s.visible is SheetVisibleEnum.VeryHidden} == {"_contacts", "_meta"}
    members = read_review(path).members
    assert sum(len(references) for references in members.values()) == 20_000
    assert set(members) == set(QUESTIONS)


def test_the_same_audit_gives_the_same_bytes() -> None:
    some = [made_up(n, "contract") for n in range(300)]
    assert written(some) == written(some)


def test_no_cell_is_run_and_no_address_shown() -> None:
    """What a portal's users typed into a record id or a company's name stays text."""
    data = written(
        [made_up(1, "contract", '=HYPERLINK("http://x","y")'), made_up(2, "contract", "+1+cmd|' /C calc'!A0")]
    )
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        parts = {name: book.read(name).decode() for name in book.namelist() if name.endswith(".xml")}
    sheets = [text for name, text in parts.items() if "worksheets/" in name]
    assert not any(re.search(r"<f[ >]", text) for text in sheets)
    assert "p1@example.com" not in "".join(parts.values())
    assert "p…@e….com" in parts["xl/sharedStrings.xml"]


def test_a_sheet_asks_counts_and_names_the_rules(tmp_path: Path) -> None:
    """The question with its number, whom it is about, and the rules of their countries."""
    path = tmp_path / "review.xlsx"
    path.write_bytes(written([made_up(n, "contract") for n in range(705)]))
    rows = Cells.of(path).sheets["Contract"]
    assert rows[0][0].startswith("705 contacts where the CRM says “Performance of a contract”. Was there a sale by us?")
    told = {str(row[0]): str(row[1]) for row in rows if len(row) > 1}
    assert (told["Contacts"], told["Marketing contacts"]) == ("705.0", "470.0")
    assert told["Countries"].startswith("Germany 705, France 352")
    accepting = [rule for code in ("DE", "FR") for rule in policy().regime(code).bases if rule.basis == "soft_opt_in"]
    assert accepting
    rules = [str(row[1]) for row in rows if row[0] == "Rule"]
    for rule in accepting:
        (text,) = [one for one in rules if f" ({rule.id})" in one]
        assert text.startswith(law_name(rule))
        assert all(need_in_words(need) in text for need in rule.needs)
    assert sum(str(row[0]).startswith("CL-") for row in rows) == 10


def test_whoever_answers_sees_words_and_the_machine_its_own_name(tmp_path: Path) -> None:
    """Countries, bases and needs by their names; the name of the question, by which it is read back, as what it is."""
    path = tmp_path / "review.xlsx"
    claims = [msgspec.structs.replace(made_up(n, "contract"), basis="soft_opt_in") for n in range(3)]
    path.write_bytes(written([*claims, made_up(3, "same_record_twice")]))
    cells = Cells.of(path)
    named = {*Basis, *NEEDS, *QUESTIONS, "XX"}
    for sheet in ("Read me first", "Contract", "Same record twice"):
        tokens = [
            (row, cell)
            for row in cells.sheets[sheet]
            for cell in map(str, row)
            if (cell in named and "_" in cell) or any(one in cell for one in named if "_" in one and one != cell)
        ]
        assert [row[2] for row, _ in tokens] == [words.NOT_FOR_PEOPLE] * (sheet == "Same record twice")
    (first, *_) = [row for row in cells.sheets["Contract"] if str(row[0]).startswith("CL-")]
    assert first[3].endswith("(would be: customer exception (soft opt-in))")
    assert {str(row[4]) for row in cells.sheets["Contract"] if str(row[0]).startswith("CL-")} <= {
        "Germany",
        "Germany, France",
    }


def test_a_claim_no_rule_accepts_is_answered_beforehand(tmp_path: Path) -> None:
    """But only if that holds for everybody asked about."""
    path = tmp_path / "review.xlsx"
    none = [made_up(n, "no_rule") for n in range(3)]
    path.write_bytes(written(none))
    assert Cells.of(path).sheets["No rule"][Cells.of(path).row("No rule", "Answer")][1] == STOP
    path.write_bytes(written([*none, msgspec.structs.replace(none[0], basis="legitimate_interest_b2b")]))
    assert Cells.of(path).sheets["No rule"][Cells.of(path).row("No rule", "Answer")][1] == ""


def test_nobody_else_may_read_it(portal: Portal) -> None:
    assert stat.S_IMODE(portal.review().stat().st_mode) == 0o600


# --- what comes back -----------------------------------------------------------------------------


def test_a_stop_answered_is_a_stop_at_the_next_audit(portal: Portal) -> None:
    """Audit, workbook, answer, import, audit: the founding round trip."""
    assert portal.verdicts()["c1"].question == "contract"
    told = portal.take(fill(portal.review(), {"Contract": {words.ANSWER: STOP, **SIGNED, words.NOTE: "never sold"}}))
    assert told["recorded"] == 3
    after = portal.verdicts()
    assert {after[name].bucket for name in ("c1", "c2", "c3")} == {Bucket.STOPPED}
    assert {after[name].reason for name in ("c1", "c2", "c3")} == {"review_stop"}
    assert after["n1"].bucket is Bucket.BASIS_CLAIMED
    event, signed = portal.reviews(portal.records[0].contact)[0]
    assert (event.outcome, event.question, event.by) == ("stop", "contract", "officer")
    assert signed == {"name": "Dana Prot", "role": "DPO", "on": TODAY.isoformat(), "note": "never sold"}


def test_the_preview_says_whose_answer_changes_and_records_nothing(portal: Portal, tmp_path: Path) -> None:
    """Without a terminal and without --yes: exit code 3."""
    portal.add("both", sale(), claims=("contract",))
    before = portal.position()
    path = portal.review()
    portal.add("later", claims=("contract",))  # not in the workbook, so not touched
    filled = fill(path, {"Contract": {words.ANSWER: STOP, **SIGNED}})
    # a sale comes in between: that contact now has an answer to lose
    with portal.open() as house:
        record = portal.records[0]
        house.ledger.record(Fact(_of(sale(), record.contact, record.address)))
    result = portal.run(filled, exit_code=3)
    assert (
        "stop: 3 contacts. 1 were allowed and are no longer; 0 become allowed again; 2 were not allowed before"
        in result.stdout
    )
    assert "not signed, so not recorded (1 contact)" in result.stdout
    assert portal.reviews(record.contact) == []
    assert portal.position() > before


def test_the_same_file_twice_records_once(portal: Portal) -> None:
    filled = fill(portal.review(), {"Contract": {words.ANSWER: HOLD, **SIGNED}})
    assert portal.take(filled)["recorded"] == 3
    at = portal.position()
    again = portal.take(filled)
    assert (again["recorded"], again["answers"][0]["known"], portal.position()) == (0, 3, at)
    assert "everything is on record already" in portal.run(filled).stdout
    changed = fill(filled, {"Contract": {words.ANSWER: STOP}})
    assert portal.take(changed)["recorded"] == 3


def test_one_signature_settles_what_no_rule_accepts(portal: Portal) -> None:
    portal.take(fill(portal.review(), {"No rule": SIGNED}))
    assert portal.verdicts()["n1"].reason == "review_stop"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("  Set Non-Marketing (STOP) ", "stop"), ("hold", "hold"), ("Release hold.", "release_hold"), ("STOP", "stop")],
)
def test_answers_are_read_as_people_type_them(portal: Portal, said: str, outcome: str) -> None:
    path = fill(portal.review(), {"Contract": {words.ANSWER: said, **SIGNED, words.NAME: "  Dana \u00a0Prot "}})
    review = read_review(path)
    assert review.problems == []
    assert [(a.outcome, a.name) for a in review.answers] == [(outcome, "Dana Prot")]


@pytest.mark.parametrize(
    "cell",
    [
        datetime(2026, 11, 24, 15, 30),  # noqa: DTZ001 - as a spreadsheet holds it
        date(2026, 11, 24),
        " 2026-11-24 ",
        "24.11.2026",
        "24. 11. 2026",
        "24 November 2026",
        "Nov 24, 2026",
    ],
)
def test_a_date_is_read_as_it_is_written(cell: object) -> None:
    assert day(cell) == date(2026, 11, 24)


@pytest.mark.parametrize("cell", ["03/04/2026", "yesterday", "2026", "31.02.2026", 46350.0, "20261124", ""])
def test_a_date_that_could_be_another_is_none(cell: object) -> None:
    assert day(cell) is None


@pytest.mark.parametrize(
    ("values", "cell", "what"),
    [
        ({words.ANSWER: "maybe", **SIGNED}, words.ANSWER, "not one of the answers"),
        ({words.ANSWER: STOP, words.ROLE: "DPO", words.DATE: TODAY}, words.NAME, "needs a name"),
        ({words.ANSWER: STOP, words.NAME: "D. P.", words.DATE: TODAY}, words.ROLE, "needs a role"),
        ({words.ANSWER: STOP, words.NAME: "D. P.", words.ROLE: "DPO"}, words.DATE, "needs a date"),
        ({words.ANSWER: STOP, **SIGNED, words.DATE: "03/04/2026"}, words.DATE, "not a clear date"),
        ({words.ANSWER: STOP, **SIGNED, words.DATE: TODAY + timedelta(days=3)}, words.DATE, "yet to come"),
        ({words.ANSWER: STOP, **SIGNED, words.DATE: TODAY - timedelta(days=400)}, words.DATE, "over a year before"),
        ({words.ANSWER: SHOWN, **SIGNED}, words.EVIDENCE, "at least one"),
        ({words.ANSWER: SHOWN, **SIGNED, words.EVIDENCE: " ; "}, words.EVIDENCE, "at least one"),
        ({words.ANSWER: SHOWN, **SIGNED, words.EVIDENCE: "no.pdf"}, words.EVIDENCE, "“no.pdf” cannot be read"),
        ({words.NAME: "Dana Prot"}, words.ANSWER, "no answer is chosen"),
    ],
)
def test_what_is_wrong_is_said_with_its_cell(portal: Portal, values: Any, cell: str, what: str) -> None:
    """And then nothing at all is recorded, however good the other sheets are."""
    path = portal.review()
    row = Cells.of(path).row("Contract", cell) + 1
    before = portal.position()
    result = portal.run(fill(path, {"Contract": values, "No rule": SIGNED}), "--yes", exit_code=5)
    assert re.search(rf"Contract, cell B{row}: .*{re.escape(what)}", result.stderr), result.stderr
    assert portal.position() == before


def test_an_own_answer_counts_instead_of_the_groups(portal: Portal) -> None:
    (portal.folder / "order.pdf").write_bytes(b"an order")
    own = {"Contract": {"c2": (LEAVE,), "c3": (SHOWN, "order.pdf")}}
    portal.take(fill(portal.review(), {"Contract": {words.ANSWER: STOP, **SIGNED}}, own))
    outcomes = [[event.outcome for event, _ in portal.reviews(r.contact)] for r in portal.records[:3]]
    assert outcomes == [["stop"], [], ["attach_evidence"]]


def test_own_answers_alone_need_a_signature_too(portal: Portal) -> None:
    path = portal.review()
    own = {"Contract": {"c1": (STOP,)}}
    assert "needs a name" in portal.run(fill(path, {}, own), "--yes", exit_code=5).stderr
    assert portal.take(fill(path, {"Contract": SIGNED}, own))["recorded"] == 1


def test_evidence_is_kept_and_allows_nothing(portal: Portal) -> None:
    (portal.folder / "shop.png").write_bytes(b"a page")
    told = portal.take(
        fill(portal.review(), {"Contract": {words.ANSWER: SHOWN, **SIGNED, words.EVIDENCE: '"shop.png" ;'}})
    )
    assert [told["answers"][0][key] for key in ("lose", "gain", "not_allowed")] == [0, 0, 3]
    event, _ = portal.reviews(portal.records[0].contact)[0]
    with portal.open() as house:
        assert [house.ledger.log.document(sha256) for sha256 in event.evidence] == [b"a page"]
    assert portal.verdicts()["c1"].bucket is Bucket.BASIS_CLAIMED


def test_a_hold_ends_by_its_release_and_what_stood_before_stands_again(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    contacts = [portal.add("sold", sale()), portal.add("claimed", claims=("contract",))]
    _hold(portal, *contacts)
    assert {v.question for v in portal.verdicts().values()} == {"under_review"}
    told = portal.take(fill(portal.review(), {"Under review": {words.ANSWER: RELEASE, **SIGNED}}))
    assert [told["answers"][0][key] for key in ("lose", "gain", "not_allowed")] == [0, 1, 1]
    after = portal.verdicts()
    assert (after["sold"].bucket, after["claimed"].bucket) == (Bucket.BASIS_PROVEN, Bucket.BASIS_CLAIMED)


def test_a_hold_that_came_after_the_workbook_is_not_released(tmp_path: Path) -> None:
    """Who releases has not seen why it was held again."""
    portal = Portal(tmp_path)
    contact = portal.add("sold", sale())
    _hold(portal, contact)
    path = portal.review()
    _hold(portal, contact)
    told = portal.take(fill(path, {"Under review": {words.ANSWER: RELEASE, **SIGNED}}))
    assert (told["recorded"], told["answers"][0]["left"], told["answers"][0]["gain"]) == (0, 1, 0)
    assert portal.verdicts()["sold"].reason == "under_review"


def _hold(portal: Portal, *contacts: str) -> None:
    with portal.open() as house:
        house.ledger.record_many([Fact(e.ReviewDecided(stream=c, source="t", outcome="hold")) for c in contacts])


def test_an_answer_older_than_its_workbook_still_stops_what_was_there(portal: Portal) -> None:
    """Copied over from an earlier workbook: an opt-in between that day and now does not outlive it."""
    contact = portal.add("joined", claims=("contract",))
    path = portal.review()
    with portal.open() as house:
        record = portal.records[-1]
        opt_in = e.OptedIn(
            stream="",
            source="t",
            by="data_subject",
            occurred_from=datetime.now(UTC) - timedelta(days=20),
            captured_at=datetime.now(UTC) - timedelta(days=20),
            captured_by="form_record",
            act="unticked_box",
            purposes=("marketing.*",),
            channels=("email",),
            to=("own",),
            informed=True,
            specific=True,
            proof="individual",
            address_verified=True,
        )
        house.ledger.record(Fact(_of(opt_in, contact, record.address)))
    assert portal.verdicts()["joined"].bucket is Bucket.BASIS_PROVEN
    earlier = {**SIGNED, words.DATE: TODAY - timedelta(days=40)}
    told = portal.take(fill(path, {"Contract": {words.ANSWER: STOP, **earlier}}))
    assert told["answers"][0]["lose"] == 1
    assert portal.verdicts()["joined"].reason == "review_stop"


def test_answers_that_exist_as_data_are_filled_in(portal: Portal) -> None:
    """Into the cells, as a person would: evidence named from the workbook's side, formats kept."""
    path = portal.review()
    (portal.folder / "kept").mkdir()
    (portal.folder / "kept" / "memo & note.txt").write_text("no sale")
    answers = {
        "contract": {
            "outcome": "evidence",
            "name": "Dana <Prot>",
            "role": "DPO",
            "date": TODAY.isoformat(),
            "evidence": "memo & note.txt",
            "words": "a & b",
        },
        "deals": {"outcome": "stop", "name": "D", "role": "R", "date": TODAY.isoformat()},
    }
    file = portal.folder / "kept" / "answers.json"
    file.write_text(json.dumps(answers))
    before = _styles(path)
    result = CliRunner().invoke(app, ["fill", str(path), str(file)], catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "review.xlsx: filled in contract\n")
    review = read_review(path)
    assert review.problems == []
    (answer,) = review.answers
    assert (answer.outcome, answer.name, answer.note, answer.on) == ("attach_evidence", "Dana <Prot>", "a & b", TODAY)
    assert [(f.name, f.content) for f in answer.evidence] == [("kept/memo & note.txt", b"no sale")]
    assert _styles(path) == before
    file.write_text("[]")
    with pytest.raises(UnreadableInput, match="holds no answers"):
        CliRunner().invoke(app, ["fill", str(path), str(file)], catch_exceptions=False)


def _styles(path: Path) -> bytes:
    with zipfile.ZipFile(path) as book:
        return book.read("xl/styles.xml")


def test_a_workbook_of_another_ledger_is_refused(portal: Portal, tmp_path: Path) -> None:
    filled = fill(portal.review(), {"Contract": {words.ANSWER: STOP, **SIGNED}})
    (tmp_path / "other").mkdir()
    other = Portal(tmp_path / "other")
    for name in ("c1", "c2", "c3", "c4", "c5", "c6"):
        other.add(name, claims=("contract",))
    assert other.position() > portal.position()
    with pytest.raises(UnreadableInput, match="of another ledger"):
        other.run(filled, "--yes")


def changed(cells: Cells, what: str) -> None:
    """Change what a review workbook is of, as somebody would who wants it to do more."""
    if what == "a contact less":
        row = cells.sheets["_contacts"][0]
        row[1] = " ".join(row[1].split()[1:])
    elif what == "a contact more":
        cells.sheets["_contacts"].append(["contract", cells.sheets["_contacts"][1][1]])
    else:
        field, value = what.split(" ", 1)
        cells.sheets["_meta"][cells.row("_meta", field)][1] = value


@pytest.mark.parametrize("what", ["a contact less", "a contact more", "position 9", "audit 2026-11-25", "seal 00ff"])
def test_a_workbook_that_is_not_as_it_was_written_is_refused(portal: Portal, what: str) -> None:
    cells = Cells.of(portal.review())
    changed(cells, what)
    with pytest.raises(UnreadableInput, match="not as the audit of this ledger wrote it"):
        portal.run(cells.save(portal.folder / "changed.xlsx"), "--yes")


def test_a_seal_made_without_the_ledgers_key_releases_nothing(tmp_path: Path) -> None:
    """An older workbook with a later position would release the holds that came after it."""
    portal = Portal(tmp_path)
    contact = portal.add("held", claims=("contract",))
    path = portal.review()
    portal.take(fill(path, {"Contract": {words.ANSWER: HOLD, **SIGNED}}))
    cells = Cells.of(fill(path, {"Contract": {words.ANSWER: RELEASE, **SIGNED}}))
    assert portal.take(cells.save(tmp_path / "genuine.xlsx"))["answers"][0]["left"] == 1
    later, meta = str(portal.position()), cells.sheets["_meta"]
    meta[cells.row("_meta", "position")][1] = later
    audit = meta[cells.row("_meta", "audit")][1]
    content = f"{words.SCHEMA}\n{audit}\n{later}\ncontract {cells.sheets['_contacts'][0][1]}\n".encode()
    for seal in (sha256(content).hexdigest(), hmac.digest(b"", b"review" + content, "sha256").hex(), ""):
        meta[cells.row("_meta", "seal")][1] = seal
        with pytest.raises(UnreadableInput, match="Nothing of it is recorded"):
            portal.run(cells.save(tmp_path / "forged.xlsx"), "--yes")
    assert [event.outcome for event, _ in portal.reviews(contact)] == ["hold"]


def test_a_workbook_made_before_seals_had_a_key_is_refused(portal: Portal) -> None:
    cells = Cells.of(portal.review())
    meta = cells.sheets["_meta"]
    meta[cells.row("_meta", "schema")][1] = "consent-ledger/review/1"
    meta[cells.row("_meta", "seal")][0] = "contacts"
    with pytest.raises(UnreadableInput, match="earlier version") as caught:
        portal.run(cells.save(portal.folder / "old.xlsx"), "--yes")
    assert "audit again" in caught.value.remedy


def test_what_is_no_review_is_refused(portal: Portal, tmp_path: Path) -> None:
    text = tmp_path / "review.txt"
    text.write_text("no workbook")
    with pytest.raises(UnreadableInput, match="cannot be read as a workbook"):
        read_review(text)
    with pytest.raises(UnreadableInput, match="cannot be read: No such file"):
        read_review(tmp_path / "nothing.xlsx")
    cells = Cells.of(portal.review())
    del cells.sheets["_meta"]
    with pytest.raises(UnreadableInput, match="drops hidden sheets"):
        read_review(cells.save(tmp_path / "bare.xlsx"))


def test_a_review_with_a_cell_at_the_far_corner_is_refused(portal: Portal) -> None:
    path = portal.review()
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in members.items():
            far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            new.writestr(name, content.replace(b"</sheetData>", far) if name.endswith("sheet2.xml") else content)
    with pytest.raises(UnreadableInput, match="too many cells"):
        portal.run(path, "--yes")


def test_a_copied_sheet_and_a_foreign_row_are_problems(portal: Portal) -> None:
    """Which of two answers counts is not ours to say."""
    cells = Cells.of(portal.review())
    cells.sheets["Contract (2)"] = [list(row) for row in cells.sheets["Contract"]]
    head = cells.row("Contract", words.REFERENCE)
    cells.put("Contract", head + 1, 0, "CL-00000000-1")
    cells.put("Contract", head + 1, 5, STOP)
    problems = read_review(cells.save(portal.folder / "copied.xlsx")).problems
    assert {problem.sheet for problem in problems} == {"Contract", "Contract (2)"}
    assert any("not a contact of this question" in problem.what for problem in problems)


# --- never a yes ---------------------------------------------------------------------------------

outcomes: st.SearchStrategy[Outcome] = st.sampled_from(list(ANSWERS))
days = st.integers(0, 900).map(lambda back: (LAST - timedelta(days=back)).date())


def reviewed(outcome: Outcome, on: date) -> e.Event:
    """The decision an import records."""
    answer = Answer("contract", outcome, (), "Dana Prot", "DPO", on, "", (), ("Contract", "B8"))
    return msgspec.structs.replace(decision(ANNA, answer, LAST), recorded_at=LAST)


def without_holds(history: History) -> History:
    return [n for n in history if not (isinstance(n, e.ReviewDecided) and n.outcome == "hold")]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.lists(st.tuples(outcomes, days), min_size=1, max_size=3), questions)
def test_no_answer_ever_turns_a_no_into_a_yes(
    history: History, answers: list[tuple[Outcome, date]], asked: Asked
) -> None:
    """Whatever is answered in whatever order: at most a hold ends, and what stood before it stands again."""
    said = [reviewed(outcome, on) for outcome, on in answers]
    before = ask(history, asked).allowed
    after = ask([*history, *said], asked).allowed
    if any(outcome == "release_hold" for outcome, _ in answers):
        before = before or ask(without_holds(history), asked).allowed
    assert before or not after


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, days, questions)
def test_a_hold_released_leaves_the_answer_as_it_was(history: History, on: date, asked: Asked) -> None:
    history = without_holds(history)
    held = [*history, reviewed("hold", on)]
    assert not ask(held, asked).allowed or not asked.purpose.startswith("marketing.")
    assert ask([*held, reviewed("release_hold", on)], asked).allowed == ask(history, asked).allowed
