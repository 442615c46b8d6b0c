"""Bringing HubSpot in step with the ledger for some contacts: ask, read, plan, and, where it is wanted, write.

Every part may be done again: what holds is asked anew, what HubSpot shows is read anew, and only what differs is
written. So a run that ended half-way, or twice the same contacts, come to the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from adapters.hubspot.api.portal import Portal, Written
from adapters.hubspot.sync.looking import Looking
from adapters.hubspot.sync.plan import VERDICT, Allowance, Plan, Scene, Step, plan
from adapters.hubspot.sync.store import Book, Result
from adapters.hubspot.sync.writing import in_turn, write_alike
from adapters.wiring import House

MOST = 100
"""Contacts looked at together: what one batch of HubSpot holds."""
_LATE = timedelta(seconds=2)
_ROUNDS = 3


_FORBIDDEN = frozenset((401, 403))
_NAMED: Mapping[str, str] = {
    "update": "write contacts",
    "unsubscribe_all": "unsubscribe from all e-mail",
    "unsubscribe": "unsubscribe from a type",
    "subscribe": "subscribe to a type",
}


class NotAllowedError(Exception):
    """The token may not do it for any contact: somebody has to let it."""


class Outcome(NamedTuple):
    """What was planned, and what became of each call. `gone`: records that HubSpot does not hold any more."""

    plan: Plan
    results: tuple[Result, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def refused(self) -> list[Result]:
        """What HubSpot would not do, and should. That it subscribes nobody who opted out meanwhile, it should."""
        return [one for one in self.results if one.status == "refused" and one.call != "subscribe"]


class Sync:
    """One ledger and one portal. `cap`: how many marketing contacts there may be; None: as many as are approved.

    Everything raises AwayError when HubSpot does not answer, RefusedError when it will not let anything be read.
    """

    def __init__(
        self, house: House, portal: Portal, book: Book, clock: Callable[[], datetime], cap: int | None = None
    ) -> None:
        self._portal, self._book, self._clock, self._cap = portal, book, clock, cap
        self._looking = Looking(house, portal, clock)

    def scene(self, contacts: Iterable[str]) -> tuple[Scene, tuple[str, ...]]:
        """Everything that the ledger answers and HubSpot shows of them, and the records HubSpot does not hold."""
        return self._looking.scene(contacts)

    def look(self, contacts: Iterable[str], spent: int = 0) -> Outcome:
        """What would be written. Changes nothing. `spent`: raises that would be made before these."""
        scene, gone = self._looking.scene(contacts, thrifty=True)
        records = [record.id for record in scene.records]
        allowance = Allowance(self._book.raised(records), self._book.left(self._cap) - spent)
        return Outcome(plan(scene, allowance), (), gone)

    def apply(self, contacts: Iterable[str]) -> Outcome:
        """Write what is missing, stops first. What is refused for one contact holds up no other.

        A call that HubSpot kept waiting is repeated as it was planned, and by then somebody else may have written
        what is newer: after a long while it is looked at again, so that whoever writes last writes what holds.
        """
        wanted = list(contacts)
        outcome, at = self._apply(wanted)
        more, rounds = outcome, 0
        while more.results and self._clock() - at > _LATE and rounds < _ROUNDS:
            more, at = self._apply(wanted)
            outcome, rounds = outcome._replace(results=outcome.results + more.results, gone=more.gone), rounds + 1
        return outcome

    def _apply(self, contacts: Sequence[str]) -> tuple[Outcome, datetime]:
        """Once; and the moment for which the ledger was asked."""
        scene, gone = self._looking.scene(contacts, thrifty=True)
        raised = self._book.raised([record.id for record in scene.records])
        planned = plan(scene, Allowance(raised, self._book.left(self._cap)))
        if planned.raises:  # counted before they are made: a crash in between makes none too many
            taken = self._book.take(planned.raises, self._cap, scene.at) | raised
            planned = plan(scene, Allowance(taken, 0))._replace(raises=planned.raises)
        lowered = [step.record for step in planned.steps if step.properties and step.properties[VERDICT] != "marketing"]
        if raised & set(lowered):
            self._book.give_back(lowered, scene.at)
        results = tuple(self._write(planned))
        return Outcome(planned, results, gone), scene.at

    def prepare(self) -> list[str]:
        """Make our own properties in HubSpot where they are missing; the names of those made."""
        return self._portal.ensure_properties()

    # --- writing --------------------------------------------------------------------------------

    def _write(self, planned: Plan) -> Iterator[Result]:
        """Each kind of call for itself, and what it came to kept before the next. Raises NotAllowedError."""
        for call, steps in in_turn(planned.steps):
            at = self._clock()
            made = [_result(step, came, at) for step, came in write_alike(self._portal, steps)]
            self._book.keep(made)
            forbidden = next((one for one in made if one.code in _FORBIDDEN), None)
            if forbidden is not None:
                raise NotAllowedError(f"HubSpot does not let this token {_NAMED[call]}: {forbidden.detail}")
            yield from made


def _result(step: Step, came: Written, at: datetime) -> Result:
    about = step.type_id or ""
    return Result(step.contact, step.record, step.call, about, came.status, came.code, at, step.reference, came.detail)
