"""What is still to be told to the outside: one row a contact, written in the transaction that changes its answers.

A row says that a contact's answers must be sent, and why; what is sent is read when it is sent, so that it
is never older than the last change. A row is taken away by the number it was taken with: a change in
between has given it another. An embedded ledger has none of this: it begins with `switch_on`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from ledger.codec import instant
from ledger.database import chunks, uuid_bytes, uuid_text
from projections.contact_status import Cause
from projections.status import Row, allows, next_boundary
from projections.views_schema import Driver

STOP, NEWS, REPUBLISHED_STOP, REPUBLISHED = range(4)
"""Ranks. A change by an event that took something away; another event, or a day that came; of those told
again, who may get nothing; the rest. The last two wait for the first two, and go at a set rate."""
_BLOCK = 40
"""A generation of the views numbers its rows from a multiple of 2**40: no number ever means two things."""
_NEWEST = 1 << 39
"""Of those told again, the newest revision has the lowest number."""
"""Rows in one statement of a look."""

_PUT = (
    "INSERT INTO outbox (contact, seq, rank, cause, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (contact) DO UPDATE SET "
    "seq = excluded.seq, cause = excluded.cause, at = coalesce(excluded.at, outbox.at), "
    "rank = CASE WHEN outbox.rank < excluded.rank THEN outbox.rank ELSE excluded.rank END"
)
_DUE = "INSERT INTO due (contact, at) VALUES (?, ?)"


class Queued(NamedTuple):
    """A contact to be told of. `at`: as of this moment or later."""

    contact: str
    seq: int
    rank: int
    cause: Cause
    at: str | None
