"""`consent-ledger hubspot pull`, as it is run: what it prints, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from adapters.cli.hubspot_said import Pace
from adapters.wiring import init_ledger
from ledger.codec import decode
from tests.hubspot.forms import consent
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import PRODUCT_NEWS, State
from tests.ledgers import open_house
from tests.waiting import BUDGET

COMMAND = (sys.executable, "-m", "adapters.cli", "hubspot", "pull")


def run(
    folder: Path, served: Fake | None, *arguments: str, token: str | None = None
) -> subprocess.CompletedProcess[str]:
    if served is not None:
        init_ledger(folder / "ledger", {})
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(folder, served, token),
        capture_output=True,
        text=True,
        check=False,
        timeout=BUDGET,
    )


def start(folder: Path, served: Fake) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        COMMAND, env=environment(folder, served, None), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def environment(folder: Path, served: Fake | None, token: str | None) -> dict[str, str]:
    env = {"CONSENT_LEDGER_DIR": str(folder / "ledger"), "COLUMNS": "100"}
    if served is not None:
        env |= {"CONSENT_LEDGER_HUBSPOT_URL": served.url, "CONSENT_LEDGER_HUBSPOT_TOKEN": token or served.token}
    return env


def portal() -> State:
    state = State(rate=None)
    for number in range(120):
        state.add_contact(f"person{number}@example.com")
    state.person_opts_out("person3@example.com", PRODUCT_NEWS)
    return state


def test_it_says_what_was_pulled_and_what_stood_out(tmp_path: Path) -> None:
    state = portal()
    with fake(state) as served:
        done = run(tmp_path, served)
        assert done.returncode == 0, done.stderr
        assert [line.split()[0] for line in done.stdout.splitlines()[1:8]] == [
            "contacts", "timeline", "events", "statuses", "forms", "submissions", "deals",
        ]  # fmt: skip
        assert "Next:" in done.stdout
        again = json.loads(run(tmp_path, served, "--json", "--only", "contacts").stdout)
        assert again["kinds"]["contacts"]["recorded"] == 0
        assert again["refused"] == []
        everything = json.loads(run(tmp_path, served, "--json", "--full", "--only", "contacts").stdout)
        assert everything["kinds"]["contacts"]["rows"] == 120
        assert everything["kinds"]["contacts"]["recorded"] == 0


def test_without_access_it_says_which_variable_to_set(tmp_path: Path) -> None:
    done = run(tmp_path, None)
    assert done.returncode == 2
    assert "CONSENT_LEDGER_HUBSPOT_TOKEN" in done.stderr
    assert not (tmp_path / "ledger").exists()
    with fake(portal()) as served:
        wrong = run(tmp_path, served, token="another")  # noqa: S106
        assert wrong.returncode == 1
        assert "does not know the token" in wrong.stderr
        assert "Traceback" not in wrong.stderr
        assert run(tmp_path, served, "--only", "letters").returncode == 2


def test_an_outage_is_an_exit_code_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with fake(portal()) as served:
        served.state.chaos.fail_next(1_000, 503, path="/timeline")
        stopped = run(tmp_path, served, "--patience", "1")
        assert stopped.returncode == 75
        assert "does not answer GET /email/public/v1/subscriptions/timeline" in stopped.stderr
        assert "Traceback" not in stopped.stderr
        served.state.chaos.recover()
        done = json.loads(run(tmp_path, served, "--json").stdout)
        assert done["kinds"]["contacts"]["recorded"] == 0
        assert done["kinds"]["timeline"]["recorded"] == 1


def test_killed_at_once_it_goes_on_and_the_log_is_the_same(tmp_path: Path) -> None:
    state = portal()
    with fake(state) as served:
        run(tmp_path / "whole", served)
        state.chaos.latency(0.02)
        for calls in (8, 14, 21):
            already = len(state.calls)
            with start(tmp_path / "killed", served) as process:
                while len(state.calls) - already < calls and process.poll() is None:
                    time.sleep(0.005)
                process.kill()
        state.chaos.recover()
        assert run(tmp_path / "killed", served).returncode == 0
    assert kinds_in(tmp_path / "killed") == kinds_in(tmp_path / "whole")


def kinds_in(folder: Path) -> Counter[tuple[str, str]]:
    with open_house(folder / "ledger", {}) as house:
        events = [decode(state) for _, _, state in house.ledger.log.entries()]
    return Counter((type(event).__name__, event.source) for event in events)


def test_a_scope_that_is_missing_is_named(tmp_path: Path) -> None:
    with fake(portal()) as served:
        served.state.apps[served.token].scopes.discard("forms")
        done = run(tmp_path, served)
        assert done.returncode == 1
        assert "The token lacks: forms" in done.stderr
        assert "contacts" in done.stdout


def test_a_required_box_is_listed(tmp_path: Path) -> None:
    state = portal()
    form = state.forms.add("Raffle", consent((PRODUCT_NEWS, "Yes, write to me", True)))
    assert form
    with fake(state) as served:
        done = run(tmp_path, served, "--only", "forms")
        assert "“Yes, write to me” must be ticked" in done.stdout


def test_time_left_is_said_where_it_is_known_how_much_there_is() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.line("contacts", 0, 1_000, None) == "contacts: 0 of 1,000"
    now[0] = 10.0
    assert pace.line("contacts", 100, 1_000, 9.5) == (
        "contacts: 100 of 1,000, 10 a second, 90 s left, HubSpot allows 10 calls a second"
    ).replace("90 s", "2 min")
    assert pace.line("events", 500, None, None) == "events: 500"
