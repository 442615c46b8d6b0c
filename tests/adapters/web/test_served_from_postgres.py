"""The service on PostgreSQL: the same answers by the same code, and 503 while the server is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from httpx import Response

from adapters.submitting import Submission, take
from ledger.database import Driver
from projections import views
from tests.adapters.web.world import ANA, MARKER, SIMILAR, Served, fact, served
from tests.faults.proxy import Proxy
from tests.ledgers import open_house
from tests.services import postgres
from tests.waiting import until

pytestmark = pytest.mark.service


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    with postgres.fresh() as made:
        yield {"CONSENT_LEDGER_DATABASE_URL": made.url}


@pytest.fixture
def service(tmp_path: Path, env: dict[str, str]) -> Iterator[Served]:
    with served(tmp_path / "ledger", env=env) as service:
        yield service


def test_facts_in_and_answers_out(service: Served) -> None:
    contact = service.grant()
    assert service.allowed() is True
    assert service.post("/v1/facts", fact("opted_in", f"grant-{ANA}", via="phone"), "writer").status_code == 409
    page = service.get(f"/v1/contacts/{contact}/history?limit=2").json()
    assert [entry["position"] for entry in page["entries"]] == [1, 2]
    assert service.post("/v1/why", SIMILAR).json()["decision"]["allowed"] is True
    assert service.get("/readyz", None).status_code == 200
    service.record("objected", "stop")
    assert service.allowed() is False


@pytest.mark.parametrize("following", [True, False])
def test_a_stop_of_another_process_is_never_served_stale(tmp_path: Path, env: dict[str, str], following: bool) -> None:
    home = tmp_path / "ledger"
    with served(home, following=following, env=env) as service, open_house(home, env) as elsewhere:
        for number in range(5):
            email = f"{MARKER}{number}@example.org"
            service.grant(email)
            assert service.allowed(email=email) is True
            data = b'{"person": {"email": "%s"}}' % email.encode()
            take(elsewhere, [Submission("till", str(number), "contact.objected.v1", None, data)])
            assert service.allowed(email=email) is False


def test_answers_that_are_swapped_while_they_are_read_end_nothing(
    service: Served, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process builds them anew: the rows are followed on, and a request in between is told to come again."""
    contact = service.grant()
    whole = views.held
    gone: list[str] = []

    def swapped(driver: Driver) -> views.Held:
        """Whoever reads first in this process finds its table dropped."""
        if not gone:
            gone.append(service.house.views.generations.current())
            with open_house(tmp_path / "ledger", env) as elsewhere:
                driver.execute("ROLLBACK")
                elsewhere.runner.rebuild()
        return whole(driver)

    monkeypatch.setattr(views, "held", swapped)
    assert patiently(lambda: service.get(f"/v1/contacts/{contact}/status")).status_code == 200
    assert gone
    assert patiently(lambda: service.get("/readyz", None)).status_code == 200
    assert service.allowed() is True


def test_while_the_server_is_away_it_says_so_and_then_goes_on(tmp_path: Path) -> None:
    """Killed and started again: 503 meanwhile, nothing acknowledged lost, and the rows are followed again."""
    with postgres.own_server() as server, postgres.fresh(server.url) as made:
        env = {"CONSENT_LEDGER_DATABASE_URL": made.url}
        with served(tmp_path / "ledger", env=env) as service:
            service.grant()
            assert service.allowed() is True
            server.kill()
            for _ in range(3):  # by a connection that was lost, and by one that cannot be had
                with pytest.raises(service.house.away):
                    service.house.ledger.vault.find_address(ANA)
            for answer in (
                service.post("/v1/gate", SIMILAR),
                service.post("/v1/facts", fact(number=2), "writer"),
                service.get("/readyz", None),
            ):
                assert answer.status_code == 503
            assert service.get("/livez", None).status_code == 200
            server.start()
            assert patiently(lambda: service.get("/readyz", None)).status_code == 200
            assert patiently(lambda: service.post("/v1/gate", SIMILAR)).json()["allowed"] is True
            stop = fact("objected", "stop")
            assert patiently(lambda: service.post("/v1/facts", stop, "writer")).status_code in (200, 201)
            assert patiently(lambda: service.post("/v1/gate", SIMILAR)).json()["allowed"] is False


@pytest.mark.parametrize("part", ["vault", "log"])
def test_while_others_write_for_too_long_it_says_so_and_reads_on(
    service: Served, env: dict[str, str], part: str
) -> None:
    """Another process holds the lock of a part, and does not come to an end."""
    service.grant()
    service.house.wait_at_most(0.2)
    held = {"vault": "SELECT pg_advisory_xact_lock(hashtextextended('vault', 0))", "log": "SELECT log.lock_head()"}
    with postgres.driver_of(env["CONSENT_LEDGER_DATABASE_URL"]) as other:
        other.execute(b"BEGIN")
        other.execute(held[part].encode())
        for answer in (service.post("/v1/facts", fact("objected", "stop"), "writer"), service.get("/readyz", None)):
            assert answer.status_code == 503, answer.text
        assert service.allowed() is True
        other.execute(b"ROLLBACK")
    assert service.post("/v1/facts", fact("objected", "stop"), "writer").status_code == 201
    assert service.get("/readyz", None).status_code == 200
    assert service.allowed() is False


def test_a_server_that_hangs_holds_up_nothing_else(tmp_path: Path, env: dict[str, str]) -> None:
    """Nothing comes from it, and nobody is told: questions, facts and readiness end, and the process answers."""
    url = sa.make_url(env["CONSENT_LEDGER_DATABASE_URL"])
    with Proxy(postgres.free_port(), int(url.port or 5432)) as network:
        through = url.set(host="127.0.0.1", port=network.port, query={}).render_as_string(hide_password=False)
        with served(tmp_path / "ledger", env={"CONSENT_LEDGER_DATABASE_URL": through}, lock_seconds=0.3) as service:
            service.grant()
            assert service.allowed() is True
            network.stall()
            try:
                answers = service.run.run(hanging(service))
            finally:
                network.move()
            assert answers.pop() == 200
            assert set(answers) == {503}
            assert patiently(lambda: service.get("/readyz", None)).status_code == 200
            stop = fact("objected", "stop")
            assert patiently(lambda: service.post("/v1/facts", stop, "writer")).status_code in (200, 201)
            assert patiently(lambda: service.post("/v1/gate", SIMILAR)).json()["allowed"] is False


async def hanging(service: Served) -> list[int]:
    """The statuses of many requests at once, and of one that needs no database, which is last."""
    reader, writer = service.key("dpo"), service.key("writer")
    calls = [service.client.post("/v1/gate", json=SIMILAR, headers=reader) for _ in range(30)]
    calls += [service.client.post("/v1/facts", json=fact(number=n), headers=writer) for n in range(30)]
    calls += [service.client.post("/v1/why", json=SIMILAR, headers=reader), service.client.get("/readyz")]
    asked = asyncio.gather(*calls)
    live = await service.client.get("/livez")
    assert not asked.done()
    return [*(answer.status_code for answer in await asked), live.status_code]


def patiently(call: Callable[[], Response]) -> Response:
    """Asked again while the answer is 503: each connection that was lost fails once, and is opened anew."""
    answers: list[Response] = []

    def answered() -> bool:
        answers.append(call())
        return answers[-1].status_code != 503

    until(answered)
    return answers[-1]
