"""What HubSpot's records of mails and subscriptions say: who acted, why mail bounced. Words, and nothing else."""

from __future__ import annotations

import re
from typing import Literal

from adapters.hubspot.labels import fold
from adapters.hubspot.values import NO, YES, Vocabulary
from ledger.terms import Party

EMAIL = ("email",)
BounceKind = Literal["hard", "soft"]

FLAG = {"yes": YES, "no": f"{NO}|not checked|none|never|-"}
SPAM = ("spam", "complain", "abuse", "beschwerde", "plainte", "queja", "reclamacion")
BOUNCE = ("bounce", "undeliver", "unzustellbar", "rebond", "rebote", "rejet")
SOFT = (
    *("soft", "temporar", "weich", "vorubergehend", "suave", "greylist", "throttl", "timeout", "delay"),
    *("full", "quota", "tryagain", "voll", "plein", "llena", "lleno"),
)
_REPLIES_4 = re.compile(r"\A\s*4\d\d\b|(?<![\d.])4\.\d{1,3}\.\d{1,3}(?![\d.])").search
"""A reply of a mail server that is temporary (RFC 5321 4.2.1, RFC 3463)."""
_OTHERS = (
    *("customer", "user", "admin", "import", "workflow", "automation", "platform"),
    *("api", "integration", "migration", "staff", "benutzer"),
)
_THEMSELVES = ("recipient", "contact", "form", "subscriber", "preference", "link", "empfanger", "visitor")


class Flags:
    """Yes, no, or something else, of which the reader decides what it means."""

    def __init__(self) -> None:
        self._words = Vocabulary(FLAG)
        self._known: dict[str, bool | None] = {"": False}

    def read(self, cell: str) -> bool | None:
        """None for what is neither yes nor no; an empty cell is no."""
        if cell in self._known:
            return self._known[cell]
        word = self._words.read(cell)
        said = None if word == "?" else word == "yes"
        if len(self._known) < 1_000:
            self._known[cell] = said
        return said


def speaks_of(cell: str, stems: tuple[str, ...]) -> bool:
    """Whether a text has one of the stems in it, case, spaces and accents apart."""
    text = fold(cell)
    return any(stem in text for stem in stems)


def acted(source: str) -> Party:
    """Who made a change, by what HubSpot names as its source."""
    if speaks_of(source, _OTHERS):
        return "officer"
    return "data_subject" if speaks_of(source, _THEMSELVES) else "unknown"


def bounce_kind(category: str, status: str = "") -> BounceKind:
    """Whether mail may get through later. What neither says counts as hard."""
    if speaks_of(category, SOFT) or _REPLIES_4(category):
        return "soft"
    return "soft" if not category and status.startswith("4") else "hard"
