"""Deals with their contacts: that the CRM shows a deal as won. What a won deal was, a declaration says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.hubspot.labels import fold
from adapters.hubspot.values import NO, YES, Vocabulary
from adapters.reading import TableEvidence, clocks, count, digest
from adapters.record_ids import record_ids_in
from adapters.statements import Statement
from adapters.tokens import token_of
from ledger.events import DealWon

CAPTURED_BY = "deal_record"
_WON = (
    "closedwon|closed won|won|deal won|gewonnen|abgeschlossen und gewonnen|abgeschlossen gewonnen|geschlossen gewonnen"
    "|Deal gewonnen|gagné|gagnée|conclu et gagné|conclue et gagnée|fermé gagné|fermée gagnée|transaction gagnée"
    "|ganado|cierre ganado|cerrado ganado|cerrado y ganado|negocio ganado|cierre ganado negocio"
)


class Deals(TableEvidence):
    """Deals open or lost are passed over."""

    may_stop = False

    def begin(self) -> None:
        """Look the columns up."""
        self._deal, self._stage, self._won = self.cell("deal"), self.cell("stage"), self.cell("won")
        self._pipeline, self._closed = self.cell("pipeline"), self.cell("closed")
        self._contacts, self._email = self.cell("contacts"), self.cell("email")
        self._closed_on = self.when("closed")
        self._stages: dict[str, bool] = {}
        self._flags = Vocabulary({"yes": YES, "no": NO})
        self._words = {fold(word) for word in _WON.split("|")}

    def read(self, row: int, cells: Sequence[str]) -> Sequence[Statement]:
        """One fact for each contact of a won deal."""
        if not self._is_won(self._won(cells), self._stage(cells)):
            return ()
        span, pipeline = self._closed_on(cells), self._pipeline(cells)
        if pipeline:
            count(self.found.pipelines, pipeline, span)
        people = list(self._people(self._contacts(cells), self._email(cells)))
        if not people:
            self.refuse("contacts" if "contacts" in self.at else "email", "a won deal without a contact")
            return ()
        number = self._deal(cells)
        deal = number or digest(pipeline, self._closed(cells))
        won = DealWon(
            stream="",
            source=self.source,
            by="system",
            pipeline=token_of(pipeline) if pipeline else None,
            deal=token_of(number) if number else None,
            **clocks(span, CAPTURED_BY),
        )
        return [
            Statement(email, record, won, f"deal:{deal}:{record or digest(email.casefold())}", None, row)
            for email, record in people
        ]

    def _is_won(self, flag: str, stage: str) -> bool:
        said = self._flags.read(flag) if flag else "?"
        if said != "?":
            return said == "yes"
        won = self._stages.get(stage)
        if won is None:
            # `Closed won (Shop)`: with several pipelines the stage names its own
            won = self._stages[stage] = fold(stage.partition(" (")[0]) in self._words
        return won

    @staticmethod
    def _people(contacts: str, emails: str) -> Iterator[tuple[str, str | None]]:
        if contacts:
            yield from (("", record) for record in record_ids_in(contacts))
            return
        for part in emails.split(";"):
            if part.strip():
                yield part.strip(), None
