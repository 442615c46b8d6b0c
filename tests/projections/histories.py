"""Random histories for the laws of the status: what any source may send, in any order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ledger import events as e
from ledger.codec import encode, topic_of
from ledger.database import Location
from ledger.log import Draft, Log
from ledger.policy.rules import Policy
from ledger.policy.shipped import policy
from ledger.terms import LEDGER_STREAM
from projections.binding import Binding
from projections.tracking import Source

START = datetime(2024, 3, 1, 12, tzinfo=UTC)


def contact(number: int) -> str:
    return str(UUID(int=0xC0 << 120 | number))


def address(number: int) -> str:
    return str(UUID(int=0xA0 << 120 | number))


def policies() -> dict[str | None, Policy]:
    """The shipped rule set, which also holds when none was adopted, and the same with one rule less."""
    whole = policy()
    less = whole.without("EU-EPD-13-1" if "EU-EPD-13-1" in whole.rules else next(iter(whole.rules)))
    return {None: whole, whole.hash: whole, less.hash: less}


POLICIES = policies()
BINDING = Binding(Source("00000000-0000-4000-8000-0000000000aa", "1"), b"a key of tests only".ljust(32))


def draft(event: e.Event) -> Draft:
    return Draft(event.stream, topic_of(event), encode(event))


class Clock:
    """Moves a little at every look, now and then by months."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(hours=self._dice.choice((1, 5, 24, 24 * 90)))
        return self.now


def open_log(location: Location, seed: int = 0) -> Log:
    return Log.make(location, Clock(seed), poll_seconds=0.01)


def history(seed: int, length: int, people: int = 5) -> list[e.Event]:
    """So many events of a few people who keep being linked, stopped, corrected and judged anew."""
    dice = random.Random(seed)
    return [_event(dice, position, people) for position in range(1, length + 1)]


def batches(seed: int, events: list[e.Event]) -> Iterator[list[Draft]]:
    """The events as they may arrive: in runs of any length."""
    dice = random.Random(seed)
    start = 0
    while start < len(events):
        size = dice.choice((1, 1, 2, 5, 12))
        yield [draft(event) for event in events[start : start + size]]
        start += size


def _event(dice: random.Random, position: int, people: int) -> e.Event:
    who = dice.randrange(people)
    when = START + timedelta(days=dice.randrange(-900, 60))
    chance = dice.random()
    if chance < 0.05:
        return _ledger_wide(dice)
    if chance < 0.17:
        kind = dice.choice((e.ContactsLinked, e.ContactsLinked, e.ContactsUnlinked))
        return kind(stream=contact(who), source="t", other=contact((who + dice.randrange(1, people)) % people))
    if chance < 0.2:
        return _stop_link(dice, who, people)
    about: dict[str, Any] = {
        "stream": contact(who),
        "source": "t",
        "address": dice.choice((address(who), address(who), address(who + 10), None)),
        "by": dice.choice(("data_subject", "data_subject", "unknown")),
        "record": None,
    }
    dated: dict[str, Any] = {} if dice.random() < 0.1 else {"occurred_from": when}
    if chance < 0.25:
        return e.Corrected(stream=contact(who), source="t", undoes=dice.randrange(1, position + 1))
    if chance < 0.26:
        return e.ErasureCompleted(stream=contact(who), source="t", by="system")
    return _fact(dice, {**about, **dated})


def _stop_link(dice: random.Random, who: int, people: int) -> e.Event:
    """Contacts that met in a record and an address, or addresses that are written alike, also on one contact."""
    kind = dice.choice((e.StopsLinked, e.StopsLinked, e.StopsUnlinked))
    other = (who + dice.randrange(people)) % people
    mine, theirs = address(who), address(other + 10)
    ends: dict[str, Any] = (
        {"record": theirs, "address": mine} if dice.random() < 0.5 else {"address": mine, "alike": theirs}
    )
    return kind(stream=contact(who), source="t", other=contact(other), by="system", **ends)


def _ledger_wide(dice: random.Random) -> e.Event:
    about: dict[str, Any] = {"stream": LEDGER_STREAM, "source": "t"}
    return dice.choice(
        (
            e.PolicyAdopted(**about, policy=dice.choice([key for key in POLICIES if key])),
            e.ControllerDescribed(**about, country=dice.choice(("DE", "FR", None)), assumed_country="DE"),
            e.ImportFinished(**about, rows=3),
        )
    )


def _fact(dice: random.Random, about: dict[str, Any]) -> e.Event:
    yes = dice.choice((True, True, None, False))
    scope = dice.choice((("marketing.*",), ("marketing.similar", "marketing.other"), ()))
    made = dice.choice(
        (
            lambda: e.OptedIn(
                **about,
                act=dice.choice(("unticked_box", "pre_ticked")),
                purposes=scope,
                channels=("email",),
                to=("own",),
                informed=True,
                specific=yes,
                proof="individual",
                address_verified=yes,
            ),
            lambda: e.DoubleOptInConfirmed(**about),
            lambda: e.OptedOut(**about, address_only=dice.random() < 0.3),
            lambda: e.Objected(**about, purposes=("marketing.other",)),
            lambda: e.Complained(**about),
            lambda: e.ContractStarted(
                **about,
                kind=dice.choice(("purchase", "subscription", "unknown")),
                seller="own",
                refusal_offered=yes,
                refused=False,
                collected_from_person=True,
            ),
            lambda: e.ContractEnded(**about, kind="subscription"),
            lambda: e.Enquired(**about, seller="own"),
            lambda: e.Donated(**about, charity=True, refusal_offered=yes),
            lambda: e.EmailSent(**about, purpose=dice.choice(("marketing.similar", None))),
            lambda: e.Clicked(**about),
            lambda: e.FormSubmitted(**about),
            lambda: e.Bounced(**about, kind=dice.choice(("hard", "soft", "cleared"))),
            lambda: e.BasisClaimed(**about, claims=dice.choice((("consent",), ("contract",), ()))),
            lambda: e.MarketingStatusObserved(**about, marketing=yes),
            lambda: e.RecipientDescribed(**about, professional=yes, age=dice.choice((None, 12, 40))),
            lambda: e.ReviewDecided(**about, outcome=dice.choice(("stop", "hold", "release_hold"))),
            lambda: e.AddressLinked(**about),
            lambda: e.AddressUnlinked(**about),
            lambda: e.CountryEvidenced(
                **about,
                hints=(e.CountryHint(dice.choice(("DE", "FR", "CA", "US")), dice.choice(("declared", "ip"))),),
            ),
        )
    )
    return made()
