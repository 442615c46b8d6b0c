"""Webhooks over HTTP: answered when they are on disk, done once, and nothing of them in any line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from adapters.mailchimp.webhooks import MailchimpReceiver
from adapters.receiving import MOST_BYTES, Delivery, Heard, Refused, Sent
from adapters.recording import Saying, record_all
from adapters.wiring import House, now
from ledger import codec
from ledger import events as e
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from tests.adapters.hubspot_hooks import body_of, happened, notice, receiver, signed
from tests.adapters.web.world import ANA, BEN, MARKER, Served, served
from tests.waiting import until

RECORD = {ANA: 501, BEN: 502}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "ledger", receivers=[receiver()]) as service:
        for email, record in RECORD.items():
            know(service, email, record)
        yield service


def know(service: Served, email: str, record: int) -> None:
    """A person with a record in the CRM, who may be written to."""
    service.house.ledger.register_many([Registration(email, "hubspot", str(record))])
    service.grant(email)


def post(service: Served, body: bytes, path: str = "/webhooks/hubspot", **how: Any) -> Response:
    return service.send("POST", path, content=body, headers=signed(body, now(), **how))


def quiet(service: Served) -> bool:
    """Whether nothing waits."""
    (waiting,) = inbox_of(service).execute("SELECT count(*) FROM delivery WHERE state = 'waiting'").fetchone()
    return int(waiting) == 0


def inbox_of(service: Served) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{service.house.directory / 'inbox.db'}?mode=ro", uri=True)


def of_kind(service: Served, kind: type[e.Event], email: str = ANA) -> list[Any]:
    contact = service.house.find(email)[0]
    return [entry.event for entry in service.house.entries(contact) if isinstance(entry.event, kind)]


def test_an_opt_out_in_the_crm_is_a_stop(service: Served) -> None:
    assert service.allowed() is True
    answer = post(service, body_of(notice()))
    assert (answer.status_code, answer.json()) == (200, {"taken": 1, "new": 1})
    until(lambda: service.allowed() is False)
    assert service.allowed(email=BEN) is True
    (stop,) = of_kind(service, e.OptedOut)
    assert (stop.by, stop.address) == ("data_subject", service.house.find(ANA)[1])


def test_repeats_in_any_number_are_one(service: Served) -> None:
    body = body_of(notice(), notice(attemptNumber=1), notice())
    assert post(service, body).json() == {"taken": 3, "new": 1}
    until(lambda: quiet(service))
    head = service.house.ledger.log.last_position()
    for attempt in range(3):
        assert post(service, body_of(notice(attemptNumber=attempt))).json() == {"taken": 1, "new": 0}
    assert service.house.ledger.log.last_position() == head
    assert len(of_kind(service, e.OptedOut)) == 1


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (401, {"secret": "forged"}),
        (401, {"late_ms": 300_500}),
        (401, {"late_ms": -70_000}),
        (401, {"url": "http://ledger/webhooks/hubspot"}),
    ],
)
def test_what_is_not_hubspots_changes_nothing(service: Served, status: int, how: dict[str, Any]) -> None:
    refused = post(service, body_of(notice()), **how)
    assert refused.status_code == status
    assert refused.json()["type"] == "urn:consent-ledger:problem:unsigned"
    assert quiet(service)
    assert service.allowed() is True


def test_a_host_that_is_made_up_changes_nothing(service: Served) -> None:
    body, url = body_of(notice()), "https://evil.example/webhooks/hubspot"
    for name in ("host", "x-forwarded-host"):
        headers = signed(body, now(), url=url) | {name: "evil.example", "x-forwarded-proto": "https"}
        assert service.send("POST", "/webhooks/hubspot", content=body, headers=headers).status_code == 401
    assert service.allowed() is True


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"no JSON"),
        (400, b"{}"),
        (400, b"[" * 100_000),
        (413, body_of(*(notice(at=n) for n in range(1_001)))),
        (413, b" " * (MOST_BYTES + 1)),
    ],
    ids=["text", "object", "deep", "many", "large"],
)
def test_what_cannot_be_taken_is_refused_whole(service: Served, status: int, body: bytes) -> None:
    assert post(service, body).status_code == status
    assert quiet(service)


def test_a_notice_nothing_can_be_made_of_is_kept_and_holds_up_no_other(service: Served) -> None:
    wrong = notice(occurredAt=MARKER, objectId=[MARKER])
    assert post(service, body_of(wrong, notice(502), 7)).json() == {"taken": 3, "new": 3}
    until(lambda: service.allowed(email=BEN) is False)
    until(lambda: quiet(service))
    found = inbox_of(service).execute("SELECT problem FROM delivery WHERE state = 'dead'").fetchall()
    assert found == [("no notice of HubSpot's",)] * 2
    measures = service.get("/metrics", None).text
    assert "consent_ledger_webhooks_dead 2.0" in measures
    assert "consent_ledger_webhooks_waiting 0.0" in measures
    assert 'consent_ledger_webhook_ends_total{receiver="hubspot",status="done"} 1.0' in measures


def test_what_is_asked_by_get_changes_nothing(service: Served) -> None:
    body = body_of(notice())
    for method in ("GET", "HEAD"):
        headers = signed(body, now(), method=method)
        answer = service.send(method, "/webhooks/hubspot", content=body, headers=headers)
        assert answer.status_code == 405
    assert service.send("GET", "/webhooks/hubspot/x").status_code == 405
    assert service.send("POST", "/webhooks/hubspot/x", content=body).status_code == 404
    assert service.send("POST", "/webhooks/mailchimp", content=body).status_code == 404
    assert quiet(service)
    assert service.allowed() is True


def test_a_flip_made_by_somebody_else_is_a_fact_and_an_alarm(service: Served) -> None:
    post(service, body_of(notice()))
    until(lambda: service.allowed() is False)
    post(service, body_of(notice(502, "false", 5), notice(501, "false", 5, changeSource="IMPORT")))
    until(lambda: len(of_kind(service, e.OptOutShown)) == 2)
    until(lambda: "crm.flip" in service.log.getvalue())
    shown = of_kind(service, e.OptOutShown)[-1]
    assert (shown.opted_out, shown.via) == (False, "hubspot.import")
    assert service.allowed() is False
    lines = [json.loads(line) for line in service.log.getvalue().splitlines() if "crm.flip" in line]
    contact = service.house.find(ANA)[0]
    (entry,) = service.house.ledger.log.read(lines[0]["position"] - 1, 1)
    assert codec.decode(entry[2]).stream == contact
    assert len(lines) == 1  # nothing stood against the other
    assert "consent_ledger_crm_flips_total 1.0" in service.get("/metrics", None).text


def test_after_ones_own_opt_in_it_is_no_flip(service: Served) -> None:
    post(service, body_of(notice()))
    until(lambda: service.allowed() is False)
    service.record("opted_in", "own", act="unticked_box", by="data_subject", occurred_from="2026-06-01T10:00:00Z")
    post(service, body_of(notice(501, "false", 10**9)))
    until(lambda: len(of_kind(service, e.OptOutShown)) == 2)
    until(lambda: quiet(service))
    assert "crm.flip" not in service.log.getvalue()


def test_a_flip_that_came_before_the_stop_is_none(service: Served) -> None:
    post(service, body_of(notice(at=10)))
    until(lambda: service.allowed() is False)
    post(service, body_of(notice(501, "false", 5)))
    until(lambda: len(of_kind(service, e.OptOutShown)) == 2)
    until(lambda: quiet(service))
    assert "crm.flip" not in service.log.getvalue()


def test_our_own_write_comes_back_as_no_stop(service: Served) -> None:
    post(service, body_of(notice(changeSource="INTEGRATION", sourceId="4711")))
    until(lambda: len(of_kind(service, e.OptOutShown)) == 1)
    assert of_kind(service, e.OptedOut) == []


def test_who_is_deleted_for_privacy_is_erased_and_stays_stopped(service: Served) -> None:
    post(service, body_of(happened("privacyDeletion"), happened("privacyDeletion", 999, at=1)))
    until(lambda: len(of_kind(service, e.ErasureRequested)) == 1)
    until(lambda: quiet(service))
    (request,) = of_kind(service, e.ErasureRequested)
    assert request.by == "officer"
    assert service.house.ledger.vault.suppressed_since({ANA})
    assert service.allowed() is False
    (problem,) = inbox_of(service).execute("SELECT problem FROM delivery WHERE state = 'dead'").fetchone()
    assert "find out who it was" in problem


def test_what_is_deleted_or_merged_there_is_noted_and_loses_nothing(service: Served) -> None:
    merged = happened("merge", 501, at=1, primaryObjectId=501, mergedObjectIds=[502], newObjectId=501)
    post(service, body_of(happened("deletion", 502), merged))
    until(lambda: len(of_kind(service, e.NoteAdded, BEN)) == 2)
    until(lambda: quiet(service))
    assert service.allowed() is True
    texts = {str(service.house.payload(note)["text"]) for note in of_kind(service, e.NoteAdded, BEN)}
    assert any("merged records 501, 502 into 501" in text for text in texts)
    assert service.house.find(ANA)[0] != service.house.find(BEN)[0]


def test_what_is_of_no_contact_is_nothing(service: Served) -> None:
    head = service.house.ledger.log.last_position()
    others = [
        notice(subscriptionType="deal.propertyChange"),
        notice(at=1, subscriptionType="object.propertyChange", objectTypeId="0-2"),
        notice(at=2, propertyName="firstname", propertyValue=MARKER),
        happened("associationChange", at=3),
        happened("somethingNew", at=4),
    ]
    assert post(service, body_of(*others)).json()["new"] == len(others)
    until(lambda: quiet(service))
    assert service.house.ledger.log.last_position() == head
    post(service, body_of(notice(at=9, subscriptionType="object.propertyChange", objectTypeId="0-1")))
    until(lambda: service.allowed() is False)


def test_a_record_nobody_knows_is_kept_by_itself_and_said_again_of_whoever_it_is(service: Served) -> None:
    post(service, body_of(notice(777)))
    until(lambda: service.house.ledger.vault.find_record("hubspot", "777") is not None)
    until(lambda: quiet(service))
    saying = Saying(
        Registration(BEN, "hubspot", "777"),
        e.OptOutShown(stream=LEDGER_STREAM, source="hubspot.contacts", opted_out=True),
        "as the pull would",
    )
    (told,) = record_all(service.house.ledger, [saying])
    assert told.status == "recorded"


def test_a_sender_that_looks_first_and_posts_a_form_is_taken_too(tmp_path: Path) -> None:
    """Mailchimp: its secret stands in the path, and so in no line and no measure."""
    secret = f"{MARKER}-secret-of-the-path"
    with served(tmp_path / "ledger", receivers=[MailchimpReceiver([secret])]) as service:
        service.grant()
        for method in ("GET", "HEAD"):
            assert service.send(method, f"/webhooks/mailchimp/{secret}").status_code == 200
            assert service.send(method, "/webhooks/mailchimp/guessed").status_code == 401
        form = {"type": "unsubscribe", "fired_at": "2026-06-01 21:40:57", "data[email]": ANA, "data[id]": "8a25ff1d98"}
        form |= {"data[action]": "unsub", "data[reason]": "manual", "data[list_id]": "a6b5da1054"}
        looked = service.send("GET", f"/webhooks/mailchimp/{secret}", params=form)
        assert looked.json() == {"taken": 0, "new": 0}
        assert service.allowed() is True
        assert service.send("POST", f"/webhooks/mailchimp/{secret}", data=form).json() == {"taken": 1, "new": 1}
        until(lambda: service.allowed() is False)


class Later:
    """A sender whose requests cannot be told from others just now."""

    name = "ses"
    methods: tuple[str, ...] = ("POST",)

    def accept(self, _: Sent) -> Refused:
        return Refused(503, "not now")

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:
        raise NotImplementedError


def test_a_sender_that_cannot_be_known_now_is_asked_to_come_again(tmp_path: Path) -> None:
    with served(tmp_path / "ledger", receivers=[Later()]) as service:
        answer = service.send("POST", "/webhooks/ses", content=b"{}")
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:consent-ledger:problem:unavailable"
