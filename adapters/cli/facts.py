"""Facts told by hand to events: one table from the words of the command line to the event classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import typer

from adapters.addresses import address_of, addresses_in
from adapters.cli.effect import Effect
from adapters.cli.options import moment
from adapters.doors import check_door
from adapters.effects import allowed_now, person_of
from adapters.identification import names_known
from adapters.near import near_addresses
from adapters.reading import NOT_AN_ADDRESS
from adapters.reasons import Reason
from adapters.recording import Saying, record_all
from adapters.vocabulary import unknown_in_grant, widen_stop
from adapters.wide_stops import domain_named, is_anybody_at, refused, unusable
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
_OPTIONS = {
    "purposes": "--purpose",
    "channels": "--channel",
    "except_purposes": "--except-purpose",
    "verifies_channel": "--channel",
    "hints": "CODE",
    "by": "--actor",
    "to": "--sender",
}
"""The option that fills a field."""
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
    email: str
    effect: Effect
    known: bool
    """The ledger had met the address before."""
    near: Mapping[str, Effect] = dataclasses.field(default_factory=dict)
    """Known addresses that it may be misspelt for, and what it changed of them: a stop reaches every spelling."""
    impossible: bool = False
    """Its time cannot be right."""
    warnings: tuple[Reason, ...] = ()
    """What of a stop was not understood."""

    def as_text(self) -> str:
        """For a person."""
        if self.status == "conflict":
            return f"Nothing is recorded: that source id belongs to another fact, at position {self.position}"
        if self.status == "unchanged":
            return f"Nothing new is recorded: this fact stands at position {self.position} already"
        recorded = f"The fact is recorded at position {self.position}"
        if self.impossible:
            recorded += "; the time given cannot be right, and counts as unknown"
        return "\n".join([recorded, *self._warned(), *self._about()])

    def _warned(self) -> Iterator[str]:
        for reason in self.warnings:
            yield f"{_option(reason)} {reason.problem}"

    def _about(self) -> Iterator[str]:
        if domain_named(self.email):
            yield f"Everybody known at {self.email[1:]} is stopped, and so is whoever arrives there later."
            if not self.known:
                yield "Nobody is known at that domain yet: check its spelling."
            return
        yield f"{self.effect.as_text(self.email)}."
        if not self.known:
            yield "The address is new to this ledger: check its spelling."
        untouched = [email for email, effect in self.near.items() if not effect.is_change]
        yield from (f"{effect.as_text(email)}." for email, effect in self.near.items() if effect.is_change)
        if untouched:
            yield f"It knows {', '.join(untouched)}. If you meant one of these, record the fact for it as well."

    @property
    def _is_change(self) -> bool:
        return any(effect.is_change for effect in (self.effect, *self.near.values()))

    def as_json(self) -> bytes:
        """For a program."""
        said = {
            "position": self.position,
            "status": self.status,
            "known": self.known,
            "changed": self.known if domain_named(self.email) else self._is_change,
            "warnings": self.warnings,
        }
        return msgspec.json.encode(said)


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


def fact_of(kind: str, told: Told, fields: dict[str, Any]) -> tuple[e.Event, tuple[Reason, ...]]:
    """The fact as it was typed, its files left out, and what of a stop is not understood. Touches no ledger.

    Raises BadParameter for what cannot be meant.
    """
    try:
        check_door(told.via)
    except EntryError as error:
        raise typer.BadParameter(f"--{error}") from error
    cls = EVENTS[kind]
    happened = _interval(told.at, cls)
    if kind == "country":
        fields = {"hints": [{"country": fields["code"].upper(), "kind": "declared"}]}
    said = {
        "type": cls.__struct_config__.tag,
        "stream": LEDGER_STREAM,
        "source": SOURCE,
        "by": told.by,
        "via": told.via,
        **happened,
        **{name: value for name, value in fields.items() if value is not None and name != "wording"},
    }
    try:
        event = msgspec.convert(said, cls)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(_wrong_word(cls, said) or f"this cannot be recorded: {error}") from error
    unknown = unknown_in_grant(event)
    if unknown:
        raise typer.BadParameter("; ".join(f"{_option(reason)} {reason.problem}" for reason in unknown))
    return widen_stop(event)


def record_fact(house: House, kind: str, told: Told, fields: dict[str, Any]) -> Taken:
    """Record one fact told by hand. Raises as `fact_of`, and what the files raise."""
    event, warnings = fact_of(kind, told, fields)
    files: dict[str, Any] = {"evidence": keep_files(house.ledger, told.evidence or ())}
    if fields.get("wording") is not None:
        (files["wording"],) = keep_files(house.ledger, [fields["wording"]])
    event = msgspec.structs.replace(event, **files)
    payload = {"note": told.note} if told.note else None
    who = _registration(house, told.email, event)
    vault, email = house.ledger.vault, who.email or told.email
    _refuse_domain(house, event, email)
    person, domain = person_of(house, who), domain_named(email)
    beside = near_addresses(vault, email) if person is None and domain is None else ()
    named = {near: vault.find_address(near) for near in beside}
    before = allowed_now(house, person, now())
    before_beside = {near: allowed_now(house, found, now()) for near, found in named.items()}
    (recorded,) = record_all(house.ledger, [Saying(who, event, told.source_id, payload)])
    return Taken(
        recorded.position,
        recorded.status,
        email,
        Effect(before, allowed_now(house, person_of(house, who), now())),
        known=person is not None if domain is None else is_anybody_at(house.ledger, domain),
        near={near: Effect(before_beside[near], allowed_now(house, found, now())) for near, found in named.items()},
        impossible=bounded(msgspec.structs.replace(event, recorded_at=now())).is_impossible,
        warnings=warnings,
    )


def _registration(house: House, text: str, event: e.Event) -> Registration:
    """The person a fact is about: by the address, also of a reference or record id; else by the record itself.

    Raises UnknownPersonError, and BadParameter for a contact that has neither, and for what is no stop of a record that
    was shown with several addresses.
    """
    if not names_known(text):
        return Registration(text, SOURCE, None)
    person = house.whom(text)
    if person.record is not None and house.ledger.vault.is_gathered(*person.record):
        if not isinstance(event, e.Stop):
            raise typer.BadParameter(f"record {text} was shown with several addresses: name the one that is meant")
        return Registration(None, *person.record)
    if person.email is not None:
        return Registration(person.email, SOURCE, None)
    if person.record is not None:
        return Registration(None, *person.record)
    raise typer.BadParameter(f"{text}: this contact has no address here any more: nothing is recorded")


def _wrong_word(event: type[e.Event], said: dict[str, Any]) -> str | None:
    """The option with a word that is none of those it takes, and these words; None: something else is wrong."""
    for name, hint in get_type_hints(event).items():
        if get_origin(hint) is Literal and name in said and said[name] not in get_args(hint):
            return f"{_OPTIONS.get(name, f'--{name}')} takes one of {', '.join(get_args(hint))}; not {said[name]!r}"
    return None


def _option(reason: Reason) -> str:
    """The option of the command line that a field came from."""
    return _OPTIONS[reason.field.partition(".")[0]]


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
