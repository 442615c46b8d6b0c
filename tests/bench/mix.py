"""The history the benches run on: five entries a contact, the shapes a CRM's past really has.

Made once from a seed and kept under build/bench/, appended through the log's own door.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger import events as e
from ledger.codec import encode, topic_of
from ledger.database import uuid_text
from ledger.log import Draft, Log
from ledger.terms import LEDGER_STREAM

CACHE = Path(__file__).resolve().parents[2] / "build" / "bench"
PER_CONTACT = 5
BATCH = 20_000
FIRST = datetime(2023, 1, 1, tzinfo=UTC)
LAST = datetime(2026, 10, 1, tzinfo=UTC)
DECLARED = {"DE": 40, "AT": 10, "FR": 14, "GB": 10, "CA": 8, "US": 10, "IT": 8}
PURPOSES = ("marketing.similar", "marketing.other", "marketing.survey", "marketing.third_party")


def kept_log(events: int) -> Path:
    """The path of a log of about so many entries; made when it is not there yet."""
    path = CACHE / f"mix-{events}.db"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        building = path.with_suffix(".building")
        for left in CACHE.glob(f"{building.name}*"):
            left.unlink()
        _build(building, events)
        building.replace(path)
    return path


def _build(path: Path, events: int) -> None:
    """Append in batches under a clock that walks from FIRST to LAST: as if it had all come in live."""
    moments = iter(FIRST + (LAST - FIRST) * (n / max(1, events // BATCH)) for n in range(events // BATCH + 3))
    with Log.make(path, lambda: next(moments)) as log:
        controller = e.ControllerDescribed(stream=LEDGER_STREAM, source="bench", country="DE")
        log.append([_draft(controller)])
        batch: list[Draft] = []
        for event in history(events // PER_CONTACT):
            batch.append(_draft(event))
            if len(batch) == BATCH:
                log.append(batch)
                batch = []
        log.append(batch)


def _draft(event: e.Event) -> Draft:
    return Draft(event.stream, topic_of(event), encode(event))


def history(contacts: int, seed: int = 20261123) -> Iterator[e.Event]:
    """Every entry of so many contacts, a few hundred contacts woven into each other."""
    dice = random.Random(seed)
    woven = 500
    for start in range(0, contacts, woven):
        began = FIRST + (LAST - FIRST) * (start / contacts)
        people = [_person(dice, began) for _ in range(min(woven, contacts - start))]
        for step in range(PER_CONTACT):
            for person in people:
                yield person[step]


def _person(dice: random.Random, began: datetime) -> list[e.Event]:
    contact, address = (uuid_text(dice.randbytes(16)) for _ in range(2))
    days = iter(sorted(dice.uniform(-700, 0) for _ in range(PER_CONTACT)))

    def when() -> datetime:
        return (began + timedelta(days=next(days))).replace(microsecond=0)

    about: dict[str, Any] = {"stream": contact, "address": address, "source": "crm.export"}
    linked = e.AddressLinked(stream=contact, address=address, source="ledger", occurred_from=when(), by="system")
    country = e.CountryEvidenced(stream=contact, source="crm.export", occurred_from=when(), hints=(_hint(dice),))
    kind = dice.random()
    if kind < 0.6:
        rest = _subscriber(dice, about, when)
    elif kind < 0.85:
        rest = _customer(dice, about, when)
    else:
        rest = _imported(dice, about, when)
    return [linked, country, *rest]


def _hint(dice: random.Random) -> e.CountryHint:
    if dice.random() < 0.1:
        return e.CountryHint(dice.choice(("DE", "FR", "US")), "ip")
    return e.CountryHint(dice.choices(list(DECLARED), list(DECLARED.values()))[0], "declared")


def _subscriber(dice: random.Random, about: dict[str, Any], when: object) -> list[e.Event]:
    assert callable(when)
    said_yes = e.OptedIn(
        **about,
        occurred_from=when(),
        by="data_subject",
        act=dice.choice(("unticked_box", "unticked_box", "signup", "pre_ticked", "unknown")),
        purposes=PURPOSES,
        channels=("email",),
        to=("own",),
        informed=True,
        specific=dice.choice((True, True, None)),
        proof=dice.choice(("individual", "individual", "none")),
        form="f-1",
        form_version="v3",
    )
    confirmed = e.DoubleOptInConfirmed(**about, occurred_from=when(), by="data_subject")
    third: e.Event = e.OptedOut(**about, occurred_from=when(), by="data_subject", via="rfc8058")
    if dice.random() < 0.65:
        third = e.Clicked(**about, occurred_from=third.occurred_from, message="m-7", by="data_subject")
    return [said_yes, confirmed, third]


def _customer(dice: random.Random, about: dict[str, Any], when: object) -> list[e.Event]:
    assert callable(when)
    bought = e.ContractStarted(
        **about,
        occurred_from=when(),
        kind=dice.choice(("purchase", "subscription", "account", "unknown")),
        seller="own",
        refusal_offered=dice.choice((True, True, None, False)),
        refused=dice.choice((False, False, None)),
        collected_from_person=dice.choice((True, True, None)),
    )
    sent = e.EmailSent(**about, occurred_from=when(), purpose="marketing.similar", message="m-3")
    flag = e.MarketingStatusObserved(**about, occurred_from=when(), marketing=True, lifecycle="customer")
    return [bought, sent, flag]


def _imported(dice: random.Random, about: dict[str, Any], when: object) -> list[e.Event]:
    assert callable(when)
    flag = e.MarketingStatusObserved(**about, occurred_from=when(), marketing=dice.random() < 0.8, lifecycle="lead")
    claim = e.BasisClaimed(**about, occurred_from=when(), claims=dice.choice((("consent",), ("interest_other",), ())))
    sent = e.EmailSent(**about, occurred_from=when(), message="m-1")
    return [flag, claim, sent]
