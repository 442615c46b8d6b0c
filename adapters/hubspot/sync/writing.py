"""Steps written to a portal, call by call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from adapters.hubspot.api.portal import Portal, TypeChange, Written
from adapters.hubspot.sync.plan import Call, Step


def write(portal: Portal, steps: Iterable[Step]) -> list[tuple[Step, Written]]:
    """All of it at once, in the order of the steps. Raises AwayError."""
    return [pair for _, part in in_turn(steps) for pair in write_alike(portal, part)]


def in_turn(steps: Iterable[Step]) -> Iterator[tuple[Call, list[Step]]]:
    """Steps that one kind of call writes, together."""
    for call, part in groupby(steps, key=attrgetter("call")):
        yield call, list(part)


def write_alike(portal: Portal, steps: Sequence[Step]) -> list[tuple[Step, Written]]:
    """Steps of one call, and what became of each. Raises AwayError."""
    return list(zip(steps, _written(portal, steps), strict=True))


def _written(portal: Portal, steps: Sequence[Step]) -> list[Written]:
    match steps[0].call:
        case "update":
            return portal.update_contacts({step.record: step.properties or {} for step in steps})
        case "unsubscribe_all":
            return portal.unsubscribe_all([step.email or "" for step in steps])
        case "unsubscribe":
            return portal.unsubscribe(_changes(steps))
        case "subscribe":
            return portal.subscribe(_changes(steps))


def _changes(steps: Iterable[Step]) -> list[TypeChange]:
    return [TypeChange(s.email or "", s.type_id or "", s.legal_basis, s.explanation or "") for s in steps]
