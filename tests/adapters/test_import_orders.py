"""Whichever file comes first: a stop counts each time it is shown, and each row from its own date."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.hubspot.portal import write_portal
from adapters.wiring import now
from ledger.terms import MARKETING_PURPOSES
from tests.adapters.test_cli import answer, rows, run
from tests.ledgers import open_house

CONSENT = (
    "--act", "unticked_box", "--purpose", "marketing.*", "--informed", "--specific",
)  # fmt: skip
PLAIN = "Record ID,Email,Country/Region,Marketing contact status,Unsubscribed from all email"
ANA = "1,ana@example.com,Germany,Marketing contact,"


class Files:
    """Files in a folder, each of its day, and ledgers they are taken into in some order."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._ledgers = 0
        self.proof = home / "form.pdf"
        self.proof.write_bytes(b"%PDF the form, and who ticked it")

    def written(self, name: str, day: str, *lines: str) -> Path:
        """A file exported on that day."""
        path = self.home / f"{name}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        moment = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        return path

    def ledger(self) -> Path:
        """A new one."""
        self._ledgers += 1
        return self.home / f"ledger{self._ledgers}"

    def opt_in(self, ledger: Path, day: str, email: str = "ana@example.com") -> None:
        """The person's own, with what shows it."""
        run("record", "opt-in", email, "--at", day, *CONSENT, "--evidence", self.proof, "--ledger", ledger)
        run("record", "confirmation", email, "--at", day, "--ledger", ledger)

    def taken(self, *steps: Path | str) -> Path:
        """A ledger with files imported and opt-ins (by their day) recorded, in this order."""
        ledger = self.ledger()
        for step in steps:
            if isinstance(step, str):
                self.opt_in(ledger, step)
            else:
                run("import", step, "--ledger", ledger)
        return ledger

    def verdicts(self, ledger: Path, export: Path) -> dict[str, dict[str, str]]:
        """The audit of the ledger, over the records of the export."""
        out = self.home / f"{ledger.name}-out"
        run("audit", export, "--ledger", ledger, "--sender-country", "DE", "--out", out)
        compared = ("bucket", "action", "reason", "allowed", "next_step", "marketing")
        return {
            row["Record ID"]: {name: row[name] for name in compared if name in row}
            for row in rows(out / "verdicts.csv")
        }


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """An empty folder."""
    return Files(tmp_path)


SHOWN: dict[str, tuple[str, str]] = {
    "all mail": (PLAIN, f"{ANA}Yes"),
    "one type": (f"{PLAIN},Opted out of email: News", f"{ANA},Yes"),
    "a plain list": ("Email,Unsubscribed from all email,Reason", "ana@example.com,Yes,"),
}


SOMEBODY_ELSE = {
    shown[0]: shown[1].replace("1,ana", "9,eve").replace("ana@", "eve@") for shown in SHOWN.values()
}  # fmt: skip


@pytest.mark.parametrize("shown", SHOWN.values(), ids=list(SHOWN))
def test_a_stop_shown_again_after_an_opt_in_counts(files: Files, shown: Sequence[str]) -> None:
    """An export of April and one of November show it; the person signed up in May: which came last is not known."""
    contacts = files.written("contacts", "2025-01-01", PLAIN, ANA)
    april = files.written("unsubscribes-april", "2026-04-01", *shown)
    november = files.written("unsubscribes-november", "2026-11-01", *shown, SOMEBODY_ELSE[shown[0]])
    alone = files.verdicts(files.taken(contacts, november, "2026-05-01"), contacts)
    assert alone["1"]["bucket"] == "conflict"
    steps: list[Path | str] = [april, november, "2026-05-01"]
    for order in permutations(steps):
        assert files.verdicts(files.taken(contacts, *order), contacts) == alone, order


def test_a_stop_shown_again_in_an_export_of_the_same_content_counts(files: Files) -> None:
    """Nothing else changed in the portal, and no row has a date of its own: the day of the file is all that differs."""
    april, november = (
        files.written(name, day, PLAIN, f"{ANA}Yes") for name, day in (("a", "2026-04-01"), ("n", "2026-11-01"))
    )
    alone = files.verdicts(files.taken(november, "2026-05-01"), november)
    assert alone["1"]["bucket"] == "conflict"
    steps: list[Path | str] = [april, november, "2026-05-01"]
    for order in permutations(steps):
        assert files.verdicts(files.taken(*order), november) == alone, order


def test_a_stop_shown_before_the_opt_in_alone_is_over(files: Files) -> None:
    """Else nothing could ever revive a consent, and the test above could not fail."""
    contacts = files.written("contacts", "2025-01-01", PLAIN, ANA)
    april = files.written("april", "2026-04-01", *SHOWN["all mail"])
    steps: list[Path | str] = [april, "2026-05-01"]
    for order in permutations(steps):
        assert files.verdicts(files.taken(*order), contacts)["1"]["bucket"] == "basis_proven"


def test_a_row_not_modified_since_the_opt_in_is_no_new_stop(files: Files) -> None:
    """Its own date says that it shows what it showed before."""
    header, row = f"{PLAIN},Last Modified Date", f"{ANA}Yes,2026-03-01 09:00"
    april = files.written("april", "2026-04-01", header, row)
    november = files.written("november", "2026-11-01", header, row, "2,bo@example.com,,,,2026-10-01 09:00")
    ledger = files.taken(april, "2026-05-01", november)
    assert files.verdicts(ledger, november)["1"]["bucket"] == "basis_proven"
    later = files.written("later", "2026-11-02", header, f"{ANA}Yes,2026-10-30 09:00")
    run("import", later, "--ledger", ledger)
    assert files.verdicts(ledger, later)["1"]["bucket"] == "conflict"


LIFTED = f"{PLAIN},Legal basis for processing contact's data"


def test_what_an_older_row_claims_is_superseded(files: Files) -> None:
    """Every order of four exports; a stop in any of them stays, and that it is shown no more is a contradiction."""
    exports = [
        files.written(
            "e1", "2026-01-01", LIFTED, f"{ANA},Freely given consent from contact", "2,bo@example.com,,,Yes,"
        ),
        files.written("e2", "2026-02-01", LIFTED, f"{ANA}Yes,", "2,bo@example.com,,,,Performance of a contract"),
        files.written("e3", "2026-03-01", LIFTED, f"{ANA},Performance of a contract", "2,bo@example.com,,,,"),
        files.written("e4", "2026-04-01", PLAIN, ANA.replace("Marketing", "Non-marketing"), "2,bo@example.com,,,"),
    ]
    answers = [files.verdicts(files.taken(*order), exports[-1]) for order in permutations(exports)]
    assert answers[0]["1"]["reason"] == answers[0]["2"]["reason"] == "stop_shown_lifted"
    assert [one for one in answers if one != answers[0]] == []


def test_the_screen_says_how_many_rows_were_older(files: Files) -> None:
    """Than what is known of the same records."""
    new = files.written("new", "2026-04-01", PLAIN, ANA, "2,bo@example.com,,,")
    old = files.written("old", "2026-01-01", PLAIN, f"{ANA}Yes", "3,cy@example.com,,,")
    ledger = files.taken(new)
    assert answer("import", old, "--ledger", ledger)["older"] == 1
    audit: Any = answer("audit", old, "--ledger", ledger, "--out", files.home / "x")
    assert [note for note in audit["notes"] if "1 row of the contacts export was older" in note]
    assert answer("import", new, "--ledger", ledger)["older"] == 0


def test_a_row_that_shows_nothing_but_a_stop_is_counted_as_well(files: Files) -> None:
    header = "Record ID,Email,Last Modified Date,Unsubscribed from all email"
    new, old = (
        files.written(day, "2026-11-01", header, f"1,ana@example.com,{day} 09:00,Yes")
        for day in ("2026-04-01", "2026-01-01")
    )
    ledger = files.taken(new)
    assert answer("import", old, "--ledger", ledger)["older"] == 1
    assert answer("import", new, "--ledger", ledger)["older"] == 0


CHANGES = "Recipient,Change,Change type,Subscription,Subscription ID,Timestamp"


def test_a_timeline_that_names_a_number_ties_what_other_files_left_by_either(files: Files) -> None:
    """By number alone it stops all marketing; once a file says which type that is, only what the type means."""
    contacts = files.written("contacts", "2026-01-01", PLAIN, ANA)
    by_number = files.written(
        "by-number", "2026-02-01", CHANGES, "ana@example.com,UNSUBSCRIBED,SUBSCRIPTION_STATUS,,5,2026-01-20"
    )
    tying = files.written(
        "tying", "2026-03-01", CHANGES, "eve@example.com,UNSUBSCRIBED,SUBSCRIPTION_STATUS,News,5,2026-01-20"
    )
    for order in permutations((contacts, by_number, tying)):
        with open_house(files.taken(*order), {}) as house:
            assert house.catalogue.declared.known_as("5") == {"5", "news"}
    with open_house(files.taken(contacts, by_number), {}) as house:
        assert house.catalogue.declared.known_as("5") == {"5"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up portal with every file it has."""
    folder = tmp_path_factory.mktemp("orders") / "portal"
    write_portal(folder, contacts=120, seed=5, today=now().date())
    return folder


STEPS: dict[str, tuple[str, ...]] = {
    "contacts": ("contacts.csv",),
    "forms": ("forms",),
    "deals": ("deals.csv",),
    "unsubscribes": ("unsubscribes-and-bounces.csv",),
    "timeline": ("subscription-timeline.json",),
    "events": ("email-events.json",),
    "audience": ("mailchimp-audience.zip",),
    "letters": ("deals.csv", "--stops", "objections.csv"),
    "erasure": (),
}
LISTS = ("verdicts.csv", "opt-out-list.csv", "do-not-send.csv", "set-non-marketing.csv")
POSITIONS = frozenset({"reference", "declaration"})
"""Columns that name places in the log, which are those of the order."""
ORDERS = [
    tuple(STEPS),
    ("deals", "contacts", "letters", "audience", "erasure", "events", "timeline", "unsubscribes", "forms"),
    ("unsubscribes", "timeline", "erasure", "contacts", "events", "forms", "deals", "audience", "letters"),
    ("erasure", "audience", "contacts", "forms", "letters", "unsubscribes", "timeline", "events"),
]
LATE = [
    ("deals", "letters", "erasure", "audience", "events", "timeline", "unsubscribes", "forms", "contacts"),
    *(tuple(Random(number).sample(tuple(STEPS), len(STEPS))) for number in range(2)),
]


@pytest.fixture(scope="module")
def usual(portal: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The answers where the contacts come first."""
    return _answers(portal, tmp_path_factory.mktemp("usual"), ORDERS[0])


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS[1:])
def test_every_order_of_a_portals_files_gives_the_same_answers(
    portal: Path, usual: dict[str, dict[str, Any]], tmp_path: Path, order: Sequence[str]
) -> None:
    """Verdicts, lists and the gate; a person is asked to be erased before their address is known, or after."""
    assert {verdict["bucket"] for verdict in usual["verdicts.csv"].values()} > {"stopped", "basis_proven"}
    found = _answers(portal, tmp_path, order)
    for name, expected in usual.items():
        assert {key: row for key, row in found[name].items() if row != expected.get(key)} == {}, name
        assert found[name].keys() == expected.keys()


@pytest.mark.slow
@pytest.mark.parametrize("order", LATE)
def test_no_order_loses_a_stop_or_allows_more(
    portal: Path, usual: dict[str, dict[str, Any]], tmp_path: Path, order: Sequence[str]
) -> None:
    """Where a deal came by an id alone before it was known whose that is, it grants nothing to the address."""
    found = _answers(portal, tmp_path, order)
    stopped, proven = (
        [{key for key, row in answers["verdicts.csv"].items() if row["bucket"] == bucket} for answers in (usual, found)]
        for bucket in ("stopped", "basis_proven")
    )
    assert stopped[0] == stopped[1]
    assert proven[1] <= proven[0]
    assert found["opt-out-list.csv"].keys() == usual["opt-out-list.csv"].keys()
    assert found["do-not-send.csv"].keys() >= usual["do-not-send.csv"].keys()
    for email, allowed in found["gate"].items():
        assert all(usual["gate"][email][purpose] for purpose, yes in allowed.items() if yes)


def _answers(portal: Path, home: Path, order: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Every list, and what the gate says of every address, once the files are taken in, in this order."""
    common = ("--ledger", home / "ledger", "--timezone", "Europe/Berlin", "--map", portal / "audit.toml")
    contacts = rows(portal / "contacts.csv")
    run("init", "--ledger", home / "ledger")
    for step in order:
        if step == "erasure":
            who = contacts[len(contacts) // 2]["Email"]
            run("record", "erasure-request", who, "--at", "2026-03-01", "--ledger", home / "ledger")
        else:
            run("import", *(one if one.startswith("--") else portal / one for one in STEPS[step]), *common)
    run("audit", portal / "contacts.csv", *common, "--sender-country", "DE", "--out", home / "out")
    found: dict[str, dict[str, Any]] = {
        name: {
            (row.get("Record ID") or row["Email"]): {key: row[key] for key in row.keys() - POSITIONS}
            for row in rows(home / "out" / name)
        }
        for name in LISTS
    }
    with open_house(home / "ledger", {}) as house:
        house.runner.follow(once=True)
        found["gate"] = {
            email: {
                purpose: house.gate.ask(known[0], purpose, "email", known[1], now()).allowed
                for purpose in MARKETING_PURPOSES
            }
            for email in (row["Email"] for row in contacts)
            if email and (known := house.ledger.vault.find_address(email)) is not None
        }
    return found
