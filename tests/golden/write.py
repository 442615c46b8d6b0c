"""Appends golden entries for what `entries.jsonl` does not hold yet; never rewrites a line.

Run `python -m tests.golden.write` after adding an event class. It prints the line count and the digest
to add to `PINS` in test_golden.py.
"""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from ledger.codec import encode
from ledger.events import TOPICS, CountryHint, Event

FILE = Path(__file__).with_name("entries.jsonl")

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
CONTACT = "5f2d7a64-0c1b-4e53-9d3e-6a1f8c2b7e90"
HASH = hashlib.sha256(b"golden").hexdigest()

TIMES = {
    "occurred_from": NOON,
    "occurred_to": NOON + timedelta(days=1),
    "captured_at": NOON + timedelta(days=2, microseconds=7),
    "recorded_at": datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC),
    "recorded_clock": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    "shown_from": datetime(2024, 1, 1, tzinfo=UTC),
    "shown_to": datetime(2025, 1, 1, tzinfo=UTC),
    "valid_until": NOON + timedelta(days=365),
    "opt_outs_on": NOON + timedelta(days=2),
}
STRINGS = {
    "stream": CONTACT,
    "address": "0b9c4c1e-7d53-4a55-8f0b-2d6f1e9a3c47",
    "alike": "1c0d5d2f-8e64-4b66-9a1c-3e702fab4d58",
    "record": "c7e1a2b3-1f4d-4c6e-8a90-b1c2d3e4f506",
    "other": "e4d0f5a6-2b7c-4d18-9e3f-a0b1c2d3e4f5",
    "source": "hubspot:export",
    "captured_by": "property_history",
    "sid": HASH[:32],
    "via": "rfc8058",
    "commitment": HASH,
    "document": HASH,
    "stops_hash": HASH,
    "wording": HASH,
    "file": HASH,
    "domain": HASH,
    "policy": HASH,
    "country": "DE",
    "seller": "own",
    "verifies_channel": "email",
    "purpose": "marketing.similar",
    "kind": "subscription",
}
LISTS = {
    "to": ("own", "partner.1"),
    "purposes": ("marketing.similar", "marketing.survey"),
    "except_purposes": ("marketing.survey", "marketing.political"),
    "channels": ("email", "sms"),
    "evidence": (HASH, hashlib.sha256(b"more").hexdigest()),
}


def options(kind: object) -> tuple[Any, ...]:
    """The values a closed choice allows; empty for any other type."""
    if typing.get_origin(kind) is Literal:
        return typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(value for part in typing.get_args(kind) for value in options(part))
    return ()


def value(name: str, kind: object, default: object) -> object:
    """A value for a field that is not its default."""
    text = str(kind)
    if choice := [one for one in options(kind) if one != default]:
        return choice[0]
    if name in TIMES:
        return TIMES[name]
    if "CountryHint" in text:
        return (CountryHint(country="DE", kind="billing"), CountryHint(country="AT", kind="ip"))
    if "bool" in text:
        return not default
    if "int" in text:
        return 7
    if "tuple" in text:
        return LISTS.get(name, (f"{name}.1", f"{name}.2"))
    return STRINGS.get(name, f"{name}.1")


def hints(cls: type[msgspec.Struct]) -> dict[str, Any]:
    """The types of a class's fields, resolved."""
    return typing.get_type_hints(cls)


def minimal(cls: type[Event]) -> Event:
    """Only what the class cannot do without, and the moment of recording."""
    fields: dict[str, Any] = {"recorded_at": TIMES["recorded_at"]}
    for field in msgspec.structs.fields(cls):
        if field.required:
            fields[field.name] = value(field.name, hints(cls)[field.name], None)
    return cls(**fields)


def full(cls: type[Event]) -> Event:
    """Every field set to something that is not its default."""
    return cls(
        **{
            field.name: cast("Any", value(field.name, hints(cls)[field.name], field.default))
            for field in msgspec.structs.fields(cls)
        }
    )


def choices(cls: type[Event]) -> Iterator[Event]:
    """Each value of each closed choice; those that every event has, on one class alone."""
    for field in msgspec.structs.fields(cls):
        if field.name in Event.__struct_fields__ and cls is not TOPICS["contact.opted_in.v1"]:
            continue
        for choice in options(hints(cls)[field.name]):
            if choice != field.default:
                yield msgspec.structs.replace(minimal(cls), **{field.name: choice})
        if field.name == "hints":
            for kind in options(hints(CountryHint)["kind"]):
                yield msgspec.structs.replace(minimal(cls), **{field.name: (CountryHint(country="FR", kind=kind),)})
        if hints(cls)[field.name] == bool | None:
            yield msgspec.structs.replace(minimal(cls), **{field.name: False})


def wanted() -> list[bytes]:
    """The entries that should be in the file, in the order of the registry."""
    entries = [encode(event) for cls in TOPICS.values() for event in (minimal(cls), full(cls), *choices(cls))]
    return list(dict.fromkeys(entries))


def main() -> None:
    """Append what is missing."""
    have = FILE.read_bytes().splitlines() if FILE.exists() else []
    added = [entry for entry in wanted() if entry not in have]
    with FILE.open("ab") as file:
        file.writelines(entry + b"\n" for entry in added)
    content = FILE.read_bytes()
    lines = content.count(b"\n")
    print(f'{len(added)} added; in PINS: {lines}: "{hashlib.sha256(content).hexdigest()}",')


if __name__ == "__main__":
    main()
