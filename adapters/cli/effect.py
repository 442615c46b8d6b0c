"""What a fact changed, for the person who typed it."""

from __future__ import annotations

from typing import NamedTuple

from adapters.report.masking import mask_email
from adapters.report.wording import PURPOSES
from ledger.terms import MARKETING_PURPOSES


class Effect(NamedTuple):
    """The marketing purposes by e-mail that were allowed before a fact, and those that are allowed after it."""

    before: frozenset[str]
    after: frozenset[str]

    def as_text(self, whom: str | None) -> str:
        """The change for a person: `a…@e….com: marketing was allowed before, and is not allowed now`.

        whom  an address, which is masked, or a record id or reference; None: a contact that has no name here
        """
        was, now = _word(self.before), _word(self.after)
        name = mask_email(whom) if whom and "@" in whom else whom or "this contact"
        text = f"{name}: marketing was {was} before, and is {'still ' if was == now else ''}{now} now"
        changed = [f"{PURPOSES[name]} ({_word(name in self.after)})" for name in self._changed]
        return f"{text}: {'; '.join(changed)}" if changed and (self.after or was == now) else text

    @property
    def is_change(self) -> bool:
        """Whether anything is allowed now that was not, or the other way round."""
        return self.before != self.after

    @property
    def _changed(self) -> list[str]:
        return [name for name in MARKETING_PURPOSES if (name in self.before) != (name in self.after)]


def _word(allowed: object) -> str:
    return "allowed" if allowed else "not allowed"
