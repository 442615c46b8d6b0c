"""What may be somebody's name never comes into the log as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.doors import DOORS
from adapters.recording import Saying, record_all
from adapters.submitting import Submission, take
from adapters.tokens import token_of
from adapters.wiring import House
from ledger import codec
from ledger import events as e
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from tests.ledgers import open_house

PERSON = "Anna.Mueller_1985-03-02_0170-1234567"
STOP = b'{"person": {"email": "anna@example.org"}, "via": "%s"}'


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("Marketing Information", "marketing-information"),
        ("newsletter/2024", "newsletter-2024"),
        ("Über uns", "ber-uns-f106caf8"),
        ("team@home", "team-home-be455e15"),
        ("anna.mueller@example.com", "masked-address"),
    ],
)
def test_names_keep_the_tokens_they_have(name: str, token: str) -> None:
    assert token_of(name) == token


@given(
    st.from_regex(r"[a-z]{4,12}\.[a-z]{4,12}", fullmatch=True),
    st.from_regex(r"[a-z]{4,12}", fullmatch=True),
    st.sampled_from(["Opted out of email: {}", "{}", "form of {} (copy)", "<{}>", "a; {}; b", "mailto:{}"]),
)
def test_an_address_in_a_name_leaves_no_trace_in_its_token(local: str, host: str, name: str) -> None:
    """Neither in words nor in the digest, which anybody could try addresses with."""
    token = token_of(name.format(f"{local}@{host}.com"))
    assert token == token_of(name.format("someone.else@elsewhere.org"))
    assert "masked-address" in token


@pytest.fixture
def house(tmp_path: Path) -> Any:
    with open_house(tmp_path / "ledger", {}) as opened:
        yield opened


def doors(house: House) -> list[str | None]:
    events = [codec.decode(state) for _, _, state in house.ledger.log.read(0, 1_000)]
    return [event.via for event in events if isinstance(event, e.OptedOut)]


def test_a_door_that_is_not_on_the_list_is_a_keyed_hash_and_the_stop_is_kept(house: House) -> None:
    stops = [Submission("shop", via, "contact.opted_out.v1", None, STOP % via.encode()) for via in (PERSON, "reply")]
    assert [answer.status for answer in take(house, stops)] == ["recorded", "recorded"]
    hashed, listed = doors(house)
    assert listed == "reply"
    assert hashed is not None
    assert hashed.startswith("other-")
    assert not any(PERSON.encode() in state for _, _, state in house.ledger.log.read(0, 1_000))
    assert [answer.status for answer in take(house, stops)] == ["unchanged", "unchanged"]


def test_a_door_recorded_before_there_was_a_list_is_no_conflict(house: House) -> None:
    stop = e.OptedOut(stream=LEDGER_STREAM, source="shop", via="web_shop_3")
    record_all(house.ledger, [Saying(Registration("anna@example.org", "shop", None), stop, "1")])
    again = Submission("shop", "1", "contact.opted_out.v1", None, STOP % b"web_shop_3")
    assert [answer.status for answer in take(house, [again])] == ["unchanged"]
    assert doors(house) == ["web_shop_3"]


def test_a_person_at_the_keyboard_is_told_the_list(tmp_path: Path) -> None:
    arguments = ["record", "objection", "anna@example.org", "--ledger", str(tmp_path / "l"), "--via"]
    refused = CliRunner().invoke(app, [*arguments, PERSON])
    assert refused.exit_code == 2
    assert "dpo_email" in refused.output
    assert PERSON not in refused.output
    assert CliRunner().invoke(app, [*arguments, "letter"]).exit_code == 0
    assert len(set(DOORS)) == len(DOORS)
