"""Watches from outside, all the while: every record of the status topic, every row of the mirror that changes."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from adapters.kafka.mirror_schema import cells, contacts
from projections.announcing import MOMENTS
from tests.faults.truth import PURPOSE
from tests.services.reading import Found, Reader
from tests.waiting import join

_ROWS = (
    sa.select(contacts.c.contact, contacts.c.revision, sa.func.max(sa.cast(cells.c.allowed, sa.Integer)))
    .join_from(contacts, cells, (cells.c.contact == contacts.c.contact) & (cells.c.purpose == PURPOSE), isouter=True)
    .group_by(contacts.c.contact, contacts.c.revision)
)


class Seen(NamedTuple):
    """An answer that somebody could have read: may this contact be written to, as of which entry of the log?"""

    contact: str
    revision: int
    allowed: bool

    @property
    def position(self) -> int:
        """Of the newest entry it rests on."""
        return self.revision // MOMENTS


class Watcher:
    """A thread. `told`: the status topic in its order; `shown`: what the mirror came to hold, in its order."""

    def __init__(self, servers: str, status_topic: str, mirror: sa.URL, told: list[Found]) -> None:
        self.told = told
        self.shown: list[Seen] = []
        self._reader = Reader(servers, [status_topic])
        self._mirror = sa.create_engine(mirror)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after a last look."""
        self._stop.set()
        join(self._thread)
        self._reader.close()
        self._mirror.dispose()

    def _run(self) -> None:
        held: dict[str, Seen] = {}
        last = False
        while not last:
            last = self._stop.is_set()
            self.told += self._reader.read(0.1)
            with suppress(DBAPIError), self._mirror.connect() as connection:  # locked, or not made yet
                for contact, revision, allowed in connection.execute(_ROWS):
                    seen = Seen(contact, revision, bool(allowed))
                    if held.get(contact) != seen:
                        held[contact] = seen
                        self.shown.append(seen)
