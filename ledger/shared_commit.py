"""Callers in many threads, one transaction: whoever comes first commits for all who queued meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PAUSE_SECONDS = 0.00005
_MOST_PAUSES = 5


class _Ticket(Generic[T, R]):
    """One caller's items on their way into a shared commit."""

    __slots__ = ("error", "items", "leads", "results", "wake")

    def __init__(self, items: Sequence[T]) -> None:
        self.items = items
        self.results: list[R] = []
        self.error: BaseException | None = None
        self.leads = False
        self.wake = Lock()
        self.wake.acquire()


class SharedCommit(Generic[T, R]):
    """Callers in many threads, one transaction: the first leads and commits for all who queued meanwhile.

    `write(items) -> results` is one transaction. When a shared one fails, every caller's items are
    written again on their own, so that an error reaches the caller who caused it and nobody else; but one that
    `is_nobodys` is everybody's, and trying again would only make each wait as long once more.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], list[R]],
        most: int = 20_000,
        is_nobodys: Callable[[BaseException], bool] = lambda _: False,
    ) -> None:
        self._write = write
        self._is_nobodys = is_nobodys
        self._most = most
        self._mutex = Lock()
        self._waiting: deque[_Ticket[T, R]] = deque()
        self._busy = False
        self._usual = 1

    def submit(self, items: Sequence[T]) -> list[R]:
        """Results of these items, returned only after the commit that holds them."""
        ticket: _Ticket[T, R] = _Ticket(items)
        with self._mutex:
            self._waiting.append(ticket)
            if not self._busy:
                self._busy = ticket.leads = True
        if not ticket.leads:
            ticket.wake.acquire()
        if ticket.leads:
            self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.results

    def _lead(self, own: _Ticket[T, R]) -> None:
        """Commit what waits, own ticket first in line, then hand the lead to the next in line."""
        self._gather()
        group = self._take()
        self._usual = len(group)
        try:
            self._commit(group)
        finally:
            with self._mutex:
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].wake.release()
                else:
                    self._busy = False
            for ticket in group:
                if ticket is not own:
                    ticket.wake.release()

    def _gather(self) -> None:
        """Let the callers of the last group come back first, as long as they keep coming.

        Without it commits alternate between one early caller and all the others. A lone caller never waits.
        """
        for _ in range(_MOST_PAUSES):
            before = len(self._waiting)
            if before >= self._usual:
                return
            time.sleep(_PAUSE_SECONDS)
            if len(self._waiting) == before:
                return

    def _take(self) -> list[_Ticket[T, R]]:
        with self._mutex:
            group = [self._waiting.popleft()]
            size = len(group[0].items)
            while self._waiting and size + len(self._waiting[0].items) <= self._most:
                group.append(self._waiting.popleft())
                size += len(group[-1].items)
        return group

    def _commit(self, group: list[_Ticket[T, R]]) -> None:
        try:
            results = self._write(_all_items(group))
        except BaseException as error:  # noqa: BLE001 - whoever waits must be woken, whatever went wrong
            if len(group) == 1:
                group[0].error = error
            elif self._is_nobodys(error):
                for ticket in group:
                    ticket.error = error
            elif isinstance(error, Exception):
                for ticket in group:
                    self._commit([ticket])
            else:  # an interrupt is meant for this thread, not for those it commits for
                group[0].error = error
                self._commit(group[1:])
            return
        start = 0
        for ticket in group:
            ticket.results = results[start : start + len(ticket.items)]
            start += len(ticket.items)


def _all_items(group: list[_Ticket[T, R]]) -> Sequence[T]:
    if len(group) == 1:
        return group[0].items
    return [item for ticket in group for item in ticket.items]
