"""Laws of rows: in whatever order the rows of a record are taken in, the answer is the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapters.hubspot.facts import Person
from adapters.hubspot.rows import Row
from adapters.seen import news_of, seen_of
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, extend
from ledger.policy.shipped import policy
from projections.audit import Auditor, Record
from projections.verdicts import Verdict
from tests.adapters.test_hubspot_facts import PERSON, row
from tests.projections.test_verdicts import OPT_IN, SENDER

START = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
WHO = Person(PERSON.contact, PERSON.address, PERSON.record)
Shown = tuple[datetime, Row]

_flags = st.sampled_from((None, False, True))
_claims = st.sampled_from((None, (), ("consent",), ("contract",), ("interest_prospect",)))
_rows = st.fixed_dictionaries(
    {
        "marketing": st.sampled_from((None, True, True, False)),
        "opted_out": _flags,
        "opted_out_of": st.sampled_from(((), (), ("News",), ("News", "Events"))),
        "legal_basis": _claims,
        "double_opt_in": st.sampled_from((None, (), ("confirmation",))),
        "quarantined": _flags,
        "hard_bounce": st.sampled_from((None, None, "unknown_user")),
        "hints": st.sampled_from(
            ((), (e.CountryHint(country="DE", kind="declared"),), (e.CountryHint(country="FR", kind="declared"),))
        ),
    }
).map(lambda said: row(**said))
_shown = st.lists(st.integers(0, 20), min_size=1, max_size=5, unique=True).flatmap(
    lambda months: st.tuples(*(st.tuples(st.just(START + timedelta(days=30 * month)), _rows) for month in months))
)
_opt_ins = st.lists(st.integers(0, 22).map(lambda month: START + timedelta(days=30 * month + 15)), max_size=2)


def _opted_in(at: datetime) -> e.Event:
    about: dict[str, Any] = {"stream": WHO.contact, "address": WHO.address, "record": None, "recorded_at": NOW}
    return msgspec.structs.replace(OPT_IN, **about, occurred_from=at, captured_at=at, captured_by="form_record")


def taken(shown: Sequence[Shown], opt_ins: Sequence[datetime]) -> Contact:
    """The fold of a person of whom these rows were taken in, one after the other, and opt-ins among them."""
    contact, known = Contact(WHO.contact), set[str]()
    steps: list[Shown | datetime] = [*opt_ins[:1], *shown, *opt_ins[1:]]
    position = 0
    for step in steps:
        if isinstance(step, datetime):
            news = [_opted_in(step)]
        else:
            at, what = step
            said = {key: event for event, key in news_of(what, WHO, at, seen_of(contact, WHO.record, at))}
            news = [event for key, event in said.items() if key not in known]
            known |= said.keys()
        entries = []
        for event in news:
            position += 1
            entries.append(Entry(position, position, msgspec.structs.replace(event, recorded_at=NOW)))
        contact = extend(contact, entries)
    return contact


def audited(contact: Contact) -> Verdict:
    """By a German sender."""
    record = Record(WHO.contact, WHO.record, WHO.address, "7", "ada@example.com", created=START.date())
    verdict = Auditor(policy(), Catalogue(controller=Entry(1, 1, SENDER)), NOW).verdict([contact], record)
    return msgspec.structs.replace(verdict, reference="")


@given(_shown, _opt_ins, st.randoms())
def test_the_order_of_rows_changes_no_answer(shown: Sequence[Shown], opt_ins: list[datetime], dice: Random) -> None:
    """Each counts from its own date."""
    expected = audited(taken(sorted(shown, key=lambda one: one[0]), opt_ins))
    assert audited(taken(dice.sample(shown, len(shown)), opt_ins)) == expected


@given(_shown, _opt_ins)
def test_one_more_row_that_shows_a_stop_never_allows(shown: Sequence[Shown], opt_ins: list[datetime]) -> None:
    """In any place among the others; and what the newest alone refuses, all together refuse."""
    for place, (_, what) in enumerate(shown):
        if what.opted_out or what.opted_out_of:
            fewer = audited(taken([*shown[:place], *shown[place + 1 :]], opt_ins))
            alone = audited(taken([shown[place]], opt_ins))
            whole = audited(taken(shown, opt_ins))
            assert whole.allowed <= fewer.allowed
            assert whole.allowed <= alone.allowed


@given(_shown, _opt_ins)
def test_the_same_rows_again_record_nothing(shown: Sequence[Shown], opt_ins: list[datetime]) -> None:
    """As files that are imported twice."""
    rows = sorted(shown, key=lambda one: one[0])
    assert taken([*rows, *rows], opt_ins) == taken(rows, opt_ins)
