"""What `judge` shares between cells and moments changes no answer: asked alone and afresh, it says the same."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, fold
from ledger.policy.judge import Bench, judge, segments
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Question
from ledger.policy.shipped import policy
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from projections.cells import cells_of
from tests.projections.histories import START, address, history

PURPOSES = (*MARKETING_PURPOSES, "service.invoice", "service.doi", "marketing.unheard_of", "other")


def folds(seed: int) -> list[Contact]:
    streams: dict[str, list[Entry]] = {}
    for position, event in enumerate(history(seed, 120, people=6), start=1):
        recorded = msgspec.structs.replace(event, recorded_at=START + timedelta(days=position))
        entries = streams.setdefault(event.stream, [])
        entries.append(Entry(position, len(entries) + 1, recorded))
    return [fold(stream, entries) for stream, entries in streams.items() if stream != LEDGER_STREAM]


@pytest.mark.parametrize("seed", range(10))
def test_segments_are_what_a_fresh_bench_answers_at_every_moment(seed: int) -> None:
    """Also before the last fact, where nothing is shared, and for cells asked in any order."""
    dice = random.Random(seed)
    contacts = folds(seed)
    for owner in contacts:
        group = [owner, *dice.sample([c for c in contacts if c is not owner], dice.choice((0, 0, 1)))]
        shared = Bench(group, policy())
        described = Catalogue(controller=Entry(1, 1, e.ControllerDescribed(stream="", source="t", country="DE")))
        laws = candidates(shared.dossier.country_entries(), dice.choice((Catalogue(), described)))
        since = START + timedelta(days=dice.choice((-400, -20, 200)))
        for purpose in dice.sample(PURPOSES, len(PURPOSES)):
            where = dice.choice(
                (address(0), address(1), None, owner.addresses[0].event.address if owner.addresses else None)
            )
            question = Question(purpose=purpose, channel="email", at=since, address=where, jurisdictions=laws)
            found = segments(shared, question, since)
            moments = [since + timedelta(days=dice.uniform(0, 1_500)) for _ in range(4)]
            for at in [*moments, *(segment.start for segment in found)]:
                held = [segment for segment in found if segment.start <= at][-1].decision
                asked = msgspec.structs.replace(question, at=at)
                afresh, _ = Bench(group, policy()).decide(asked)
                assert afresh.same_answer(held), (purpose, at)
                assert judge(group, asked, policy()).changes_at == held.changes_at


def test_cells_are_named_by_facts_and_by_addresses() -> None:
    """The rule in `cells_of`: a family names nothing more, a stop names nothing, an address always has one."""
    about: dict[str, Any] = {"stream": "c", "source": "t"}
    events = (
        e.AddressLinked(**about, address="a1"),
        e.OptedIn(**about, address="a2", purposes=("marketing.*", "marketing.other"), channels=("email", "sms")),
        e.ContractStarted(**about),
        e.OptedOut(**about, purposes=("marketing.political",)),
    )
    person = fold("c", [Entry(n, n, event) for n, event in enumerate(events, start=1)])
    assert cells_of(person) == [
        ("marketing.other", "email", "a2"),
        ("marketing.other", "sms", "a2"),
        ("marketing.similar", "email", "a1"),
        ("marketing.similar", "email", "a2"),
        ("marketing.similar", "sms", "a2"),
        ("service.invoice", "email", "a1"),
        ("service.invoice", "email", "a2"),
    ]
    assert cells_of(fold("c", [])) == [("marketing.similar", "email", "")]
