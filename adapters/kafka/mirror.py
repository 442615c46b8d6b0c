"""A table of the answers for a downstream reader, kept from the status topic alone.

A contact's cells are replaced whole, in one transaction, and never by a lower revision than the one held. What a
tombstone took away leaves its revision behind: a value that comes late, or twice, revives nobody. So neither
duplicates nor any order of arrival make a difference. A ledger that was restored tells everything anew, in a new
epoch: what was held of an earlier one is then let go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from adapters.kafka.dead_letters import dead_letter
from adapters.kafka.messages import EPOCH
from adapters.kafka.mirror_epochs import enter_epoch
from adapters.kafka.mirror_schema import cells, contacts, metadata
from adapters.kafka.records import Effects, Failed, Record
from projections.contact_status import ContactStatus

AWAY = (OperationalError, InterfaceError, InternalError)
"""What a database raises that is away, locked or overfull: the same batch is tried again."""

_decode = msgspec.json.Decoder(ContactStatus).decode
_encode = msgspec.json.Encoder().encode
_MOST = 2**53
_place = re.compile(r" - at `(\$[.\w\[\]]*)`\Z").search
_contact = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z").match
_CHUNK = 500
_LONGEST_EPOCH = 64


class Told(NamedTuple):
    """What a record says of a contact, in an epoch of the ledger. `status` None: gone."""

    contact: str
    revision: int
    status: ContactStatus | None
    epoch: str = ""

    @property
    def rank(self) -> tuple[int, bool]:
        """The higher one stands; at the same revision, that the contact is gone."""
        return self.revision, self.status is None


def _make_missing(engine: sa.Engine) -> None:
    """Make the tables that are missing. Of workers that begin at the same moment, one finds what another just made."""
    for _ in metadata.sorted_tables:
        with suppress(sa.exc.OperationalError, sa.exc.ProgrammingError, sa.exc.IntegrityError):
            metadata.create_all(engine)
            return
    metadata.create_all(engine)


class Mirror:
    """The tables in one database. Safe to be written by several workers at once."""

    def __init__(self, url: str) -> None:
        """Opens the database and makes what is missing. Raises SQLAlchemy's errors."""
        self._engine = sa.create_engine(_with_driver(url), pool_pre_ping=True)
        _make_missing(self._engine)

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._engine.dispose()

    def apply(self, told: Iterable[Told]) -> None:
        """Take what is newer than what is held; one transaction. Raises SQLAlchemy's errors."""
        told = list(told)
        with self._engine.begin() as connection:
            epoch = enter_epoch(connection, [one.epoch for one in told])
            # In one order everywhere: two workers that meet wait for each other, and do not deadlock.
            newest = _newest(one for one in told if one.epoch == epoch)
            ordered = [newest[contact] for contact in sorted(newest)]
            for start in range(0, len(ordered), _CHUNK):
                self._apply(connection, ordered[start : start + _CHUNK])

    def _apply(self, connection: sa.Connection, told: Sequence[Told]) -> None:
        rows = [_contact_row(one) for one in told]
        taken = set(connection.execute(self._upsert(), rows).scalars())
        if not taken:
            return
        connection.execute(sa.delete(cells).where(cells.c.contact.in_(taken)))
        new = [row for one in told if one.contact in taken for row in _cell_rows(one)]
        if new:
            connection.execute(sa.insert(cells), new)

    def _upsert(self) -> Any:
        """Contacts, where theirs is the higher revision or an equal one; returns those taken, and holds their rows."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(contacts)
        given = statement.excluded
        return statement.on_conflict_do_update(
            index_elements=[contacts.c.contact],
            set_={column.name: given[column.name] for column in contacts.c if not column.primary_key},
            where=(given.revision > contacts.c.revision)
            | ((given.revision == contacts.c.revision) & (given.gone >= contacts.c.gone)),
        ).returning(contacts.c.contact)


def _newest(told: Iterable[Told]) -> dict[str, Told]:
    newest: dict[str, Told] = {}
    for one in told:
        held = newest.get(one.contact)
        if held is None or one.rank >= held.rank:
            newest[one.contact] = one
    return newest


def _with_driver(url: str) -> sa.URL:
    parsed = sa.make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in ("postgresql", "postgres") else parsed


def _contact_row(told: Told) -> dict[str, Any]:
    status = told.status
    return {
        "contact": told.contact,
        "revision": told.revision,
        "gone": status is None,
        "position": status.position if status else None,
        "at": status.at.astimezone(UTC) if status else None,
        "marketing_status": status.marketing_status if status else None,
        "merged_into": status.merged_into if status else None,
        "erased": status is None or status.erased,
    }


def _cell_rows(told: Told) -> Iterable[dict[str, Any]]:
    for cell in told.status.cells if told.status else ():
        yield {
            "contact": told.contact,
            "purpose": cell.purpose,
            "channel": cell.channel,
            "address": cell.address or "",
            "allowed": cell.allowed,
            "basis": cell.basis,
            "rule": cell.rule,
            "reason": cell.reason,
            "marketing_status": cell.marketing_status,
            "segments": _encode(cell.segments).decode(),
        }


def read_status(record: Record) -> Told | Failed:
    """What a record of the status topic says."""
    key = (record.key or b"").decode("ascii", "replace")
    epoch = dict(record.headers).get(EPOCH, b"").decode("ascii", "replace")
    if len(epoch) > _LONGEST_EPOCH:
        return Failed(record, "an epoch that is longer than any")
    if not _contact(key):
        return Failed(record, "the key is no contact id")
    if record.value is None:
        revision = dict(record.headers).get("ce_revision", b"")
        if not (revision.isdigit() and len(revision) <= 16):
            return Failed(record, "a tombstone without its revision")
        return Told(key, int(revision), None, epoch)
    try:
        status = _decode(record.value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        where = _place(str(error))  # the rest of the message may hold a value
        return Failed(record, "no contact status" + (f", at {where[1]}" if where else ""))
    if status.contact != key:
        return Failed(record, "the value is of another contact than the key")
    if not 0 <= status.revision < _MOST or not 0 <= status.position < _MOST:
        return Failed(record, "a revision or position out of bounds")
    return Told(key, status.revision, status, epoch)


def mirroring(mirror: Mirror, dlq: str, clock: Callable[[], datetime]) -> Callable[[Sequence[Record]], Effects]:
    """A handler: applies what can be applied, and sends the rest to the topic of dead letters `dlq`."""

    def handle(records: Sequence[Record]) -> Effects:
        read = [(record, read_status(record)) for record in records]
        failed = [one for _, one in read if isinstance(one, Failed)]
        told = [(record, one) for record, one in read if isinstance(one, Told)]
        try:
            mirror.apply(one for _, one in told)
        except DBAPIError as error:
            if isinstance(error, AWAY):
                raise
            failed += [lost for record, one in told for lost in _alone(mirror, record, one)]
        at = clock()
        return Effects([dead_letter(dlq, one, at, None) for one in failed], len(failed))

    return handle


def _alone(mirror: Mirror, record: Record, told: Told) -> Iterable[Failed]:
    """One of a batch that the database refused: which of them it was, nobody said."""
    try:
        mirror.apply([told])
    except DBAPIError as error:
        if isinstance(error, AWAY):
            raise
        yield Failed(record, f"the mirror's database refuses it: {type(error).__name__}")
