"""What a persona is: a situation a contact may be in, how it comes about, and what is true of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.hubspot.portal.desk import Desk
from adapters.hubspot.portal.people import CONSENT, DECLARED, Person

Build = Callable[[Desk, Person], None]
EXPLICIT, SOFT = "explicit_consent", "soft_opt_in"
UNRECORDED = (CONSENT, CONSENT, "")
"""What the field for the legal basis most often says of people who did sign up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One situation.

    weight   how many in about a hundred and fifty
    build    adds what the files say of the person, and changes the cells of the contacts export
    basis    what allows marketing by e-mail when every file and the map are looked at; None: nothing does
    settles  a first audit of the contacts export alone leaves it open, and the files, the map and the answers
             settle it: shown, or stopped
    claims   what the field for the legal basis says; one is drawn
    records  how many records the persona makes
    """

    name: str
    weight: float
    build: Build
    basis: str | None = None
    why: str
    settles: bool
    places: tuple[str, ...] = DECLARED
    claims: tuple[str, ...] = ("",)
    records: int = 1

    def truth(self) -> dict[str, object]:
        """What `truth.json` says of each of its records."""
        return {
            "persona": self.name,
            "truth": "yes" if self.basis else "no",
            "basis": self.basis,
            "why": self.why,
            "settles": self.settles,
        }
