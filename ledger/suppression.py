"""The suppression list: keyed hashes of addresses nobody may write to, which outlive an erasure.

An address stands there under every form it may be written in (`ledger.spelling`). Each time it is suppressed, or a
suppression is lifted, a row is added: nothing is ever taken out, so that what was lifted can be seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count

from ledger.database import Driver
from ledger.lookups import Lookups
from ledger.resolving import select_in
from ledger.tallies import Change


class SuppressionList:
    """The list of one vault, read and added to within transactions of it."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def take_turn(self, driver: Driver, change: Change, email: str, kind: str, at: datetime, *, lift: bool) -> bool:
        """Suppress an address in every form that is not suppressed, or lift it in every form that is; whether any."""
        taken = False
        turns = self._turns(driver, [email])[email]
        for place, moments in enumerate(turns):
            if (len(moments) % 2 == 1) != lift:
                continue
            hashed = self._lookups.suppressions(email, len(moments))[place]
            row = (hashed, kind, at.astimezone(UTC).isoformat())
            driver.execute("INSERT INTO suppression (hmac, kind, since) VALUES (?, ?, ?)", row)
            change.add("suppression", *row)
            taken = True
        return taken

    def since(self, driver: Driver, emails: Iterable[str]) -> dict[str, datetime]:
        """Those of these addresses that are suppressed in any form, with the first moment since when."""
        standing = {
            email: [moments[-1] for moments in turns if len(moments) % 2 == 1]
            for email, turns in self._turns(driver, emails).items()
        }
        return {email: min(moments) for email, moments in standing.items() if moments}

    def _turns(self, driver: Driver, emails: Iterable[str]) -> dict[str, list[list[datetime]]]:
        """Of each address and each of its forms, in order, the moments of the turns."""
        found = {email: [list[datetime]() for _ in self._lookups.suppressions(email)] for email in emails}
        open_forms = {(email, place) for email, forms in found.items() for place in range(len(forms))}
        for turn in count():  # few addresses were ever lifted, and none many times
            hashes = {
                (email, place): hashed
                for email in {email for email, _ in open_forms}
                for place, hashed in enumerate(self._lookups.suppressions(email, turn))
                if (email, place) in open_forms
            }
            rows = select_in(driver, "SELECT hmac, since FROM suppression", "hmac", set(hashes.values()))
            moments = {hashed: datetime.fromisoformat(since) for hashed, since in rows}
            open_forms = {form for form in open_forms if hashes[form] in moments}
            if not open_forms:
                break
            for email, place in open_forms:
                found[email][place].append(moments[hashes[email, place]])
        return found
