"""Acts of people in words, by who acted: nobody reads that they did what somebody else did, or nobody knows who."""

from __future__ import annotations

from typing import NamedTuple

from adapters.why_facts import of_day, on_day
from ledger import events as e
from ledger.terms import Party


class Act(NamedTuple):
    """An act: as done by the person, as done by another on their behalf, and as a thing."""

    own: str
    behalf: str
    thing: str


_OBSTRUCTED = "tried to opt out and did not get through"
_ACCESS = "asked what we hold about you"
_ACTS: dict[type[e.Event], Act] = {
    e.OptedOut: Act("opted out", "opted out", "an opt-out"),
    e.TypeOptedOut: Act("left {kind}", "left {kind}", "an opt-out from {kind}"),
    e.Objected: Act("objected to marketing", "objected to marketing", "an objection to marketing"),
    e.OptOutObstructed: Act(_OBSTRUCTED, _OBSTRUCTED, "an attempt to opt out that did not get through"),
    e.ErasureRequested: Act("asked to be erased", "asked for erasure", "a request for erasure"),
    e.Complained: Act("reported a message as spam", "reported a message as spam", "a report of spam"),
    # these are told in letters alone
    e.OptedIn: Act("opted in", "opted in", "an opt-in"),
    e.FormSubmitted: Act("sent in a form", "sent in a form", "a form that was sent in"),
    e.AccessRequested: Act(_ACCESS, _ACCESS, "a question what we hold about you"),
    e.Enquired: Act("asked us about goods or services", "asked us about goods or services", "an enquiry"),
    e.Donated: Act("supported our cause", "supported our cause", "support of our cause"),
}
_TICKED = Act("ticked a box of a form", "ticked a box of a form", "a ticked box of a form")
_UNTICKED = Act("left a box of a form unticked", "left a box of a form unticked", "an unticked box of a form")


def act_of(event: e.Event, *, person: bool) -> Act | None:
    """The act that a fact is, for counsel or for the person; None: no act that somebody did or did not do."""
    if isinstance(event, e.BoxAnswered):
        return _TICKED if event.ticked else _UNTICKED
    act = _ACTS.get(type(event))
    if act is None or not isinstance(event, e.TypeOptedOut):
        return act
    kind = "one of our mailings" if person else f"the subscription type “{event.subscription_type}”"
    return Act(*[text.format(kind=kind) for text in act])


def clause_of(event: e.Event, act: Act, *, person: bool, when: bool = True) -> str:
    """The act as a clause, with its day: `the person opted out on 1 May 2024`, `an opt-out of … is on record`."""
    you = "you" if person else "the person"
    day = f" {on_day(event)}" if when else ""
    if person and isinstance(event, e.Complained):
        return f"a message of ours was reported as spam{day}"
    if event.by == "data_subject":
        return f"{you} {act.own}{day}"
    if event.by in _ON_BEHALF:
        behalf = "on your behalf" if person else "on behalf of the person"
        return f"{_ON_BEHALF[event.by]} {act.behalf} {behalf}{day}"
    other = f", made by somebody else than {you}" if event.by in _OTHERS else ""
    day = f" {of_day(event)}" if when else ""
    return f"{act.thing}{day} is on record{other}"


_ON_BEHALF: dict[Party, str] = {"guardian": "a guardian", "agent": "somebody"}
_OTHERS: frozenset[Party] = frozenset({"officer", "third_party"})
"""A system writes down what somebody did: that it did it itself is nowhere on record."""
