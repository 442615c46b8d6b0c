"""Facts over HTTP: recorded once, answered by problem+json where not, and never a 5xx for what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.web.problems import KINDS, MEDIA_TYPE
from tests.adapters.web.world import BEN, GRANT, MARKER, SIMILAR, Served, fact, served


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "ledger") as service:
        yield service


def head(service: Served) -> int:
    return service.house.ledger.log.last_position()


def test_a_fact_is_recorded_and_then_known(service: Served) -> None:
    first, again = (service.post("/v1/facts", fact(), "writer") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == {
        "status": "recorded",
        "position": 2,
        "contact": service.house.find(SIMILAR["email"])[0],
        "known": False,
        "changed": False,
        "warnings": [],
        "near": [],
    }
    assert again.json() == first.json() | {"status": "unchanged", "known": True}
    assert head(service) == 2


def test_an_idempotency_key_is_the_id_and_returns_the_first_answer(service: Served) -> None:
    body = fact()
    del body["id"]
    for key in (f"{MARKER}-7", f'"{MARKER}-7"'):  # as plain text, and as a structured field
        answers = [service.post("/v1/facts", body, "writer", **{"idempotency-key": key}) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {201}
        assert {answer.json()["status"] for answer in answers} == {"recorded"}
        assert {answer.json()["position"] for answer in answers} == {2}
    assert head(service) == 2
    assert service.post("/v1/facts", body | {"id": f"{MARKER}-7"}, "writer").json()["status"] == "unchanged"


def test_an_idempotency_key_for_another_fact_is_a_conflict(service: Served) -> None:
    key = {"idempotency-key": "7"}
    body = fact()
    del body["id"]
    assert service.post("/v1/facts", body, "writer", **key).status_code == 201
    other = body | {"data": body["data"] | {"person": {"email": BEN}}}
    refused = service.post("/v1/facts", other, "writer", **key)
    assert (refused.status_code, refused.json()["position"]) == (409, 2)
    assert head(service) == 2


def test_a_key_and_an_id_that_differ_are_refused(service: Served) -> None:
    refused = service.post("/v1/facts", fact(), "writer", **{"idempotency-key": "8"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "id", "problem": "differs from the Idempotency-Key"}]


def test_other_content_is_a_conflict_and_says_where_the_first_stands(service: Served) -> None:
    service.record()
    refused = service.post("/v1/facts", fact(via="phone"), "writer")
    assert refused.status_code == 409
    assert refused.json()["position"] == 2


def test_the_answer_says_what_a_fact_changed_and_nothing_else_of_the_person(service: Served) -> None:
    """A writer learns that the person is known, and whether an answer is another one now."""
    answers = [
        service.record("country_evidenced", 1, hints=[{"country": "GB", "kind": "declared"}]),
        service.record("opted_in", 2, **GRANT),
        service.record("opted_out", 3, purposes=["newsletter"]),
        service.record("opted_out", 4),
    ]
    changes = [(answer["known"], answer["changed"]) for answer in answers]
    assert changes == [(False, False), (True, True), (True, True), (True, False)]
    (warning,) = answers[2]["warnings"]
    assert warning["field"] == "purposes"
    assert warning["problem"].endswith("the stop reaches all marketing by every channel")
    assert service.post("/v1/gate", SIMILAR, "reader").json()["allowed"] is False


def test_who_may_read_people_is_shown_the_addresses_that_a_new_one_may_be_misspelt_for(service: Served) -> None:
    """A stop for an address that nobody has stops nobody: so it is found out. A writer learns only that it is new."""
    for number, email in enumerate((f"ana.{MARKER}@example.org", f"anna.{MARKER}@example.org", BEN)):
        service.record(number=number, email=email)
    meant = [f"ana.{MARKER}@example.org", f"anna.{MARKER}@example.org"]
    for number, email in enumerate((f"Anaa.{MARKER}@Example.org", f"an.{MARKER}@example.org"), 10):
        answers = [service.post("/v1/facts", fact(number=number, email=email), role) for role in ("dpo", "dpo")]
        shown, again = (answer.json() for answer in answers)
        assert (shown["known"], shown["near"]) == (False, meant if number == 10 else meant[:1])
        assert (again["status"], again["known"], again["near"]) == ("unchanged", True, [])
    by_writer = service.post("/v1/facts", fact(number=20, email=f"annb.{MARKER}@example.org"), "writer")
    assert by_writer.json()["known"] is False
    assert by_writer.json()["near"] == []
    assert MARKER not in by_writer.text
    in_a_batch = service.post(
        "/v1/facts/batch", {"facts": [fact(number=21, email=f"annc.{MARKER}@example.org")]}, "writer"
    )
    assert MARKER not in in_a_batch.text


def test_no_address_is_near_a_domain_or_a_record(service: Served) -> None:
    service.record(email="b@example.net")
    for number, person in enumerate(({"email": "@example.com"}, {"record_id": "17"}), 2):
        answer = service.post("/v1/facts", fact(number=number) | {"data": {"person": person}}, "dpo")
        assert (answer.status_code, answer.json()["near"]) == (201, [])


def test_a_fact_may_name_the_person_by_a_reference(service: Served) -> None:
    """The same that pages and lists show; what names nobody is named by its field, and not said back."""
    contact = service.grant()
    reference = service.post("/v1/why", SIMILAR).json()["reference"]
    assert service.allowed()
    stop = fact() | {"data": {"person": {"reference": reference}}}
    answer = service.post("/v1/facts", stop, "writer")
    assert (answer.status_code, answer.json()["contact"], answer.json()["changed"]) == (201, contact, True)
    assert not service.allowed()
    for unknown in (stop, fact("opted_in", **GRANT)):
        unknown = unknown | {"id": "9", "data": unknown["data"] | {"person": {"reference": "CL-0a1b2c3d-1"}}}
        refused = service.post("/v1/facts", unknown, "writer")
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == ["person.reference"]
        assert "0a1b2c3d" not in refused.text
        batch = service.post("/v1/facts/batch", {"facts": [unknown, stop]}, "writer").json()["answers"]
        assert [one["status"] for one in batch] == ["rejected", "unchanged"]


def test_a_grant_with_a_word_that_is_not_known_is_refused_with_the_words_there_are(service: Served) -> None:
    """A misspelt purpose would be a yes that never counts, and nobody would hear of it."""
    for wrong in ({"purposes": ["newsletter"]}, {"channels": ["fax"]}, {"act": "winked"}):
        refused = service.post("/v1/facts", fact("opted_in", **GRANT | wrong), "writer")
        assert refused.status_code == 422
        (reason,) = refused.json()["errors"]
        assert reason["field"].startswith(next(iter(wrong)))
        assert any(word in reason["problem"] for word in ("marketing.similar", "email", "unticked_box"))
    assert head(service) == 0


def test_a_batch_answers_each(service: Served) -> None:
    bad: list[Any] = [{}, 3, fact("corrected"), fact(number=9) | {MARKER: 1}, fact(number=8) | {"time": 0}]
    sent = service.post("/v1/facts/batch", {"facts": [fact(), *bad, fact(number=2), fact(via="phone")]}, "writer")
    assert sent.status_code == 200
    statuses = [answer["status"] for answer in sent.json()["answers"]]
    assert statuses == ["recorded", *["rejected"] * 5, "recorded", "conflict"]
    assert sent.json()["position"] == head(service) == 3
    assert MARKER not in sent.text
    assert [[reason["field"] for reason in answer["reasons"]] for answer in sent.json()["answers"][1:6]] == [
        ["source"],
        [""],
        ["type"],
        [""],
        ["time"],
    ]


def test_many_callers_at_once_record_each_fact_once(service: Served) -> None:
    import asyncio

    async def all_of_them() -> list[int]:
        calls = [
            service.client.post(
                "/v1/facts",
                json=fact(number=n % 20, email=f"{MARKER}{n % 20}@example.org"),
                headers=service.key("writer"),
            )
            for n in range(100)
        ]
        return [answer.status_code for answer in await asyncio.gather(*calls)]

    statuses = service.run.run(all_of_them())
    assert sorted(statuses) == [200] * 80 + [201] * 20
    assert head(service) == 40  # each person's address, and each person's opt-out


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, {"content": b"{"}),
        (400, {"content": b"\xff"}),
        (400, {"content": b""}),
        (400, {"content": b'{"data":' + b"[" * 60_000}),
        (413, {"content": b" " * 131_073}),
        (413, {"content": iter([b" " * 70_000, b" " * 70_000])}),
        (415, {"content": b"{}", "type": "text/plain"}),
        (415, {"content": b"{}", "type": ""}),
        (422, {"content": b"[]"}),
        (422, {"content": b"{}"}),
        (422, {"content": json.dumps(fact() | {MARKER: 1}).encode()}),
        (422, {"content": json.dumps(fact() | {"source": MARKER + " @"}).encode()}),
        (422, {"content": json.dumps(fact() | {"source": None}).encode()}),
        (422, {"content": json.dumps(fact(email=MARKER)).encode()}),
    ],
)
def test_what_cannot_be_taken_is_a_problem_without_what_was_sent(
    service: Served, status: int, request_: dict[str, Any]
) -> None:
    content = request_["content"]
    if not isinstance(content, bytes):
        parts = list(content)

        async def chunks() -> Any:
            for part in parts:
                yield part

        content = chunks()
    headers = service.key("writer") | {"content-type": request_.get("type", "application/json")}
    refused = service.send("POST", "/v1/facts", content=content, headers=headers)
    assert refused.status_code == status, refused.text
    assert_problem(refused, status)
    assert head(service) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (fact() | {"occured": 1}, "occured"),
        (fact() | {"data": fact()["data"] | {"occuredFrom": "2026-01-01T00:00:00Z"}}, "occuredFrom"),
        (fact() | {"data": {"person": {"email": BEN, "e_mail": BEN}}}, "person.e_mail"),
        (fact() | {BEN: 1}, ""),
        (fact() | {"x" * 41: 1}, ""),
        (fact() | {"data": fact()["data"] | {BEN: 1}}, "data"),
        (fact() | {"data": fact()["data"] | {"n01711234567": 1}}, "data"),
    ],
)
def test_a_field_that_nobody_knows_is_named_where_it_is_a_word(service: Served, body: Any, field: str) -> None:
    """Whoever misspelt it sees which; what may be somebody's address or number is not sent back."""
    body = body | {"type": "contact.opted_in.v1"}
    refused = service.post("/v1/facts", body, "writer")
    assert refused.status_code == 422
    (reason,) = refused.json()["errors"]
    assert reason["field"] == field
    assert reason["problem"] == (
        "is not known here" if field not in ("", "data") else "holds a field that is not known here"
    )


@pytest.mark.parametrize("path", ["/v1/gate", "/v1/status", "/v1/why"])
def test_so_it_is_in_a_question(service: Served, path: str) -> None:
    refused = service.post(path, {"adress": "x"} | SIMILAR, "dpo")
    assert refused.json()["errors"] == [{"field": "adress", "problem": "is not known here"}]


def assert_problem(answer: Any, status: int) -> None:
    said = answer.json()
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert said["status"] == status
    assert said["type"].removeprefix("urn:consent-ledger:problem:") in KINDS
    assert said["request"] == answer.headers["x-request-id"]
    assert MARKER not in answer.text


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [(404, "GET", f"/{MARKER}"), (404, "POST", "/v1/facts/"), (405, "GET", "/v1/facts"), (405, "DELETE", "/v1/gate")],
)
def test_the_frameworks_errors_are_problems_too(service: Served, status: int, method: str, path: str) -> None:
    refused = service.send(method, path)
    assert_problem(refused, status)


def test_a_failure_of_the_program_says_nothing_of_what_was_sent(service: Served) -> None:
    async def broken() -> None:
        raise RuntimeError(MARKER)

    service.app.add_api_route("/broken", broken)
    failed = service.send("GET", "/broken")
    assert failed.status_code == 500
    assert failed.json()["title"] == "The service failed"
    assert MARKER not in failed.text


def test_answers_are_kept_by_nobody(service: Served) -> None:
    answer = service.post("/v1/gate", SIMILAR)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_measured(service: Served) -> None:
    service.record()
    service.post("/v1/facts/batch", {"facts": [fact(), {}, fact(number=3) | {"type": MARKER}]}, "writer")
    service.allowed()
    service.get(f"/{MARKER}")
    service.send(MARKER, "/v1/gate")
    said = service.get("/metrics", None).text
    for line in (
        'consent_ledger_facts_total{status="recorded",type="contact.opted_out.v1"} 1.0',
        'consent_ledger_facts_total{status="unchanged",type="contact.opted_out.v1"} 1.0',
        'consent_ledger_facts_total{status="rejected",type="unknown"} 2.0',
        'consent_ledger_gate_answers_total{allowed="false"} 1.0',
        'consent_ledger_http_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 1.0',
        'consent_ledger_http_request_duration_seconds_count{method="POST",route="/v1/gate",status="200"} 1.0',
        "consent_ledger_log_position 2.0",
        "consent_ledger_projection_lag_entries ",
    ):
        assert line in said


def test_a_batch_says_of_each_fact_what_changed(service: Served) -> None:
    """Ana was allowed and is stopped; Ben was not known; of two facts about one person, each says what both changed."""
    service.grant()
    facts = [fact(number=1), fact("enquired", number=2), fact(number=3, email=BEN)]
    answers = service.post("/v1/facts/batch", {"facts": facts}, "writer").json()["answers"]
    assert [(one["known"], one["changed"]) for one in answers] == [(True, True), (True, True), (False, False)]
    again = service.post("/v1/facts/batch", {"facts": facts[:1]}, "writer").json()["answers"]
    assert [(one["status"], one["changed"]) for one in again] == [("unchanged", False)]
