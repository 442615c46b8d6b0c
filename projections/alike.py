"""Contacts that are alike are judged once: what a rebuild does with a history it has seen before.

Two contacts are *alike* when their entries say the same, other than when, where in the log and at which
address. `judge` reads moments only by comparing them and by asking for the end of a window. So one
contact of a kind is judged with moments that take note: each comparison becomes a branch, what comes
out a form with gaps. The next contact alike walks down the branches with its own days, and fills the form.
Where it parts from the known way it is judged in full, and the tree has one way more.

No rule is repeated here, and none is known. A field that is thought to be of no use to policy is replaced
by one that cannot be read; when a rule reads it after all, or does with a moment what is not foreseen,
the contact is judged the plain way. The live path never comes here, so `replay --compare` checks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from ledger import events as e
from ledger.codec import instant
from ledger.contact import Entry, fold
from ledger.database import uuid_bytes, uuid_text
from ledger.policy.calendar import Period, end_of_window
from projections.groups import Kin
from projections.status import Row, Setting, answers_of, pack, rows_of

Told = tuple[int, int, e.Event]
"""(position, version, event)"""

TIMES = ("occurred_from", "occurred_to", "captured_at", "recorded_at", "valid_until")
IDS = ("stream", "address", "record")
UNREAD = ("source", "sid", "commitment", "evidence", "via", "precision", "message", "form", "form_version")
UNREAD += ("wording", "lifecycle", "reason")
"""Fields no rule reads, and in which contacts that are alike differ."""
PLAIN = (e.Corrected, e.ContactsLinked, e.ContactsUnlinked)
"""Entries that name a position or another contact: not worth a form."""
MOST_ENTRIES = 24
MOST_WAYS = 20_000
_FIRST_POSITION = 9_007_000_000_000_000
_GAP = re.compile(rb'"@(\d+)@"|9007(\d{12})')


class _Unread:
    """Stands where a field is that no rule reads."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def _refuse(self, *_: object) -> bool:
        raise TypeError("a field of no use to policy was read: take it out of UNREAD")

    __eq__ = __ne__ = __lt__ = __gt__ = __bool__ = __contains__ = _refuse


class _Moment:
    """A moment of any contact alike: compared, it takes note of the outcome. Anything else is an error."""

    __slots__ = ("number", "tape")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tape: _Tape, number: int) -> None:
        self.tape = tape
        self.number = number

    def __lt__(self, other: object) -> bool:
        return self.tape.ask(True, self, other)

    def __gt__(self, other: object) -> bool:
        return self.tape.ask(True, other, self)

    def __le__(self, other: object) -> bool:
        return not self.tape.ask(True, other, self)

    def __ge__(self, other: object) -> bool:
        return not self.tape.ask(True, self, other)

    def __eq__(self, other: object) -> bool:
        return self.tape.ask(False, self, other)

    def __add__(self, longer: timedelta) -> _Moment:
        return self.tape.made(("later", self.number, longer))

    def end_of_window(self, span: Period, zone: ZoneInfo) -> _Moment:
        return self.tape.made(("window", self.number, span, zone))


class _Form(NamedTuple):
    """A packed cell with gaps: `%` in the order of `gaps`, each a moment or a place among the entries."""

    text: bytes
    gaps: tuple[tuple[bool, int], ...]
    next_change: int | None


class _Leaf(NamedTuple):
    """What comes out at the end of a way: forms, and (purpose, channel, address or -1, form) of each row."""

    forms: tuple[_Form, ...]
    rows: tuple[tuple[str, str, int, int], ...]


class _Tree:
    """All ways known of one kind of history. A branch is [less, left, right, yes, no]."""

    __slots__ = ("derived", "first", "known", "misses", "plain", "root", "walked")

    def __init__(self, first: int) -> None:
        self.root: Any = None
        self.first = first
        self.derived: list[tuple[Any, ...]] = []
        self.known: dict[tuple[Any, ...], int] = {}
        self.walked = self.misses = 0
        self.plain = False

    def value(self, values: list[Any], number: int) -> datetime:
        """A moment of the contact at hand, worked out when first asked for."""
        held: datetime | None = values[number]
        if held is None:
            made = self.derived[number - self.first]
            if made[0] == "always":
                held = made[1]
            else:
                base = self.value(values, made[1])
                held = base + made[2] if made[0] == "later" else end_of_window(base, made[2], made[3])
            values[number] = held
        return held

    def walk(self, values: list[Any]) -> _Leaf | None:
        """Down the branches with one contact's moments; None: nobody went this way yet."""
        node = self.root
        while type(node) is list:
            less, left, right, yes, no = node
            a = values[left] or self.value(values, left)
            b = values[right] or self.value(values, right)
            node = yes if (a < b if less else a == b) else no
        found: _Leaf | None = node
        return found

    def add(self, path: list[tuple[bool, int, int, bool]], leaf: _Leaf) -> None:
        """One way more. ValueError when it asks other things than the ways before it."""
        at: list[Any] = [None, None, None, self.root, None]
        turn, top = 3, at
        for less, left, right, outcome in path:
            if at[turn] is None:
                at[turn] = [less, left, right, None, None]
            at = at[turn]
            if at[:3] != [less, left, right]:
                raise ValueError("the same history was asked different things")
            turn = 3 if outcome else 4
        at[turn] = leaf
        self.root = top[3]


class _Tape:
    """One contact judged with moments that take note."""

    def __init__(self, tree: _Tree, values: list[Any]) -> None:
        self.tree = tree
        self.values = values
        self.path: list[tuple[bool, int, int, bool]] = []
        self._asked: dict[tuple[bool, int, int], bool] = {}

    def made(self, how: tuple[Any, ...]) -> _Moment:
        """A moment made of another, or one that is always the same."""
        tree = self.tree
        number = tree.known.get(how)
        if number is None:
            number = tree.known[how] = tree.first + len(tree.derived)
            tree.derived.append(how)
        self.values += [None] * (tree.first + len(tree.derived) - len(self.values))
        return _Moment(self, number)

    def ask(self, less: bool, left: object, right: object) -> bool:
        """Compare two moments, and remember that it mattered."""
        a, b = self._number(left), self._number(right)
        if a == b:
            return not less
        outcome = self._asked.get((less, a, b))
        if outcome is None:
            one, other = self.tree.value(self.values, a), self.tree.value(self.values, b)
            outcome = self._asked[less, a, b] = one < other if less else one == other
            self.path.append((less, a, b, outcome))
        return outcome

    def _number(self, moment: object) -> int:
        if type(moment) is _Moment:
            return moment.number
        if type(moment) is datetime:
            return self.made(("always", moment)).number
        raise TypeError(f"a moment is compared with {type(moment)}")


class Alike:
    """The rows of contacts that stand alone, one after the other."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._trees: dict[tuple[Any, ...], _Tree | None] = {}
        self.walked = self.judged = self.refused = 0

    def rows(self, stream: bytes, told: Sequence[Told]) -> list[Row]:
        """The rows of one contact, the same to the byte as `status.rows_of` of its fold."""
        kind, values, addresses = _kind(told)
        tree = self._trees.get(kind) if kind else None
        if kind is None or tree is None or tree.plain:
            if kind and tree is None and self.judged < MOST_WAYS:
                # The first of its kind may be the only one; a form is made when there is a second.
                self._trees[kind] = _Tree(len(values)) if kind in self._trees else None
            return self._plain(stream, told)
        values += [None] * len(tree.derived)
        leaf = tree.walk(values)
        if leaf is None:
            tree.misses += 1
            tree.plain = tree.misses > 100 and tree.misses > tree.walked
            leaf = self._learn(tree, told, values, addresses)
            if leaf is None:
                return self._plain(stream, told)
        else:
            tree.walked += 1
            self.walked += 1
        return self._filled(tree, leaf, stream, told, values, addresses)

    def _plain(self, stream: bytes, told: Sequence[Told]) -> list[Row]:
        self.judged += 1
        alone = fold(uuid_text(stream), [Entry(*one) for one in told])
        return rows_of(Kin((alone,), alone), self._setting)

    def _filled(
        self,
        tree: _Tree,
        leaf: _Leaf,
        stream: bytes,
        told: Sequence[Told],
        values: list[Any],
        addresses: Sequence[str],
    ) -> list[Row]:
        made: list[tuple[bytes, str | None]] = []
        for text, gaps, change in leaf.forms:
            filled = text % tuple(
                [_encode(values[n] or tree.value(values, n)) if when else told[n][0] for when, n in gaps]
            )
            made.append((filled, None if change is None else instant(tree.value(values, change))))
        revision = max(told[-1][0], self._setting.position)
        where = [uuid_bytes(address) for address in addresses]
        return [
            (stream, purpose, channel, where[place] if place >= 0 else b"", *made[form], revision)
            for purpose, channel, place, form in leaf.rows
        ]

    def _learn(self, tree: _Tree, told: Sequence[Told], values: list[Any], addresses: Sequence[str]) -> _Leaf | None:
        """Judge with moments that take note, and keep the way; None when it cannot be done for this kind."""
        self.judged += 1
        if self.judged >= MOST_WAYS:
            return None
        tape = _Tape(tree, values)
        try:
            told_by_all = _any_of(tape, told, addresses)
            anyone = fold(_address(0), told_by_all)
            leaf = _leaf(answers_of(Kin((anyone,), anyone), self._setting))
            tree.add(tape.path, leaf)
        except (TypeError, AttributeError, ValueError):
            tree.plain = True
            self.refused += 1
            return None
        return leaf


_encode = msgspec.json.Encoder().encode
_forms = msgspec.json.Encoder(enc_hook=lambda moment: f"@{moment.number}@")


class _Reader(NamedTuple):
    """How a kind of event is taken apart."""

    said: Callable[[Any], Any]
    times: Callable[[Any], tuple[datetime | None, ...]]
    width: int


def _readers() -> dict[type[e.Event], _Reader]:
    found: dict[type[e.Event], _Reader] = {}
    for cls in e.TOPICS.values():
        names = cls.__struct_fields__
        times = [name for name in TIMES if name in names]
        said = [name for name in names if name not in (*TIMES, *IDS, *UNREAD)]
        found[cls] = _Reader(attrgetter(*said), attrgetter(*times), len(times))
    return found


_READERS = _readers()


def _kind(told: Sequence[Told]) -> tuple[tuple[Any, ...] | None, list[Any], Sequence[str]]:
    """What a contact shares with those alike; its moments; its addresses, in their order."""
    if len(told) > MOST_ENTRIES:
        return None, [], ()
    kind: list[Any] = []
    values: list[Any] = []
    places: dict[str | None, int] = {}
    records: dict[str | None, int] = {None: 0}
    for _, _, event in told:
        cls = type(event)
        if cls in PLAIN:
            return None, [], ()
        reader = _READERS[cls]
        times = reader.times(event)
        values += times
        address = event.address
        place = -1 if address is None else places.setdefault(address, len(places))
        record = records.setdefault(event.record, len(records))
        kind += (cls, reader.said(event), tuple([t is None for t in times]), place, record)
    order: Sequence[str] = list(places)  # type: ignore[arg-type]
    if len(places) > 1:  # rows stand in the order of the addresses
        by_name = sorted(order)
        kind.append(tuple([by_name.index(address) for address in order]))
    return tuple(kind), values, order


def _any_of(tape: _Tape, told: Sequence[Told], addresses: Sequence[str]) -> list[Entry]:
    """The entries of anyone alike: moments that take note, places for positions, ranks for addresses."""
    ranks = {address: _address(sorted(addresses).index(address) + 1) for address in addresses}
    entries: list[Entry] = []
    number = 0
    for place, (_, version, event) in enumerate(told):
        reader = _READERS[type(event)]
        changed: dict[str, Any] = {name: _Unread() for name in UNREAD if hasattr(event, name)}
        names = [name for name in TIMES if hasattr(event, name)]
        for name in names:
            if getattr(event, name) is not None:
                changed[name] = _Moment(tape, number)
            number += 1
        assert len(names) == reader.width  # noqa: S101 - both follow TIMES
        if event.address is not None:
            changed["address"] = ranks[event.address]
        entries.append(Entry(_FIRST_POSITION + place, version, msgspec.structs.replace(event, **changed)))
    return entries


def _address(rank: int) -> str:
    return f"00000000-0000-0000-0000-{rank:012d}"


def _leaf(answers: Sequence[tuple[tuple[str, str, str], tuple[Any, ...]]]) -> _Leaf:
    forms: dict[int, int] = {}
    made: list[_Form] = []
    rows: list[tuple[str, str, int, int]] = []
    for (purpose, channel, address), found in answers:
        number = forms.setdefault(id(found), len(made))
        if number == len(made):
            made.append(_form(found))
        rows.append((purpose, channel, int(address[-12:]) - 1 if address else -1, number))
    return _Leaf(tuple(made), tuple(rows))


def _form(found: Sequence[Any]) -> _Form:
    packed = pack(found, _forms).replace(b"%", b"%%")
    gaps = tuple((bool(gap[1]), int(gap[1] or gap[2])) for gap in _GAP.finditer(packed))
    text = _GAP.sub(lambda gap: b"%b" if gap[1] else b"%d", packed)
    change = found[1].start.number if len(found) > 1 else None
    return _Form(text, gaps, change)
