"""The program as processes of its own: started, listened to, asked over HTTP, ended or killed."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.waiting import BUDGET

_told_port = re.compile(r'"(?:worker\.follows|service\.listens)".*"port":(\d+)').search


class Program:
    """`consent-ledger` with arguments, as a process; what it writes goes to a file.

    `alone`: in a session of its own, so that Ctrl-C ends only who started it.
    """

    def __init__(self, arguments: list[str], env: Mapping[str, str], log: Path, *, alone: bool = False) -> None:
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "adapters.cli", *arguments],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=alone,
            )

    def said(self) -> str:
        """What it wrote."""
        return self._log.read_text()

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """As a lost machine ends."""
        self._process.kill()
        self._process.wait(BUDGET)

    def stop(self, seconds: float = BUDGET) -> int:
        """As an orchestrator ends it: SIGTERM, and so many seconds; the exit code."""
        self._process.terminate()
        return self._process.wait(seconds)

    def ended(self) -> int:
        """Wait until it ends by itself; the exit code."""
        return self._process.wait(BUDGET)

    @property
    def port(self) -> int | None:
        """Where it says that it answers; None: it has not said so yet."""
        told = _told_port(self.said())
        return int(told[1]) if told else None

    def get(self, path: str) -> tuple[int, str]:
        """Ask it by HTTP; (0, "") while it does not answer."""
        port = self.port
        if port is None:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=BUDGET) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def joined(self) -> bool:
        """Whether a worker has begun to follow."""
        return "worker.follows" in self.said()

    def ready(self) -> bool:
        """Whether it says so."""
        return self.get("/readyz")[0] == 200
