"""A HubSpot export into the ledger: rows to people to facts, by the thousand, each file once.

A `Share` takes in one of several equal shares of the rows; `adapters.crew` runs them, here or in
processes of their own. The steps of an import, one after the other for all shares:
`read` (which records at once in a ledger that knows no record yet), `settle`, and only then `close`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from adapters.echoed import NOTHING_WRITTEN, Shown, written_by_us
from adapters.hubspot.export import Export, Look, Row
from adapters.hubspot.facts import Person as RowPerson
from adapters.recording import CROWDED
from adapters.seen import NOTHING_SEEN, news_of, seen_anywhere, seen_of
from adapters.wiring import House, now
from ledger import events as e
from ledger import spelling
from ledger.application import Fact, Person
from ledger.contact import Contact
from ledger.lost_stops import hidden_since, is_shown, lost_stops
from ledger.plausibility import FIRST_PLAUSIBLE
from ledger.terms import LEDGER_STREAM
from ledger.vault import RecordRow, Registration
from projections.audit import Record
from projections.groups import family_among
from projections.verdicts import Origin

SYSTEM = "hubspot"
SOURCE = "hubspot.export"
CHUNK = 5_000

Progress = Callable[[int], None]


class Placed(NamedTuple):
    """A record and its row's place in the input, by which shares are put in order again."""

    place: int
    record: Record


class Portion(NamedTuple):
    """What one share came to, after a step.

    rows, added, unchanged  rows read, facts recorded, rows that say what they said before
    known, contradicting    rows of known record ids; those of them with another address
    familiar                rows of people whom an export has shown before
    older                   rows of a record of which a newer row is known: their stops count, no more
    stops                   keyed hashes (hex) of the stops among the facts
    records, without        records and those without an address, file by file
    findings                cells not understood, as sentences
    """

    rows: int = 0
    added: int = 0
    unchanged: int = 0
    known: int = 0
    contradicting: int = 0
    familiar: int = 0
    older: int = 0
    stops: tuple[str, ...] = ()
    records: tuple[int, ...] = ()
    without: tuple[int, ...] = ()
    findings: tuple[str, ...] = ()


class Occasion(NamedTuple):
    """An import as such: the name of its files, the moment they speak of, and whether others came before.

    `started`: when it began; no row was modified later; `several`: record ids that stand with different addresses;
    `hidden_since`: the day of the newest export that hides who opted out, where one stands open; `file_day`: when the
    files were as they are, where there are any
    """

    digest: str
    observed_at: datetime
    repeated: bool
    first: bool
    shared: frozenset[str]
    started: datetime
    several: frozenset[str] = frozenset()
    hidden_since: datetime | None = None
    file_day: datetime | None = None

    def shown_at(self, row: Row) -> datetime:
        """When a row was as it is: since it was modified last, if that can be, else on the day of its file."""
        modified = row.modified
        possible = modified is not None and FIRST_PLAUSIBLE <= modified.latest <= self.started
        return modified.latest if modified is not None and possible else self.observed_at


def occasion_of(house: House, export: Export, paths: Sequence[Path], look: Look) -> Occasion:
    """When an input speaks of, from its files' dates and what was imported before."""
    sums = sorted(table.sha256 for table, _ in export.tables)
    digest = hashlib.sha256("".join(sums).encode()).hexdigest()
    catalogue = house.catalogue
    imports = [n.event for n in catalogue.imports if isinstance(n.event, e.ImportFinished)]
    before = [done.captured_at for done in imports if done.file == digest and done.captured_at is not None]
    started = now()
    dated = max(datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in paths)
    # The same content on another day may be a copy, or an export that shows a stop again after an opt-in: it is
    # taken for the second. Without a day of its own it is a copy.
    possible = FIRST_PLAUSIBLE <= dated <= started
    observed_at = dated if possible else before[-1] if before else started
    shared, several = frozenset(look.shared), frozenset(look.several)
    since, again = hidden_since(lost_stops(catalogue)), observed_at in before
    return Occasion(digest, observed_at, again, not imports, shared, started, several, since, observed_at)


class Share:
    """One share of an import under way."""

    def __init__(self, house: House, export: Export, occasion: Occasion) -> None:
        self._house = house
        self._export = export
        self._occasion = occasion
        self._records: list[Placed] = []
        self._held: list[Row] = []
        self._stops: list[str] = []
        self._days: dict[date, date] = {}
        self._origins: dict[tuple[str | None, ...], Origin] = {}
        self._rows = self._added = self._unchanged = self._known = self._contradicting = self._crowded = 0
        self._older = self._familiar = 0

    def read(self, progress: Progress) -> Portion:
        """Read the rows. A ledger's first import is recorded as it is read; of a later one, changed rows are
        held back until the whole input is known to be of the portal the ledger knows.
        """
        for rows in _chunks(self._export.rows(), CHUNK):
            if self._occasion.first:
                self._take(rows)
            else:
                self._compare(rows)
            self._rows += len(rows)
            progress(self._rows)
        return self._portion()

    def settle(self) -> Portion:
        """Record what was held back."""
        for rows in _chunks(iter(self._held), CHUNK):
            self._take(rows)
        self._held.clear()
        self._export.forget_rows()
        self._records.sort(key=lambda placed: placed.place)
        return self._portion()

    def records(self) -> Iterator[Placed]:
        """Each CRM record of the share once, in order, marked with what only the whole share could tell."""
        seen: set[tuple[str, str | None]] = set()
        differing, shared, several = self._export.twice, self._occasion.shared, self._occasion.several
        for place, record in self._records:
            if record.record_id is not None:
                # of several addresses with one id each is listed: none may be lost behind another
                whose = spelling.normal(record.email or "") if record.record_id in several else None
                if (record.record_id, whose) in seen:
                    continue
                seen.add((record.record_id, whose))
            differs, among = record.record_id in differing, spelling.normal(record.email or "") in shared
            if differs or among:
                record = record._replace(differs=differs, shared=among, ambiguous=record.record_id in several)
            yield Placed(place, record)

    def _compare(self, rows: list[Row]) -> None:
        vault = self._house.ledger.vault
        known = vault.known_records(SYSTEM, [r.record_id for r in rows if r.record_id])
        self._familiar += self._known_by_address([row for row in rows if row.record_id not in known])
        unchanged: list[tuple[Row, RecordRow]] = []
        for row in rows:
            old = known.get(row.record_id or "")
            if old is None or self._is_ambiguous(row):
                self._held.append(row)
                continue
            same = old.row_hash == vault.row_hash(row.raw)
            self._unchanged += same
            # a record that only other files name may stand there under an address it had once
            self._known += old.row_hash is not None
            if same and (self._occasion.repeated or self._occasion.shown_at(row) != self._occasion.observed_at):
                self._familiar += 1
                unchanged.append((row, old))
                continue
            contradicts = old.row_hash is not None and self._other_address(row, old.address)
            self._contradicting += contradicts
            self._familiar += not contradicts
            self._held.append(row)
        if again := self._not_shown(unchanged):
            self._held += [row for row, _ in unchanged if row.place in again]
            unchanged = [(row, old) for row, old in unchanged if row.place not in again]
        owners = vault.find_addresses({row.email for row, _ in unchanged if row.email})
        for row, old in unchanged:
            self._keep(row, _as_registered(old, owners.get(row.email or "")))
        self._house.ledger.register_many([one for row, _ in unchanged for one in self._others(row)])

    def _not_shown(self, unchanged: Sequence[tuple[Row, RecordRow]]) -> set[int]:
        """Places of rows that say nothing new, but show as the first what an export hides: whether they opted out."""
        since = self._occasion.hidden_since
        if since is None or self._occasion.observed_at < since:
            return set()
        showing = [(row, old) for row, old in unchanged if not row.hides_opt_outs]
        folds = self._house.contacts(list({old.contact for _, old in showing}))
        return {row.place for row, old in showing if not is_shown(folds[old.contact], old.record, old.address, since)}

    def _is_ambiguous(self, row: Row) -> bool:
        return row.record_id in self._occasion.several

    def _others(self, row: Row) -> Iterator[Registration]:
        return _others(row, None if self._is_ambiguous(row) else row.record_id)

    def _known_by_address(self, rows: Sequence[Row]) -> int:
        """How many rows without a known id are of people known by their address, and by no other record of theirs."""
        vault = self._house.ledger.vault
        owners = vault.find_addresses({row.email for row in rows if row.email})
        recorded = vault.records_in(SYSTEM, {contact for contact, _ in owners.values()})
        found = [(row, owners[row.email]) for row in rows if row.email in owners]
        return sum(row.record_id is None or not recorded.get(contact) for row, (contact, _) in found)

    def _other_address(self, row: Row, address: str | None) -> bool:
        """Whether a record has another address than it is known by, and does not show that one as a further one."""
        if row.email is None or address is None:
            return False
        owners = self._house.ledger.vault.find_addresses({row.email, *row.emails_additional})
        return not any(known == address for _, known in owners.values())

    def _take(self, rows: list[Row]) -> None:
        ledger = self._house.ledger
        named = [row for row in rows if row.email or row.record_id]
        apart = [one for row in named if self._is_ambiguous(row) for one in _apart(row)]
        own = [Registration(row.email, SYSTEM, row.record_id, not self._is_ambiguous(row)) for row in named]
        others = (other for row in rows for other in self._others(row))
        registered = ledger.register_many([*apart, *own, *others])
        people = iter(registered[len(apart) :])
        self._crowded += sum(person.is_crowded for person in registered)
        known = {} if self._occasion.first else self._folds(registered)
        written = self._written(rows, registered[len(apart) :])
        facts: list[Fact] = []
        hashes: list[tuple[str, bytes]] = []
        for row, ours in zip(rows, written, strict=True):
            person = next(people) if row.email or row.record_id else Person("", None, None, False, None)
            self._keep(row, person)
            if not person.contact:
                continue
            older = self._older
            for event, source_id in self.said(row, person, known.get(person.contact), ours):
                facts.append(Fact(event, source_id))
                if isinstance(event, e.Stop):
                    self._stops.append(source_id)
            if person.record is not None and older == self._older and not self._is_ambiguous(row):
                hashes.append((person.record, ledger.vault.row_hash(row.raw)))
        outcome = ledger.record_many(facts)
        ledger.vault.keep_row_hashes(hashes)
        self._added += outcome.recorded

    def _folds(self, people: Iterable[Person]) -> dict[str, Contact]:
        folds = self._house.contacts(list({person.contact for person in people}))
        for name, contact in folds.items():
            if contact.stop_links:
                family = family_among(contact, self._house.contacts)
                folds[name] = seen_anywhere(contact, family.values())
        return folds

    def _written(self, rows: Sequence[Row], people: Sequence[Person]) -> list[frozenset[str]]:
        """What of the opt-outs of each row we wrote ourselves."""
        whose = iter(people)
        contacts = [next(whose).contact if row.email or row.record_id else "" for row in rows]
        shown = [Shown(row, who, self._occasion.shown_at(row)) for row, who in zip(rows, contacts, strict=True)]
        return written_by_us(self._house, shown)

    def said(
        self, row: Row, person: Person, contact: Contact | None, written: frozenset[str] = NOTHING_WRITTEN
    ) -> Iterator[tuple[e.Event, str]]:
        """What the row says; of a record known before, its stops and what neither this nor a newer row said.

        `written`: what of its opt-outs we wrote ourselves
        """
        about = RowPerson(person.contact, person.address, person.record)
        at = self._occasion.shown_at(row)
        seen = seen_of(contact, person.record, at) if contact else NOTHING_SEEN
        self._older += seen.is_older
        yield from news_of(row, about, at, seen, self._occasion.file_day, written)

    def _keep(self, row: Row, person: Person) -> None:
        record = Record(
            person.contact,
            person.record,
            person.address,
            row.record_id,
            row.email,
            astray=person.is_apart,
            lead=_lead(row),
            origin=self._origin(row),
            created=self._day(row),
        )
        self._records.append(Placed(row.place, record))

    def _origin(self, row: Row) -> Origin:
        """Where the row says it comes from; few differ, so each is kept once."""
        month = f"{row.created.latest:%Y-%m}" if row.created else None
        origin = (row.marketing_reason, row.marketing_reason_name, row.source, month)
        return self._origins.setdefault(origin, Origin(*origin))

    def _day(self, row: Row) -> date | None:
        """When the record was made, to the day; of many records, few days."""
        day = row.created.latest.date() if row.created else None
        return None if day is None else self._days.setdefault(day, day)

    def _portion(self) -> Portion:
        files = self._export.files
        return Portion(
            rows=self._rows,
            added=self._added,
            unchanged=self._unchanged,
            known=self._known,
            contradicting=self._contradicting,
            familiar=self._familiar,
            older=self._older,
            stops=tuple(self._house.ledger.sid(SOURCE, source_id).hex() for source_id in self._stops),
            records=tuple(file.records for file in files),
            without=tuple(file.without_address for file in files),
            findings=(*map(str, self._export.findings), *self._export.doubts, *([CROWDED] if self._crowded else [])),
        )


def _apart(row: Row) -> Iterator[Registration]:
    """The id and the address of a row by themselves first: where they meet, stops alone are to pass between them."""
    yield Registration(None, SYSTEM, row.record_id)
    if row.email is not None:
        yield Registration(row.email, SYSTEM, None)


def _others(row: Row, record: str | None) -> Iterator[Registration]:
    """The other addresses of a record, and the records merged into it, as those of the same person.

    Without an id that is the row's own, its address ties them.
    """
    if row.email is not None:
        yield from (Registration(row.email, SYSTEM, merged, primary=False) for merged in row.records_merged)
    if not row.emails_additional:
        return
    system = SYSTEM
    if record is None and row.email is not None:
        system, record = SOURCE, f"addresses:{spelling.normal(row.email)}"
        yield Registration(row.email, system, record, primary=False)
    for email in row.emails_additional:
        yield Registration(email, system, record, primary=False)


def _as_registered(old: RecordRow, owner: tuple[str, str] | None) -> Person:
    """Whom a row means that was taken in before: its address decides, as it did then."""
    contact, address = owner or (old.contact, old.address)
    return Person(contact, address, old.record, False, None if contact == old.contact else "two_contacts")


def _lead(row: Row) -> str | None:
    """What the CRM hints at: somebody to look at before they are taken off."""
    if row.lifecycle in ("customer", "evangelist"):
        return "customer"
    if row.deal_closed or row.closed:
        return "deal"
    return "form" if row.form_submissions else None


def close_import(
    house: House,
    occasion: Occasion,
    portions: Sequence[Portion],
    rejected: int,
    said: Mapping[str, object],
    hidden: int = 0,
) -> None:
    """Record that an input was taken in, with its counts and the hash of its stops, unless it was before.

    `said`: what else is kept of it, apart from the log; `hidden`: see `events.ImportFinished`.
    """
    added = sum(portion.added for portion in portions)
    before = [n.event for n in house.catalogue.imports if isinstance(n.event, e.ImportFinished)]
    same = next((done for done in reversed(before) if done.file == occasion.digest), None)
    if same is not None and not added and same.hidden == hidden:
        return
    stops = sorted(stop for portion in portions for stop in portion.stops)
    house.ledger.record(
        Fact(
            e.ImportFinished(
                stream=LEDGER_STREAM,
                source=SOURCE,
                by="system",
                occurred_from=now(),
                captured_at=occasion.observed_at,
                captured_by="import_file",
                file=occasion.digest,
                rows=sum(portion.rows for portion in portions),
                added=added,
                unchanged=sum(portion.unchanged for portion in portions),
                rejected=rejected,
                stops=len(stops),
                stops_hash=hashlib.sha256("".join(stops).encode()).hexdigest(),
                hidden=hidden,
            ),
            payload=said or None,
        )
    )


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, size)):
        yield chunk
