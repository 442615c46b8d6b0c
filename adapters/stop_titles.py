"""What a file's name says of stops: a list of people who said no, or one from which they were taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.encodings import UnreadableInput
from adapters.hubspot.labels import fold
from adapters.hubspot.said import speaks_of
from adapters.tabular import Table

_BESIDE = (
    *("removed", "without", "excluding", "excluded", "exclude", "excl", "except", "minus", "cleaned", "scrubbed"),
    *("purged", "ohne", "bereinigt", "entfernt", "ausser", "sans", "hors", "sin", "excepto", "sem", "zonder", "senza"),
    *("not in", "nicht in"),
)
_NOT = ("not", "no", "non", "nicht", "nie", "never", "keine")
_TITLES = (
    *("optout", "optedout", "unsubscri", "suppress", "donotmail", "donotemail", "donotcontact", "blacklist"),
    *("blocklist", "abgemeldet", "abmeldung", "widerspr", "sperrliste", "desabonn", "desinscri", "descadastr"),
    *("afgemeld", "disiscri"),
)
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def is_named_for_stops(title: str) -> bool:
    """Whether a file is named as a list of people who said no, or as a list without them."""
    return speaks_of(title, _TITLES)


def words_of(text: str) -> list[str]:
    """The words of a name, small and without accents: `doNotMail` has three."""
    return [fold(word) for word in _WORD.findall(_CAMEL.sub(" ", text))]


def refuse_ambiguous_name(table: Table) -> None:
    """Raise UnreadableInput (ambiguous) for a name that may mean those who did not say no."""
    words = words_of(table.title)
    spaced = f" {' '.join(words)} "
    beside = next((word for word in _BESIDE if f" {word} " in spaced), None)
    negated = next((word for place, word in enumerate(words) if word in _NOT and _begins(words[place + 1 :])), None)
    if found := beside or negated:
        raise UnreadableInput(
            "ambiguous",
            f"{table.name}: its name may mean people who said no, or a list from which they are taken out (“{found}”).",
            "If everybody in it said no, give it with --stops; if not, give it another name, or leave it out.",
        )


def _begins(words: Sequence[str]) -> bool:
    """Whether the next word speaks of stops: `not unsubscribed`, and not `do not mail`."""
    return fold("".join(words[:2])).startswith(_TITLES)
