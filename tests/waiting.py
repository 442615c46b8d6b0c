"""How tests wait: until something is so, never for a time that should do, and within one budget.

Only what hangs uses the budget up, on a machine whose cores are all busy too: no test decides by time. A deadline
that belongs to what is tested (the patience of a client, the timeout of a lock) is not a wait of the test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

BUDGET = 600.0
"""The seconds that any wait of a test may take: for a condition, an answer, or the end of a process."""


def until(done: Callable[[], object], about: Callable[[], str] = str, *, pause: float = 0.02) -> None:
    """Wait until something is so. Raises AssertionError with what `about` says once the budget is used up."""
    end = time.monotonic() + BUDGET
    while not done():
        if time.monotonic() > end:
            raise AssertionError(about() or f"it did not come about in {BUDGET:.0f} s")
        time.sleep(pause)


def join(*running: threading.Thread | BaseProcess) -> None:
    """Wait until threads or processes have ended. Raises AssertionError where some has not."""
    for it in running:
        it.join(BUDGET)
        assert not it.is_alive(), f"{it.name} did not end"
