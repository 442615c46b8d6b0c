"""The one way in: each source event once, people in bulk, the vault before the log."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.application import LocalNotificationLog
from eventsourcing.persistence import OperationalError

from ledger import codec
from ledger.application import Fact, Ledger
from ledger.events import AddressLinked, Clicked, ErasureRequested, FormSubmitted, OptedOut
from ledger.keys import KeyFileError
from ledger.log import Draft
from ledger.sealing import Erased
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from tests.ledgers import open_ledger

THEN = datetime(2026, 2, 1, tzinfo=UTC)
PAYLOAD = {"ip": "203.0.113.7"}

Open = Callable[[], Ledger]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Open]:
    opened: list[Ledger] = []

    def open_() -> Ledger:
        opened.append(open_ledger(tmp_path / "ledger", now, os.urandom, {}))
        return opened[-1]

    yield open_
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(again: Open) -> Ledger:
    return again()


def submitted(contact: str, source_id: str | None = "s1", payload: Any = None, form: str = "news") -> Fact:
    event = FormSubmitted(stream=contact, source="web", occurred_from=THEN, form=form)
    return Fact(event, source_id, payload)


def anna(record_id: str | None = "17", email: str | None = "anna@example.org") -> Registration:
    return Registration(email, "hubspot", record_id)


def entries(ledger: Ledger, contact: str) -> list[Any]:
    return [event for _, _, event in ledger.contact_entries(contact)]


# --- opening --------------------------------------------------------------------------------------


def test_a_ledger_is_a_private_directory(ledger: Ledger, tmp_path: Path) -> None:
    home = tmp_path / "ledger"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}
    assert {"log.db", "vault.db", "keys"} <= {path.name for path in home.iterdir()}


def test_keys_others_can_read_stop_the_start(ledger: Ledger, tmp_path: Path, again: Open) -> None:
    (tmp_path / "ledger" / "keys").chmod(0o644)
    with pytest.raises(KeyFileError):
        again()


# --- facts ----------------------------------------------------------------------------------------


def test_a_fact_is_recorded_once(ledger: Ledger, again: Open) -> None:
    contact = str(uuid4())
    assert ledger.record(submitted(contact)) == (1, 1, "recorded")
    assert ledger.record(submitted(contact)) == (1, 1, "unchanged")
    assert again().record(submitted(contact)) == (1, 1, "unchanged")
    assert ledger.record(submitted(contact, form="other")) == (1, 1, "conflict")
    assert ledger.record(submitted(contact, "s2")) == (2, 2, "recorded")
    assert ledger.record(submitted(contact, None)) == (3, 3, "recorded")
    assert ledger.record(submitted(contact, None)) == (4, 4, "recorded")
    assert ledger.log.last_position() == 4


def test_content_is_compared_without_the_ids_this_ledger_made_up(ledger: Ledger) -> None:
    ledger.record(submitted(str(uuid4())))
    event = FormSubmitted(
        stream=str(uuid4()),
        source="web",
        occurred_from=THEN,
        form="news",
        address=str(uuid4()),
        record=str(uuid4()),
    )
    assert ledger.record(Fact(event, "s1")).status == "unchanged"


def test_payloads_are_compared_by_their_fingerprint(ledger: Ledger) -> None:
    contact = str(uuid4())
    assert ledger.record(submitted(contact, payload=PAYLOAD)).status == "recorded"
    assert ledger.record(submitted(contact, payload=dict(PAYLOAD))).status == "unchanged"
    assert ledger.record(submitted(contact, payload={"ip": "203.0.113.8"})).status == "conflict"
    assert ledger.record(submitted(contact)).status == "conflict"
    assert ledger.record(submitted(contact, "s2")).status == "recorded"
    assert ledger.record(submitted(contact, "s2", PAYLOAD)).status == "conflict"
    (event,) = entries(ledger, contact)[:1]
    assert ledger.vault.payload(event.commitment, contact) == PAYLOAD


def test_the_same_source_id_of_another_source_is_another_fact(ledger: Ledger) -> None:
    contact = str(uuid4())
    ledger.record(submitted(contact))
    other = FormSubmitted(stream=contact, source="web2", occurred_from=THEN, form="news")
    assert ledger.record(Fact(other, "s1")).status == "recorded"


def test_an_erased_payload_contradicts_nothing_and_a_new_one_is_not_kept(ledger: Ledger) -> None:
    contact = str(uuid4())
    ledger.record(submitted(contact, payload=PAYLOAD))
    ledger.vault.erase(contact)
    outcome = ledger.record_many([submitted(contact, payload=PAYLOAD), submitted(contact, "s2", PAYLOAD)])
    assert (outcome.recorded, outcome.unchanged, outcome.forgotten) == (1, 1, [1])
    assert ledger.record(submitted(contact, "s2", PAYLOAD)).status == "unchanged"
    first, second = entries(ledger, contact)
    assert ledger.vault.payload(first.commitment, contact) == Erased()
    assert second.commitment is None


def test_many_facts_with_repeats_and_conflicts_in_one_call(ledger: Ledger) -> None:
    contact = str(uuid4())
    facts = [submitted(contact, f"s{n % 2500}", {"n": n % 2500}) for n in range(5000)]
    facts[4000] = submitted(contact, "s1500", {"n": -1})
    facts[10] = submitted(contact, "s9", {"n": 10})
    outcome = ledger.record_many(iter(facts))
    # s10 is first seen at 2510, since place 10 tried to be s9
    assert outcome.recorded == 2500
    assert outcome.conflicts == [10, 4000]
    assert outcome.unchanged == 2498
    assert outcome.positions[4000] == outcome.positions[1500]
    assert outcome.positions[10] == outcome.positions[9]
    assert ledger.log.last_position() == 2500
    again = ledger.record_many(facts)
    assert (again.recorded, again.conflicts) == (0, [10, 4000])
    assert again.positions == outcome.positions


def test_no_orphans_are_left_by_repeats(ledger: Ledger) -> None:
    contact = str(uuid4())
    for _ in range(3):
        ledger.record_many([submitted(contact, payload=PAYLOAD)] * 3)
    with ledger.vault._database.reading() as driver:
        assert driver.execute("SELECT count(*) FROM payload").fetchone() == (1,)


@pytest.mark.parametrize("field", [{"sid": "0" * 32}, {"commitment": "0" * 64}, {"recorded_at": THEN}])
def test_what_the_ledger_sets_is_not_brought(ledger: Ledger, field: dict[str, Any]) -> None:
    with pytest.raises(codec.EntryError, match="set by the ledger alone"):
        ledger.record(Fact(Clicked(stream=str(uuid4()), source="test", **field)))


def test_personal_data_is_refused_in_an_entry(ledger: Ledger) -> None:
    with pytest.raises(codec.EntryError):
        ledger.record(Fact(Clicked(stream=str(uuid4()), source="anna@example.org")))
    assert ledger.log.last_position() == 0


def test_facts_of_the_ledger_itself_may_have_payloads(ledger: Ledger) -> None:
    ledger.record(submitted(LEDGER_STREAM, payload={"by": "Anna"}))
    (event,) = entries(ledger, LEDGER_STREAM)
    assert ledger.vault.payload(event.commitment) == {"by": "Anna"}


def test_threads_bring_each_fact_once(ledger: Ledger) -> None:
    contact = str(uuid4())
    facts = [submitted(contact, f"s{n % 20}", PAYLOAD) for n in range(120)]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(ledger.record, facts))
    assert sum(receipt.status == "recorded" for receipt in receipts) == 20
    assert {receipt.status for receipt in receipts} == {"recorded", "unchanged"}
    assert ledger.log.last_position() == 20


def test_entries_up_to_a_position_and_by_the_librarys_door(ledger: Ledger) -> None:
    contact = str(uuid4())
    ledger.record_many([submitted(contact, str(n)) for n in range(5)])
    assert [row[:2] for row in ledger.contact_entries(contact, 3)] == [(1, 1), (2, 2), (3, 3)]
    section = LocalNotificationLog(ledger.recorder)["1,10"]
    assert [codec.decode_strict(item.state) for item in section.items] == entries(ledger, contact)


# --- people ---------------------------------------------------------------------------------------


def test_a_new_address_is_linked_once(ledger: Ledger, again: Open) -> None:
    first, second = ledger.register_many([anna(), anna("18")])
    assert (second.contact, second.address) == (first.contact, first.address)
    again().register_many([anna("19")])
    (linked,) = entries(ledger, first.contact)
    assert isinstance(linked, AddressLinked)
    assert linked.address == first.address


def test_a_crash_between_vault_and_log_is_made_good(
    ledger: Ledger, again: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(drafts: Sequence[Draft]) -> Any:
        raise OperationalError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.log, "append", crash)
        with pytest.raises(OperationalError):
            ledger.register_many([anna()])
    assert ledger.log.last_position() == 0
    for _ in range(2):
        (person,) = again().register_many([anna()])
        assert [type(event) for event in entries(ledger, person.contact)] == [AddressLinked]


def test_a_fact_whose_append_failed_is_recorded_the_next_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(drafts: Sequence[Draft]) -> Any:
        raise OperationalError("disk full")

    contact = str(uuid4())
    with monkeypatch.context() as patched:
        patched.setattr(ledger.log, "append", crash)
        with pytest.raises(OperationalError):
            ledger.record(submitted(contact, payload=PAYLOAD))
    assert ledger.record(submitted(contact, payload=PAYLOAD)).status == "recorded"
    (event,) = entries(ledger, contact)
    assert ledger.vault.payload(event.commitment) == PAYLOAD


def test_an_erasure_request_suppresses_and_stops(ledger: Ledger) -> None:
    (person,) = ledger.register_many([anna()])
    receipt = ledger.erasure_request("Anna@example.org", source="mail", source_id="m1", via="dpo_email")
    assert receipt.status == "recorded"
    assert ledger.erasure_request("anna@example.org", source="mail", source_id="m1", via="dpo_email") == (
        receipt.position,
        receipt.version,
        "unchanged",
    )
    linked, request = entries(ledger, person.contact)
    assert isinstance(linked, AddressLinked)
    assert isinstance(request, ErasureRequested)
    assert request.address == person.address
    assert ledger.vault.is_suppressed(["anna@example.org"])


def test_an_erasure_request_of_somebody_unknown_stops_them_first(ledger: Ledger) -> None:
    ledger.erasure_request("anna@example.org", source="mail")
    found = ledger.vault.find_address("anna@example.org")
    assert found is not None
    assert [type(event) for event in entries(ledger, found[0])] == [OptedOut, AddressLinked, ErasureRequested]


def test_suppression_survives_erasure_and_a_new_import_under_a_new_record(ledger: Ledger) -> None:
    (person,) = ledger.register_many([anna()])
    ledger.erasure_request("anna@example.org", source="mail")
    ledger.vault.erase(person.contact)
    (anew,) = ledger.register_many([anna("99", " ANNA@example.org")])
    assert anew.created
    assert anew.contact != person.contact
    stop, linked = entries(ledger, anew.contact)
    assert isinstance(stop, OptedOut)
    assert (stop.via, stop.by, stop.purposes, stop.channels) == (
        "suppression",
        "system",
        ("marketing.*",),
        ("*",),
    )
    assert not stop.address_only
    assert isinstance(linked, AddressLinked)
    ledger.register_many([anna("100")])
    assert len(entries(ledger, anew.contact)) == 2


def test_a_suppressed_address_stops_the_contact_it_joins(ledger: Ledger) -> None:
    (person,) = ledger.register_many([anna("17", "anna@new.example")])
    ledger.vault.suppress("anna@example.org", "objection", THEN)
    ledger.register_many([anna("17", "anna@example.org")])
    _, stop, linked = entries(ledger, person.contact)
    assert isinstance(stop, OptedOut)
    assert stop.occurred_from == THEN
    assert stop.address == linked.address
