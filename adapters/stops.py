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
from adapters.reading import TableEvidence, clocks, digest, moment, of_wide
from adapters.statements import Reject, Statement
from adapters.tabular import Table
from adapters.times import Span, TimeReader
from adapters.wides import wides_in
from ledger.events import Objected
from ledger.spelling import normal
from ledger.standing import Wide

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
    rows = (cells for _, cells in found.every_row(lambda _: None))
    if "email" not in found.at and not any(found.addresses(cells) or found.wides(cells) for cells in rows):
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
        if self.addresses(self.table.header) or self.wides(self.table.header):
            yield self.table.header_row, list(self.table.header)
        yield from self.table.rows(reject, ragged=True)

    def addresses(self, cells: Sequence[str]) -> list[str]:
        """Every address in the row, each once."""
        return list({normal(address): address for cell in cells for address in addresses_in(cell)}.values())

    def wides(self, cells: Sequence[str]) -> list[Wide]:
        """Every domain and digest in the row, of whoever stands behind it."""
        if "email" in self.at and tuple(cells) == self.table.header:
            return []
        return list(dict.fromkeys(wide for index in self._of("email", cells) for wide in wides_in(cells[index])))

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """One objection for each address."""
        people, wides = self.addresses(cells), self.wides(cells)
        if not (people or wides):
            self.refuse("email", "no e-mail address in this row")
            return ()
        span = next((found for index in self._of("at", cells) if (found := self._time_in(cells, index))), None)
        words = "; ".join(cells[index].strip() for index in self._of("words", cells) if self._is_words(cells, index))
        event = Objected(stream="", source=self.source, by="data_subject", via="stops_file", **clocks(span, None))
        payload = {"words": words} if words else None
        wide = Statement(None, None, event, f"objected:{digest(moment(span), words)}", payload, row)
        return [
            *(
                Statement(email, None, event, f"objected:{digest(email.casefold(), moment(span), words)}", payload, row)
                for email in people
            ),
            *(of_wide(wide, it) for it in wides),
        ]

    def _of(self, field: str, cells: Sequence[str]) -> Sequence[int]:
        """Where in a row a field stands that a header names; without a header, everywhere."""
        if "email" not in self.at:
            return range(len(cells))
        return [index for index in self.at.get(field, ()) if index < len(cells)]

    def _time_in(self, cells: Sequence[str], index: int) -> Span | None:
        """The time a cell states; a number that stands under no header may number anything."""
        return None if "email" not in self.at and cells[index].strip().isdigit() else self.time_in(cells, index)

    def _is_words(self, cells: Sequence[str], index: int) -> bool:
        text = cells[index].strip()
        return bool(text) and ("email" in self.at or ("@" not in text and self._time_in(cells, index) is None))
