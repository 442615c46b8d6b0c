"""Whose a record id is: one person's, or, where it stands with different addresses, nobody can tell whose."""

from __future__ import annotations


class Owners:
    """Record ids gone by with the addresses beside them. An additional address of a record is no different one.

    several  record id -> the addresses it stands with, where these are of different people
    """

    def __init__(self) -> None:
        self.several: dict[str, list[str]] = {}
        self._first: dict[str, str] = {}
        self._more: dict[str, set[str]] = {}

    def see(self, record: str | None, email: str, addresses: tuple[str, ...]) -> None:
        """A row: its record id, its address, and all addresses of it, in the forms they are known by."""
        if record is None or not email:
            return
        first = self._first.setdefault(record, email)
        if len(addresses) > 1:
            self._more.setdefault(record, {first}).update(addresses)
        if email != first and email not in self._more.get(record, ()):
            known = self.several.setdefault(record, [first])
            if email not in known:
                known.append(email)
