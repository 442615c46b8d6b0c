"""Stops of a whole domain, and of addresses of which only a digest was given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wides import wides_in
from ledger import events as e
from ledger.codec import decode
from ledger.standing import Wide
from projections.gate import Answer
from tests.adapters.test_cli import rows
from tests.adapters.test_lost_stops import actions, audit, kept_out, write
from tests.ledgers import open_house

HEADER = (
    "Record ID",
    "Email",
    "Country/Region",
    "Marketing contact status",
    "Lifecycle Stage",
    "Unsubscribed from all email",
)


def line(number: int, email: str) -> str:
    return f"{number},{email},United States,Marketing contact,Lead"


def lay(folder: Path, *emails: str) -> None:
    write(folder / "contacts.csv", HEADER, [line(place, email) for place, email in enumerate(emails, start=1)])


def stops(folder: Path, *lines: str) -> tuple[object, ...]:
    return "--stops", write(folder / "objections.csv", ("email", "date"), list(lines))


def gate(folder: Path, email: str) -> bool:
    with open_house(folder / "ledger", {}) as house:
        contact, address = house.find(email)
        found: Answer = house.gate.ask(contact, "marketing.similar", "email", address, _now(house))
        return bool(found.decision and found.decision.allowed)


def _now(house: Any) -> Any:
    entries = house.ledger.log.read(house.ledger.log.last_position() - 1, 1)
    return decode(entries[0][2]).recorded_at


@pytest.mark.parametrize(
    "said", ["*@acme.example", "@acme.example", "acme.example", "'@ACME.example'", "<@acme.example>"]
)
def test_everybody_at_a_domain_is_stopped_and_whoever_arrives(tmp_path: Path, said: str) -> None:
    """Ana is known when the stop comes; Bo arrives at the domain later, Cy elsewhere."""
    lay(tmp_path, "ana@acme.example", "cy@beta.example")
    audit(tmp_path, *stops(tmp_path, f"{said},2026-03-01"))
    assert actions(tmp_path)["1"][0] == "set_non_marketing"
    assert actions(tmp_path)["2"] == ("keep", "proven")
    lay(tmp_path, "ana@acme.example", "cy@beta.example", "Bo@Acme.Example")
    audit(tmp_path)
    assert actions(tmp_path)["3"][0] == "set_non_marketing"
    assert "Bo@Acme.Example" in kept_out(tmp_path)
    assert not gate(tmp_path, "bo@acme.example")
    assert not gate(tmp_path, "ana@acme.example")
    assert gate(tmp_path, "cy@beta.example")


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256"])
def test_whoever_is_behind_a_digest_is_stopped_and_whoever_arrives(tmp_path: Path, name: str) -> None:
    def hashed(email: str) -> str:
        return hashlib.new(name, email.encode()).hexdigest()

    lay(tmp_path, "Ana@acme.example", "cy@beta.example")
    listed = (hashed("ana@acme.example"), hashed("bo@acme.example").upper())
    audit(tmp_path, *stops(tmp_path, *listed))
    assert actions(tmp_path)["1"][0] == "set_non_marketing"
    assert actions(tmp_path)["2"] == ("keep", "proven")
    lay(tmp_path, "Ana@acme.example", "cy@beta.example", "bo@acme.example")
    audit(tmp_path)
    assert actions(tmp_path)["3"][0] == "set_non_marketing"
    assert not gate(tmp_path, "bo@acme.example")
    assert gate(tmp_path, "cy@beta.example")


def test_neither_domain_nor_digest_stands_in_the_log(tmp_path: Path) -> None:
    digest = hashlib.md5(b"bo@gamma.example", usedforsecurity=False).hexdigest()
    lay(tmp_path, "ana@acme.example")
    audit(tmp_path, *stops(tmp_path, "@acme.example", digest))
    with open_house(tmp_path / "ledger", {}) as house:
        log = b"".join(state for _, _, state in house.ledger.log.entries())
        (stopped,) = [event for event in map(decode, log_states(house)) if isinstance(event, e.DomainStopped)]
    assert stopped.reached == 1
    assert b"acme" not in log
    assert digest.encode() not in log


def log_states(house: Any) -> list[bytes]:
    return [state for _, _, state in house.ledger.log.entries()]


def test_the_same_list_again_records_nothing_twice(tmp_path: Path) -> None:
    lay(tmp_path, "ana@acme.example")
    audit(tmp_path, *stops(tmp_path, "@acme.example,2026-03-01"))
    with open_house(tmp_path / "ledger", {}) as house:
        before = len(log_states(house))
    audit(tmp_path, *stops(tmp_path, "@acme.example,2026-03-01"))
    with open_house(tmp_path / "ledger", {}) as house:
        told = [type(decode(state)) for state in log_states(house)[before:]]
    assert not {e.Objected, e.DomainStopped} & set(told)


@pytest.mark.parametrize("said", ["gmail.com", "@Yahoo.com", "*@outlook.com"])
def test_a_public_provider_s_domain_is_an_alarm(tmp_path: Path, said: str) -> None:
    """It reaches nobody, is told as a stop that could not be used, and nobody may stay until somebody has looked."""
    lay(tmp_path, f"ana@{said.lstrip('*@').lower()}", "cy@beta.example")
    found = audit(tmp_path, *stops(tmp_path, said, "dee@beta.example"))
    (lost,) = found["lost_stops"]
    assert lost["lost"] == 1
    assert actions(tmp_path)["1"] == ("review", "stops_lost")
    (rejected,) = rows(tmp_path / "out" / "rejected.csv")
    assert "public mail provider" in rejected["reason"]
    assert any("objections.csv, row 2:" in note and "public mail provider" in note for note in found["notes"])
    assert rejected["row"] == "2"


def test_a_domain_that_many_share_is_an_alarm(tmp_path: Path) -> None:
    lay(
        tmp_path,
        *(f"p{number}@acme.example" for number in range(5)),
        *(f"q{number}@x{number}.example" for number in range(20)),
    )
    found = audit(tmp_path, *stops(tmp_path, "@acme.example", "@x1.example"))
    (lost,) = found["lost_stops"]
    assert lost["lost"] == 1
    (rejected,) = rows(tmp_path / "out" / "rejected.csv")
    assert "5 of 25 contacts share acme.example" in rejected["reason"]
    assert actions(tmp_path)["7"][0] == "set_non_marketing"


def test_a_domain_at_which_nobody_is_known_is_said(tmp_path: Path) -> None:
    lay(tmp_path, "ana@acme.example")
    found = audit(tmp_path, *stops(tmp_path, "@delta.example"))
    assert any("nobody is known at delta.example" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("*@acme.example", [Wide("domain", "acme.example")]),
        (
            "@b\u00fccher.example; gamma.example",
            [Wide("domain", "xn--bcher-kva.example"), Wide("domain", "gamma.example")],
        ),
        ("ana@x.org, @y.org", [Wide("domain", "y.org")]),
        ("please stop acme.example", []),
        ("please stop @acme.example", [Wide("domain", "acme.example")]),
        ("ana@x.org", []),
        ("no", []),
        ("12.5", []),
        ("A" * 32, [Wide("md5", "a" * 32)]),
        ("a" * 31, []),
        ("", []),
    ],
)
def test_what_a_cell_is_of(cell: str, expected: list[Wide]) -> None:
    assert wides_in(cell) == expected


@given(st.text(alphabet=st.sampled_from("ab.@*; -<>'0f"), max_size=40))
def test_no_cell_breaks_the_reader(cell: str) -> None:
    assert all(wide.text for wide in wides_in(cell))


def test_digests_that_reach_nobody_are_counted_on_the_screen(tmp_path: Path) -> None:
    """A list of salted digests would otherwise look as if it had been applied."""
    lay(tmp_path, "ana@acme.example", "bo@acme.example")
    known, strange = (hashlib.md5(it).hexdigest() for it in (b"ana@acme.example", b"salt" + b"bo@acme.example"))  # noqa: S324
    done = audit(tmp_path, *stops(tmp_path, known, strange))
    screen = str(done)
    assert "of 2 addresses given as a digest, 1 is not known here, so it reaches nobody by now" in screen
