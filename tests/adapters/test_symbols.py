"""Addresses whose domain has a symbol: registered once, still mailed to, and shown in ASCII by half of the world."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.addresses import is_address
from adapters.submitting import Submission, take
from adapters.wiring import now
from tests.adapters.senders.world import world
from tests.ledgers import open_house


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("o@\u2603.net", "o@xn--n3h.net"),
        ("o@\u2603\ufe0f.net", "o@xn--n3h.net"),
        ("O@I\u2764\ufe0f.ws", "o@xn--i-7iq.ws"),
        ("o@xn--n3h.net", "o@\u2603.net"),
    ],
)
def test_a_stop_for_a_domain_with_a_symbol_binds_its_name_in_ascii(tmp_path: Path, said: str, asked: str) -> None:
    with world(tmp_path) as held:
        held.known(asked)
        assert held.may(asked)[0]
        data = json.dumps({"person": {"email": said}}).encode()
        (answer,) = take(held.house, [Submission("shop", "1", "contact.opted_out.v1", None, data)], now())
        assert (answer.status, answer.reasons) == ("recorded", ())
        assert held.may(asked) == held.may(said) == (False, "opted_out")


@pytest.mark.parametrize(
    "said",
    [
        "o@\u2603",
        "o@\u2603 .net",
        "\u2603",
        "o@\u2603.\u2603\u2603",
        "a b@\u2603.net",
    ],
)
def test_what_mail_cannot_go_to_as_it_is_written_is_no_address(tmp_path: Path, said: str) -> None:
    assert not is_address(said)
    with open_house(tmp_path / "ledger", {}) as house:
        data = json.dumps({"person": {"email": said}}).encode()
        (answer,) = take(house, [Submission("shop", "1", "contact.opted_out.v1", None, data)], now())
    assert answer.status == "rejected"
