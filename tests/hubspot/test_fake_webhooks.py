"""The fake itself: webhooks against the signatures that HubSpot published, and against a target that is moody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from tests.hubspot.journal import Actor
from tests.hubspot.service import Fake
from tests.hubspot.state import APP, OTHER_APP, PORTAL, PRODUCT_NEWS
from tests.hubspot.webhooks import sign

PUBLIC = "https://consent.example/webhooks/hubspot"


class Target:
    """Takes webhooks; `moods` are its next answers, then 200."""

    def __init__(self) -> None:
        self.url = ""
        self.moods: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.sound: list[bool] = []


@contextmanager
def listening(secret: str) -> Iterator[Target]:
    target = Target()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stamp = int(self.headers["X-HubSpot-Request-Timestamp"])
            target.sound.append(self.headers["X-HubSpot-Signature-v3"] == sign(secret, "POST", PUBLIC, body, stamp))
            status = target.moods.pop(0) if target.moods else 200
            if status == 200:
                target.got.extend(msgspec.json.decode(body, type=list[dict[str, Any]]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing is written."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    target.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield target
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def target(here: Fake) -> Iterator[Target]:
    with listening(here.secret) as made:
        yield made


def test_the_published_signature_is_made() -> None:
    secret, uri = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", "https://www.example.com/webhook_uri"
    made = sign(secret, "POST", uri, b"{'example_field':'example_value'}", 1_693_657_560_000)
    assert made == "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="


def test_each_change_names_who_made_it(here: Fake, target: Target) -> None:
    with here.webhooks(target.url, public_url=PUBLIC, calm=True) as sender:
        record = here.state.add_contact("ada@example.org")
        here.state.person_opts_out("ada@example.org")
        here.state.user_sets_status("ada@example.org", False, PRODUCT_NEWS)
        here.state.app_sets_status("ada@example.org", True, PRODUCT_NEWS)
        assert sender.settled()
    assert all(target.sound)
    first, *changes = target.got
    assert (first["subscriptionType"], first["changeFlag"]) == ("contact.creation", "NEW")
    assert [
        (one["propertyName"], one["propertyValue"], one["changeSource"], one.get("sourceId")) for one in changes
    ] == [
        ("hs_email_optout", "true", "EMAIL", None),
        ("hs_email_optout_1002", "true", "CRM_UI", "userId:12282590"),
        ("hs_email_optout", "false", "INTEGRATION", str(OTHER_APP)),
        ("hs_email_optout_1002", "false", "INTEGRATION", str(OTHER_APP)),
    ]
    assert {(one["portalId"], one["appId"], one["objectId"], one["attemptNumber"]) for one in target.got} == {
        (PORTAL, APP, record, 0)
    }
    assert len({one["subscriptionId"] for one in target.got}) == 3


def test_what_becomes_of_records_is_told(here: Fake, target: Target) -> None:
    first, second = here.state.add_contact("ada@example.org"), here.state.add_contact("bo@example.org")
    with here.webhooks(target.url, public_url=PUBLIC, calm=True) as sender:
        here.state.merge(first, second)
        here.state.delete(first)
        here.state.restore(first)
        here.state.gdpr_delete(first)
        assert sender.settled()
    kinds = [one["subscriptionType"].removeprefix("contact.") for one in target.got]
    assert kinds == ["merge", "deletion", "restore", "privacyDeletion", "deletion"]
    assert target.got[0]["primaryObjectId"] == target.got[0]["newObjectId"] == first
    assert target.got[0]["mergedObjectIds"] == [second]


def test_what_the_target_does_not_take_comes_again(here: Fake, target: Target) -> None:
    target.moods = [500, 503]
    with here.webhooks(target.url, public_url=PUBLIC, calm=True) as sender:
        here.state.add_contact("ada@example.org")
        assert sender.settled()
    assert [one["attemptNumber"] for one in target.got] == [2]
    assert sender.answers == [500, 503, 200]


def test_after_ten_retries_it_is_given_up(here: Fake, target: Target) -> None:
    target.moods = [500] * 20
    sender = here.webhooks(target.url, public_url=PUBLIC, calm=True)
    here.state.add_contact("ada@example.org")
    while sender.step():
        pass
    sender.close()
    assert (len(sender.answers), len(sender.given_up), target.got) == (11, 1, [])


def test_they_come_in_no_order_and_some_twice(here: Fake, target: Target) -> None:
    with here.webhooks(target.url, public_url=PUBLIC, seed=3) as sender:
        sender.held = True  # so that the seed, and not the pace of this machine, decides what comes twice
        for n in range(300):
            here.state.add_contact(f"p{n}@example.org")
        sender.held = False
        assert sender.settled()
    moments = [one["occurredAt"] for one in target.got]
    assert moments != sorted(moments)
    assert len({one["eventId"] for one in target.got}) == 300
    assert len(target.got) > 300


def test_our_own_write_comes_back_as_an_echo(here: Fake, target: Target) -> None:
    here.state.add_contact("ada@example.org")
    with here.webhooks(target.url, public_url=PUBLIC, calm=True) as sender:
        us = Actor("app", "INTEGRATION", str(APP))
        here.state.user_sets_status("ada@example.org", False, None, us)
        assert sender.settled()
    assert [(one["changeSource"], one["sourceId"]) for one in target.got] == [("INTEGRATION", str(here.app_id))]
