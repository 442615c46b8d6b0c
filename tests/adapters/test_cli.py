"""The command line as its user runs it: a file in, a folder of answers out, and questions about people."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.demo import OTHER_RECORDS
from adapters.cli.main import app
from adapters.crew import Brief
from adapters.hubspot.demo import write_demo_export, write_portal_export
from adapters.hubspot.portal import write_portal
from adapters.importing import imported
from adapters.inputs import Inputs, sort_inputs
from adapters.wiring import now
from tests.ledgers import open_house

HEADER = (
    "Record ID,First Name,Last Name,Email,Country/Region,Marketing contact status,"
    "Legal basis for processing contact's data,Unsubscribed from all email,"
    "Marketing contact until next update,Marketing email confirmation status"
)
ROWS = (
    "1,Ana,A,ana@example.com,Germany,Marketing contact,,,,",
    "2,Bo,B,bo@example.com,Germany,Marketing contact,Freely given consent from contact,,,",
    "3,Cy,C,cy@example.com,Germany,Marketing contact,,Yes,,",
    "4,Di,D,,Germany,Marketing contact,,,,",
    "5,Ed,E,ed@example.com,Germany,Non-marketing contact,Not applicable,,,",
    "6,Flo,F,flo@example.com,Germany,Marketing contact,,,Yes,",
    "7,Gil,G,gil@example.com,Germany,,,,,User clicked confirmation",
    "8,Hal,H,not an address,Germany,Marketing contact,,,,",
)


def run(*arguments: object, exit_code: int = 0) -> Result:
    """Run a command in this process; fails unless it ends with the exit code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result


def answer(*arguments: object) -> Any:
    """The JSON a command prints."""
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A small contacts export."""
    path = tmp_path / "contacts.csv"
    path.write_text("\n".join((HEADER, *ROWS)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def audited(export: Path, tmp_path: Path) -> tuple[Any, Path, Path]:
    """The export audited once: (audit.json, output folder, ledger)."""
    out, ledger = tmp_path / "out", tmp_path / "ledger"
    found = answer("audit", export, "--out", out, "--ledger", ledger, "--sender-country", "de")
    return found, out, ledger


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV as its reader sees it."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_record_gets_one_verdict(audited: tuple[Any, Path, Path]) -> None:
    """The sums of audit.json are those of verdicts.csv."""
    audit, out, _ = audited
    assert audit["totals"] == {"contacts": 7, "marketing": 5, "rejected": 1, "marketing_unknown": 1}
    verdicts = {row["Record ID"]: (row["bucket"], row["action"], row["reason"]) for row in rows(out / "verdicts.csv")}
    assert verdicts == {
        "1": ("no_basis", "set_non_marketing", "nothing_known"),
        "2": ("basis_claimed", "review", "claimed_consent"),
        "3": ("stopped", "set_non_marketing", "opted_out"),
        "4": ("no_basis", "set_non_marketing", "no_address"),
        "5": ("no_basis", "none", "nothing_known"),
        "6": ("no_basis", "none", "already_scheduled"),
        "7": ("basis_claimed", "review", "claimed_confirmation"),
    }
    assert sum(count["contacts"] for count in audit["buckets"].values()) == 7
    assert audit["actions"] == {"keep": 0, "review": 2, "set_non_marketing": 3, "none": 2}


def test_the_lists_hold_who_belongs_in_them(audited: tuple[Any, Path, Path]) -> None:
    """Do not send: marketing or unknown, and not allowed today, or unread; opt-out list: stopped, not shown so."""
    _, out, _ = audited
    assert [row["Record ID"] for row in rows(out / "do-not-send.csv")] == ["1", "2", "3", "4", "6", "7", "8"]
    assert rows(out / "opt-out-list.csv") == []
    assert [row["Record ID"] for row in rows(out / "set-non-marketing.csv")] == ["1", "3", "4"]
    assert [(row["row"], row["column"]) for row in rows(out / "rejected.csv")] == [("9", "Email")]


def test_files_are_private(audited: tuple[Any, Path, Path]) -> None:
    """Mode 0600, in the folder of answers and in the ledger."""
    _, out, ledger = audited
    for path in (*out.iterdir(), *ledger.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_same_file_again_adds_nothing(audited: tuple[Any, Path, Path], export: Path, tmp_path: Path) -> None:
    """Also a copy of it, under another name, with its date or with one that cannot be."""
    first, _, ledger = audited
    again = answer("audit", export, "--out", tmp_path / "again", "--ledger", ledger)
    copy = tmp_path / "copy.csv"
    shutil.copy2(export, copy)
    counts = [answer("import", copy, "--ledger", ledger)]
    os.utime(copy, (0, 0))
    counts.append(answer("import", copy, "--ledger", ledger))
    assert again["ledger_position"] == first["ledger_position"]
    assert [(count["added"], count["unchanged"]) for count in counts] == [(0, 7), (0, 7)]
    assert again["buckets"] == first["buckets"]


def test_a_newer_export_adds_only_what_changed(audited: tuple[Any, Path, Path], tmp_path: Path) -> None:
    """Without a date of their own all rows are seen anew, and what was shown as a stop is shown again."""
    _, _, ledger = audited
    newer = tmp_path / "newer.csv"
    changed = ROWS[0].replace("Marketing contact", "Non-marketing contact")
    newer.write_text("\n".join((HEADER, changed, *ROWS[1:])) + "\n", encoding="utf-8")
    counts = answer("import", newer, "--ledger", ledger)
    assert (counts["added"], counts["unchanged"], counts["older"]) == (len(ROWS) - 1 + 2, 6, 0)


def test_a_row_not_modified_since_is_the_same_fact(tmp_path: Path) -> None:
    """By its own date, whenever the export was made: one mark changed, one fact."""
    ledger, modified = tmp_path / "ledger", f"{HEADER},Last Modified Date"
    exports = []
    for name, first in (("old", "2026-03-01 09:00"), ("new", "2026-10-01 09:00")):
        rows = [f"{row},{first if row == ROWS[0] else '2026-02-01 09:00'}" for row in ROWS]
        exports.append(tmp_path / f"{name}.csv")
        exports[-1].write_text("\n".join((modified, *rows)) + "\n", encoding="utf-8")
    for export, expected in ((exports[1], (0, 0)), (exports[0], (1, 1)), (exports[0], (0, 1)), (exports[1], (0, 0))):
        found = answer("import", export, "--ledger", ledger)
        if expected != (0, 0):
            assert (found["added"], found["older"]) == expected
    assert found["added"] == 0


def test_another_portal_is_refused(audited: tuple[Any, Path, Path], tmp_path: Path) -> None:
    """The same record ids with other addresses: nothing of it is recorded."""
    _, _, ledger = audited
    other = tmp_path / "other.csv"
    other.write_text("\n".join((HEADER, *ROWS)).replace("@example.com", "@example.org"), encoding="utf-8")
    before = len(answer("history", "ana@example.com", "--ledger", ledger))
    assert _fails("import", other, "--ledger", ledger) == 5
    assert len(answer("history", "ana@example.com", "--ledger", ledger)) == before


def _fails(*arguments: object) -> int:
    from adapters.cli.errors import explained

    def program() -> None:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        raise AssertionError(result.output)

    return explained(program)


def test_an_opt_out_shown_then_lifted_is_a_conflict(audited: tuple[Any, Path, Path], tmp_path: Path) -> None:
    """The ledger holds a stop the CRM now shows lifted."""
    _, _, ledger = audited
    newer = tmp_path / "newer.csv"
    newer.write_text("\n".join((HEADER, *ROWS)).replace(",Yes,,\n4", ",No,,\n4"), encoding="utf-8")
    audit = answer("audit", newer, "--out", tmp_path / "newer", "--ledger", ledger)
    assert audit["reasons"]["stop_shown_lifted"] == 1


def test_one_address_on_two_people_one_of_them_proven_is_a_conflict(tmp_path: Path) -> None:
    """Same address, other names: whose consent was it?"""
    ledger, path = tmp_path / "ledger", tmp_path / "shared.csv"
    path.write_text("\n".join((HEADER, ROWS[0], ROWS[0].replace("1,Ana,A", "9,Zoe,Z"))), encoding="utf-8")
    run("record", "contract", "ana@example.com", "--kind", "purchase", "--refusal-offered", "--not-refused",
        "--collected-from-person", "--at", "2026-01-15", "--ledger", ledger)  # fmt: skip
    audit = answer("audit", path, "--out", tmp_path / "o", "--ledger", ledger, "--sender-country", "DE")
    assert audit["reasons"] == {"shared_address": 2}


def test_a_recorded_stop_reaches_the_opt_out_list(
    audited: tuple[Any, Path, Path], export: Path, tmp_path: Path
) -> None:
    """Stopped here, not yet shown so by HubSpot."""
    _, _, ledger = audited
    run(
        "record",
        "objection",
        "ana@example.com",
        "--via",
        "letter",
        "--note",
        "no more, please",
        "--ledger",
        ledger,
    )
    answer("audit", export, "--out", tmp_path / "o", "--ledger", ledger)
    assert [row["Email"] for row in rows(tmp_path / "o" / "opt-out-list.csv")] == ["ana@example.com"]


def test_fail_on_ends_with_three(export: Path, tmp_path: Path) -> None:
    """For those who run it every night."""
    where = ("--out", tmp_path / "o", "--ledger", tmp_path / "l", "--json")
    run("audit", export, "--fail-on", "no_basis", *where, exit_code=3)
    run("audit", export, "--fail-on", "conflict", *where)
    run("audit", export, "--fail-on", "nonsense", *where, exit_code=2)


def test_an_erasure_request_outlives_a_new_record_id(audited: tuple[Any, Path, Path], tmp_path: Path) -> None:
    """The address comes back under another record: stopped all the same."""
    _, _, ledger = audited
    run("record", "erasure-request", "ana@example.com", "--ledger", ledger)
    newer = tmp_path / "newer.csv"
    newer.write_text("\n".join((HEADER, ROWS[0].replace("1,Ana", "77,Ana"))) + "\n", encoding="utf-8")
    audit = answer("audit", newer, "--out", tmp_path / "o", "--ledger", ledger)
    assert audit["buckets"]["stopped"]["contacts"] == 1


def test_why_tells_the_three_verdicts(audited: tuple[Any, Path, Path]) -> None:
    """Allowed, not allowed, cannot be shown: never another word."""
    _, _, ledger = audited
    run("record", "contract", "ana@example.com", "--kind", "purchase", "--refusal-offered", "--not-refused",
        "--collected-from-person", "--at", "2026-01-15", "--ledger", ledger)  # fmt: skip
    verdicts = {
        name: answer("why", f"{name}@example.com", "--ledger", ledger)["verdict"] for name in ("ana", "bo", "cy")
    }
    assert verdicts == {
        "ana": "allowed by the rules applied",
        "bo": "cannot be shown",
        "cy": "not allowed by the rules applied",
    }
    text = run("why", "cy@example.com", "--ledger", ledger).stdout
    assert "Not allowed by the rules applied" in text
    assert "cy@example.com" not in text
    assert "lawful" not in text


def test_why_takes_the_reference_of_a_verdict(audited: tuple[Any, Path, Path]) -> None:
    """What stands in verdicts.csv can be asked about."""
    _, out, ledger = audited
    reference = rows(out / "verdicts.csv")[2]["reference"]
    assert answer("why", reference, "--ledger", ledger)["verdict"] == "not allowed by the rules applied"


def test_why_on_a_day_before_we_knew(audited: tuple[Any, Path, Path]) -> None:
    """P10: a back-dated sale allows nothing before somebody provably held it."""
    _, _, ledger = audited
    run("record", "contract", "ana@example.com", "--kind", "purchase", "--refusal-offered", "--not-refused",
        "--collected-from-person", "--at", "2026-01-15", "--ledger", ledger)  # fmt: skip
    then = answer("why", "ana@example.com", "--on", "2026-02-01", "--ledger", ledger)
    assert then["verdict"] == "not allowed by the rules applied"


def test_status_and_history_show_one_person(audited: tuple[Any, Path, Path]) -> None:
    """Purpose by purpose; fact by fact."""
    _, _, ledger = audited
    status = answer("status", "cy@example.com", "--ledger", ledger)["status"]
    assert {row["reason"] for row in status} == {"opted_out"}
    topics = [row["topic"] for row in answer("history", "cy@example.com", "--ledger", ledger)]
    assert "contact.opted_out.v1" in topics
    assert "contact.opted_out" not in run("status", "cy@example.com", "--ledger", ledger).stdout
    run("history", "cy@example.com", "--ledger", ledger)


def test_correct_takes_back_a_stop_and_every_report_lists_it(
    audited: tuple[Any, Path, Path], export: Path, tmp_path: Path
) -> None:
    """A named actor, a reason and evidence; else it is refused."""
    _, _, ledger = audited
    run("record", "objection", "ana@example.com", "--ledger", ledger)
    stop = answer("history", "ana@example.com", "--ledger", ledger)[-1]["position"]
    proof = tmp_path / "proof.txt"
    proof.write_text("the letter was from another Ana")
    signed = ("--by", "Dana Officer", "--role", "DPO", "--reason", "wrong person", "--ledger", ledger)
    assert _fails("correct", stop, *signed) == 1
    shown = run("correct", stop, *signed, "--evidence", proof, exit_code=3).stderr
    assert (
        f"objected to marketing, of {now():%Y-%m-%d}, recorded {now():%Y-%m-%d} (position {stop}), for all marketing"
        in shown
    )
    assert (
        "by e-mail: not allowed (objected to marketing) -> not allowed (nothing on record could be a legal basis)"
        in shown
    )
    run("correct", stop, *signed, "--evidence", proof, "--yes")
    audit = answer("audit", export, "--out", tmp_path / "o", "--ledger", ledger)
    (listed,) = audit["corrections"]
    assert (listed["undoes"], listed["actor"], listed["reason"]) == (
        stop,
        "Dana Officer, DPO",
        "wrong person",
    )
    assert audit["buckets"]["stopped"]["contacts"] == 1
    assert _fails("correct", stop, *signed, "--evidence", proof) == 1


def test_merge_unites_stops_and_unmerge_restores(audited: tuple[Any, Path, Path]) -> None:
    """P14."""
    _, _, ledger = audited
    signed = ("--by", "Dana", "--role", "DPO", "--reason", "same person", "--ledger", ledger)

    def reason() -> str:
        return str(answer("status", "ana@example.com", "--ledger", ledger)["status"][0]["reason"])

    merged = run("merge", "ana@example.com", "cy@example.com", *signed).stderr
    assert "The two are merged" in merged
    assert reason() == "opted_out"
    separate = run("unmerge", "ana@example.com", "cy@example.com", *signed).stderr
    assert "The two are separate again" in separate
    assert separate.count("marketing was not allowed before, and is still not allowed now.") == 2
    assert reason() == "no_basis"


def test_adopting_a_policy_names_who(audited: tuple[Any, Path, Path], export: Path, tmp_path: Path) -> None:
    """Adopted by nobody, until a named person does."""
    first, _, ledger = audited
    assert first["rule_set"]["adopted_by"] is None
    run("policy", "adopt", "--by", "Dana Officer", "--role", "DPO", "--ledger", ledger)
    audit = answer("audit", export, "--out", tmp_path / "o", "--ledger", ledger)
    assert audit["rule_set"]["adopted_by"] == "Dana Officer, DPO"


def test_policy_commands(tmp_path: Path) -> None:
    """Look, compare, test; a wrong case ends with 1."""
    none = ("--ledger", tmp_path / "none")
    assert "DE-UWG-7-3" in run("policy", "list", *none).stdout
    assert "not checked by counsel" in run("policy", "show", "DE-UWG-7-3", *none).stdout
    run("policy", "show", "DE-UWG-7", *none, exit_code=1)
    assert run("policy", "diff", "shipped", "shipped", *none).stdout == ""
    case = {
        "id": "x",
        "jurisdiction": "DE",
        "timeline": [],
        "question": {"at": "2026-01-01T00:00:00Z", "purpose": "marketing.similar", "channel": "email"},
        "expected": {"allowed": True, "basis": "soft_opt_in"},
    }
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([case]))
    wrong = run("policy", "test", path, *none, exit_code=1)
    assert wrong.stdout.splitlines()[-1] == "1 cases, 1 mismatches"
    assert run("policy", "test", *none).stdout.splitlines()[-1].endswith("cases, 0 mismatches")


def test_the_demo_has_every_bucket_and_can_be_run_twice(tmp_path: Path) -> None:
    """Everything a stranger should see."""
    first = answer("demo", "--out", tmp_path / "demo")
    assert all(count["contacts"] for count in first["buckets"].values())
    assert all(first["actions"].values())
    again = answer("demo", "--out", tmp_path / "demo")
    assert again["ledger_position"] == first["ledger_position"]


def test_the_demos_other_records_are_of_people_in_the_export(tmp_path: Path) -> None:
    """Or they would show nothing."""
    path = tmp_path / "demo.csv"
    write_demo_export(path)
    emails = {row["Email"] for row in rows(path)}
    assert {email for email, *_ in OTHER_RECORDS} <= emails


def test_a_ledger_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """No command that only reads makes one."""
    assert _fails("why", "ana@example.com", "--ledger", tmp_path / "none") == 1
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_read_leaves_no_ledger_behind(export: Path, tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("Record ID,Deal Name\n1,x\n", encoding="utf-8")
    ledger = ("--ledger", tmp_path / "l")
    for words in (
        ("audit", tmp_path / "nothere.csv"),
        ("audit", tmp_path / "deals.csv"),
        ("import", tmp_path / "nothere.csv"),
        ("record", "opt-in", "ana@example.com", "--evidence", tmp_path / "nothere.pdf"),
        ("record", "opt-in", "ana@example.com", "--wording", tmp_path / "nothere.txt"),
    ):
        assert _fails(*words, *ledger) == 5
        assert not (tmp_path / "l").exists()


def test_a_ledger_is_made_by_init_and_by_what_records_and_only_opened_by_the_rest(tmp_path: Path) -> None:
    ledger = ("--ledger", tmp_path / "l")
    for words in (["serve"], ["keys", "list"], ["status", "ana@example.com"]):
        assert _fails(*words, *ledger) == 1
        assert not (tmp_path / "l").exists()
    assert "A new ledger was made" in run("record", "opt-out", "ana@example.com", *ledger).stderr
    assert "A new ledger was made" in run("init", "--ledger", tmp_path / "m").stderr
    run("init", *ledger, exit_code=1)
    run("init", "--if-absent", *ledger)
    (tmp_path / "l" / "keys").unlink()
    for words in (["init", "--if-absent"], ["record", "opt-out", "ben@example.com"], ["serve"]):
        assert _fails(*words, *ledger) == 4
        assert not (tmp_path / "l" / "keys").exists()


def test_replay_compares_the_rebuilt_status_with_the_live_one(audited: tuple[Any, Path, Path]) -> None:
    """0 differences."""
    _, _, ledger = audited
    assert answer("replay", "--compare", "--ledger", ledger)["differences"] == 0


def test_a_column_nobody_foresaw_can_be_named(tmp_path: Path) -> None:
    """`--column` says what it is."""
    path = tmp_path / "own.csv"
    path.write_text("Nummer,Post,Grund\n1,ana@example.com,Freely given consent from contact\n", encoding="utf-8")
    where = ("--ledger", tmp_path / "l", "--out", tmp_path / "o")
    assert _fails("audit", path, *where) == 5
    named = ("--column", "Nummer=record_id", "--column", "Post=email", "--column", "Grund=legal_basis")
    assert answer("audit", path, *named, *where)["buckets"]["basis_claimed"]["contacts"] == 1


def test_several_processes_give_the_same_answers(tmp_path: Path) -> None:
    """The rows are shared out; the verdicts come back in the order of the file."""
    path = tmp_path / "portal.csv"
    write_portal_export(path, rows=600, seed=3)
    found = []
    for workers in (1, 2):
        with open_house(tmp_path / f"ledger-{workers}", {}) as house:
            with imported(house, Inputs([path], []), workers=workers) as done:
                verdicts = list(done.crew.verdicts(Brief(now(), None)))
            with imported(house, Inputs([path], []), workers=workers) as again:
                assert (again.added, again.unchanged) == (0, 600)
        found.append([(v.record_id, v.bucket, v.action, v.reason, v.rule) for v in verdicts])
        assert (done.rows, done.records, done.files[0].records) == (600, 600, 600)
    assert found[0] == found[1]
    assert [verdict[0] for verdict in found[0]] == [row["Record ID"] for row in rows(path)]


def test_several_processes_take_the_same_evidence_in(tmp_path: Path) -> None:
    """Each file by one of them: the same facts, findings and rejected rows, in the order of the files."""
    portal = tmp_path / "portal"
    write_portal(portal, contacts=200, seed=3, today=now().date())
    names = ("contacts.csv", "forms", "deals.csv", "subscription-timeline.json", "email-events.json")
    found = []
    for workers in (1, 2):
        inputs = sort_inputs([portal / name for name in names], stops=[portal / "objections.csv"])
        ledger = tmp_path / f"ledger-{workers}"
        with open_house(ledger, {}) as house, imported(house, inputs, workers=workers) as done:
            verdicts = list(done.crew.verdicts(Brief(now(), None)))
        files = [(one.name, one.facts, one.added, one.stops, one.rejected, one.found) for one in done.taken]
        found.append((files, [(v.record_id, v.bucket, v.reason, v.next_step) for v in verdicts]))
    assert found[0] == found[1]


def test_a_ledger_belongs_to_one_controller(export: Path, tmp_path: Path) -> None:
    """Another one is sent to a ledger of its own."""
    where = ("--ledger", tmp_path / "l", "--out", tmp_path / "o")
    assert answer("audit", export, *where, "--controller", "One Ltd")["controller"] == "One Ltd"
    assert answer("audit", export, *where)["controller"] == "One Ltd"
    assert _fails("audit", export, *where, "--controller", "Two Ltd") == 1


def test_one_address_on_two_records_is_one_contact_with_its_stops_united(tmp_path: Path) -> None:
    """A verdict for each record; a stop on one stops both."""
    path = tmp_path / "twice.csv"
    other = ROWS[2].replace("3,Cy,C", "33,Cy,C").replace(",Yes,", ",,")
    path.write_text("\n".join((HEADER, ROWS[2], other)), encoding="utf-8")
    audit = answer("audit", path, "--ledger", tmp_path / "l", "--out", tmp_path / "o")
    assert audit["buckets"]["stopped"]["contacts"] == 2
    assert audit["totals"]["contacts"] == 2


def test_keep_nothing_leaves_the_output_folder_alone(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No ledger, no keys, no map outside the folder; and the next one knows nothing of this one."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for _ in range(2):
        audit = answer("audit", export, "--out", home / "out", "--keep-nothing", "--sender-country", "DE")
        assert audit["before"] is None
    assert [path.name for path in home.iterdir()] == ["out"]
    assert (home / "out" / "audit.toml").exists()


def test_the_price_is_what_the_user_said(export: Path, tmp_path: Path) -> None:
    """On the command line, or in the map; the command line goes first, and nothing is made up."""
    where = ("--ledger", tmp_path / "l", "--out", tmp_path / "o")
    assert answer("audit", export, *where)["money"] is None
    evidence_map = tmp_path / "map.toml"
    evidence_map.write_text('[money]\ntier = 5000\nprice = 230.0\ncurrency = "EUR"\n', encoding="utf-8")
    said = answer("audit", export, *where, "--map", evidence_map, "--price", "250", "--renewal", "2027-03-01")
    assert said["money"] == {
        "tier": 5000, "price": 250.0, "currency": "EUR", "step": None, "renewal": "2027-03-01",
    }  # fmt: skip


def test_an_audit_without_a_contacts_export_says_what_to_do(tmp_path: Path) -> None:
    """Evidence alone can be taken in; for answers somebody has to be there."""
    stops = tmp_path / "objections.csv"
    stops.write_text("email,date,words\nana@example.com,2026-01-02,no more\n", encoding="utf-8")
    deals = tmp_path / "deals.csv"
    deals.write_text("Deal ID,Deal Stage,Close Date,Associated Contact IDs\n1,Closed Won,2026-01-02,101\n")
    where = ("--ledger", tmp_path / "l")
    assert _fails("audit", deals, *where) == 5
    assert answer("import", deals, "--stops", stops, *where)["added"] == 2


def test_a_map_not_filled_in_yet_takes_no_declaration_back(export: Path, tmp_path: Path) -> None:
    """The first run writes one into the ledger's directory; another, named once, goes on counting beside it."""
    where = ("--ledger", tmp_path / "l", "--out", tmp_path / "o")
    run("audit", export, *where)
    by = '[by]\nname = "Dana"\nrole = "DPO"\non = 2026-01-10\n'
    named = tmp_path / "map.toml"
    named.write_text(f'{by}[[list]]\nkey = "fair"\nlist = "Trade fair"\n', encoding="utf-8")
    run("audit", export, *where, "--map", named)
    run("audit", export, *where)
    with open_house(tmp_path / "l", {}) as house:
        assert list(house.catalogue.declared.by_key) == ["fair"]
    named.write_text(by, encoding="utf-8")
    run("audit", export, *where, "--map", named)
    with open_house(tmp_path / "l", {}) as house:
        assert list(house.catalogue.declared.by_key) == []
