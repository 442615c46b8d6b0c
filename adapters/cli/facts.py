"""Facts told by hand to events: one table from the words of the command line to the event classes."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from adapters.addresses import address_of, addresses_in
from adapters.cli.options import moment
from adapters.doors import check_door
from adapters.reading import NOT_AN_ADDRESS
from adapters.recording import Saying, record_all
from adapters.wide_stops import domain_named, refused, unusable
from adapters.wides import domain_in
from adapters.wiring import keep_files, now
from ledger import events as e
from ledger.codec import EntryError
from ledger.plausibility import FIRST_ZONE, MAY_LIE_AHEAD, SKEW, bounded
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration

if TYPE_CHECKING:
    from adapters.wiring import House

SOURCE = "cli"
EVENTS: dict[str, type[e.Event]] = {
    "opt-in": e.OptedIn,
    "confirmation": e.DoubleOptInConfirmed,
    "opt-out": e.OptedOut,
    "objection": e.Objected,
    "obstructed-opt-out": e.OptOutObstructed,
    "complaint": e.Complained,
    "erasure-request": e.ErasureRequested,
    "contract": e.ContractStarted,
    "contract-ended": e.ContractEnded,
    "enquiry": e.Enquired,
    "country": e.CountryEvidenced,
    "recipient": e.RecipientDescribed,
    "access-request": e.AccessRequested,
    "access-answered": e.AccessAnswered,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What every fact told by hand may say."""

    email: str
    at: str | None
    by: str
    via: str | None
    note: str | None
    evidence: list[Path] | None
    source_id: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """What became of it."""

    position: int
    status: str
    first: bool = False
    """Whether the ledger had not met the address before."""
    impossible: bool = False
    """Whether its time cannot be right."""

    def as_text(self) -> str:
        """For a person."""
        recorded = f"recorded at position {self.position}"
        if self.impossible:
            recorded += "; the time given cannot be right, and counts as unknown"
        if self.first:
            recorded += "; this ledger had not met the address before: check its spelling"
        return {
            "recorded": recorded,
            "unchanged": f"nothing new: this stands at position {self.position} already",
            "conflict": f"not recorded: that source id is of another fact, at position {self.position}",
        }[self.status]

    def as_json(self) -> bytes:
        """For a program."""
        return msgspec.json.encode({"position": self.position, "status": self.status})


def mailable(email: str) -> str:
    """The address in what was given for one, such as `Ben <ben@example.com>`; or the domain, as `@example.com`.

    Raises BadParameter where there is none: a stop recorded under it would reach nobody.
    """
    found = address_of(email) or domain_in(email)
    if found is None:
        several = len(addresses_in(email)) > 1
        reason = "more than one e-mail address, so record the fact for each of them" if several else NOT_AN_ADDRESS
        raise typer.BadParameter(f"{email!r} is {reason}: nothing is recorded")
    return found


def record_fact(house: House, kind: str, told: Told, fields: dict[str, Any]) -> Taken:
    """Record one fact told by hand. Raises EntryError, UnreadableInput by way of `moment` and files."""
    check_door(told.via)
    happened = _interval(told.at, EVENTS[kind])
    if fields.get("wording") is not None:
        (fields["wording"],) = keep_files(house.ledger, [fields["wording"]])
    if kind == "country":
        fields = {"hints": [{"country": fields["code"].upper(), "kind": "declared"}]}
    said = {
        "type": EVENTS[kind].__struct_config__.tag,
        "stream": LEDGER_STREAM,
        "source": SOURCE,
        "by": told.by,
        "via": told.via,
        "evidence": keep_files(house.ledger, told.evidence or ()),
        **happened,
        **{name: value for name, value in fields.items() if value is not None},
    }
    try:
        event = msgspec.convert(said, EVENTS[kind])
    except msgspec.ValidationError as error:
        raise EntryError(f"this cannot be recorded: {error}") from error
    _refuse_domain(house, event, told.email)
    payload = {"note": told.note} if told.note else None
    who = Registration(told.email, SOURCE, None)
    impossible = bounded(msgspec.structs.replace(event, recorded_at=now())).is_impossible
    first = not domain_named(told.email) and house.ledger.vault.find_address(told.email) is None
    (recorded,) = record_all(house.ledger, [Saying(who, event, told.source_id, payload)])
    return Taken(recorded.position, recorded.status, first, impossible)


def _refuse_domain(house: House, event: e.Event, email: str) -> None:
    """Raise BadParameter for a fact of a whole domain that can be none."""
    domain = domain_named(email)
    if domain is not None:
        problem = refused(event)
        reason = f"{email} {problem}" if problem else unusable(house.ledger, [domain]).get(domain)
        if reason:
            raise typer.BadParameter(f"{reason}: nothing is recorded")


def _interval(at: str | None, kind: type[e.Event]) -> dict[str, Any]:
    """When it happened: as the log records it, a moment, or a whole day (never reaching past now).

    Raises BadParameter for a time that has not come, except of what may be agreed for a later day.
    """
    found = moment(at)
    if at is None or found is None:
        return {"precision": "recorded"}  # no clock but the log's: this one may lie behind it
    today = now()
    is_day = len(at) == len("2026-11-23")
    begin = datetime(found.year, found.month, found.day, tzinfo=UTC) if is_day else found
    if begin > today + (FIRST_ZONE if is_day else SKEW) and kind not in MAY_LIE_AHEAD:
        raise typer.BadParameter(f"{at} has not come yet: write when it happened, or leave --at out if it was just now")
    if is_day and today < begin <= today + FIRST_ZONE:  # today, where the day begins before it does in UTC
        return {"precision": "recorded"}
    if not is_day:
        return {"occurred_from": found}
    return {
        "occurred_from": begin,
        "occurred_to": min(begin + timedelta(days=1, microseconds=-1), max(today, begin)),
        "precision": "day",
    }
