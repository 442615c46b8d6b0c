"""What `make demo-crm` tells with: commands as they are typed and what they print, and what has to hold."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx

from adapters.report.screen import WIDTH, Screen
from tests.hubspot.definitions import OPTOUT
from tests.hubspot.journal import Change, Flip
from tests.hubspot.service import Fake
from tests.hubspot.state import APP
from tests.services.program import Program
from tests.services.reading import Reader
from tests.waiting import until

INDENT = 4
PRINTED = WIDTH - INDENT
SECONDS = 600
PURPOSE = "marketing.similar"
_WRITES = ("batch/update", "batch/write", "unsubscribe")


class Story:
    """Tells a story on a screen; `failed` is what did not hold."""

    def __init__(self, screen: Screen, env: Mapping[str, str]) -> None:
        self.screen, self.failed = screen, list[str]()
        self._env = dict(env) | {"COLUMNS": str(PRINTED)}

    def heading(self, words: str) -> None:
        """A new part."""
        self.screen.line()
        self.screen.line(words, "bold")

    def say(self, words: str) -> None:
        """One thing, in words."""
        self.screen.wrapped("  ", words, 2)

    def typed(self, *words: str) -> str:
        """A command, shown as it is typed, with what it says while it runs; what it printed, not shown yet."""
        shown = [Path(word).name if word.startswith("/") else word for word in words]
        line = " ".join(f'"{word}"' if " " in word else word for word in shown)
        self.screen.wrapped("  $ ", f"consent-ledger {line}", INDENT)
        said = list[str]()
        with (
            tempfile.TemporaryFile("w+") as printed,
            subprocess.Popen(
                [sys.executable, "-m", "adapters.cli", *words],
                env=self._env,
                stdout=printed,
                stderr=subprocess.PIPE,
                text=True,
            ) as running,
        ):
            too_long = threading.Timer(SECONDS, running.kill)
            too_long.start()
            for told in running.stderr or ():
                said.append(told)
                self.printed([told.rstrip("\n")])
            code = running.wait()
            too_long.cancel()
            printed.seek(0)
            if code:
                raise RuntimeError(f"consent-ledger {line}: exit code {code}: {''.join(said)}")
            return printed.read()

    def printed(self, lines: Iterable[str]) -> None:
        """Lines of what a command printed; one that is too long is cut."""
        for line in lines:
            cut = line if len(line) <= PRINTED else f"{line[: PRINTED - 3]}..."
            self.screen.line(" " * INDENT + cut if cut else "")

    def hold(self, holds: bool, words: str) -> None:
        """Something that has to be so."""
        if holds:
            self.say(words)
        else:
            self.failed.append(words)
            self.screen.wrapped("  ", f"DOES NOT HOLD: {words}", 2, "bold red")


class Here(NamedTuple):
    """What runs, the ledger first, and where it is told what it does."""

    story: Story
    stack: ExitStack
    env: Mapping[str, str]
    portal: Path
    hubspot: Fake
    running: tuple[Program, ...]
    publishing: httpx.Client
    outside: httpx.Client
    mailer: httpx.Client

    def gate(self, email: str) -> tuple[str | None, bool, str]:
        """The contact, and what the gate says now."""
        asked = self.mailer.post("/v1/gate", json={"email": email, "purpose": PURPOSE})
        asked.raise_for_status()
        answer = asked.json()
        return answer["contact"], answer["allowed"], answer["reason"]

    def closed(self, email: str) -> str:
        """Wait until the gate says no; why."""
        until(lambda: not self.gate(email)[1], pause=0.01)
        return self.gate(email)[2]

    def people(self) -> list[str]:
        """Who may be written to and is written to: allowed by the ledger, on in HubSpot. In order."""
        state = self.hubspot.state
        with state.lock:
            found = [
                contact.email
                for contact in state.contacts.by_id.values()
                if contact.email
                and contact.properties.get("consent_ledger_verdict") == "marketing"
                and not any(value == "true" for name, value in contact.properties.items() if name.startswith(OPTOUT))
            ]
        return sorted(found)


class Calls:
    """What was called in HubSpot, and what changed there by it, since this was made."""

    def __init__(self, hubspot: Fake) -> None:
        self._state = hubspot.state
        self._calls, self._changes = len(self._state.calls), len(self._state.changes())
        self._from = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago it was made."""
        return time.monotonic() - self._from

    @property
    def all(self) -> int:
        """All calls."""
        return len(self._state.calls) - self._calls

    @property
    def writes(self) -> int:
        """Those that write to contacts or subscriptions."""
        made = self._state.calls[self._calls :]
        return sum(any(part in route for part in _WRITES) and not route.endswith("read") for _, route, _ in made)

    def changes(self) -> list[Change]:
        """What our app changed."""
        return [one for one in self._state.changes()[self._changes :] if one.actor.id == str(APP)]

    def contacts(self) -> int:
        """How many records our app changed."""
        return len({one.record for one in self.changes() if one.record is not None})


def measured(page: str, name: str) -> float:
    """A measure on a page for Prometheus; -1 where it is not there."""
    found = re.search(rf"^{name} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else -1.0


def newest(servers: str, topic: str) -> Reader:
    """Reads what comes on a topic from now on."""
    reader = Reader(servers, [topic])
    while reader.read(1.0):
        pass
    return reader


def ours(flips: Iterable[Flip]) -> list[Flip]:
    """Those that our app made."""
    return [one for one in flips if one.actor.id == str(APP)]
