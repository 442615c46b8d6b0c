"""What is told of a contact: its rows at a moment, with who it is linked with, as one value.

The answers are the rows' own; nothing is judged here. A revision is the position the rows rest on, times a
million, plus how many of their moments of change have come: it grows with every change, whoever counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from ledger.contact import fold
from ledger.policy.judge import ERASED
from projections import views
from projections.contact_status import Cause, ContactStatus, ToldCell, ToldRecord, ToldSegment
from projections.current import CurrentStatus
from projections.folding import entries_of
from projections.groups import linked_now, reach
from projections.outbox import Queued
from projections.status import Status, marketing_status, read_row

MOMENTS = 1_000_000
"""A revision is a position times this, plus the moments of change that have come."""

Records = Callable[[str], tuple[ToldRecord, ...]]
"""The rows of a contact in the CRMs; only asked for where a setting says so."""

encode = msgspec.json.Encoder(order="deterministic").encode
"""A value as it is sent."""


class Kinship(NamedTuple):
    """Who a contact is one person with, and which of them stands for all; None: itself."""

    linked: tuple[str, ...] = ()
    merged_into: str | None = None


ALONE = Kinship()


def contact_status(
    rows: Sequence[Status],
    now: datetime,
    *,
    controller: str,
    policy: str,
    cause: Cause,
    kinship: Kinship = ALONE,
    records: tuple[ToldRecord, ...] = (),
) -> ContactStatus:
    """One contact's rows (at least one), as they are at `now`: equal revisions give equal answers."""
    since = max(row.segments[0].start for row in rows)
    came = [one.start for row in rows for one in row.segments[1:] if one.start <= now]
    at = max([since, *came])
    position = max(row.revision for row in rows)
    return ContactStatus(
        contact=rows[0].contact,
        controller=controller,
        revision=position * MOMENTS + min(len(came), MOMENTS - 1),
        cause=cause,
        position=position,
        at=at,
        policy=policy,
        marketing_status=marketing_status(rows, at),
        cells=tuple(_cell(row, at) for row in rows),
        linked=kinship.linked,
        merged_into=kinship.merged_into,
        erased=all(one.decision.reason == ERASED for row in rows for one in row.segments),
        records=records,
    )


def _cell(row: Status, at: datetime) -> ToldCell:
    given = row.at(at)
    assert given is not None  # noqa: S101 - `at` is never before the row begins
    return ToldCell(
        purpose=row.purpose,
        channel=row.channel,
        address=row.address,
        allowed=given.allowed,
        basis=given.basis,
        rule=given.rules[0] if given.allowed and given.rules else None,
        reason=given.reason,
        marketing_status=marketing_status([row], at),
        segments=tuple(
            ToldSegment(s.start, s.decision.allowed, s.decision.reason, s.decision.basis, s.decision.rules)
            for s in row.segments
        ),
    )


class Announcer:
    """Reads what is to be told of contacts, from the rows in use and, for who is linked, from the log."""

    def __init__(self, status: CurrentStatus, controller: str, records: Records | None = None) -> None:
        self._status = status
        self._log = status.log
        self._views = status.views
        self._controller = controller
        self._records = records

    def announce(self, queued: Sequence[Queued], now: datetime) -> list[ContactStatus] | None:
        """A value for each that has rows, in order, all of one moment of the views.

        None: the rows are not of this log, and nothing is told of them; whoever follows builds them anew. A row that
        is not as this ledger wrote it is not told either: the contact is judged anew.
        """
        told: list[ContactStatus] = []
        with self._views.snapshot() as driver:
            held = views.held(driver)
            if held.policy is None or not self._status.soundness.stands(held):
                return None if queued else []
            for one in queued:
                kept = views.rows_of_contact(driver, one.contact)
                rows = self._status.as_written(one.contact, kept, held.mark)
                if rows:
                    family = views.kin_of(driver, [one.contact])
                    told.append(
                        contact_status(
                            [read_row(row, held.policy) for row in rows],
                            max(now, one.at or now),
                            controller=self._controller,
                            policy=held.policy,
                            cause=one.cause,
                            kinship=self._kinship(one.contact, family, held.position),
                            records=self._records(one.contact) if self._records else (),
                        )
                    )
        return told

    def _kinship(self, contact: str, family: set[str], position: int) -> Kinship:
        """As the log had it where the rows stand."""
        if len(family) == 1:
            return ALONE
        entries = entries_of(self._log, family, position)
        folds = {name: fold(name, found) for name, found in entries.items()}
        partners = linked_now(folds.values())
        group = reach([contact], lambda one: partners.get(one, ())) & folds.keys()
        first = min(group, key=lambda name: (bool(folds[name].erasures), entries[name][0].position))
        return Kinship(tuple(sorted(group - {contact})), None if first == contact else first)
