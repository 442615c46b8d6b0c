"""Keys with a last day: they hold until then, and it is said in time."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.cli.service import end_of
from adapters.web.keys import WARNED_DAYS, Key, KeyFile, KeysError
from adapters.wiring import now
from tests.adapters.web.test_serve import key, program
from tests.adapters.web.world import SIMILAR, Served, served
from tests.ledgers import open_house

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def ending(days: float | None) -> Key:
    """A key that ends so many days after noon."""
    ends = None if days is None else NOON + timedelta(days=days)
    return Key("till", "reader", NOON - timedelta(days=900), "00", ends)


@pytest.mark.parametrize(
    ("days", "ended", "left", "said"),
    [
        (None, False, None, ""),
        (31, False, None, "expires 2027-01-01"),
        (WARNED_DAYS, False, 30, "expires 2026-12-31, in 30 days"),
        (1.5, False, 1, "expires 2026-12-03, in 1 day"),
        (0.4, False, 0, "expires 2026-12-01, today"),
        (0, True, 0, "expired 2026-12-01"),
        (-400, True, 0, "expired 2025-10-27"),
    ],
)
def test_when_it_ends(days: float | None, ended: bool, left: int | None, said: str) -> None:
    one = ending(days)
    assert (one.has_ended(NOON), one.days_left(NOON), end_of(one, NOON)) == (ended, left, said)


def asked(service: Served, secret: str) -> tuple[int, str]:
    answer = service.send("POST", "/v1/gate", json=SIMILAR, headers={"authorization": f"Bearer {secret}"})
    return answer.status_code, answer.json().get("detail", "")


def test_a_key_opens_nothing_after_its_last_moment(tmp_path: Path) -> None:
    with served(tmp_path / "ledger") as service:
        today = now()
        soon = service.keys.add("soon", "reader", today, os.urandom, today + timedelta(days=5))
        past = service.keys.add("past", "reader", today - timedelta(9), os.urandom, today - timedelta(days=2))
        assert asked(service, soon) == (200, "")
        assert asked(service, past) == (401, "this key has expired")
        assert asked(service, soon)[0] == 200
        lines = [json.loads(line) for line in service.log.getvalue().splitlines()]
    warned = [(line["event"], line["key_name"], line["days"]) for line in lines if line["event"].startswith("key.")]
    assert warned == [("key.expires", "soon", 4), ("key.expired", "past", 0)]  # once a day each


def test_it_is_said_when_the_service_starts(tmp_path: Path) -> None:
    with open_house(tmp_path / "ledger", {}):
        pass
    KeyFile(tmp_path / "ledger").add("soon", "reader", now(), os.urandom, now() + timedelta(days=5))
    with served(tmp_path / "ledger") as service:
        assert json.loads(service.log.getvalue().splitlines()[0])["event"] == "key.expires"


def test_a_file_of_keys_made_before_is_read_and_stays_as_it_was(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path)
    keys.add("shop", "writer", now(), os.urandom)
    assert "expires_at" not in keys.path.read_text()
    assert keys.list()[0].expires_at is None


def test_no_key_is_made_that_has_ended(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="before it is made"):
        KeyFile(tmp_path).add("shop", "writer", NOON, os.urandom, NOON)
    for words, said in (("2020-01-01", "has passed"), ("soon", "is not a date"), ("2099-01-01T10:00", "no time zone")):
        done = program(tmp_path, "keys", "add", "--role", "writer", "--name", "x", "--until", words)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in " ".join(done.stderr.replace("│", " ").split())


def test_the_command_line_says_it_in_time(tmp_path: Path) -> None:
    key(tmp_path, "writer")
    assert "no key expires" in program(tmp_path, "doctor", "keys", "--fail-on", "any").stderr
    day = f"{now() + timedelta(days=9):%Y-%m-%d}"
    made = program(tmp_path, "keys", "add", "--role", "reader", "--name", "mailer", "--until", day)
    assert f"until {day} 23:59 UTC" in made.stderr
    writer, reader = program(tmp_path, "keys", "list").stdout.splitlines()
    assert writer.split("\t")[3:] == [""]
    assert reader.split("\t")[3].startswith(f"expires {day}, in ")
    listed = json.loads(program(tmp_path, "keys", "list", "--json").stdout)
    assert [one["expires_at"] is None for one in listed] == [True, False]
    looked = program(tmp_path, "doctor", "keys", "--fail-on", "any")
    assert (looked.returncode, looked.stdout.count("\n")) == (3, 1)
    assert looked.stdout.startswith("mailer\treader\texpires ")
    assert program(tmp_path, "doctor", "keys").returncode == 0
