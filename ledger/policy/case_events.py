"""From the timeline of a case to events of the ledger, by the table in `ledger.policy.case_table`.

What the table does not know is reported and grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, get_args

from ledger import events as e
from ledger.policy.case_table import (
    ALIASES,
    BY_ALIAS,
    COMMON,
    NOTED,
    SCOPE,
    SPOILT,
    TABLE,
    TRAITS,
    Kind,
    Reader,
    flag,
    identity,
    moment,
)
from ledger.terms import Precision

Detail = Mapping[str, Any]


class Placed(NamedTuple):
    """An event of a case, which item of the timeline it came from, and whose it is."""

    item: int
    person: str
    event: e.Event


def events_of(item: Mapping[str, Any], place: int, problems: list[str]) -> Iterator[Placed]:
    """The ledger's events for one item of a timeline. What is not understood goes to `problems`."""
    name = str(item.get("type"))
    detail: dict[str, Any] = {k: v for k, v in item.items() if k not in ("at", "type", "detail")}
    detail = BY_ALIAS.get(name, {}) | detail | dict(item.get("detail") or {})
    name = ALIASES.get(name, name)
    kind = TABLE.get(name)
    if kind is None:
        problems.append(f"event type {name!r}")
        return
    person = str(detail.get("person", "main"))
    when = _when(item.get("at"), detail, problems)
    shared = {"stream": identity(person), "source": "case"} | when | read(COMMON, detail, name, problems)
    traits = read(TRAITS, detail, name, problems)
    _complain_about_the_rest(kind, detail, name, problems)
    if kind.event is e.RecipientDescribed:
        yield Placed(place, person, e.RecipientDescribed(**shared, **dict(kind.granted) | traits))
        return
    if kind.event is not None:
        yield Placed(place, person, kind.event(**shared, **_own_fields(kind, detail, name, problems)))
    for field, event in kind.also.items():
        if read({field: (field, flag)}, detail, name, problems).get(field):
            yield Placed(place, person, event(**shared))
    if traits:
        yield Placed(place, person, e.RecipientDescribed(**shared, **traits))


def _own_fields(kind: Kind, detail: Detail, name: str, problems: list[str]) -> dict[str, Any]:
    fields = dict(kind.granted)
    if kind.fields.keys() >= SCOPE.keys():
        detail = dict(detail) | _opened_scope(detail.get("scope"), name, problems)
    for field in kind.fields:
        if field in detail and detail[field] is None:
            fields.pop(kind.fields[field][0], None)  # null: not known, whatever the format takes for granted
    fields |= read(kind.fields, detail, name, problems)
    if kind.event is e.OptedIn:
        for field, (value, spoilt) in SPOILT.items():
            if detail.get(field) is value:
                fields["act"] = spoilt
    if kind.event is e.EmailSent and detail.get("contains_marketing") is False:
        fields["purpose"] = detail.get("purpose") or "service.unspecified"
    return fields


def _opened_scope(scope: Any, name: str, problems: list[str]) -> dict[str, Any]:
    if scope in (None, "all", "global", "*"):
        return {}
    if not isinstance(scope, dict):
        problems.append(f"{name}: scope {scope!r}")
        return {}
    problems += [f"{name}: scope.{key}" for key in scope if key not in SCOPE]
    return {key: value for key, value in scope.items() if key in SCOPE and value != []}


def read(table: Mapping[str, tuple[str, Reader]], detail: Detail, name: str, problems: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, (target, reader) in table.items():
        if detail.get(field) is None:
            continue
        try:
            found.setdefault(target, reader(detail[field]))
        except (ValueError, KeyError, TypeError) as error:
            problems.append(f"{name}: {field}: {error}")
    return found


def _complain_about_the_rest(kind: Kind, detail: Detail, name: str, problems: list[str]) -> None:
    known = NOTED | COMMON.keys() | TRAITS.keys() | kind.fields.keys() | kind.also.keys() | kind.elsewhere
    problems += [f"{name}: field {field!r}" for field in detail if field not in known]


# --- time ------------------------------------------------------------------------------------------


def _when(at: Any, detail: Detail, problems: list[str]) -> dict[str, Any]:
    """The interval in which it happened, and when the ledger is taken to have learnt of it."""
    precision = detail.get("date_precision", "exact")
    if precision not in get_args(Precision):
        problems.append(f"date_precision {precision!r}")
        precision = "exact"
    if at is None or precision == "unknown":
        return {"precision": "unknown"}
    try:
        first = datetime.fromisoformat(str(at))
        last = moment(detail["until"]) if detail.get("until") else None
    except ValueError as error:
        problems.append(f"at: {error}")
        return {"precision": "unknown"}
    first = first if first.tzinfo else first.replace(tzinfo=UTC)
    start, end = _span(first, precision)
    end = last or (end.astimezone(UTC) if end else None)
    return {
        "precision": precision,
        "occurred_from": start.astimezone(UTC),
        "occurred_to": end,
        "recorded_at": max(first.astimezone(UTC), end) if end else first.astimezone(UTC),
    }


def _span(at: datetime, precision: str) -> tuple[datetime, datetime | None]:
    """The calendar day, month or year of a moment, in the offset it is written in; else the moment itself."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    tick = timedelta(microseconds=1)
    match precision:
        case "day":
            return midnight, midnight + timedelta(days=1) - tick
        case "month":
            first = midnight.replace(day=1)
            return first, (first + timedelta(days=32)).replace(day=1) - tick
        case "year":
            first = midnight.replace(month=1, day=1)
            return first, first.replace(year=first.year + 1) - tick
        case _:
            return at, None
