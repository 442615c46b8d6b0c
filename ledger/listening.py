"""LISTEN: a wake-up when something was appended by anybody. A hint; whoever waits polls as well."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import psycopg

from ledger.postgres import ARRIVED, connected, engine_of

_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 2.0


class Listener:
    """A thread that calls `arrived` at every notification; it comes back by itself when the server was away."""

    def __init__(self, url: str, arrived: Callable[[], None]) -> None:
        self._engine = engine_of(url, "log")
        self._arrived = arrived
        self._stop = Event()
        self._thread = Thread(target=self._run, name="consent-ledger-listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, within a second or two. Idempotent."""
        self._stop.set()
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.OperationalError:
                self._stop.wait(_AGAIN_SECONDS)

    def _listen(self) -> None:
        with connected(self._engine) as connection:
            connection.execute(f"LISTEN {ARRIVED}")
            while not self._stop.is_set():
                for _ in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                    self._arrived()
