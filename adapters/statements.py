"""What a file of evidence says, row by row, before anybody is looked up: the one shape all readers yield."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from adapters.tabular import Rejected
from ledger.events import Event
from ledger.standing import Wide

Reject = Callable[[Rejected], None]


class Statement(NamedTuple):
    """One fact about one person.

    email, record_id  whom it is about; at least one. `record_id` is the id in the reader's `system`
    event             its `stream` is "" and its `address` and `record` are None: the intake sets them
    source_id         stable for the same fact in a later file, unique within `event.source`. The event holds
                      nothing that differs between two exports of the same fact (no file date)
    payload           what is personal or free text about it; goes into the vault
    row               as a spreadsheet counts
    wide              the domain or digest that a stop is of, where it names nobody
    """

    email: str | None
    record_id: str | None
    event: Event
    source_id: str
    payload: Mapping[str, object] | None
    row: int
    wide: Wide | None = None


class Wanted(NamedTuple):
    """What the evidence map uses: only that is kept. `boxes`: form token -> box tokens."""

    boxes: Mapping[str, frozenset[str]] = {}


@dataclass(slots=True)
class BoxFound:
    """A column of a form with yes/no answers."""

    label: str
    ticked: int = 0
    unticked: int = 0


@dataclass(slots=True)
class FormFound:
    """A form, as its submissions show it. `boxes`: token -> box."""

    name: str
    rows: int = 0
    first: date | None = None
    last: date | None = None
    boxes: dict[str, BoxFound] = field(default_factory=dict)


@dataclass(slots=True)
class NameFound:
    """A pipeline, subscription type, campaign or import list, as it is written, and how often it was seen."""

    name: str
    count: int = 0
    first: date | None = None
    last: date | None = None


@dataclass(slots=True)
class Found:
    """What files contain that a declaration could speak of: token -> what was found.

    `numbers`: number and name of subscription types -> how often they stand beside each other
    """

    forms: dict[str, FormFound] = field(default_factory=dict)
    pipelines: dict[str, NameFound] = field(default_factory=dict)
    types: dict[str, NameFound] = field(default_factory=dict)
    campaigns: dict[str, NameFound] = field(default_factory=dict)
    lists: dict[str, NameFound] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)


def united(founds: Iterable[Found]) -> Found:
    """What several files hold, together."""
    whole = Found()
    for found in founds:
        for pair, count in found.numbers.items():
            whole.numbers[pair] = whole.numbers.get(pair, 0) + count
        for token, form in found.forms.items():
            held = whole.forms.setdefault(token, FormFound(form.name))
            held.rows += form.rows
            _stretch(held, form)
            for box, answers in form.boxes.items():
                mine = held.boxes.setdefault(box, BoxFound(answers.label))
                mine.ticked += answers.ticked
                mine.unticked += answers.unticked
        for mine_, theirs in (
            (whole.pipelines, found.pipelines),
            (whole.types, found.types),
            (whole.campaigns, found.campaigns),
            (whole.lists, found.lists),
        ):
            for token, name in theirs.items():
                seen = mine_.setdefault(token, NameFound(name.name))
                seen.count += name.count
                _stretch(seen, name)
    return whole


def _stretch(mine: FormFound | NameFound, theirs: FormFound | NameFound) -> None:
    mine.first = min(filter(None, (mine.first, theirs.first)), default=None)
    mine.last = max(filter(None, (mine.last, theirs.last)), default=None)


class Evidence(Protocol):
    """One opened file (or member of a ZIP) of evidence.

    kind     a token of `adapters.kinds.KINDS`
    system   whose record ids these are: `hubspot`, `mailchimp`, `file`
    size     bytes, roughly: how much work it is
    taken_on when it left its system: the file's own time
    rows     data rows read so far; `found` grows likewise
    doubts   what was not certain in it as a whole, as sentences
    """

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def taken_on(self) -> datetime: ...
    @property
    def rows(self) -> int: ...
    @property
    def found(self) -> Found: ...
    @property
    def doubts(self) -> list[str]: ...
    def statements(self, wanted: Wanted, reject: Reject) -> Iterator[Statement]:
        """Every fact of the file, in order; rows not understood go to `reject`. May be called again."""
        ...
