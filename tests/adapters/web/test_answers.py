"""Answers over HTTP: the gate never says what a newer stop forbids, and nothing that is read changes anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.adopting import adopt
from adapters.submitting import Submission, take
from adapters.wiring import House
from ledger import codec
from ledger.application import Fact
from ledger.events import ContactsLinked
from ledger.policy.rules import Policy
from ledger.terms import LEDGER_STREAM
from tests.adapters.web.world import ANA, BEN, MARKER, SIMILAR, Served, fact, served
from tests.ledgers import open_house
from tests.waiting import BUDGET, until


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "ledger") as service:
        yield service


def stop_elsewhere(house: House, number: int, email: str = ANA) -> None:
    """A stop as another process records it."""
    data = b'{"person": {"email": "%s"}}' % email.encode()
    (answer,) = take(house, [Submission("till", str(number), "contact.opted_out.v1", None, data)])
    assert answer.status == "recorded"


# --- the gate ------------------------------------------------------------------------------------


def test_the_gate_says_yes_with_what_it_rests_on(service: Served) -> None:
    contact = service.grant()
    said = service.post("/v1/gate", SIMILAR).json()
    assert said == {
        "allowed": True,
        "reason": "proven",
        "basis": "explicit_consent",
        "rule": "GB-PECR-22-2",
        "contact": contact,
        "address": service.house.find(ANA)[1],
        "at": said["at"],
        "valid_until": "2028-02-29T00:00:00Z",
        "revision": 3,
        "position": 3,
        "policy": service.house.policy.hash,
    }


def test_by_contact_and_address_it_says_the_same(service: Served) -> None:
    contact = service.grant()
    by_email = service.post("/v1/gate", SIMILAR).json()
    whom = {"contact": contact, "address": by_email["address"]}
    by_id = service.post("/v1/gate", whom | {"purpose": "marketing.similar"}).json()
    assert by_id | {"at": 0} == by_email | {"at": 0}
    other = service.post("/v1/gate", {"contact": contact, "purpose": "marketing.similar"}).json()
    assert other["allowed"] is False  # the grant is for the address it was given with


@pytest.mark.parametrize(
    "asked",
    [{"email": BEN}, {"purpose": "marketing.political"}, {"purpose": "anything"}, {"channel": "phone"}],
)
def test_what_is_not_known_is_not_allowed(service: Served, asked: dict[str, str]) -> None:
    service.grant()
    assert service.allowed() is True
    assert service.allowed(**asked) is False


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"email": BEN}, "unknown_address"),
        ({"email": "no address"}, "unknown_address"),
        ({"purpose": "newsletter"}, "unknown_purpose"),
        ({"purpose": "marketing.*"}, "unknown_purpose"),
        ({"purpose": "newsletter", "email": BEN}, "unknown_purpose"),
        ({"channel": "fax"}, "unknown_channel"),
        ({"purpose": "marketing.political"}, "no_basis"),
    ],
)
def test_the_gate_tells_a_mistake_of_its_caller_from_a_no(service: Served, asked: dict[str, str], reason: str) -> None:
    """A misspelt purpose in a mailer would else look like a list of people who never opted in."""
    service.grant()
    body = SIMILAR | asked
    alone = service.post("/v1/gate", body).json()
    many = service.post("/v1/gate/batch", {"emails": [body.pop("email")]} | body).json()
    assert (alone["allowed"], alone["reason"]) == (False, reason)
    assert [(answer["allowed"], answer["reason"]) for answer in many["answers"]] == [(False, reason)]


def test_a_campaign_is_answered_at_once_and_as_its_addresses_are_one_by_one(service: Served) -> None:
    """In the order asked, an address that stands twice answered twice; counted as one request."""
    emails = [f"{MARKER}{number}@example.org" for number in range(6)]
    for email in emails[:4]:
        service.grant(email)
    service.record("objected", "stop", emails[2])
    asked = [*emails, emails[0]]
    batch = service.post("/v1/gate/batch", {"emails": asked, "purpose": "marketing.similar"}).json()
    alone = [service.post("/v1/gate", SIMILAR | {"email": email}).json() for email in asked]
    kept = ("allowed", "reason", "basis", "contact", "valid_until")
    assert batch["answers"] == [{name: answer[name] for name in kept} for answer in alone]
    assert batch["allowed"] == 4
    assert batch["position"] == service.house.ledger.log.last_position()


def test_a_campaign_has_at_most_so_many_addresses(service: Served) -> None:
    """10,000; none is no question."""
    for emails, status in (([], 422), (["a@example.org"] * 10_001, 422), (["a@example.org"] * 10_000, 200)):
        body = {"emails": emails, "purpose": "marketing.similar"}
        assert service.post("/v1/gate/batch", body).status_code == status


@pytest.mark.parametrize("wrong", [{"purpose": "newsletter"}, {"purpose": "marketing.*"}, {"channel": "fax"}])
def test_a_page_about_words_that_are_not_known_is_refused(service: Served, wrong: dict[str, str]) -> None:
    """Counsel would file an answer to a question that means nothing."""
    service.grant()
    refused = service.post("/v1/why", SIMILAR | wrong)
    assert refused.status_code == 422
    assert [reason["field"] for reason in refused.json()["errors"]] == list(wrong)


@pytest.mark.parametrize(
    "body",
    [
        {"purpose": "marketing.similar"},
        {"email": ANA, "contact": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "purpose": "marketing.similar"},
        {"email": ANA, "address": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "purpose": "marketing.similar"},
        {"contact": MARKER, "purpose": "marketing.similar"},
        {"email": ANA},
        {"email": ANA, "purpose": "x", MARKER: 1},
        {"email": "x" * 321, "purpose": "x"},
    ],
)
def test_a_question_about_nobody_is_none(service: Served, body: dict[str, Any]) -> None:
    refused = service.post("/v1/gate", body)
    assert refused.status_code == 422
    assert MARKER not in refused.text


@pytest.mark.parametrize("following", [True, False])
def test_a_stop_just_recorded_is_never_served_stale(tmp_path: Path, following: bool) -> None:
    """Recorded by this service, or by another process; whether or not the rows know of it already."""
    home = tmp_path / "ledger"
    with served(home, following=following) as service, open_house(home, {}) as elsewhere:
        for number in range(20):
            email = f"{MARKER}{number}@example.org"
            service.grant(email)
            assert service.allowed(email=email) is True
            if number % 2:
                stop_elsewhere(elsewhere, number, email)
            else:
                service.record("objected", f"stop-{number}", email)
            assert service.allowed(email=email) is False


def test_a_stop_of_a_contact_just_linked_counts(tmp_path: Path) -> None:
    with served(tmp_path / "ledger", following=False) as service:
        one, other = service.grant(ANA), service.grant(BEN)
        assert service.allowed() is True
        service.record("objected", "stop", BEN)
        assert service.allowed() is True
        service.house.ledger.record(Fact(ContactsLinked(stream=other, source="cli", other=one, by="officer")))
        assert service.allowed() is False
        service.house.runner.follow(once=True)
        assert service.allowed() is False
        assert service.post("/v1/why", SIMILAR).json()["decision"]["reason"] == "objected"


# --- status, why ---------------------------------------------------------------------------------


def test_status_by_address_and_by_contact(service: Served) -> None:
    contact = service.grant()
    by_email = service.post("/v1/status", {"email": ANA}).json()
    by_id = service.get(f"/v1/contacts/{contact}/status").json()
    assert by_id | {"at": 0} == by_email | {"at": 0}
    assert by_email["marketing_status"] == "marketing"
    (cell,) = by_email["cells"]
    assert (cell["purpose"], cell["channel"], cell["allowed"]) == ("marketing.similar", "email", True)
    assert cell["evidence"] == [3]


def test_why_shows_the_decision_with_its_grounds_at_any_moment(service: Served) -> None:
    service.grant()
    now_ = service.post("/v1/why", SIMILAR).json()
    assert now_["decision"]["allowed"] is True
    assert now_["trials"][0]["rule"] == "GB-PECR-22-2"
    assert {need["name"]: need["met"] for need in now_["trials"][0]["conditions"]}
    assert now_["considered"] == [1, 2, 3]
    before = service.post("/v1/why", SIMILAR | {"on": "2026-02-01T00:00:00Z"}).json()
    assert before["decision"]["allowed"] is False
    assert service.post("/v1/why", SIMILAR | {"known_at": "2026-01-01T00:00:00Z"}).status_code == 404


@pytest.mark.parametrize("path", ["/v1/status", "/v1/why"])
def test_nobody_has_no_status(service: Served, path: str) -> None:
    asked = {"email": ANA} if path == "/v1/status" else SIMILAR
    assert service.post(path, asked).status_code == 404


@pytest.mark.parametrize("contact", ["00000000-0000-4000-8000-000000000001", MARKER, LEDGER_STREAM, "%0a", "1" * 36])
@pytest.mark.parametrize("what", ["status", "history"])
def test_no_contact_is_not_found(service: Served, contact: str, what: str) -> None:
    service.grant()
    assert service.get(f"/v1/contacts/{contact}/{what}").status_code == 404


def test_an_adopted_rule_set_counts_at_once(service: Served) -> None:
    service.grant()
    before = service.post("/v1/why", SIMILAR).json()["decision"]["policy"]
    with open_house(service.house.directory, {}) as elsewhere:
        files = {name: content + b"\n# another version\n" for name, content in elsewhere.policy.files.items()}
        adopt(elsewhere, Policy(files), MARKER, "officer")
    after = service.post("/v1/why", SIMILAR).json()["decision"]["policy"]
    assert before != after == service.post("/v1/gate", SIMILAR).json()["policy"]


# --- history -------------------------------------------------------------------------------------


def test_history_page_by_page_is_the_whole_history(service: Served) -> None:
    contact = service.grant()
    for number in range(8):
        service.record("clicked", number)
    path, entries, pages = f"/v1/contacts/{contact}/history", [], 0
    cursor: str | None = ""
    while cursor is not None:
        page = service.get(f"{path}?limit=4{cursor and '&cursor=' + cursor}").json()
        entries += page["entries"]
        cursor, pages = page["next"], pages + 1
        service.record("opened", f"meanwhile-{pages}") if pages < 3 else None
    assert [entry["version"] for entry in entries] == list(range(1, len(entries) + 1))
    stored = service.house.ledger.log.stream(contact)
    assert [entry["position"] for entry in entries] == [position for position, _, _ in stored][: len(entries)]
    assert len(entries) >= 11
    assert [entry["entry"]["type"] for entry in entries[:3]] == [
        "contact.address_linked.v1",
        "contact.country_evidenced.v1",
        "contact.opted_in.v1",
    ]
    codec.decode(stored[0][2])


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "cursor=x", "cursor=AAAA", "cursor=%FF", "limit=-1", "limits=3"]
)
def test_a_page_that_is_none_is_refused(service: Served, query: str) -> None:
    contact = service.grant()
    assert service.get(f"/v1/contacts/{contact}/history?{query}").status_code == 422


def test_reading_changes_nothing(service: Served) -> None:
    contact = service.grant()
    head = service.house.ledger.log.last_position()
    for operation in ("status", "history"):
        assert service.get(f"/v1/contacts/{contact}/{operation}").status_code == 200
    service.post("/v1/gate", SIMILAR | {"email": BEN})
    service.post("/v1/status", {"email": BEN})
    assert service.house.ledger.log.last_position() == head
    assert service.house.ledger.vault.find_address(BEN) is None


# --- positions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/gate", "/v1/status", "/v1/why"])
def test_a_position_that_does_not_come_is_told(service: Served, path: str) -> None:
    service.grant()
    asked = {"email": ANA} if path == "/v1/status" else SIMILAR
    assert service.post(f"{path}?min_position=3", asked).json()["position"] == 3
    late = service.post(f"{path}?min_position=4", asked)
    assert (late.status_code, late.headers["retry-after"]) == (412, "1")
    assert service.post(f"{path}?min_position=x", asked).status_code == 422


def test_a_position_that_comes_is_waited_for(tmp_path: Path) -> None:
    with served(tmp_path / "ledger", wait_seconds=BUDGET) as service:
        service.grant()
        with open_house(tmp_path / "ledger", {}) as elsewhere:
            later = threading.Timer(0.3, stop_elsewhere, (elsewhere, 1))
            later.start()
            said = service.post("/v1/gate?min_position=4", SIMILAR).json()
            later.join()
        assert (said["position"], said["allowed"]) == (4, False)


# --- following -----------------------------------------------------------------------------------


def test_the_rows_follow_the_log_while_it_runs(service: Served) -> None:
    service.grant()
    until(lambda: service.house.runner.position() == 3)
    assert service.get("/readyz", None).json() == {"lag": 0}


def test_it_is_not_ready_while_nothing_follows(tmp_path: Path) -> None:
    with served(tmp_path / "ledger", following=False) as service:
        assert service.get("/livez", None).status_code == 200
        assert service.get("/readyz", None).status_code == 503


def test_it_is_not_ready_while_it_is_far_behind(tmp_path: Path) -> None:
    with served(tmp_path / "ledger", most_lag=-1) as service:
        assert service.get("/readyz", None).status_code == 503


def test_a_database_that_does_not_answer_is_a_503(tmp_path: Path) -> None:
    with served(tmp_path / "ledger") as service:
        service.grant()
        service.house.ledger.log.close()
        for file in (tmp_path / "ledger").glob("log.db*"):
            file.unlink(missing_ok=True)  # the last to close takes the WAL away
        for answer in (
            service.post("/v1/gate", SIMILAR),
            service.post("/v1/facts", fact(number=2), "writer"),
            service.get("/readyz", None),
        ):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
