"""A stop is taken back by a ceremony: with evidence of its own, by name, and where it weighs more by two people."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.main import app
from adapters.correcting import carry_out, plan_correction
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.commands import CommandRefusedError, Second, Signature
from ledger.contact import Contact
from ledger.vault import Registration
from tests.ledgers import open_house

ANNA = "anna@example.org"
DANA = Signature(name="Dana Weiss", role="DPO", reason="another Anna wrote")
OMAR = Second(name="Omar Haas", role="head of legal")


@pytest.fixture
def house(tmp_path: Path) -> Any:
    """A ledger of one controller in which Anna opted in, with all that shows it."""
    with open_house(tmp_path / "ledger", os.environ) as opened:
        opened.describe_controller("Example Ltd", "DE", None)
        (anna,) = opened.ledger.register_many([Registration(ANNA, "crm", "1")])
        opted_in = e.OptedIn(
            stream=anna.contact,
            source="t",
            address=anna.address,
            by="data_subject",
            occurred_from=now(),
            act="unticked_box",
            purposes=("marketing.similar",),
            channels=("email",),
            to=("own",),
            informed=True,
            specific=True,
            proof="individual",
            address_verified=True,
            evidence=("0" * 64,),
            wording="1" * 64,
        )
        country = e.CountryEvidenced(stream=anna.contact, source="t", hints=(e.CountryHint("DE", "declared"),))
        opened.ledger.record_many([Fact(opted_in), Fact(country)])
        yield opened


def contact(house: House, email: str = ANNA) -> Contact:
    stream, _ = house.find(email)
    return house.contacts([stream])[stream]


def stopped(house: House, **fields: Any) -> int:
    """Record a stop about Anna; its position."""
    stream, address = house.find(ANNA)
    stop = e.Objected(stream=stream, source="t", address=address, occurred_from=now(), **fields)
    return house.ledger.record(Fact(stop)).position


def erasure(house: House, email: str = ANNA) -> int:
    return house.ledger.erasure_request(email, source="mail", occurred_from=now()).position


def correct(house: House, position: int, *files: bytes, second: Second | None = None) -> list[int]:
    return carry_out(house, plan_correction(house, position, DANA, second, files, now()), files, now())


def suppressed(house: House, email: str = ANNA) -> bool:
    return bool(house.ledger.vault.is_suppressed([email]))


def test_a_correction_names_every_answer_it_changes(house: House) -> None:
    planned = plan_correction(house, stopped(house), DANA, None, [b"letter"], now())
    assert [(entry.position, type(entry.event)) for entry in planned.lifted] == [(planned.command.position, e.Objected)]
    assert planned.email == ANNA
    assert {change.purpose: (change.before, change.after) for change in planned.changes} == {
        "marketing.similar": ("objected", None),
    }
    assert contact(house).undone == frozenset()


@pytest.mark.parametrize("files", [(), (b"",), (b"letter", b"")])
def test_nothing_and_an_empty_file_are_no_evidence(house: House, files: tuple[bytes, ...]) -> None:
    position = stopped(house)
    with pytest.raises(CommandRefusedError, match=r"evidence|empty"):
        correct(house, position, *files)
    assert contact(house).undone == frozenset()


def test_the_evidence_of_one_correction_shows_no_other(house: House) -> None:
    first, second = stopped(house), stopped(house, via="phone")
    correct(house, first, b"letter", b"call")
    with pytest.raises(CommandRefusedError, match="evidence of another correction"):
        correct(house, second, b"another", b"call")
    correct(house, second, b"another")
    assert contact(house).undone == {first, second}


def test_a_controller_may_want_two_people_and_one_alone_cannot_end_that(house: House) -> None:
    position = stopped(house)
    assert house.require_two(True, DANA, None) is not None
    assert house.require_two(True, DANA, OMAR) is None
    assert house.controller_name(house.catalogue) == "Example Ltd"
    house.describe_controller("Example Ltd", "AT", None)
    for second in (None, Second(name=" dana  WEISS", role="x"), Second(name="Omar", role=" ")):
        with pytest.raises(CommandRefusedError, match=r"two people|another one|name and a role"):
            correct(house, position, b"letter", second=second)
        with pytest.raises(CommandRefusedError, match=r"two people|another one|name and a role"):
            house.require_two(False, DANA, second)
    assert contact(house).undone == frozenset()
    (done,) = correct(house, position, b"letter", second=OMAR)
    ((_, _, state),) = house.ledger.log.read(done - 1, 1)
    assert house.payload(next(house.corrections()).event) == {
        "name": "Dana Weiss",
        "role": "DPO",
        "reason": "another Anna wrote",
        "second": {"name": "Omar Haas", "role": "head of legal"},
    }
    assert b"Haas" not in state
    house.require_two(False, DANA, OMAR)
    correct(house, stopped(house), b"second letter")


# --- an erasure request --------------------------------------------------------------------------


def test_the_stop_of_an_erasure_request_falls_with_its_suppression_and_by_two(house: House) -> None:
    position = erasure(house)
    with pytest.raises(CommandRefusedError, match="two people"):
        correct(house, position, b"letter")
    assert suppressed(house)
    assert correct(house, position, b"letter", second=OMAR)
    assert not suppressed(house)
    assert contact(house).undone == {position}
    erasure(house)
    assert suppressed(house), "a new request suppresses anew"


def test_the_stop_the_ledger_added_falls_with_the_request_and_never_alone(house: House) -> None:
    position = erasure(house, "new@example.org")
    (added,) = (entry.position for entry in contact(house, "new@example.org").stops if entry.position != position)
    with pytest.raises(CommandRefusedError, match="correct that request"):
        correct(house, added, b"letter", second=OMAR)
    assert len(correct(house, position, b"letter", second=OMAR)) == 2
    assert contact(house, "new@example.org").undone == {position, added}
    assert not suppressed(house, "new@example.org")


def test_another_request_for_the_address_keeps_it_suppressed(house: House) -> None:
    first, second = erasure(house), erasure(house)
    correct(house, first, b"letter", second=OMAR)
    assert suppressed(house)
    correct(house, second, b"other letter", second=OMAR)
    assert not suppressed(house)


def test_once_data_are_erased_the_stop_stays(house: House) -> None:
    position = erasure(house)
    house.ledger.vault.erase(contact(house).contact)
    owner = house.stream_of(house.ledger.log.read(position - 1, 1)[0][2])
    with pytest.raises(CommandRefusedError, match="erased"):
        correct(house, position, b"letter", second=OMAR)
    assert house.contacts([owner])[owner].undone == frozenset()
    house.ledger.register_many([Registration(ANNA, "crm", "2")])
    anew = contact(house)
    (added,) = (entry.position for entry in anew.stops)
    with pytest.raises(CommandRefusedError, match="asked to be erased"):
        correct(house, added, b"letter", second=OMAR)
    assert suppressed(house)


def test_a_suppression_older_than_the_request_is_anothers(house: House) -> None:
    """Somebody of that address was erased; who has it now asks too, and that second request was a mistake."""
    since = now().replace(year=now().year - 1, day=1)
    house.ledger.vault.suppress("old@example.org", "erasure", since)
    position = erasure(house, "old@example.org")
    with pytest.raises(CommandRefusedError, match="by another request"):
        correct(house, position, b"letter", second=OMAR)
    assert suppressed(house, "old@example.org")
    assert contact(house, "old@example.org").undone == frozenset()


def test_a_request_of_an_earlier_day_is_taken_back_with_its_suppression(house: House) -> None:
    """It suppresses the address from its own day on, long before it was recorded."""
    asked = now() - timedelta(days=30)
    position = house.ledger.erasure_request(ANNA, source="mail", occurred_from=asked).position
    assert correct(house, position, b"letter", second=OMAR)
    assert not suppressed(house)


def test_a_request_for_an_address_that_is_written_alike_keeps_both_suppressed(house: House) -> None:
    """The two share a form in the list: to lift one is to lift the other, whose request stands."""
    alike = ("t@fußball.example", "t@fussball.example")
    first, second = (erasure(house, email) for email in alike)
    correct(house, first, b"letter", second=OMAR)
    assert house.ledger.vault.is_suppressed(alike) == set(alike)
    correct(house, second, b"other letter", second=OMAR)
    assert house.ledger.vault.is_suppressed(alike) == {alike[0]}
    assert correct(house, first, b"letter", second=OMAR) == [], "now that nobody asks for it, the rest is finished"
    assert not house.ledger.vault.is_suppressed(alike)


def test_a_correction_cut_short_is_finished_by_the_same_command(house: House) -> None:
    position = erasure(house)
    planned = plan_correction(house, position, DANA, OMAR, [b"letter"], now())
    house.carry_out(planned.command, [planned.contact])  # and then the process ends
    assert suppressed(house)
    assert correct(house, position, b"letter", second=OMAR) == []
    assert not suppressed(house)
    with pytest.raises(CommandRefusedError, match="taken back before"):
        correct(house, position, b"letter", second=OMAR)


# --- on the screen -------------------------------------------------------------------------------


def run(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def test_the_command_shows_first_and_records_when_it_may(house: House, tmp_path: Path) -> None:
    position = erasure(house)
    proof = tmp_path / "proof.txt"
    proof.write_text("letter")
    signed = ("--by", "Dana", "--role", "DPO", "--reason", "mistake", "--ledger", house.directory)
    two = (*signed, "--second", "Omar", "--second-role", "head of legal", "--evidence", proof)
    shown = run("correct", position, *two, exit_code=3).stderr
    assert "takes back a stop of a…@e….org: asked to be erased" in shown
    assert (
        "advertising for similar products of our own, by e-mail: not allowed (asked to be erased) -> allowed" in shown
    )
    assert "ends the suppression of a…@e….org" in shown
    assert suppressed(house)
    run("correct", position, *two, "--yes")
    assert not suppressed(house)
    assert "two people" in run("two-people", "yes", *signed).stderr
    refused = run("two-people", "no", *signed, exit_code=1)
    assert isinstance(refused.exception, CommandRefusedError)
    half = run("correct", stopped(house), *signed, "--second", "Omar", "--evidence", proof, exit_code=1)
    assert isinstance(half.exception, CommandRefusedError)
