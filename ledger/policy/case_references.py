"""What one event of a case says about another: the end a consent counts from, and what a form said.

Both are settled on the timeline as the file has it, before any event of the ledger is made of it, so that the ledger
and the rules know nothing of either. docs/reference/case-format.md defines the forms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.policy.calendar import add, period
from ledger.policy.case_table import ALIASES, FORM_SAYS, TABLE, Kind, moment, word

Item = dict[str, Any]

_RULE = frozenset({"after", "contract", "kind", "period", "end_of"})
_PARTS = ("day", "month", "year")


def settle(timeline: Sequence[Mapping[str, Any]], known_at: datetime | None, problems: list[str]) -> list[Item]:
    """The timeline with every reference replaced by what it comes to; `problems` gets what cannot be settled.

    known_at  an event recorded later is not known, so no consent ends by it
    """
    items = [_flat(item) for item in timeline]
    for item in items:
        _take_from_form(item, items)
        rule = item.pop("valid_until_rule", None)
        if rule is None:
            continue
        if item["type"] != "opt_in":
            problems.append(f"{item['type']}: field 'valid_until_rule'")
            continue
        try:
            end = _end_of(rule, item, items, known_at)
        except (ValueError, TypeError) as error:
            problems.append(f"opt_in: valid_until_rule: {error}")
            end = item.get("at")  # a rule nobody can read keeps no consent alive
        if end is not None:
            item["valid_until"] = min(filter(None, (item.get("valid_until"), end)), key=moment)
    return items


def _flat(item: Mapping[str, Any]) -> Item:
    """An item with its detail beside its type and time."""
    flat = {key: value for key, value in item.items() if key != "detail"} | dict(item.get("detail") or {})
    return flat | {"at": item.get("at"), "type": str(item.get("type"))}


def _take_from_form(item: Item, items: Sequence[Item]) -> None:
    """Have an event that came by a form know what that form said, where it does not say so itself."""
    kind = _kind(item["type"])
    wanted = {field: names for field, names in FORM_SAYS.items() if kind and field in kind.fields}
    for form in items:
        if form["type"] != "form_submission" or not _is_of_form(item, form):
            continue
        for field, names in wanted.items():
            words = [form[name] for name in names if name in form]
            if words and not item.keys() & set(names):
                item[field] = words[0]


def _is_of_form(item: Item, form: Item) -> bool:
    """By the form's name where the event gives one, else by the moment; always of one person."""
    if item.get("person") != form.get("person"):
        return False
    if item.get("form") is not None:
        return bool(item["form"] == form.get("form"))
    return item["at"] is not None and bool(item["at"] == form["at"])


def _end_of(rule: Any, item: Item, items: Sequence[Item], known_at: datetime | None) -> str | None:
    """When a consent ends that counts from the first such event after it; None: there was none yet.

    Raises ValueError for a rule that cannot be read, or an event without a time.
    """
    if not isinstance(rule, dict) or not rule.keys() <= _RULE or "after" not in rule:
        raise ValueError(f"write {{'after': TYPE}}, with {', '.join(sorted(_RULE - {'after'}))} as needed")
    part = rule.get("end_of", "day")
    if part not in _PARTS:
        raise ValueError(f"end_of {part!r} is none of {', '.join(_PARTS)}")
    span = period(word(rule["period"])) if "period" in rule else None
    after = _kind(rule["after"])
    if after is None or after.event is None:
        raise ValueError(f"after {rule['after']!r} is no type of event")
    given = moment(item.get("at"))
    ends = [moment(other.get("at")) for other in items if _is_meant(rule, after, item, other, known_at)]
    first = min((at for at in ends if at >= given), default=None)
    if first is None:
        return None
    day = add(first.date(), span) if span else first.date()
    if part == "year":
        day = day.replace(month=12, day=31)
    elif part == "month":
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)).isoformat()


def _is_meant(rule: Mapping[str, Any], after: Kind, item: Item, other: Item, known_at: datetime | None) -> bool:
    kind = _kind(other["type"])
    if kind is None or kind.event is not after.event or other.get("person") != item.get("person"):
        return False
    if any(rule.get(field) not in (None, other.get(field)) for field in ("contract", "kind")):
        return False
    recorded = other.get("recorded_at") or other.get("at")
    return known_at is None or recorded is None or moment(recorded) <= known_at


def _kind(name: str) -> Kind | None:
    return TABLE.get(ALIASES.get(name, name))
