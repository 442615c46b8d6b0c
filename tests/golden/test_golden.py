"""Entries written once are readable for ever: the golden log, and that it only grows."""

from __future__ import annotations

import hashlib
from itertools import islice

import msgspec
import pytest

from ledger.codec import check, decode, decode_strict, encode, topic_of
from ledger.events import TOPICS, CountryEvidenced, CountryHint, Event
from tests.golden.write import FILE, hints, options

ENTRIES = FILE.read_bytes().splitlines()

PINS = {
    159: "7ff4575783c0d55769ef817eb3b356c017c66590f48a43c1cd73fb7790af3e6d",
    188: "a8cb18025dcaca69e773fe567151819d2ca7a6b4f1338024839ea93d5540a4b7",
    190: "bfc41bf5c83b265e7b4cb6287d203f9e3abbc26aa3e1439d060bf6aa12f5d4fa",
    194: "5bb7bff0ecced926270bc0289cd87a7dffd28723f7b8ff9510a17e03afb85d6c",
    198: "92e4bd68a5a2ae24c57a23e0668a70a90084adf5f919c4212d30bd9402bb97e9",
    254: "d87d193127f89a8115b34269bdca56ff0b45b94ec0306ea891364ed16cdccb13",
    257: "dc7e84eb34767070ede4f244b5d072ca74bf7cd4955bc0b57d7cd4f227a80d23",
    260: "7175c951eac7cff385202ac9ede83e4dad597ea00468ac1d83bd92e7891fa86b",
    262: "35ab1112a8ca65e5bdb01ca0df9e31a0cb3f018b9a8a1195cf9f6f9dc6f89926",
    263: "3917ccc7b2f15c4f41348ab176f0b980c668521e70d10d1a64cb7ce3f7324810",
    264: "a7e65069276aabd6a84dbed637cf175ce36547b421e74537224e15ba67fcffb4",
    265: "b31c8b5cb1b1502062007b8f60b59f7ec51b9176e3f57949bbfb2d7cb077e517",
}
"""Number of lines -> SHA-256 of the file up to there. Add a pin when lines are added; never change one."""


@pytest.mark.parametrize("line", range(len(ENTRIES)), ids=lambda line: f"line{line + 1}")
def test_every_golden_entry_is_read_and_written_again_to_the_byte(line: int) -> None:
    """An entry of any release decodes strictly in every later one."""
    event = decode_strict(ENTRIES[line])
    check(event)
    stored = msgspec.json.decode(ENTRIES[line])["type"]
    if stored == topic_of(event):  # else it was upcast, and its successor has other bytes
        assert encode(event) == ENTRIES[line]


def test_golden_bytes_are_canonical_by_another_implementation() -> None:
    """RFC 8785, as written by a library that is not ours."""
    rfc8785 = pytest.importorskip("rfc8785")
    for entry in ENTRIES:
        assert rfc8785.dumps(msgspec.json.decode(entry)) == entry


def test_every_topic_has_a_golden_entry() -> None:
    """A new topic gets one with `python -m tests.golden.write`; an old one keeps its own."""
    held = {msgspec.json.decode(entry)["type"] for entry in ENTRIES}
    assert sorted(set(TOPICS) - held) == []


@pytest.mark.parametrize("cls", TOPICS.values(), ids=TOPICS)
def test_every_field_and_every_choice_was_written_once(cls: type[Event]) -> None:
    """Each field is set in some entry, each value of a closed choice is used in some entry."""
    events = [event for event in map(decode, ENTRIES) if type(event) is cls]
    for field in msgspec.structs.fields(cls):
        used = {getattr(event, field.name) for event in events}
        assert used - {field.default}, field.name
        if field.name not in Event.__struct_fields__ or topic_of(events[0]) == "contact.opted_in.v1":
            assert set(options(hints(cls)[field.name])) <= used, field.name


def test_every_kind_of_country_hint_was_written_once() -> None:
    """The nested struct's choices are part of the format too."""
    used = {hint.kind for event in map(decode, ENTRIES) if isinstance(event, CountryEvidenced) for hint in event.hints}
    assert used == set(options(hints(CountryHint)["kind"]))


@pytest.mark.parametrize("lines", PINS)
def test_the_golden_log_is_only_appended_to(lines: int) -> None:
    """The first lines are, to the byte, what they were when they were pinned."""
    with FILE.open("rb") as file:
        assert hashlib.sha256(b"".join(islice(file, lines))).hexdigest() == PINS[lines]


def test_the_last_pin_covers_the_whole_file() -> None:
    """A line without a pin could still be changed unseen."""
    assert max(PINS) == len(ENTRIES)
