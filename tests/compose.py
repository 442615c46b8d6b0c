"""The compose files without an engine: what it declares, and whether a command about it could work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
import yaml

ROOT = Path(__file__).parent.parent
ALONE, BESIDE = (ROOT / "docker-compose.yml", ROOT / "docker-compose.service.yml")
"""The command line needs no more than the first; what runs as a service is in the second."""
_alone, _beside = (yaml.safe_load(path.read_text("utf-8")) for path in (ALONE, BESIDE))
COMPOSE: dict[str, Any] = {part: {**_alone[part], **_beside[part]} for part in ("services", "volumes")}
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
PROFILES = ("core", "streams", "crm", "observe")


def profiles(service: str) -> set[str]:
    """The profiles a service is in; empty: it needs none."""
    return set(SERVICES[service].get("profiles", ()))


def check_program(words: Sequence[str]) -> list[str]:
    """The words after the command's name. Raises AssertionError when our program has no such command."""
    from adapters.cli.main import app

    command: Any = typer.main.get_command(app)
    words = list(words)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"no command {words[0]}"
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known | {"--help"}
    return words


def check(words: Sequence[str]) -> None:
    """Raises AssertionError for a `docker compose ...` that names what is not there."""
    left = list(words)
    assert left[:2] == ["docker", "compose"]
    del left[:2]
    while left[0] == "--profile":
        assert left[1] in PROFILES
        del left[:2]
    verb = left.pop(0)
    assert verb in ("build", "up", "down", "run", "exec", "logs", "ps")
    while left and left[0].startswith("--"):
        assert left.pop(0) in ("--detach", "--wait", "--rm", "--volumes")
    if verb in ("run", "exec"):
        service = left.pop(0)
        if (verb, service) == ("exec", "kafka"):
            assert left[0].startswith("/opt/kafka/bin/kafka-")  # Kafka's own tools are in its image
            return
        assert service in OURS
        if verb == "exec":
            assert left.pop(0) == "consent-ledger"
        check_program(left)
    else:
        assert set(left) <= set(SERVICES)
