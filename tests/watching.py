"""Every log line of the whole test run is looked at: none may hold a person's address.

The addresses that the tests plant lie in domains reserved for examples (RFC 2606, RFC 6761), so one that turns
up in a log line can only be a person's. Processes of their own are watched by the tests that start them.
"""

from __future__ import annotations

import logging
import re

OURS = ("ledger", "projections", "adapters")
_planted = re.compile(r"[\w.+'-]+(@|%40)[\w.-]*(example|test|invalid)\b", re.IGNORECASE).search


class Watch(logging.Handler):
    """Keeps what must not be there, until it is asked."""

    def __init__(self) -> None:
        super().__init__(level=logging.NOTSET)
        self._found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at the line as it would be written, and at what was handed over with it."""
        for text in (self.format(record), str(record.args), str(record.__dict__.get("fields", ""))):
            if _planted(text):
                self._found.append(f"{record.name}: {text}")
                return

    def taken(self) -> list[str]:
        """What was found since the last time."""
        found, self._found = self._found, []
        return found


def begin() -> Watch:
    """Watch everything that is logged from now on, our own down to the last detail."""
    watch = Watch()
    logging.getLogger().addHandler(watch)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    return watch
