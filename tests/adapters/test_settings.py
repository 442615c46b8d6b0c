"""What an environment may say; what it cannot mean is named, and never quoted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from socket import socket

import pytest

from adapters.cli.errors import explained
from adapters.cli.main import app
from adapters.settings import Settings, SettingsError
from tests.waiting import BUDGET

MARKER = "zq7marker"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", MARKER),
        ("DATABASE_URL", f"mysql://ledger:{MARKER}@localhost/ledger"),
        ("DATABASE_URL", f"sqlite:///{MARKER}"),
        ("DATABASE_URL", f"postgresql://localhost:{MARKER}/ledger"),
        ("DATABASE_URL", ""),
        ("MIRROR_URL", MARKER),
        ("MIRROR_URL", f"mysql://ledger:{MARKER}@localhost/ledger"),
        ("HTTP_PORT", MARKER),
        ("TOPIC_PREFIX", f"{MARKER} {MARKER}"),
    ],
)
def test_what_cannot_be_meant_is_named_and_not_quoted(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"^CONSENT_LEDGER_{name} is not understood") as caught:
        Settings.read({f"CONSENT_LEDGER_{name}": text})
    assert MARKER not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://writer:p@localhost:5432/ledger", "postgres://localhost/ledger"])
def test_a_server_is_named_by_its_url(url: str) -> None:
    read = Settings.read({"CONSENT_LEDGER_DATABASE_URL": url, "CONSENT_LEDGER_MIRROR_URL": url})
    assert (read.database_url, read.mirror_url) == (url, url)


def test_a_mistyped_database_makes_no_file_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else facts would be taken, and lie in a file that nobody looks for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSENT_LEDGER_DATABASE_URL", "postgresq://localhost/ledger")
    assert explained(lambda: app(["database", "check"], standalone_mode=False)) == 2
    assert "CONSENT_LEDGER_DATABASE_URL is not understood" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_away_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever part of the ledger asks for it first: it is temporary, and no error of the program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSENT_LEDGER_DATABASE_URL", "postgresql://localhost:1/ledger")
    monkeypatch.setenv("CONSENT_LEDGER_KEYS", "A" * 43 + "=")
    for words in (["database", "check"], ["status", "ana@example.com"]):
        assert explained(lambda words=words: app(words, standalone_mode=False)) == 75  # type: ignore[misc]
        said = capsys.readouterr().err
        assert "Connection refused" in said
        assert "See whether the server runs there" in said


def test_a_port_that_is_taken_is_said_in_a_line(tmp_path: Path) -> None:
    """For the service, and for what measures a publisher."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        env = {"PATH": os.environ["PATH"], "CONSENT_LEDGER_METRICS_PORT": port, "CONSENT_LEDGER_KAFKA": "localhost:1"}
        for words, code in ((["init"], 0), (["serve", "--port", port], 1), (["streams", "publish"], 1)):
            command = [sys.executable, "-m", "adapters.cli", *words]
            done = subprocess.run(command, cwd=tmp_path, env=env, check=False, capture_output=True, timeout=BUDGET)
            assert done.returncode == code
            if code == 0:
                continue
            assert b"another process listens" in done.stderr
            assert b"Traceback" not in done.stderr


def test_a_new_key_is_made_only_where_facts_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a wrong directory a question says that the keys are elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSENT_LEDGER_DATABASE_URL", "postgresql://localhost:1/ledger")
    assert explained(lambda: app(["status", "ana@example.com"], standalone_mode=False)) == 4
    assert "there are no keys in consent-ledger" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("token", ["", " ", "pat-eu1 4711", "pat-eu1-4711\n", "\tpat"])
def test_a_token_that_no_header_can_hold_is_named_as_such_and_not_shown(token: str) -> None:
    """HubSpot would seem not to answer, and a timer would try again for ever."""
    with pytest.raises(SettingsError, match="CONSENT_LEDGER_HUBSPOT_TOKEN is empty, or contains a space") as raised:
        Settings.read({"CONSENT_LEDGER_HUBSPOT_TOKEN": token})
    assert not token.strip() or token not in str(raised.value)
