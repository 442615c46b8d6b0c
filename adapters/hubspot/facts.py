"""What a row of an export states, as facts. Nothing in a row grants anything.

An export shows a state, not when it came about: stops are from an unknown time up to the row's own, and
count from the earliest. Each fact has a source id made of the record, the field, its value and the moment
observed. The same row again gives the same ids; a value that comes back in a later one is a new fact.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from adapters.addresses import is_role
from adapters.hubspot.rows import Row
from adapters.tokens import token_of
from ledger.events import (
    BasisClaimed,
    Bounced,
    Complained,
    CountryEvidenced,
    Event,
    MarketingStatusObserved,
    OptedOut,
    OptOutShown,
    RecipientDescribed,
    ReviewDecided,
    TypeOptedOut,
)
from ledger.terms import BY_OUR_WRITE, UNREAD_ROW, Party

SOURCE = "hubspot.export"
CAPTURED_BY = "import_file"
MARKETING = ("marketing.*",)
EMAIL = ("email",)
CLAIMS, CONFIRMATION, COUNTRY = "legal_basis", "double_opt_in", "country"
ALL_MAIL = ""
"""Among the types that were left: all of them."""
NOT_OPTED_OUT, TAKES_MAIL = "not_opted_out", "takes_mail"

_OURS: tuple[Party, str] = ("system", BY_OUR_WRITE)
Fact = tuple[Event, str, None]
"""(event, source id, payload). A row's facts hold nothing personal, so there is never a payload."""


class Person(msgspec.Struct, frozen=True, gc=False):
    """Whom a row resolves to: random ids as UUID text. `address` None: the row has no e-mail address."""

    contact: str
    address: str | None = None
    record: str | None = None


def facts_of(
    row: Row,
    person: Person,
    observed_at: datetime,
    *,
    known_claims: bool = False,
    known_bounce: bool = False,
    file_day: datetime | None = None,
    written: frozenset[str] = frozenset(),
) -> list[Fact]:
    """The facts of one row, in a fixed order; an event's `sid` is left to whoever holds the key.

    observed_at   when the row says it was true, aware and in UTC: its `Last Modified Date`, else the file's
                  own time. Part of every source id.
    known_claims  an earlier import claimed a basis for this record: an empty field then says it is cleared
    known_bounce  an earlier import showed the address suspended: shown so no more, it takes mail again
    file_day      when the file was as it is, whenever the row was modified
    written       what of its opt-outs we wrote ourselves: tokens of types, `ALL_MAIL`
    """
    writer = _Writer(row, person, observed_at)
    return [
        *_marketing(row, writer, None if row.hides_opt_outs else file_day),
        *_stops(row, writer, written),
        *_deliverability(row, writer, known_bounce=known_bounce),
        *_claims(row, writer, known_claims=known_claims),
        *_recipient(row, writer),
    ]


class _Writer:
    """Makes the events of one row: what every one of them carries, and their source ids."""

    def __init__(self, row: Row, person: Person, observed_at: datetime) -> None:
        self._common: dict[str, Any] = {
            "stream": person.contact,
            "source": SOURCE,
            "captured_at": observed_at,
            "captured_by": CAPTURED_BY,
            "address": person.address,
            "record": person.record,
        }
        self._observed_at = observed_at
        if row.record_id is not None:
            self._key = f"contact:{row.record_id}"
        elif row.email is not None:
            self._key = "email"
        else:
            self._key = f"row:{_digest(row.raw)}"
        # the address belongs to the value: another one on the same record is another fact
        address = _digest(row.email.casefold()) if row.email is not None else "none"
        self._end = f"{address}:{_token(observed_at)}"

    def observed(self, event: type[Event], about: str, **values: Any) -> Fact:
        """What the system shows: true at the moment observed."""
        made = event(**self._common, by="system", occurred_from=self._observed_at, **values)
        return made, self._source_id(about, values), None

    def stop(self, event: type[Event], about: str, by: Party, **values: Any) -> Fact:
        """What happened at an unknown time before."""
        made = event(**self._common, by=by, occurred_to=self._observed_at, precision="unknown", **values)
        return made, self._source_id(about, values), None

    def held(self, label: str) -> Fact:
        """Under review until somebody has looked at a cell of this column; once for all exports that show it."""
        about = f"{self._key}:unclear:{_digest(label.casefold())}"
        made = ReviewDecided(
            stream=self._common["stream"],
            source=SOURCE,
            address=self._common["address"],
            record=self._common["record"],
            by="system",
            precision="recorded",
            outcome="hold",
            question=UNREAD_ROW,
        )
        return made, f"{about}:{self._end.partition(':')[0]}", None

    def _source_id(self, about: str, values: dict[str, Any]) -> str:
        return f"{self._key}:{about}:{_said(about, tuple(values.values()))}:{self._end}"


@lru_cache(maxsize=8_192)
def _said(about: str, values: tuple[object, ...]) -> str:
    """The digest of what a fact says; few rows say anything new."""
    return _digest(msgspec.json.encode([about, values]))


@lru_cache(maxsize=16)
def _token(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S.%fZ")


def _digest(value: str | bytes) -> str:
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return blake2b(data, digest_size=12).hexdigest()


def _marketing(row: Row, writer: _Writer, opt_outs_on: datetime | None) -> Iterator[Fact]:
    answered = _answered(row)
    if row.marketing is not None or answered or opt_outs_on is not None:
        yield writer.observed(
            MarketingStatusObserved,
            "marketing",
            marketing=row.marketing,
            until_next_update=row.until_next_update,
            reason=row.marketing_reason,
            lifecycle=row.lifecycle,
            answered=answered,
            opt_outs_on=opt_outs_on,
        )


def _answered(row: Row) -> tuple[str, ...]:
    """What a newer row that says nothing of it supersedes, or takes back, all the same."""
    said = {
        CLAIMS: row.legal_basis is not None,
        CONFIRMATION: row.double_opt_in is not None,
        COUNTRY: bool(row.hints),
        NOT_OPTED_OUT: row.opted_out is False,
        TAKES_MAIL: _takes_mail(row),
    }
    return tuple(name for name, answered in said.items() if answered)


def _stops(row: Row, writer: _Writer, written: frozenset[str]) -> Iterator[Fact]:
    if row.opted_out is not None:
        yield writer.observed(OptOutShown, "opt_out_shown", opted_out=row.opted_out)
    if row.opted_out:
        by, via = _OURS if ALL_MAIL in written else ("data_subject", "hubspot")
        yield writer.stop(OptedOut, "opted_out", by, purposes=MARKETING, channels=EMAIL, via=via)
    for kind in row.opted_out_of:
        # until somebody declares what a type means, leaving it stops every marketing purpose
        token = token_of(kind)
        by, via = _OURS if token in written else ("data_subject", "hubspot_type")
        about = f"opted_out_of:{_digest(kind.casefold())}"
        yield writer.stop(TypeOptedOut, about, by, subscription_type=token, channels=EMAIL, via=via)
    for label in row.unclear:
        yield writer.held(label)
    if "recipient_complaint" in row.quarantine:
        yield writer.stop(Complained, "complained", "data_subject", via="hubspot")


def _deliverability(row: Row, writer: _Writer, *, known_bounce: bool) -> Iterator[Fact]:
    """Suspensions of the address, and the end of one that an earlier import showed."""
    reasons = [reason for reason in row.quarantine if reason != "recipient_complaint"]
    if reasons or (row.quarantined and not row.quarantine):
        reason = reasons[0] if reasons else None
        yield writer.stop(Bounced, "quarantined", "system", kind="quarantined", reason=reason)
    if row.hard_bounce is not None:
        yield writer.stop(Bounced, "hard_bounce", "system", kind="hard", reason=row.hard_bounce)
    if row.invalid:
        yield writer.stop(Bounced, "invalid", "system", kind="invalid")
    if known_bounce and _takes_mail(row):
        yield writer.observed(Bounced, "cleared", kind="cleared")


def _takes_mail(row: Row) -> bool:
    suspended = row.quarantine or row.hard_bounce or row.invalid
    return row.quarantined is False and not suspended


def taken_back(row: Row, person: Person, opted_out_until: datetime | None, dead_until: datetime | None) -> list[Fact]:
    """What newer rows of the record, of those moments, showed no more: worth a word once an older row shows it."""
    found = []
    if row.opted_out and opted_out_until is not None:
        writer = _Writer(row, person, opted_out_until)
        found.append(writer.observed(OptOutShown, "opt_out_shown", opted_out=False))
    if dead_until is not None:
        writer = _Writer(row, person, dead_until)
        if any(_deliverability(row, writer, known_bounce=False)):
            found.append(writer.observed(Bounced, "cleared", kind="cleared"))
    return found


def _claims(row: Row, writer: _Writer, *, known_claims: bool) -> Iterator[Fact]:
    for field, claims in (("legal_basis", row.legal_basis), ("double_opt_in", row.double_opt_in)):
        if claims or (claims is not None and known_claims):
            yield writer.observed(BasisClaimed, field, field=field, claims=claims)


def _recipient(row: Row, writer: _Writer) -> Iterator[Fact]:
    if row.hints:
        yield writer.observed(CountryEvidenced, "country", hints=row.hints)
    if row.email is not None and is_role(row.email):
        yield writer.observed(RecipientDescribed, "recipient", role_address=True)
