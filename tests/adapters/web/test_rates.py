"""How often a key may ask, and who shows none; a stop is never sent away for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import Settings
from adapters.web.rates import MOST_BUCKETS, UNLIMITED, Buckets, Limits, Rate, source_of
from adapters.wiring import now
from ledger.events import TOPICS, Stop
from tests.adapters.hubspot_hooks import body_of, notice, receiver, signed
from tests.adapters.web.process import serving
from tests.adapters.web.test_serve import key
from tests.adapters.web.world import BEN, SIMILAR, Served, fact, served
from tests.waiting import BUDGET

BURST = 5
STOPS = sorted(topic for topic, cls in TOPICS.items() if issubclass(cls, Stop))
OPT_IN = fact("opted_in", "in", act="unticked_box", purposes=["marketing.similar"], channels=["email"], to=["own"])


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Iterator[Served]:
    rate = Rate(1.0, BURST)
    with served(tmp_path / "ledger", receivers=[receiver()], limits=Limits(rate, rate, clock)) as service:
        yield service
        clock.at += 60  # the measures are read at the end, without a key


# --- the bucket ----------------------------------------------------------------------------------


@given(
    per_second=st.floats(0.1, 100),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=80),
)
def test_in_no_span_are_there_more_than_the_burst_and_what_came_back(
    per_second: float, burst: int, gaps: list[float]
) -> None:
    """And whoever waits as long as it was told is let in."""
    clock, times = Clock(), list[float]()
    bucket = Buckets(Rate(per_second, burst), clock)
    for gap in gaps:
        clock.at += gap
        wait = bucket.take("somebody")
        if wait:
            clock.at += wait * (1 + 1e-9) + 1e-9
            assert bucket.take("somebody") == 0.0
        times.append(clock.at)
    for first, begin in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + (times[last] - begin) * per_second + 1e-6


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_nobody_uses_up_what_is_anothers(names: list[str]) -> None:
    bucket = Buckets(Rate(1.0, BURST), Clock())
    taken = [name for name in names if bucket.take(name) == 0.0]
    assert {name: taken.count(name) for name in names} == {name: min(names.count(name), BURST) for name in names}


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    clock = Clock()
    bucket = Buckets(Rate(1.0, BURST), clock)
    clock.at = 1_000.0
    assert [bucket.take("a") for _ in range(BURST)] == [0.0] * BURST
    clock.at = 0.0
    assert 0 < bucket.take("a") <= 1.0
    clock.at = 1.0
    assert bucket.take("a") == 0.0


def test_buckets_are_bounded() -> None:
    bucket = Buckets(Rate(1.0, BURST), Clock())
    for number in range(MOST_BUCKETS + 500):
        bucket.take(str(number))
    assert len(bucket._left) == MOST_BUCKETS


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ],
)
def test_a_source_is_an_address_or_a_network(one: str, other: str, same: bool) -> None:
    assert (source_of({"client": (one, 1)}) == source_of({"client": (other, 2)})) is same


# --- the service ---------------------------------------------------------------------------------


def use_up(service: Served, role: Any) -> Response:
    """Ask until a key may not; what it is told."""
    path, body = ("/v1/facts", OPT_IN) if role == "writer" else ("/v1/gate", SIMILAR)
    answers = [service.post(path, body, role) for _ in range(BURST + 1)]
    assert [answer.status_code == 429 for answer in answers] == [False] * BURST + [True]
    return answers[-1]


def test_a_key_that_asks_too_often_is_told_when_to_come_again(service: Served, clock: Clock) -> None:
    refused = use_up(service, "reader")
    assert refused.json()["type"] == "urn:consent-ledger:problem:too-many"
    assert refused.headers["retry-after"] == "1"
    assert service.post("/v1/gate", SIMILAR, "dpo").status_code == 200  # another key has its own
    clock.at += 1.0
    assert service.post("/v1/gate", SIMILAR, "reader").status_code == 200
    assert service.post("/v1/gate", SIMILAR, "reader").status_code == 429


def test_what_a_role_may_not_do_is_counted_as_well(service: Served) -> None:
    statuses = [service.post("/v1/why", SIMILAR, "reader").status_code for _ in range(BURST + 1)]
    assert statuses == [403] * BURST + [429]


@pytest.mark.parametrize("topic", STOPS)
def test_a_stop_is_never_sent_away(service: Served, topic: str) -> None:
    """Alone or among a thousand other facts, and whatever is wrong with it or with them."""
    use_up(service, "writer")
    stop = fact(number="stop", email=BEN) | {"type": topic}
    for _ in range(3 * BURST):
        assert service.post("/v1/facts", stop, "writer").status_code != 429
        for others in ([], [OPT_IN], [3, {}, None, {"type": 7}]):
            assert service.post("/v1/facts/batch", {"facts": [*others, stop]}, "writer").status_code == 200
        assert service.post("/v1/facts", stop | {"data": 3, "nobody": "knows"}, "writer").status_code == 422
    assert service.post("/v1/facts", OPT_IN, "writer").status_code == 429


def test_a_stop_that_is_let_through_is_recorded(service: Served) -> None:
    use_up(service, "writer")
    assert service.post("/v1/facts", fact("objected", "stop", BEN), "writer").status_code == 201
    assert service.allowed(email=BEN) is False
    assert service.post("/v1/gate", SIMILAR | {"email": BEN}).json()["reason"] == "objected"


def test_facts_that_are_no_stop_are_counted_and_a_batch_counts_once(service: Served) -> None:
    batch = {"facts": [fact("opted_in", n, act="unticked_box") for n in range(50)]}
    statuses = [service.post("/v1/facts/batch", batch, "writer").status_code for _ in range(BURST + 1)]
    assert statuses == [200] * BURST + [429]
    wrong: list[Any] = [{}, [], {"facts": 3}, {"facts": []}, OPT_IN]
    for body in wrong:  # nor does what is wrong with it help it
        assert service.post("/v1/facts", body, "writer").status_code == 429
        assert service.post("/v1/facts/batch", body, "writer").status_code == 429


def test_a_batch_of_questions_counts_once(service: Served) -> None:
    batch = {"emails": [BEN] * 50, "purpose": SIMILAR["purpose"]}
    statuses = [service.post("/v1/gate/batch", batch, "reader").status_code for _ in range(BURST + 1)]
    assert statuses == [200] * BURST + [429]


def test_without_a_key_it_is_the_address_that_is_counted(service: Served) -> None:
    unknown = {"authorization": "Bearer clk_nobody"}
    statuses = [service.send("POST", "/v1/gate", json=SIMILAR, headers=unknown).status_code for _ in range(BURST + 1)]
    assert statuses == [401] * BURST + [429]
    for path in ("/metrics", "/readyz", "/openapi.json"):
        assert service.get(path, None).status_code == 429
    assert service.get("/livez", None).status_code == 200
    assert service.post("/v1/gate", SIMILAR).status_code == 200  # a key is a key, wherever it is sent from
    assert service.post("/v1/facts", fact(), None).status_code == 401  # it might be a stop: it is told the truth


def test_a_signed_delivery_is_never_sent_away(service: Served) -> None:
    """Whatever else comes from its address, and however many are sent."""
    while service.get("/metrics", None).status_code != 429:
        pass
    unsigned = service.send("POST", "/webhooks/hubspot", content=b"[]")
    assert unsigned.status_code == 401
    for number in range(3 * BURST):
        body = body_of(notice(eventId=number + 1))
        answer = service.send("POST", "/webhooks/hubspot", content=body, headers=signed(body, now()))
        assert answer.status_code == 200


def test_the_service_that_is_run_counts_by_its_settings(tmp_path: Path) -> None:
    reader, writer = key(tmp_path, "reader"), key(tmp_path, "writer")
    lines = list[dict[str, Any]]()
    few: dict[str, Any] = {"http_key_rate": 0.001, "http_key_burst": 2}
    few |= {"http_source_rate": 0.001, "http_source_burst": 2}
    with serving(tmp_path, lines, **few, http_proxies="127.0.0.1") as (url, _), httpx.Client(timeout=BUDGET) as client:
        gate = [client.post(f"{url}/v1/gate", json=SIMILAR, headers=reader) for _ in range(3)]
        there = [client.get(f"{url}/readyz", headers={"x-forwarded-for": f"192.0.2.{n % 2}"}) for n in range(6)]
        stops = [client.post(f"{url}/v1/facts", json=fact(number=n), headers=writer) for n in range(5)]
    assert [answer.status_code for answer in gate] == [200, 200, 429]
    assert [answer.status_code for answer in there] == [200] * 4 + [429] * 2
    assert [answer.status_code for answer in stops] == [201] * 5
    assert int(gate[-1].headers["retry-after"]) > 60
    assert json.dumps(lines).count('"status": 429') == 3


def test_no_limit_is_none() -> None:
    bucket = Buckets(UNLIMITED, lambda: 0.0)
    assert {bucket.take(os.urandom(4).hex()) for _ in range(2_000)} == {0.0}
    assert not bucket._left


def test_the_page_about_limits_has_every_setting_and_every_stop() -> None:
    """With what it is where nobody sets it."""
    page = (Path(__file__).parents[3] / "docs/reference/limits.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `CONSENT_LEDGER_(HTTP_\w+)` \| `?([^|`]+?)`? \|", page, re.MULTILINE))
    fields = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    limits = {name: default for name, default in fields.items() if name.startswith("HTTP_")}
    assert {name: type(limits[name])(value) for name, value in rows.items()} == {
        name: default for name, default in limits.items() if name not in ("HTTP_HOST", "HTTP_PORT")
    }
    assert [topic for topic in STOPS if f"`{topic}`" not in page] == []
