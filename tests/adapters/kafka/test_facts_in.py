"""The handler of submitted facts, without a broker: what it cannot take, it keeps, and goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.kafka import facts_in
from adapters.kafka.dead_letters import Letter, opened
from adapters.kafka.facts_in import taking
from adapters.kafka.messages import Place
from adapters.kafka.records import Record
from adapters.submitting import Answer, Submission, take
from adapters.wiring import House, now
from tests.adapters.web.world import GRANT
from tests.ledgers import open_house

MARKER = "boom-anna@example.com"
ANA = "ana@example.com"


def record(offset: int, email: str, kind: str = "contact.opted_out.v1") -> Record:
    event = {
        "specversion": "1.0",
        "id": str(offset),
        "source": "shop",
        "type": kind,
        "data": {"person": {"email": email}},
    }
    headers = [("content-type", b"application/cloudevents+json")]
    return Record(Place("consent.facts.v1", 0, offset), None, json.dumps(event).encode(), headers)


def test_a_record_at_which_we_fail_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept, sealed, with its place; it is answered; and the others are recorded, each once."""

    def faulty(house: House, submissions: Sequence[Submission], **how: Any) -> list[Answer]:
        answers = take(house, [one for one in submissions if MARKER.encode() not in one.data], **how)
        if any(MARKER.encode() in one.data for one in submissions):
            raise ArithmeticError(MARKER)
        return answers

    monkeypatch.setattr(facts_in, "take", faulty)
    with open_house(tmp_path / "ledger", {}) as house:
        effects = taking(house, "", now)([record(0, "ana@example.com"), record(1, MARKER), record(2, "bo@example.com")])
        assert house.ledger.log.last_position() == 4  # two contacts: an address linked and an opt-out each
        assert effects.dead == 1
        letters = [one for one in effects.messages if one.topic.endswith("dlq.v1")]
        assert [one.key for one in letters] == [b"consent.facts.v1/0/1"]
        letter = msgspec.json.decode(letters[0].value or b"")
        assert "ArithmeticError" in letter["error"]
        told = [msgspec.json.decode(one.value or b"") for one in effects.messages if one not in letters]
        assert [one["status"] for one in told] == ["unchanged", "rejected", "unchanged"]
        assert MARKER.encode() not in b"".join(one.value or b"" for one in effects.messages)


def said(offset: int, topic: str = "contact.opted_out.v1", id: str = "1", **data: object) -> Record:  # noqa: A002
    event = {"specversion": "1.0", "id": id, "source": "shop", "type": topic, "data": data}
    headers = [("content-type", b"application/cloudevents+json")]
    return Record(Place("consent.facts.v1", 0, offset), None, json.dumps(event).encode(), headers)


def test_a_stop_with_a_field_that_cannot_be_read_is_recorded_and_the_answer_warns(tmp_path: Path) -> None:
    """Only a person who cannot be made out refuses it."""
    with open_house(tmp_path / "ledger", {}) as house:
        wrong = said(1, person={"email": "ana@example.com"}, occurred_from="yesterday", purposes=["newsletter"])
        effects = taking(house, "", now)([wrong])
        (answer,) = [msgspec.json.decode(one.value or b"") for one in effects.messages]
        assert (answer["status"], answer["known"], effects.dead) == ("recorded", False, 0)
        assert {warning["field"] for warning in answer["warnings"]} == {"occurred_from", "purposes"}


@pytest.mark.parametrize(
    ("wrong", "kept"),
    [
        (said(1, id="other", person={"email": "no address"}), True),
        (said(1, id="other"), True),
        (said(1, person={"email": "bo@example.com"}), True),
        (said(1, "contact.opted_out.v9", person={"email": "bo@example.com"}), True),
        (said(1, "unsubscribe", person={"email": "bo@example.com"}), True),
        (said(1, "contact.opted_in.v1", person={"email": "bo@example.com"}), False),
        (said(1, "contact.clicked.v1", "other", person={}), False),
        (said(1, person={"email": "ana@example.com"}), False),
    ],
)
def test_a_stop_that_is_not_recorded_is_kept_and_one_that_is_known_is_not(
    tmp_path: Path, wrong: Record, kept: bool
) -> None:
    """Nobody may read the answers; whoever reads them sees it too."""
    with open_house(tmp_path / "ledger", {}) as house:
        first = said(0, person={"email": "ana@example.com"})
        effects = taking(house, "", now)([first, wrong, said(2, id="third", person={"email": "cy@example.com"})])
        letters = [one for one in effects.messages if one.topic.endswith("dlq.v1")]
        answers = [msgspec.json.decode(one.value or b"") for one in effects.messages if one not in letters]
        assert [one["status"] for one in answers][::2] == ["recorded", "recorded"]
        assert [one.key for one in letters] == [b"consent.facts.v1/0/1"] * kept
        assert effects.dead == kept
        for letter in letters:
            error = msgspec.json.decode(letter.value or b"")["error"]
            assert error.startswith("may be a stop, and is not recorded: ")
            assert not any(secret in error for secret in ("example", "yesterday", "no address"))


def test_a_stop_that_is_rejected_is_kept_and_a_grant_is_not(tmp_path: Path) -> None:
    """Whoever said no was refused for how it was told; somebody has to look whose no it is."""
    with open_house(tmp_path / "ledger", {}) as house:
        sent = [record(0, f"{MARKER} or so@"), record(1, "nobody", "contact.opted_in.v1"), record(2, "bo@example.com")]
        effects = taking(house, "", now)(sent)
        letters = [one for one in effects.messages if one.topic.endswith("dlq.v1")]
        assert (effects.dead, [one.key for one in letters]) == (1, [b"consent.facts.v1/0/0"])
        letter = msgspec.json.decode(letters[0].value or b"", type=Letter)
        assert letter.error.startswith("may be a stop, and is not recorded: ")
        assert opened(letter, house.ledger.unseal).value == sent[0].value
        told = [msgspec.json.decode(one.value or b"") for one in effects.messages if one not in letters]
        assert [one["status"] for one in told] == ["rejected", "rejected", "recorded"]
        assert MARKER.encode() not in b"".join(one.value or b"" for one in effects.messages)


def test_a_fact_may_name_the_person_by_a_reference(tmp_path: Path) -> None:
    """A stop by a reference that nobody has is kept, whose it is has to be found out; one with an address is none."""
    with open_house(tmp_path / "ledger", {}) as house:
        handle = taking(house, "", now)
        (first,) = [msgspec.json.decode(one.value or b"") for one in handle([said(0, person={"email": ANA})]).messages]
        named = f"CL-{first['contact'][:8]}-{first['position']}"
        sent = [
            said(1, id="2", person={"reference": named}),
            said(2, id="3", person={"reference": "CL-0a1b2c3d-1"}),
            said(3, "contact.opted_in.v1", "4", person={"reference": "CL-0a1b2c3d-1"}, **GRANT),
            said(4, id="5", person={"reference": ANA}),
        ]
        effects = handle(sent)
        letters = [one for one in effects.messages if one.topic.endswith("dlq.v1")]
        told = [msgspec.json.decode(one.value or b"") for one in effects.messages if one not in letters]
        assert [one["status"] for one in told] == ["recorded", "rejected", "rejected", "recorded"]
        assert [one["contact"] for one in told] == [first["contact"], None, None, first["contact"]]
        assert [[reason["field"] for reason in one["reasons"]] for one in told[1:3]] == [["person.reference"]] * 2
        assert [one.key for one in letters] == [b"consent.facts.v1/0/2"]


def test_a_result_says_what_changed(tmp_path: Path) -> None:
    """An opt-in and an opt-out each change the answer, a second opt-out does not; of nobody known, nothing."""
    with open_house(tmp_path / "ledger", {}) as house:
        handle = taking(house, "", now)
        person: dict[str, Any] = {"person": {"email": "ana@example.com"}}
        told = [
            msgspec.json.decode(one.value or b"")["changed"]
            for each in (
                said(0, "contact.opted_in.v1", "1", **person, **GRANT),
                said(1, id="2", **person),
                said(2, id="3", **person),
                said(3, id="4", person={"email": "new@example.com"}),
            )
            for one in handle([each]).messages
        ]
        assert told == [True, True, False, False]
