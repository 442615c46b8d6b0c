"""`hubspot sync`, `approve`, `approvals` and the worker `crm`, as processes, against a HubSpot over HTTP."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.cli.hubspot_sync_run import _examples
from adapters.cli.options import EXIT
from adapters.hubspot.changes import SYSTEM
from adapters.hubspot.sync.rehearsal import Shown
from adapters.hubspot.sync.store import Book, Result
from adapters.kafka.dead_letters import Letter
from adapters.kafka.messages import CrmResult, status_message
from adapters.kafka.topics import CRM_RESULTS, STATUS, STATUS_DLQ
from adapters.wiring import now
from ledger import events as e
from ledger.application import Fact
from ledger.terms import BY_OUR_WRITE
from ledger.vault import Registration
from tests.adapters.kafka import stream_world
from tests.adapters.kafka.stream_world import AT, LEDGER, status
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import State
from tests.hubspot_sync.world import SIGN_UP
from tests.ledgers import open_house
from tests.services.program import Program
from tests.waiting import BUDGET

ADA, BOB = "ada@example.com", "bob@example.com"


def counted(what: str, told: str) -> int:
    """The number behind some words, in what a run printed."""
    found = re.search(rf"{what} +([\d,]+)$", told, re.MULTILINE)
    assert found, told
    return int(found[1].replace(",", ""))


class Here:
    """A ledger in files, and a portal that its two people are in."""

    def __init__(self, folder: Path, there: Fake) -> None:
        self.folder, self.there = folder, there
        self.env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
            "CONSENT_LEDGER_DIR": str(folder / "ledger"),
            "CONSENT_LEDGER_HUBSPOT_URL": there.url,
            "CONSENT_LEDGER_HUBSPOT_TOKEN": there.token,
        }
        self.records = {email: there.state.add_contact(email) for email in (ADA, BOB)}
        with open_house(folder / "ledger", {}) as house:
            house.describe_controller("Sample Goods GmbH", "DE", "DE")
            wanted = [Registration(email, SYSTEM, str(record)) for email, record in self.records.items()]
            self.people = dict(zip(self.records, house.ledger.register_many(wanted), strict=True))

    def says(self, email: str, cls: type[e.Event], **fields: Any) -> None:
        person = self.people[email]
        with open_house(self.folder / "ledger", {}) as house:
            event = cls(stream=person.contact, source="shop", address=person.address, occurred_from=now(), **fields)
            house.ledger.record(Fact(event))

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "adapters.cli", *words]
        return subprocess.run(command, env=self.env | env, capture_output=True, text=True, timeout=BUDGET, check=False)

    def verdict(self, email: str) -> str | None:
        return self.there.state.contact(email).properties.get("consent_ledger_verdict")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with fake(State(rate=None)) as there:
        yield Here(tmp_path, there)


def test_a_dry_run_then_the_same_applied_then_nothing(here: Here) -> None:
    here.says(ADA, e.OptedOut, by="data_subject")
    dry = here.run("hubspot", "sync")
    assert dry.returncode == EXIT.OK, dry.stderr
    assert "POST /communication-preferences/v4/statuses/batch/unsubscribe-all" in dry.stdout
    assert "Nothing was written. The calls that --apply makes, 2 in all:" in dry.stdout
    assert ADA not in dry.stdout
    assert not here.there.state.address(ADA).all_out
    applied = here.run("hubspot", "sync", "--apply")
    assert applied.returncode == EXIT.OK, applied.stderr
    assert "Written: 3 done" in applied.stdout
    assert "made the property consent_ledger_verdict in HubSpot" in applied.stderr
    assert here.there.state.address(ADA).all_out
    assert (here.verdict(ADA), here.verdict(BOB)) == ("non_marketing", "non_marketing")
    assert "0 contacts were compared" in here.run("hubspot", "sync").stdout
    assert "Nothing would be written." in here.run("hubspot", "sync", "--full").stdout


def test_only_who_changed_is_looked_at_again(here: Here) -> None:
    here.run("hubspot", "sync", "--apply")
    here.says(BOB, e.OptedOut, by="data_subject")
    told = json.loads(here.run("hubspot", "sync", "--json").stdout)
    assert (told["contacts"], told["steps"]["unsubscribe_all"], told["applied"]) == (1, 1, False)
    assert [call["path"] for call in told["calls"]] == [
        "/communication-preferences/v4/statuses/batch/unsubscribe-all",
        "/crm/v3/objects/contacts/batch/update",
    ]


def test_who_was_refused_is_looked_at_again(here: Here) -> None:
    here.says(ADA, e.OptedOut, by="data_subject")
    here.there.state.chaos.refuse(ADA)
    refused = here.run("hubspot", "sync", "--apply")
    assert refused.returncode == EXIT.FINDINGS
    assert "1 refused" in refused.stdout
    assert ADA not in refused.stdout + refused.stderr
    assert here.verdict(BOB) == "non_marketing"
    here.there.state.chaos.allow(ADA)
    again = here.run("hubspot", "sync", "--apply")
    assert (again.returncode, here.there.state.address(ADA).all_out) == (EXIT.OK, True), again.stdout
    assert "0 contacts were compared" in here.run("hubspot", "sync").stdout


def test_a_raise_is_approved_by_a_person_and_within_the_cap(here: Here) -> None:
    for email in (ADA, BOB):
        here.says(email, e.OptedIn, purposes=("marketing.similar",), **SIGN_UP)
    signed = ("--by", "Ada Officer", "--role", "DPO", "--reason", "the spring campaign")
    assert counted("to be approved", here.run("hubspot", "sync", "--apply").stdout) == 2
    refused = here.run("hubspot", "approve", "2", *signed, CONSENT_LEDGER_CRM_CAP="1")
    assert refused.returncode == EXIT.ERROR
    assert "no more than 1 can be approved" in refused.stderr
    given = here.run("hubspot", "approve", "1", *signed, CONSENT_LEDGER_CRM_CAP="1")
    assert given.stdout == "approval 1: 1 more, beside the 0 marketing contacts of now\n"
    applied = here.run("hubspot", "sync", "--apply", "--full", CONSENT_LEDGER_CRM_CAP="1")
    assert (counted("contacts by this", applied.stdout), counted("to be approved", applied.stdout)) == (1, 1)
    assert here.there.state.marketing.count() == 1
    assert sorted(str(here.verdict(email)) for email in (ADA, BOB)) == ["awaiting_approval", "marketing"]
    assert "1 of 1 used\n      Ada Officer, DPO: the spring campaign" in here.run("hubspot", "approvals").stdout


def test_a_pending_demotion_shows_the_next_update(here: Here) -> None:
    here.there.state.user_sets_marketing(ADA, True)
    here.run("hubspot", "sync", "--apply")
    told = here.run("hubspot", "sync", "--full", CONSENT_LEDGER_CRM_UPDATE_DAY="31").stdout
    assert counted("should become non-marketing", told) == 1
    assert counted(r"taken off by HubSpot on 20\d\d-\d\d-\d\d", told) == 1


def test_what_is_said_fits_a_terminal(here: Here) -> None:
    """The bodies of calls are shown in one line each, to be copied; everything else is no wider than a terminal."""
    here.says(ADA, e.OptedIn, purposes=("marketing.similar",), **SIGN_UP)
    here.there.state.user_sets_marketing(BOB, True)
    told = here.run("hubspot", "sync").stdout
    assert counted("to be approved", told) == counted("should become non-marketing", told) == 1
    assert max(len(line) for line in told.splitlines() if not line.lstrip().startswith("{")) <= 80


def test_a_file_that_lost_stops_is_said_first(here: Here) -> None:
    here.says(ADA, e.OptedIn, purposes=("marketing.similar",), **SIGN_UP)
    path = here.folder / "unsubscribes.csv"
    path.write_text("Email,Unsubscribe date,Reason\nmrs smith,2026-03-01,x\nno@example.org,2026-03-01,x\n")
    assert "names nobody" in here.run("import", str(path)).stderr
    told = here.run("hubspot", "sync").stdout
    assert told.startswith("unsubscribes.csv: 1 row may be anybody's opt-out, or hide it.")
    assert counted("held back for lost stops", told) == 1
    assert max(len(line) for line in told.splitlines() if not line.lstrip().startswith("{")) <= 80
    here.run("import", str(path), "--accept-lost-stops", "unsubscribes.csv=1", "--by", "Dana Weiss")
    assert "held back" not in here.run("hubspot", "sync").stdout


def test_a_file_that_was_not_read_and_may_hold_stops_is_said_first(here: Here) -> None:
    """As one that lost stops: nobody is raised until it is read, or somebody answers for it."""
    here.says(ADA, e.OptedIn, purposes=("marketing.similar",), **SIGN_UP)
    folder = here.folder / "files"
    folder.mkdir()
    (folder / "unsubscribes.csv").write_text("Email,Unsubscribe date,Reason\nno@example.org,2026-03-01,x\n")
    (folder / "objections.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    assert "objections.xls was not read and may hold opt-outs." in here.run("import", str(folder)).stderr
    told = here.run("hubspot", "sync").stdout
    assert told.startswith("objections.xls: this file was not read and may hold opt-outs.")
    assert counted("held back for lost stops", told) == 1
    assert max(len(line) for line in told.splitlines() if not line.lstrip().startswith("{")) <= 80
    here.run("import", str(folder), "--accept-lost-stops", "objections.xls=1", "--by", "Dana Weiss")
    assert "held back" not in here.run("hubspot", "sync").stdout


def exported(here: Here, *rows: str, day: datetime | None = None) -> tuple[dict[str, str], dict[str, int]]:
    """What an audit of an export says: the reason of each record of it, and how many were stopped by whom."""
    path, out = here.folder / "contacts.csv", here.folder / "out"
    head = "Record ID,Email,Marketing contact status,Unsubscribed from all email"
    path.write_text("\n".join([head, *rows]) + "\n")
    if day is not None:
        os.utime(path, (day.timestamp(), day.timestamp()))
    assert here.run("audit", str(path), "--out", str(out), "--same-company").returncode == EXIT.OK
    with (out / "verdicts.csv").open(encoding="utf-8-sig", newline="") as file:
        reasons = {row["Record ID"]: row["reason"] for row in csv.DictReader(file)}
    sums = json.loads((out / "audit.json").read_text())["stopped_by"]
    return reasons, {who: count["contacts"] for who, count in sums.items()}


def test_a_stop_that_the_sync_wrote_comes_back_in_an_export_as_no_word_of_the_person(here: Here) -> None:
    """The review's stop stays the review's; Bob's own stays his. Stopped they are, whoever shows it."""
    here.says(ADA, e.ReviewDecided, by="officer", outcome="stop")
    here.says(BOB, e.OptedOut, by="data_subject")
    ada, bob = (here.records[one] for one in (ADA, BOB))
    rows = [f"{ada},{ADA},Marketing contact,{{}}", f"{bob},{BOB},Marketing contact,{{}}"]
    assert here.run("hubspot", "sync", "--apply").returncode == EXIT.OK
    reasons, sums = exported(here, *(row.format("Yes") for row in rows))
    assert reasons == {str(ada): "review_stop", str(bob): "opted_out"}
    assert sums == {"person": 1, "review": 1, "others": 0}
    why = here.run("why", ADA).stdout
    assert "A review by the company decided" in why
    assert "the person opted out" not in why.lower()
    with open_house(here.folder / "ledger", {}) as house:
        stops = house.contacts([here.people[ADA].contact])[here.people[ADA].contact].stops
        assert [(n.event.by, n.event.via) for n in stops] == [("system", BY_OUR_WRITE)]


@pytest.mark.parametrize("between", ["export before", "switched on", "opted in", "nothing was changed"])
def test_what_may_be_the_persons_own_opt_out_stays_theirs(here: Here, between: str) -> None:
    """An export that is older than our write, a sign that it was switched on since, a write that changed nothing."""
    here.says(ADA, e.ReviewDecided, by="officer", outcome="stop")
    ada = here.records[ADA]
    row = f"{ada},{ADA},Marketing contact,{{}}"
    if between == "nothing was changed":
        here.there.state.contact(ADA).properties["hs_email_optout"] = "true"
        with open_house(here.folder / "ledger", {}) as house, Book.open(house) as book:
            contact = here.people[ADA].contact
            book.keep([Result(contact, str(ada), "unsubscribe_all", "", "unchanged", 200, now(), "CL-0-0")])
    else:
        assert here.run("hubspot", "sync", "--apply").returncode == EXIT.OK
    day = None
    if between == "export before":
        day = now() - timedelta(days=2)
    elif between == "switched on":
        exported(here, row.format("No"))
    elif between == "opted in":
        here.says(ADA, e.OptedIn, purposes=("marketing.similar",), **SIGN_UP)
    reasons, sums = exported(here, row.format("Yes"), day=day)
    assert sums["others"] == sums["review"] == 0, reasons
    assert sums["person"] == 1 or reasons[str(ada)] == "stop_shown_lifted"


def test_without_a_token_or_with_a_wrong_one_it_says_so(here: Here) -> None:
    wrong = here.run("hubspot", "sync", CONSENT_LEDGER_HUBSPOT_TOKEN="wrong")  # noqa: S106
    assert (wrong.returncode, "CONSENT_LEDGER_HUBSPOT_TOKEN" in wrong.stderr) == (EXIT.ERROR, True)
    del here.env["CONSENT_LEDGER_HUBSPOT_TOKEN"]
    none = here.run("hubspot", "sync")
    assert (none.returncode, "CONSENT_LEDGER_HUBSPOT_TOKEN" in none.stderr) == (EXIT.USAGE, True)


def test_what_the_token_may_not_do_is_said_once(here: Here) -> None:
    here.run("hubspot", "sync", "--apply")
    here.says(ADA, e.OptedOut, by="data_subject")
    app = here.there.state.apps[here.there.token]
    app.scopes.difference_update({one for one in app.scopes if "communication_preferences" in one and "write" in one})
    refused = here.run("hubspot", "sync", "--apply")
    assert refused.returncode == EXIT.ERROR
    assert "HubSpot does not let this token unsubscribe from all e-mail" in refused.stderr


@pytest.mark.service
def test_the_worker_writes_and_tells_what_it_wrote(here: Here, tmp_path: Path) -> None:
    """A stop from the topic to the portal. A dry run beside it writes nothing, and takes nothing from it."""
    here.says(ADA, e.OptedOut, by="data_subject")
    who = here.people[ADA].contact
    with stream_world.world(tmp_path / "streams") as streams:
        env = streams.env | {name: value for name, value in here.env.items() if name.startswith("CONSENT_LEDGER_")}
        value = msgspec.json.encode(msgspec.structs.replace(status(1, 1), contact=who))
        of_ada = status_message(LEDGER, who, 1, value, AT.isoformat(), streams.prefix)
        streams.send([of_ada, stream_world.told(streams, 1, 1), of_ada._replace(value=b"{")])
        dry = Program(["streams", "worker", "crm"], env, tmp_path / "dry.log")
        writing: Program | None = None
        try:
            streams.drained("crm-dry-run", STATUS)
            assert "crm.would" in dry.said()
            assert not here.there.state.address(ADA).all_out
            writing = Program(["streams", "worker", "crm", "--apply"], env, tmp_path / "writing.log")
            streams.drained("crm", STATUS)
        finally:
            said = dry.said() + (writing.said() if writing is not None else "")
            dry.kill()
            if writing is not None:
                writing.kill()
        assert here.there.state.address(ADA).all_out
        results = [msgspec.json.decode(one or b"", type=CrmResult) for _, one, _ in streams.read(CRM_RESULTS)]
        assert [(one.call, one.status, one.record_id) for one in results] == [
            ("unsubscribe_all", "done", None),
            ("update", "done", None),
        ]
        letters = [msgspec.json.decode(one or b"", type=Letter) for _, one, _ in streams.read(STATUS_DLQ)]
        assert len({letter.place for letter in letters}) == 1
        assert ADA not in said


def test_a_dry_run_shows_counts_first_and_few_examples_of_each_call() -> None:
    """A wall of calls is read by nobody."""
    batch = [
        Shown("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": [{"id": n} for n in range(100)]})
        for _ in range(5)
    ]
    single = [Shown("POST", f"/subscribe/{n}", {"n": n}) for n in range(1000, 1004)]
    lines = list(_examples([*batch, *single], 3))
    assert lines[0] == "  5 × POST /crm/v3/objects/contacts/batch/update"
    assert lines[1] == '    {"inputs":[{"id":0},{"id":1},{"id":2}]} and 97 more'
    assert lines[4:7] == ["  4 × POST /subscribe/…", "    /subscribe/1000", '    {"n":1000}']
    assert len(lines) == 1 + 3 + 1 + 6 + 1
    assert "--show 0" in lines[-1]
    whole = list(_examples([*batch, *single], 0))
    assert len(whole) == 1 + 5 + 1 + 8
    assert not any("--show 0" in line or "more" in line for line in whole)
