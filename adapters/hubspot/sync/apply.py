"""Bringing HubSpot in step with the ledger for some contacts: ask, read, plan, and, where it is wanted, write.

Every part may be done again: what holds is asked anew, what HubSpot shows is read anew, and only what differs is
written. So a run that ended half-way, or twice the same contacts, come to the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from adapters.hubspot.api.portal import Portal, Written
from adapters.hubspot.sync.looking import Looking
from adapters.hubspot.sync.plan import VERDICT, Allowance, Plan, Scene, Step, plan
from adapters.hubspot.sync.store import Book, Result
from adapters.hubspot.sync.writing import in_turn, write_alike
from adapters.wiring import House

MOST = 100
"""Contacts looked at together: what one batch of HubSpot holds."""
AGAIN = 5
"""So often what was written is looked at again where the ledger goes on meanwhile: it tells of the rest itself."""


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
        self._looking = Looking(house, portal, book, clock)

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

        What the ledger heard while this was written may have been written by somebody else already, and this over
        it. So it is looked at again until what was written last rests on what is known.
        """
        people = list(contacts)
        outcome, scene = self._once(people)
        results = list(outcome.results)
        for _ in range(AGAIN):
            if not outcome.plan.steps or not self._looking.is_old(scene):
                break
            outcome, scene = self._once(people)
            results += outcome.results
        return outcome._replace(results=tuple(results))

    def _once(self, contacts: Sequence[str]) -> tuple[Outcome, Scene]:
        scene, gone = self._looking.scene(contacts, thrifty=True)
        raised = self._book.raised([record.id for record in scene.records])
        planned = plan(scene, Allowance(raised, self._book.left(self._cap)))
        if planned.raises:  # counted before they are made: a crash in between makes none too many
            taken = self._book.take(planned.raises, self._cap, scene.at) | raised
            planned = plan(scene, Allowance(taken, 0))._replace(raises=planned.raises)
        lowered = [step.record for step in planned.steps if step.properties and step.properties[VERDICT] != "marketing"]
        if raised & set(lowered):
            self._book.give_back(lowered, scene.at)
        self._book.share(self._looking.sharing(scene))
        outcome = Outcome(planned, tuple(self._write(planned, scene)), gone)
        self._book.looked(contacts, self._unfinished(contacts, outcome, scene))
        return outcome, scene

    def _unfinished(self, contacts: Sequence[str], outcome: Outcome, scene: Scene) -> set[str]:
        """Of whom something is left to be done though nothing of theirs changes."""
        waiting = {*outcome.plan.waiting, *outcome.plan.held_back}
        on_them = {one for record in scene.records if record.id in waiting for one in record.contacts}
        refused = {one.contact for one in outcome.refused}
        return refused | on_them | set(self._looking.gone_of(contacts, outcome.gone))

    def prepare(self) -> list[str]:
        """Make our own properties in HubSpot where they are missing; the names of those made."""
        return self._portal.ensure_properties()

    # --- writing --------------------------------------------------------------------------------

    def _write(self, planned: Plan, scene: Scene) -> Iterator[Result]:
        """Each kind of call for itself, and what it came to kept before the next. Raises NotAllowedError.

        Nobody is subscribed by answers that hold no more: a stop may have come while the rest was written.
        """
        for call, steps in in_turn(planned.steps):
            if call == "subscribe" and self._looking.is_old(scene):
                return
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
