"""Libraries that say the same ten times a second while a broker is away: once a minute is enough."""

from __future__ import annotations

import logging
from collections.abc import Callable

SECONDS = 60.0


class Quiet(logging.Filter):
    """Lets a message through if the same template of the same logger was not let through just before."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said. What this program says itself always is."""
        if record.name.startswith("adapters."):
            return True
        key, now = (record.name, str(record.msg)), self._monotonic()
        if now - self._said.get(key, now - SECONDS) < SECONDS:
            return False
        self._said[key] = now
        return True


def keep_quiet(monotonic: Callable[[], float]) -> None:
    """From now on, for everything that is logged; of Faust and its like only warnings."""
    for noisy in ("faust", "mode", "aiokafka"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Quiet(monotonic))
