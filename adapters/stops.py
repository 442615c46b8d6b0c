"""Objections kept elsewhere: a plain list of addresses, with a date and the words where somebody noted them.

Any header or none, any columns: a list of people who said no is not lost for its form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from adapters.addresses import addresses_in
from adapters.encodings import UnreadableInput
from adapters.hubspot.labels import fold
from adapters.layouts import Layout, places
from adapters.reading import TableEvidence, clocks, digest, moment
from adapters.statements import Reject, Statement
from adapters.tabular import Table
from adapters.times import TimeReader
from ledger.events import Objected
from ledger.spelling import normal

SYSTEM = "file"
LAYOUT = Layout(
    "stops",
    {
        "email": "email|e-mail|email address|mail|address|recipient|E-Mail-Adresse|Adresse|adresse e-mail|courriel"
        "|correo|correo electrónico",
        "at": "date|when|objected on|received|received on|on|datum|am|eingegangen|date de réception|fecha",
        "words": "words|note|notes|reason|comment|comments|text|remark|wortlaut|grund|bemerkung|notiz|kommentar|motif"
        "|commentaire|remarque|motivo|comentario|nota",
    },
    (("email",),),
    "objections kept elsewhere: email, date, words; with --stops",
)


def stops_of(table: Table, taken_on: datetime, times: TimeReader) -> Objections:
    """The reader of a list somebody says is one of objections. Raises UnreadableInput: no_email_column."""
    found = Objections(table, places(table.header, LAYOUT, fold), LAYOUT.kind, SYSTEM, taken_on, times)
    if "email" not in found.at and not any(found.addresses(cells) for _, cells in found.every_row(lambda _: None)):
        raise UnreadableInput(
            "no_email_column",
            f"{table.name} holds no e-mail address.",
            "Write one a line; a date and the words that were said may stand beside it.",
        )
    return found


class Objections(TableEvidence):
    """Every address of every row objected."""

    def raw(self) -> Iterator[tuple[int, list[str]]]:
        """The rows of any width; the first too, where it is no header."""
        return self.every_row(self._unread)

    def every_row(self, reject: Reject) -> Iterator[tuple[int, list[str]]]:
        """The rows, those that cannot be decoded to `reject`."""
        if self.addresses(self.table.header):
            yield self.table.header_row, list(self.table.header)
        yield from self.table.rows(reject, ragged=True)

    def addresses(self, cells: Sequence[str]) -> list[str]:
        """Every address in the row, each once."""
        return list({normal(address): address for cell in cells for address in addresses_in(cell)}.values())

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """One objection for each address."""
        people = self.addresses(cells)
        if not people:
            self.refuse("email", "no e-mail address in this row")
            return ()
        span = next((found for cell in self._of("at", cells) if (found := self.span(cell.strip()))), None)
        words = "; ".join(text for cell in self._of("words", cells) if (text := cell.strip()) and self._is_words(text))
        event = Objected(stream="", source=self.source, by="data_subject", via="stops_file", **clocks(span, None))
        payload = {"words": words} if words else None
        return [
            Statement(email, None, event, f"objected:{digest(email.casefold(), moment(span), words)}", payload, row)
            for email in people
        ]

    def _of(self, field: str, cells: Sequence[str]) -> list[str]:
        """The cells a header names for a field; without a header, every one."""
        if "email" not in self.at:
            return list(cells)
        return [cells[index] for index in self.at.get(field, ()) if index < len(cells)]

    def _is_words(self, text: str) -> bool:
        return "email" in self.at or ("@" not in text and self.span(text) is None)
