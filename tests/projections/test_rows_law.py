"""Each stored row is the answer of its own cell, whatever the cells beside it are and whatever is yet to come."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.codec import instant
from ledger.contact import Contact, Entry, fold
from ledger.database import uuid_bytes
from ledger.policy.judge import Bench, segments
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Question
from projections.cells import cells_of
from projections.groups import Kin
from projections.status import Row, Setting, pack, rows_of
from tests.projections.histories import POLICIES, START, address, contact, history

SETTING = Setting(POLICIES[None], Catalogue())
DAYS = timedelta(days=1)


def _ahead(dice: random.Random, who: str) -> e.Event:
    """A contract, a membership or an ending agreed for a day up to two years ahead; a kind of its own now and then."""
    about: dict[str, Any] = {
        "stream": who,
        "source": "t",
        "address": dice.choice((None, address(0), address(10))),
        "occurred_from": START + dice.randrange(1, 730) * DAYS,
        "by": "data_subject",
    }
    kind = dice.choice(("subscription", "purchase", "free_account_service"))
    sold: dict[str, Any] = {"seller": "own", "refusal_offered": True, "refused": False, "collected_from_person": True}
    return dice.choice(
        (
            e.ContractStarted(**about, kind=kind, **sold),
            e.ContractEnded(**about, kind=kind),
            e.Donated(**about, kind="membership", charity=True, refusal_offered=True, collected_directly=True),
        )
    )


def _opted_in(dice: random.Random, who: str) -> e.Event:
    purposes = dice.sample(("marketing.similar", "marketing.other", "marketing.survey", "marketing.third_party"), 3)
    return e.OptedIn(
        stream=who,
        source="t",
        address=dice.choice((address(0), address(10))),
        occurred_from=START - dice.randrange(30, 500) * DAYS,
        by="data_subject",
        act="unticked_box",
        purposes=tuple(purposes),
        channels=("email",),
        to=("own",),
        informed=True,
        specific=True,
        proof="individual",
        address_verified=True,
    )


def person(seed: int) -> Contact:
    """A random history of one contact, recorded by and by, with opt-ins of many purposes and facts ahead."""
    dice = random.Random(seed)
    who = contact(0)
    events = [n for n in history(seed, 60, people=2) if n.stream == who and not isinstance(n, e.ContactsLinked)]
    events += [_opted_in(dice, who) for _ in range(dice.choice((1, 2)))]
    events += [_ahead(dice, who) for _ in range(dice.choice((0, 1, 1, 2)))]
    dice.shuffle(events)
    stored = [msgspec.structs.replace(n, recorded_at=START + place * DAYS / 100) for place, n in enumerate(events)]
    return fold(who, [Entry(n, n, event) for n, event in enumerate(stored, 1)])


def judged_alone(owner: Contact) -> list[Row]:
    """Every cell by a bench of its own."""
    rows: list[Row] = []
    for purpose, channel, where in cells_of(Bench([owner], SETTING.policy).dossier.owner):
        bench = Bench([owner], SETTING.policy, SETTING.catalogue)
        laws = candidates(bench.dossier.country_entries(), SETTING.catalogue)
        since = owner.recorded_at
        question = Question(purpose=purpose, channel=channel, at=since, address=where or None, jurisdictions=laws)
        found = segments(bench, question, since)
        after = instant(found[1].start) if len(found) > 1 else None
        key = (uuid_bytes(owner.contact), purpose, channel, uuid_bytes(where) if where else b"")
        rows.append((*key, pack(found), after, owner.position))
    return rows


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_every_row_is_a_fresh_judgement_of_its_own_cell(seed: int) -> None:
    """Also where a contract is yet to begin: then no two cells share their segments."""
    owner = person(seed)
    assert rows_of(Kin((owner,), owner), SETTING) == judged_alone(owner)


def test_the_histories_hold_facts_ahead_and_cells_that_change() -> None:
    """Or the property would hold of nothing: many people of many cells, and answers of both kinds."""
    people = [person(seed) for seed in range(40)]
    rows = [rows_of(Kin((owner,), owner), SETTING) for owner in people]
    assert sum(len(found) > 4 for found in rows) > 20
    assert sum(any(row[5] for row in found) for found in rows) > 10
    assert len({row[4] for found in rows for row in found}) > 60
