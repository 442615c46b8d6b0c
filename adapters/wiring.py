"""The only place that picks implementations: a ledger's directory becomes a `House` to work with."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import MetaData

from adapters.identification import Person, identify
from adapters.settings import Settings
from ledger import catalogue as catalogues
from ledger import events as e
from ledger.application import Fact, Ledger
from ledger.catalogue import Catalogue
from ledger.codec import decode, topic_of
from ledger.commands import (
    Command,
    CommandRefusedError,
    Correct,
    Second,
    Signature,
    decide,
    payload_of,
    refuse_unsigned,
)
from ledger.contact import Contact, Entry, fold
from ledger.database import Database, Location, open_database
from ledger.joining import join_store
from ledger.opening import FILES, Place
from ledger.plausibility import bounded
from ledger.policy.rules import Policy
from ledger.policy.shipped import policy as shipped_policy
from ledger.recorder import away
from ledger.terms import LEDGER_STREAM
from projections.binding import Binding
from projections.gate import Gate
from projections.groups import kin, kin_among
from projections.runner import StatusRunner
from projections.tracking import Source
from projections.verdicts import UNNAMED
from projections.views import Views


class Adopted(NamedTuple):
    """Who adopted the rule set in force, and when."""

    name: str
    role: str
    position: int
    on: datetime


_TWO = "two people"


def now() -> datetime:
    """The clock of a running program; everything below is given it."""
    return datetime.now(UTC)


def place_of(directory: Path, env: Mapping[str, str]) -> Place:
    """Where the ledger of a directory lies: in its files, else in the database that the environment names, else there.

    A directory that holds files of a ledger is that one, whatever an environment says.
    """
    return Place(directory, None if is_ledger(directory) else Settings.read(env).database_url)


def is_ledger(directory: Path) -> bool:
    """Whether a directory holds the files of a ledger, or one of the two."""
    return any((directory / name).exists() for name in FILES)


def init_ledger(directory: Path, env: Mapping[str, str]) -> bool:
    """Make the ledger of a directory; False: there is one already. Raises as `Ledger.init`."""
    return Ledger.init(directory, now, os.urandom, env, place_of(directory, env).database_url)


class House:
    """One open ledger with its rule set and its catalogue. Close it, or use it as a context manager."""

    def __init__(self, directory: Path, ledger: Ledger, database_url: str | None = None) -> None:
        self.directory = directory
        self.ledger = ledger
        self._adopted: dict[str, Policy] = {}
        self._database_url = database_url

    @classmethod
    def open(cls, directory: Path, env: Mapping[str, str]) -> House:
        """Open the ledger of a directory: its files, or the database that the environment names.

        Raises NoLedgerError, StoresError, KeyFileError, DurabilityError, SetupError, OperationalError.
        """
        url = place_of(directory, env).database_url
        return cls(directory, Ledger.open(directory, now, os.urandom, env, url), url)

    def location(self, part: str) -> Location:
        """Where a part of the ledger lies: `log`, `vault`, `views`, `streams`."""
        return self._database_url or self.directory / f"{part}.db"

    def beside(self, part: str, metadata: MetaData, pragmas: Iterable[str] = (), anew: Sequence[str] = ()) -> Database:
        """The database of a part that is no fact and cannot be rebuilt, made when absent, and joined to this ledger.

        `anew`: statements that forget what it knows of the entries of an earlier epoch. Raises StoresError.
        """
        database = open_database(self.location(part), part, metadata, pragmas)
        log = self.ledger.log
        try:
            join_store(database, f"store {part}", self.ledger.identity, log.mark, log.entry_at, anew)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def is_on_server(self) -> bool:
        """Whether it lies in a database elsewhere."""
        return self._database_url is not None

    @property
    def away(self) -> tuple[type[Exception], ...]:
        """What is raised while the databases are; see `ledger.recorder.away`."""
        return away(self.location("log"))

    def wait_at_most(self, seconds: float) -> None:
        """From now on a fact waits so long for others who write; see `Database.wait_at_most`."""
        self.ledger.log.wait_at_most(seconds)
        self.ledger.vault.wait_at_most(seconds)

    def assert_writable(self) -> None:
        """Raises what `away` names while no fact could be recorded."""
        self.ledger.vault.assert_writable()
        self.ledger.log.assert_writable()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *exc: object) -> None:
        self.ledger.close()
        if "gate" in self.__dict__:
            self.gate.close()
        if "views" in self.__dict__:
            self.views.close()

    @cached_property
    def views(self) -> Views:
        """The answers kept beside the facts; made when first asked for, and deleted without loss."""
        return Views.open(self.location("views"), Binding(self.source, self.ledger.rows_key))

    @property
    def source(self) -> Source:
        """This ledger and its epoch, as stores name them that are derived from it."""
        return Source(self.ledger.id, self.ledger.epoch)

    @cached_property
    def runner(self) -> StatusRunner:
        """What keeps the answers in step with the facts."""
        return StatusRunner(self.ledger.log, self.location("log"), self.views, self.policy_of)

    @cached_property
    def gate(self) -> Gate:
        """May I write now: answers that are never older than the log."""
        return Gate(self.ledger.log, self.location("log"), self.views, self.runner)

    # --- what holds for all ---------------------------------------------------------------------

    @property
    def catalogue(self) -> Catalogue:
        """The ledger-wide fold, up to now."""
        return self.catalogue_at(None)

    def catalogue_at(self, known_at: datetime | None) -> Catalogue:
        """The ledger-wide fold of what was recorded by a moment."""
        folded = Catalogue()
        for entry in self.entries(LEDGER_STREAM):
            if known_at is not None and (entry.event.recorded_at or known_at) > known_at:
                break
            folded = catalogues.evolve(folded, entry)
        return folded

    @cached_property
    def policy(self) -> Policy:
        """The rule set in force: the one adopted last, else the shipped one, adopted by nobody."""
        return self.policy_of(self.catalogue.policy)

    def policy_of(self, version: str | None) -> Policy:
        """A rule set by its hash: shipped, or kept when it was adopted. Raises LookupError."""
        shipped = shipped_policy()
        if version is None or shipped.hash == version:
            return shipped
        if version in self._adopted:
            return self._adopted[version]
        for entry in self.catalogue.policies:
            event = entry.event
            if isinstance(event, e.PolicyAdopted) and event.policy.startswith(version) and event.document:
                kept = self.ledger.log.document(event.document)
                if kept is not None:
                    found = Policy({name: text.encode() for name, text in json.loads(kept).items()})
                    return self._adopted.setdefault(event.policy, found)
        if shipped.hash.startswith(version):
            return shipped
        raise LookupError(f"no rule set {version!r}: neither shipped nor adopted here (see `policy list`)")

    @property
    def adopted(self) -> Adopted | None:
        """Who adopted the rule set in force; None: nobody."""
        policies = self.catalogue.policies
        if not policies:
            return None
        position, _, event = policies[-1]
        signed = self.payload(event)
        return Adopted(
            str(signed.get("name", "?")),
            str(signed.get("role", "?")),
            position,
            event.recorded_at or datetime.min.replace(tzinfo=UTC),
        )

    def refuse_other_controller(self, name: str | None) -> None:
        """A ledger belongs to one controller: raises CommandRefusedError for another."""
        known = self.controller_name(self.catalogue)
        if name and known and name != known:
            raise CommandRefusedError(f"this ledger belongs to {known}; for {name} name another with --ledger")

    def describe_controller(self, name: str | None, country: str | None, assumed: str | None) -> tuple[str, Catalogue]:
        """Record what is newly said of the controller; the name in force and the catalogue after it."""
        catalogue = self.catalogue
        known = self.controller_name(catalogue)
        said = (name or known, country or catalogue.country, assumed or catalogue.assumed_country)
        if said != (known, catalogue.country, catalogue.assumed_country):
            self._describe(catalogue, {"controller": said[0]}, country=said[1], assumed_country=said[2])
        return said[0] or UNNAMED, self.catalogue

    def _describe(
        self, catalogue: Catalogue, said: dict[str, object], payload: Mapping[str, object] | None = None, **fields: Any
    ) -> int:
        """Describe the controller anew: what is said, over what its document says already; the position."""
        document = self.ledger.log.put_document(json.dumps({**self._described(catalogue), **said}).encode())
        known = {"country": catalogue.country, "assumed_country": catalogue.assumed_country}
        event = e.ControllerDescribed(
            stream=LEDGER_STREAM,
            source="cli",
            by="officer",
            document=document,
            charity=catalogue.is_charity,
            **{**known, **fields},
        )
        return self.ledger.record(Fact(event, payload=payload)).position

    def controller_name(self, catalogue: Catalogue) -> str | None:
        """The controller's name, from the document that describes it."""
        name = self._described(catalogue).get("controller")
        return str(name) if name else None

    def _described(self, catalogue: Catalogue) -> dict[str, object]:
        """What the document that describes the controller says."""
        described = catalogue.controller.event if catalogue.controller else None
        if not isinstance(described, e.ControllerDescribed) or described.document is None:
            return {}
        kept = self.ledger.log.document(described.document)
        said: dict[str, object] = json.loads(kept) if kept else {}
        return said

    @property
    def two_needed(self) -> bool:
        """Whether this controller wants two people for every correction."""
        return self._described(self.catalogue).get("corrections") == _TWO

    def require_two(self, wanted: bool, signed: Signature, second: Second | None) -> int | None:
        """Say how many people a correction needs from now on; the position, None: it is so already.

        Raises CommandRefusedError: without a name, role and reason, and for one person alone who ends it.
        """
        refuse_unsigned(signed, second, two_needed=self.two_needed)
        if wanted == self.two_needed:
            return None
        said: dict[str, object] = {"corrections": _TWO if wanted else "one person"}
        return self._describe(self.catalogue, said, payload_of(signed, second))

    # --- one person -----------------------------------------------------------------------------

    def entries(self, stream: str) -> list[Entry]:
        """One stream's entries, in order, with the times that can be true of them."""
        return [Entry(p, v, bounded(decode(state))) for p, v, state in self.ledger.log.stream(stream)]

    def stream_of(self, state: bytes) -> str:
        """The stream an entry belongs to."""
        return decode(state).stream

    def whom(self, text: str) -> Person:
        """The person meant by an address, a reference or a record id. Raises UnknownPersonError."""
        return identify(self.ledger, text)

    def find(self, email: str) -> tuple[str, str]:
        """(contact id, address id) of an address. Raises UnknownPersonError."""
        person = identify(self.ledger, email)
        assert person.address is not None  # noqa: S101 - it was found by it
        return person.contact, person.address

    def contacts(self, streams: Collection[str]) -> dict[str, Contact]:
        """Folds of many contacts at once."""
        sorted_in: dict[str, list[Entry]] = {stream: [] for stream in streams}
        for position, version, state in self.ledger.log.entries(streams=sorted_in):
            event = decode(state)
            sorted_in[event.stream].append(Entry(position, version, event))
        return {stream: fold(stream, entries) for stream, entries in sorted_in.items()}

    def group(self, contact: Contact) -> Sequence[Contact]:
        """A contact, after it whoever is linked with it, as `projections.groups` has it."""
        return kin_among(contact, self.contacts).group

    def group_of(self, contacts: Mapping[str, Contact], contact: str) -> Sequence[Contact]:
        """The group of one of many folds read at once; an unknown contact is one of whom nothing is known."""
        owner = contacts.get(contact) or Contact(contact)
        return self.group(owner) if owner.links or owner.stop_links else kin(contact, {contact: owner}).group

    def payload(self, event: e.Event) -> Mapping[str, object]:
        """What is personal about an event; empty when there is nothing, or nothing any more."""
        if event.commitment is None:
            return {}
        opened = self.ledger.vault.payload(event.commitment)
        return opened if isinstance(opened, dict) else {}

    def carry_out(self, command: Command, contacts: Sequence[Contact]) -> list[int]:
        """Decide a command and record what it comes to; the positions. Raises CommandRefusedError."""
        second = command.second if isinstance(command, Correct) else None
        payload = payload_of(command.signed, second)
        facts = [Fact(event, payload=payload) for event in decide(command, contacts)]
        return self.ledger.record_many(facts).positions

    def corrections(self) -> Iterator[Entry]:
        """Every stop taken back, for the reports."""
        topics = (topic_of(e.Corrected(stream="", source="", undoes=0)),)
        for found in self.ledger.log.select_notifications(1, 2**31, topics=topics):
            yield Entry(found.id, found.originator_version, decode(found.state))


def read_files(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """Files of evidence, read. Raises CommandRefusedError for an empty one."""
    contents = {path: path.read_bytes() for path in paths}
    for path, content in contents.items():
        if not content.strip():
            raise CommandRefusedError(f"{path} is empty, so it shows nothing: give the file that shows it")
    return tuple(contents.values())


def keep_files(ledger: Ledger, paths: Iterable[Path]) -> tuple[str, ...]:
    """Keep files as documents beside the log; their SHA-256. Raises as `read_files`, and then keeps none."""
    return tuple(ledger.log.put_document(content) for content in read_files(paths))
