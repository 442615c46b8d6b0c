"""Addresses and whole domains as other systems submit them, and as a person records them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.cli.options import EXIT
from adapters.wiring import House
from ledger import events as e
from ledger.vault import Registration
from tests.adapters.test_by_hand import L, record
from tests.adapters.test_damaged import program
from tests.adapters.test_submitting import ERASURE, OPT_IN, OPT_OUT, THEN, events, one, reasons, said
from tests.ledgers import open_house

GRANT = {"act": "unticked_box", "purposes": ["marketing.similar"], "occurred_from": THEN}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "ledger", {}) as house:
        yield house


def stops_of(house: House, email: str) -> list[e.AnyEvent]:
    contact, _ = house.find(email)
    return [event for event in events(house) if event.stream == contact and isinstance(event, e.Stop)]


@pytest.mark.parametrize(
    "written", ["'ana@acme.example'", "<ana@acme.example>", "\ufeffana@acme.example", "ana@acme.example;"]
)
@pytest.mark.parametrize("type_", [OPT_IN, OPT_OUT, ERASURE])
def test_a_clear_address_is_read(house: House, written: str, type_: str) -> None:
    answer = one(house, said(type_=type_, email=written, **(GRANT if type_ == OPT_IN else {})))
    assert answer.status == "recorded"
    assert answer.contact == house.find("ana@acme.example")[0]
    assert house.find(written) == house.find("ana@acme.example")


def test_a_stop_of_a_marked_address_binds_the_plain_one(house: House) -> None:
    """The yes of the plain address came first; the stop is of another spelling, and reaches it by a stop link."""
    one(house, said(1, OPT_IN, "ana@acme.example", **GRANT))
    one(house, said(2, OPT_OUT, "'ana@acme.example"))
    plain, marked = house.find("ana@acme.example")[0], house.find("'ana@acme.example")[0]
    assert plain != marked
    assert {event.stream for event in events(house) if isinstance(event, e.StopsLinked)} == {plain, marked}


@pytest.mark.parametrize("type_", [OPT_IN, OPT_OUT])
def test_several_addresses_are_refused_aloud(house: House, type_: str) -> None:
    answer = one(house, said(type_=type_, email="ana@acme.example; bo@acme.example"))
    assert answer.status == "rejected"
    assert "more than one e-mail address" in reasons(answer)["person.email"]


@pytest.mark.parametrize("written", ["*@acme.example", "@acme.example", "acme.example", "@ACME.example"])
def test_a_stop_of_a_domain_is_recorded_once_and_stands(house: House, written: str) -> None:
    one(house, said(1, OPT_IN, "ana@acme.example", **GRANT))
    answer = one(house, said(2, OPT_OUT, written, occurred_from=THEN))
    assert answer.status == "recorded"
    (stopped,) = [event for event in events(house) if isinstance(event, e.DomainStopped)]
    assert stopped.reached == 1
    (stop,) = stops_of(house, "ana@acme.example")
    assert stop.occurred_from == datetime(2026, 3, 1, 10, tzinfo=UTC)
    house.ledger.register_many([Registration("bo@acme.example", "shop", None)])
    (later,) = stops_of(house, "bo@acme.example")
    assert (later.occurred_from, later.via) == (stop.occurred_from, "domain_stop")
    again = one(house, said(2, OPT_OUT, written, occurred_from=THEN))
    assert (again.status, again.position) == ("unchanged", answer.position)
    other = one(house, said(2, OPT_OUT, "@beta.example", occurred_from=THEN))
    assert other.status == "conflict"


@pytest.mark.parametrize(
    ("type_", "email", "problem"),
    [
        (OPT_IN, "@acme.example", "only a stop"),
        (ERASURE, "@acme.example", "only a stop"),
        (OPT_OUT, "@gmail.com", "public mail provider"),
        (OPT_OUT, "@shared.example", "contacts share"),
    ],
)
def test_what_is_no_stop_of_a_domain_is_refused_aloud(house: House, type_: str, email: str, problem: str) -> None:
    house.ledger.register_many([Registration(f"p{number}@shared.example", "shop", None) for number in range(5)])
    answer = one(house, said(type_=type_, email=email))
    assert answer.status == "rejected"
    assert problem in reasons(answer)["person.email"]
    assert not any(isinstance(event, e.DomainStopped) for event in events(house))


def test_a_domain_is_stopped_by_hand(tmp_path: Path) -> None:
    record(tmp_path, "opt-in", "ana@acme.example", "--act", "unticked_box", "--purpose", "marketing.similar")
    told = " ".join(record(tmp_path, "objection", "*@acme.example").stderr.split())
    assert "Everybody known at acme.example is stopped" in told
    assert "Nobody is known there" not in told
    assert "stopped with everybody at its domain" in program(tmp_path, "history", "ana@acme.example", *L).stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("opt-in", "@acme.example", "--act", "unticked_box", "--purpose", "marketing.similar"), "only a stop"),
        (("opt-out", "gmail.com"), "public mail provider"),
        (("opt-out", "ana@acme.example, bo@acme.example"), "more than one e-mail address"),
    ],
)
def test_by_hand_it_is_refused_aloud(tmp_path: Path, words: tuple[str, ...], problem: str) -> None:
    told = record(tmp_path, *words, code=EXIT.USAGE).stderr
    assert problem in " ".join(told.replace("│", " ").split())
