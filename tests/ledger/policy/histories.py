"""Strategies for whole histories, rich in what is allowed, so that a property about yes and no can fail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, fold
from ledger.policy import shipped
from ledger.policy.judge import judge
from ledger.policy.question import Candidate, Decision, Question
from ledger.terms import MARKETING_PURPOSES, OWN
from tests.ledger.policy.story import ANNA, DOUBLE, HOME, WORK

LAWS = ("AT", "AU", "BE", "CA", "DE", "ES", "FR", "GB", "IE", "IT", "NL", "PL", "US", "XX")
START = datetime(2020, 9, 1, 12, tzinfo=UTC)
STEP = timedelta(days=73)
STEPS = 29  # until the middle of 2026: every rule but those of transition is in force, Poland's repeal is crossed
LAST = START + STEPS * STEP


def moment(step: int) -> datetime:
    """A point of a coarse grid, so that ties and windows are met often."""
    return START + step * STEP


steps = st.integers(0, STEPS - 2)
early = st.one_of(st.integers(0, STEPS // 2), steps)
often = st.sampled_from((True,) * 10 + (None, False))
addresses = st.sampled_from((None,) * 8 + (HOME, WORK))
scopes = st.sampled_from((("marketing.*",), ("marketing.*",), ("*",), ("marketing.similar",), ("marketing.other",)))
reaches = st.sampled_from((("*",), ("*",), ("email",), ("sms",), ("email", "sms")))
kinds = st.sampled_from(("purchase", "purchase", "subscription", "subscription", "free_account_service", "unknown"))
who = st.sampled_from(("data_subject",) * 12 + ("guardian", "system", "third_party", "unknown"))


@st.composite
def times(draw: st.DrawFn) -> dict[str, Any]:
    """When it happened, and when the ledger and the source knew."""
    start = moment(draw(early))
    end = start + STEP / 2 if draw(st.integers(0, 7)) == 0 else None
    lag = draw(st.sampled_from((0,) * 9 + (3,)))
    held = draw(st.sampled_from((None, None, None, "form_record", "spreadsheet"))) if lag else None
    return {
        "stream": ANNA,
        "source": "test",
        "occurred_from": start,
        "occurred_to": end,
        "precision": "exact" if end is None else "period",
        "recorded_at": (end or start) + lag * STEP,
        "captured_by": held,
        "captured_at": (end or start) if held else None,
    }


@st.composite
def grants(draw: st.DrawFn) -> e.Event:
    """An opt-in, mostly a good one."""
    flaw = draw(st.sampled_from((None,) * 12 + ("act", "informed", "specific", "proof", "to")))
    fields: dict[str, Any] = {
        "by": draw(who),
        "act": "pre_ticked" if flaw == "act" else "unticked_box",
        "purposes": draw(st.sampled_from((("marketing.*",), ("marketing.*",), ("marketing.similar",)))),
        "channels": draw(st.sampled_from((("email",), ("email", "sms"), ("*",)))),
        "to": ("partners_unnamed",) if flaw == "to" else (OWN,),
        "informed": flaw != "informed",
        "specific": None if flaw == "specific" else True,
        "proof": "declared" if flaw == "proof" else "individual",
        "address_verified": draw(st.sampled_from((True, True, True, None, False))),
    }
    return e.OptedIn(**draw(times()), address=draw(addresses), **fields)


@st.composite
def sales(draw: st.DrawFn) -> e.Event:
    """A sale or an enquiry, mostly one that fulfils every condition of the soft opt-in."""
    flaw = draw(st.sampled_from((None,) * 9 + ("refusal_offered", "collected_from_person", "refused", "seller")))
    fields: dict[str, Any] = {
        "refusal_offered": True,
        "collected_from_person": True,
        "refused": False,
        "seller": OWN,
    }
    if flaw is not None:
        fields[flaw] = None
    fields |= draw(times()) | {"by": draw(who), "address": draw(addresses)}
    if draw(st.integers(0, 5)) == 0:
        return e.Enquired(**fields)
    return e.ContractStarted(**fields, kind=draw(kinds), messages_exchanged=True)


@st.composite
def relations(draw: st.DrawFn) -> e.Event:
    """Support, a published address, an ending, a confirmation."""
    common = draw(times()) | {"by": draw(who), "address": draw(addresses)}
    match draw(st.integers(0, 3)):
        case 0:
            return e.ContractEnded(**common, kind=draw(kinds))
        case 1:
            yes: dict[str, Any] = {"refusal_offered": True, "refused": False, "collected_directly": True}
            return e.Donated(**common, **yes, charity=draw(often))
        case 2:
            return e.AddressPublished(**common, no_ads_statement=not draw(often), role_relevant="proved")
        case _:
            return e.DoubleOptInConfirmed(**common, verifies_channel="email")


@st.composite
def stops(draw: st.DrawFn) -> e.Event:
    """Any stop, of any scope, of known or unknown time."""
    cls = draw(st.sampled_from((e.OptedOut, e.Objected, e.OptOutObstructed, e.Complained, e.ErasureRequested)))
    fields = draw(times())
    if draw(st.integers(0, 9)) == 0:
        fields |= {"occurred_from": None, "occurred_to": None, "precision": "unknown"}
    scope: dict[str, Any] = {
        "purposes": draw(scopes),
        "channels": draw(reaches),
        "address_only": draw(st.booleans()),
    }
    return cls(**fields, by=draw(who), address=draw(addresses), **scope)


@st.composite
def descriptions(draw: st.DrawFn) -> e.Event:
    """What was said of the recipient, once."""
    return e.RecipientDescribed(
        **draw(times()),
        address=draw(addresses),
        professional=draw(often),
        corporate_subscriber=draw(st.sampled_from((None, True, False))),
        role_relevant=draw(st.sampled_from((None, "proved", "claimed"))),
        informed_of_objection=draw(often),
        minor=draw(st.sampled_from((None,) * 7 + (True,))),
    )


@st.composite
def uses(draw: st.DrawFn) -> e.Event:
    """Sendings, clicks, forms, bounces: what may prolong or void."""
    common = draw(times()) | {"by": draw(who), "address": draw(addresses)}
    match draw(st.integers(0, 3)):
        case 0:
            return e.EmailSent(**common, purpose=draw(st.sampled_from(("marketing.similar", "service.invoice", None))))
        case 1:
            return e.Clicked(**common)
        case 2:
            return e.FormSubmitted(**common)
        case _:
            return e.Bounced(**common, kind=draw(st.sampled_from(("soft", "hard", "cleared"))))


@st.composite
def noises(draw: st.DrawFn) -> e.Event:
    """What grants nothing by itself, whoever says it."""
    common = draw(times()) | {"by": draw(who), "address": draw(addresses)}
    match draw(st.integers(0, 7)):
        case 0:
            return e.ImportFinished(**common, rows=1, proof="vendor_warranty")
        case 1:
            return e.MarketingStatusObserved(**common, marketing=True)
        case 2:
            return e.Opened(**common)
        case 3:
            return e.BasisClaimed(**common, claims=draw(st.sampled_from((("consent",), ("interest_customer",), ()))))
        case 4:
            return e.ReviewDecided(**common, outcome=draw(st.sampled_from(("stop", "hold", "attach_evidence"))))
        case 5:
            return e.SystemMigrated(**common)
        case 6:
            return e.OptOutShown(**common, opted_out=False)
        case _:
            return e.LetterSent(**common, purpose="marketing.similar")


@st.composite
def marks(draw: st.DrawFn) -> e.Event:
    """What else another record may bring into a merge: descriptions, reviews, corrections of its own."""
    common = draw(times()) | {"by": "officer"}
    match draw(st.integers(0, 2)):
        case 0:
            return draw(descriptions())
        case 1:
            return e.ReviewDecided(**common, outcome=draw(st.sampled_from(("release_hold", "attach_evidence"))))
        case _:
            return e.Corrected(**common, undoes=draw(st.integers(1, 4)))


History = list[e.Event]
_rest = (
    st.lists(relations(), max_size=2),
    st.lists(uses(), max_size=2),
    st.lists(stops(), max_size=1),
    st.lists(descriptions(), max_size=1),
    st.lists(noises(), max_size=1),
)


def _joined(*parts: History) -> History:
    return [event for part in parts for event in part]


histories: st.SearchStrategy[History] = st.one_of(
    st.builds(_joined, st.lists(grants(), min_size=1, max_size=3), *_rest),
    st.builds(_joined, st.lists(sales(), min_size=1, max_size=3), *_rest),
    st.builds(_joined, st.lists(sales(), max_size=2), st.lists(grants(), max_size=2), *_rest),
)


class Asked(NamedTuple):
    """A question without its moment of knowledge."""

    at: datetime
    law: tuple[str, ...]
    purpose: str
    channel: str
    address: str | None

    def question(self) -> Question:
        """In the ledger's terms."""
        return Question(
            purpose=self.purpose,
            channel=self.channel,
            at=self.at,
            address=self.address,
            jurisdictions=tuple(Candidate(code) for code in self.law),
        )


one_law = st.sampled_from(LAWS).map(lambda law: (law,))
laws = st.one_of(one_law, one_law, st.lists(st.sampled_from(LAWS), min_size=2, max_size=2, unique=True).map(tuple))
purposes = st.sampled_from(
    ("marketing.similar",) * 12 + MARKETING_PURPOSES + ("service.invoice", "service.reply", "service.doi_confirmation")
)
questions: st.SearchStrategy[Asked] = st.builds(
    lambda step, hours, *rest: Asked(moment(step) + timedelta(hours=hours), *rest),
    st.integers(STEPS // 3, STEPS),
    st.sampled_from((0, 0, 1, -1)),
    laws,
    purposes,
    st.sampled_from(("email",) * 5 + ("sms",)),
    st.sampled_from((None,) * 6 + (HOME,)),
)


def folds(history: Sequence[e.Event], in_order_given: bool = False) -> tuple[Contact, ...]:
    """The group of Anna: in the order of recording, or in the order given."""
    events = list(history)
    if not in_order_given:
        events.sort(key=lambda event: event.recorded_at or START)
    streams: dict[str, list[Entry]] = {ANNA: []}
    for position, event in enumerate(events, 1):
        held = streams.setdefault(event.stream, [])
        held.append(Entry(position, len(held) + 1, event))
    anna = fold(ANNA, streams[ANNA])
    return (anna, *(fold(other, streams.get(other, [])) for other in sorted(anna.linked)))


def ask(history: Sequence[e.Event], asked: Asked, in_order_given: bool = False) -> Decision:
    """Put the question to the shipped rules."""
    return judge(folds(history, in_order_given), asked.question(), shipped.policy(), Catalogue())


others: st.SearchStrategy[History] = st.one_of(histories, st.lists(marks(), min_size=1, max_size=3))


def merged_with(history: Sequence[e.Event], at: datetime) -> list[e.Event]:
    """The history as another record's, and the merge that joins it."""
    theirs = [msgspec.structs.replace(event, stream=DOUBLE) for event in history]
    link = e.ContactsLinked(stream=ANNA, source="test", occurred_from=at, recorded_at=at, by="system", other=DOUBLE)
    return [*theirs, link]
