"""Which senders an environment sets up, and the command line that looks after what they brought."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.main import app
from adapters.cli.receivers import receivers_of
from adapters.inbox import End, Inbox
from adapters.receiving import Delivery
from adapters.settings import Settings, SettingsError
from tests.ledgers import open_house

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PUBLIC = {"CONSENT_LEDGER_PUBLIC_URL": "https://consent.example.org"}


def names(env: dict[str, str], home: Path) -> list[str]:
    with open_house(home / "ledger", {}) as house, ExitStack() as stack:
        return [one.name for one in receivers_of(Settings.read(env), house, stack)]


def test_nobody_is_listened_to_unasked(tmp_path: Path) -> None:
    assert names({}, tmp_path) == []
    assert names(PUBLIC | {"CONSENT_LEDGER_HUBSPOT_TOKEN": "x"}, tmp_path) == []


def test_each_sender_by_its_own_setting(tmp_path: Path) -> None:
    env = {
        "CONSENT_LEDGER_HUBSPOT_SECRET": "one, two",
        "CONSENT_LEDGER_HUBSPOT_TOKEN": "pat",
        "CONSENT_LEDGER_MAILCHIMP_SECRET": "a-secret-of-some-length-0001",
        "CONSENT_LEDGER_POSTMARK_SECRET": "user:a-password",
        "CONSENT_LEDGER_SES_TOPICS": "arn:aws:sns:eu-central-1:123456789012:mail",
    }
    assert names(PUBLIC | env, tmp_path) == ["hubspot", "mailchimp", "postmark", "ses"]


@pytest.mark.parametrize(
    "env",
    [
        {"CONSENT_LEDGER_HUBSPOT_SECRET": "zq7marker"},
        PUBLIC | {"CONSENT_LEDGER_HUBSPOT_SECRET": " , "},
        {"CONSENT_LEDGER_MAILCHIMP_SECRET": "zq7marker"},
        {"CONSENT_LEDGER_POSTMARK_SECRET": "zq7marker"},
        {"CONSENT_LEDGER_SENDGRID_KEY": "zq7marker"},
        {"CONSENT_LEDGER_SES_TOPICS": " "},
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_quoted(env: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CONSENT_LEDGER_") as refused:
        names(env, tmp_path)
    assert "zq7marker" not in str(refused.value)


# --- consent-ledger webhooks ---------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A ledger whose inbox holds one that waits, one that is dead and one that is done."""
    home = tmp_path / "ledger"
    with open_house(home, {}) as house, closing(Inbox.open(house)) as inbox:
        inbox.keep("hubspot", [Delivery(key, NOW, b'{"a":"%s"}' % key.encode()) for key in ("x", "y", "z")], NOW)
        first, second = inbox.take(("hubspot",), "a", NOW, 20.0, 2)
        inbox.end([End(first.id, "dead", "nothing in it"), End(second.id, "done")], "a", NOW)
    return home


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["webhooks", *words, "--ledger", str(home)], env=dict(os.environ))


def test_what_waits_and_what_is_dead_is_listed(home: Path) -> None:
    listed = json.loads(run(home, "list", "--json").stdout)
    assert [(one["id"], one["state"], one["problem"]) for one in listed] == [
        (1, "dead", "nothing in it"),
        (3, "waiting", None),
    ]
    assert "1  hubspot, dead, tried 1, 2026-06-01T12:00\n    nothing in it\n" in run(home, "list").stdout
    assert len(json.loads(run(home, "list", "--all", "--json").stdout)) == 3


def test_one_is_shown_and_opened_only_when_asked(home: Path) -> None:
    assert "body" not in json.loads(run(home, "show", "1").stdout)
    assert json.loads(run(home, "show", "1", "--open").stdout)["body"] == '{"a":"x"}'
    assert json.loads(run(home, "show", "2", "--open").stdout)["body"] is None
    assert isinstance(run(home, "show", "99").exception, LookupError)


def test_one_is_tried_again_or_dropped(home: Path) -> None:
    assert run(home, "retry", "1").exit_code == 0
    assert isinstance(run(home, "retry", "1").exception, LookupError)
    assert run(home, "drop", "1", "3", "--reason", "a test").exit_code == 0
    assert json.loads(run(home, "list", "--json").stdout) == []
    assert isinstance(run(home, "drop", "1", "--reason", "again").exception, LookupError)
