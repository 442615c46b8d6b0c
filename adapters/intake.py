"""A HubSpot export into the ledger: rows to people to facts, by the thousand, each file once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.encodings import Ask, UnreadableInput
from adapters.hubspot.export import Export, Row, read_export
from adapters.hubspot.facts import Person as RowPerson
from adapters.hubspot.facts import facts_of
from adapters.seen import NOTHING_SEEN, seen_of
from adapters.tabular import Rejected
from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact, Person
from ledger.contact import Contact
from ledger.terms import BEGINNING, LEDGER_STREAM
from ledger.vault import Registration
from projections.audit import Record
from projections.verdicts import FileRead

SYSTEM = "hubspot"
CHUNK = 2_000
OTHER_PORTAL = 0.05
"""A larger share of rows with another address under a known record id: another portal."""

Progress = Callable[[int], None]


@dataclass(slots=True)
class Intake:
    """What an import did. `records`: one for each CRM record seen, in the order of the file."""

    files: list[FileRead] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    rows: int = 0
    added: int = 0
    unchanged: int = 0


def take_in(
    house: House,
    paths: Sequence[Path],
    *,
    encoding: str | None = None,
    timezone: ZoneInfo | None = None,
    names: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    progress: Progress = lambda _: None,
) -> Intake:
    """Import the files. Raises UnreadableInput, before anything is recorded if the portal is another one."""
    export = read_export(paths, encoding=encoding, timezone=timezone, ask=ask, names=names)
    export.refuse_unfit()
    taking = _Taking(house, export, max(map(_file_date, paths)))
    if taking.imports:
        taking.run_checked(progress)
    else:
        taking.run(progress)
    return taking.finish()


def _file_date(path: Path) -> datetime:
    """The file's own date: what the CRM showed, it showed by then."""
    return min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now())


def _digest(export: Export) -> str:
    """One name for the files of an import, whatever their order."""
    sums = sorted(table.sha256 for table, _ in export.tables)
    return hashlib.sha256("".join(sums).encode()).hexdigest()


class _Taking:
    """One import under way."""

    def __init__(self, house: House, export: Export, observed_at: datetime) -> None:
        self.house = house
        self.export = export
        self.digest = _digest(export)
        self.imports = [n.event for n in house.catalogue.imports if isinstance(n.event, e.ImportFinished)]
        before = next((done for done in self.imports if done.file == self.digest), None)
        last = max((done.captured_at or BEGINNING for done in self.imports), default=BEGINNING)
        # A copy of a file taken in before shows what it showed then, whatever its date is now. And a file
        # nobody took in before is asked about because it is news: a date before the last one backs nothing.
        self.observed_at = (before.captured_at if before else None) or (
            observed_at if observed_at > last else now()
        )
        self.intake = Intake()
        self.stops: list[str] = []
        self._people: dict[str, set[int]] = {}

    def run(self, progress: Progress) -> None:
        """Record as the file is read: for a ledger that knows no record yet."""
        for rows in _chunks(self.export.rows(), CHUNK):
            self._take(rows)
            progress(self.intake.rows)

    def run_checked(self, progress: Progress) -> None:
        """Hold changed rows back until the whole file is known to be of the portal the ledger knows."""
        vault = self.house.ledger.vault
        held: list[Row] = []
        known_rows = contradicting = 0
        order: list[Row | Record] = []
        for rows in _chunks(self.export.rows(), CHUNK):
            known = vault.known_records(SYSTEM, [r.record_id for r in rows if r.record_id])
            for row in rows:
                old = known.get(row.record_id or "")
                if old is not None and old.row_hash == vault.row_hash(row.raw):
                    known_rows += 1
                    order.append(self._record(row, Person(old.contact, old.address, old.record, False, None)))
                    continue
                if old is not None:
                    known_rows += 1
                    contradicting += self._other_address(row, old.address)
                held.append(row)
                order.append(row)
            progress(len(order))
        if known_rows and contradicting > OTHER_PORTAL * known_rows:
            raise UnreadableInput(
                "another_portal",
                f"{contradicting} of {known_rows} known record ids stand here with another address.",
                "Is this another portal's export? A ledger belongs to one controller and portal: "
                "use --ledger with another directory.",
            )
        self.intake.unchanged += len(order) - len(held)
        self.intake.rows += len(order) - len(held)
        placed: dict[int, Record] = {}
        for rows in _chunks(iter(held), CHUNK):
            before = len(self.intake.records)
            self._take(rows)
            placed.update(zip(map(id, rows), self.intake.records[before:], strict=True))
        self.intake.records = [one if isinstance(one, Record) else placed[id(one)] for one in order]

    def _other_address(self, row: Row, address: str | None) -> bool:
        if row.email is None or address is None:
            return False
        found = self.house.ledger.vault.find_address(row.email)
        return found is None or found[1] != address

    def _take(self, rows: list[Row]) -> None:
        ledger = self.house.ledger
        named = [row for row in rows if row.email or row.record_id]
        registered = ledger.register_many([Registration(r.email, SYSTEM, r.record_id) for r in named])
        people = iter(registered)
        known = self._known(registered) if self.imports else {}
        facts: list[Fact] = []
        hashes: list[tuple[str, bytes]] = []
        for row in rows:
            person = next(people) if row.email or row.record_id else Person("", None, None, False, None)
            self.intake.records.append(self._record(row, person))
            if not person.contact:
                continue
            for event, source_id in self._said(row, person, known.get(person.contact)):
                facts.append(Fact(event, source_id))
                if isinstance(event, e.Stop):
                    self.stops.append(source_id)
            if person.record is not None:
                hashes.append((person.record, ledger.vault.row_hash(row.raw)))
        outcome = ledger.record_many(facts)
        ledger.vault.keep_row_hashes(hashes)
        self.intake.added += outcome.recorded
        self.intake.rows += len(rows)

    def _known(self, people: Iterable[Person]) -> dict[str, Contact]:
        return self.house.contacts(list({person.contact for person in people}))

    def _said(self, row: Row, person: Person, contact: Contact | None) -> Iterator[tuple[e.Event, str]]:
        """What the row says; of a record known before, only what it did not say before."""
        about = RowPerson(person.contact, person.address, person.record)
        at = self.observed_at
        before = seen_of(contact, person.record, at) if contact else NOTHING_SEEN
        known = {"known_claims": bool(before.claims), "known_bounce": before.suspended}
        for event, source_id, _ in facts_of(row, about, at, **known):
            if not before.says(event):
                yield event, source_id

    def _record(self, row: Row, person: Person) -> Record:
        if person.address is not None and row.name_key:
            self._people.setdefault(person.address, set()).add(row.name_key)
        return Record(
            person.contact,
            person.record,
            person.address,
            row.record_id,
            row.email,
            astray=person.finding is not None,
        )

    def finish(self) -> Intake:
        """Settle what only the whole file tells, and close the import with its counts."""
        intake, export = self.intake, self.export
        intake.files, intake.rejected = list(export.files), list(export.rejected)
        intake.findings = [str(found) for found in export.findings]
        shared = {address for address, names in self._people.items() if len(names) > 1}
        differing = export.twice
        intake.records = list(_once(intake.records, differing, shared))
        if intake.added or all(done.file != self.digest for done in self.imports):
            self._close()
        return intake

    def _close(self) -> None:
        sids = sorted(self.house.ledger.sid(f"{SYSTEM}.export", source_id).hex() for source_id in self.stops)
        self.house.ledger.record(
            Fact(
                e.ImportFinished(
                    stream=LEDGER_STREAM,
                    source=f"{SYSTEM}.export",
                    by="system",
                    occurred_from=now(),
                    file=self.digest,
                    captured_at=self.observed_at,
                    captured_by="import_file",
                    rows=self.intake.rows,
                    added=self.intake.added,
                    unchanged=self.intake.unchanged,
                    rejected=len(self.intake.rejected),
                    stops=len(sids),
                    stops_hash=hashlib.sha256("".join(sids).encode()).hexdigest(),
                )
            )
        )


def _once(records: Iterable[Record], differing: set[str], shared: set[str]) -> Iterator[Record]:
    """Each CRM record once, marked with what only the whole file could tell."""
    seen: set[str] = set()
    for record in records:
        if record.record_id is not None:
            if record.record_id in seen:
                continue
            seen.add(record.record_id)
        yield record._replace(
            differs=record.record_id in differing if record.record_id else False,
            shared=record.address in shared,
        )


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, size)):
        yield chunk
