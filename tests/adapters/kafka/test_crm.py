"""The handler that keeps a CRM in step: whom it hands on, what it tells, and what becomes a dead letter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from adapters.kafka.crm import Kept, keeping
from adapters.kafka.dead_letters import Letter
from adapters.kafka.messages import CrmResult, Place
from adapters.kafka.records import Record
from adapters.kafka.topics import CRM_RESULTS, STATUS, STATUS_DLQ
from adapters.receiving import AwayError
from tests.adapters.kafka.stream_world import LEDGER, World, contact, told

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Crm:
    """Takes everything but what it is told to refuse."""

    def __init__(self, *refused: str, away: bool = False) -> None:
        self.asked: list[list[str]] = []
        self._refused, self._away = refused, away

    def keep(self, contacts: Sequence[str]) -> Kept:
        if self._away:
            raise AwayError
        self.asked.append(list(contacts))
        results = [
            CrmResult(
                contact=one,
                call="update",
                status="refused" if one in self._refused else "done",
                code=400 if one in self._refused else 200,
                at=AT,
                reference="CL-11111111-1",
            )
            for one in contacts
        ]
        return Kept(results, dict.fromkeys(self._refused, "HubSpot refuses update: 400"))


def records(*pairs: tuple[int, int]) -> list[Record]:
    world = World.__new__(World)
    world.prefix = ""
    made = [told(world, number, revision) for number, revision in pairs]
    return [Record(Place(STATUS, 0, at), one.key, one.value, one.headers) for at, one in enumerate(made)]


def test_each_contact_is_kept_once_however_often_it_is_told_of() -> None:
    crm = Crm()
    effects = keeping(crm, LEDGER, "", lambda: AT)(records((1, 3), (2, 1), (1, 2)))
    assert crm.asked == [[contact(2), contact(1)]]
    assert [one.topic for one in effects.messages] == [CRM_RESULTS] * 2
    assert [one.key for one in effects.messages] == [contact(2).encode(), contact(1).encode()]
    assert effects.dead == 0


def test_who_is_refused_is_a_dead_letter_and_the_others_go_on() -> None:
    effects = keeping(Crm(contact(1)), LEDGER, "", lambda: AT)(records((1, 3), (2, 1)))
    (letter,) = [
        msgspec.json.decode(one.value or b"", type=Letter) for one in effects.messages if one.topic == STATUS_DLQ
    ]
    assert (letter.place, letter.error) == (f"{STATUS}/0/0", "HubSpot refuses update: 400")
    results = [
        msgspec.json.decode(one.value or b"", type=CrmResult) for one in effects.messages if one.topic != STATUS_DLQ
    ]
    assert [one.status for one in results] == ["refused", "done"]
    assert effects.dead == 1


def test_what_is_no_status_is_a_dead_letter_and_a_tombstone_is_nobody() -> None:
    crm = Crm()
    bad = Record(Place(STATUS, 1, 1), contact(1).encode(), b"{", [])
    gone = Record(Place(STATUS, 1, 2), contact(2).encode(), None, [("ce_revision", b"7")])
    effects = keeping(crm, LEDGER, "", lambda: AT)([bad, gone])
    assert crm.asked == [[]]
    assert [one.topic for one in effects.messages] == [STATUS_DLQ]


def test_a_crm_that_is_away_leaves_the_batch() -> None:
    with pytest.raises(AwayError):
        keeping(Crm(away=True), LEDGER, "", lambda: AT)(records((1, 1)))
