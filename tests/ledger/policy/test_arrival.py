"""Order of arrival and merging, case by case: each of these once turned a no into a yes, or could."""

from __future__ import annotations

from itertools import permutations

import pytest

from ledger import events as e
from tests.ledger.policy.story import (
    DOUBLE,
    bought,
    given,
    happened,
    moved,
    opted_in,
    opted_out,
)

CONSENT = opted_in("2023-01-10")
MERGE = happened(e.ContactsLinked, "2023-06-01", by="system", other=DOUBLE)
COMPANY = happened(e.RecipientDescribed, "2023-02-01", professional=True, corporate_subscriber=True)
UNCONFIRMED = opted_in("2023-01-10", address_verified=None)


def confirmed(at: str) -> e.Event:
    return happened(e.DoubleOptInConfirmed, at, verifies_channel="email")


def bounced(at: str) -> e.Event:
    return happened(e.Bounced, at, by="system", kind="hard")


ARRIVALS = {
    "endings of a subscription": (
        (
            bought("2015-01-01", kind="subscription"),
            happened(e.ContractEnded, "2016-01-01", kind="subscription"),
            happened(e.ContractEnded, "2020-01-01", kind="subscription"),
        ),
        ("2021-01-01", "CA", "marketing.similar"),
        False,
    ),
    "confirmations of one opt-in": (
        (UNCONFIRMED, confirmed("2023-02-01"), confirmed("2023-05-01")),
        ("2023-03-01", "DE", "marketing.similar"),
        True,
    ),
    "bounces before and after an opt-in": (
        (
            opted_in("2016-01-01"),
            bounced("2015-01-01"),
            bounced("2018-01-01"),
            happened(e.Clicked, "2020-01-01"),
        ),
        ("2021-01-01", "GB", "marketing.similar"),
        False,
    ),
    "descriptions of the recipient": (
        (COMPANY, happened(e.RecipientDescribed, "2023-03-01", corporate_subscriber=False)),
        ("2023-07-01", "GB", "marketing.other"),
        False,
    ),
}


@pytest.mark.parametrize("name", ARRIVALS)
def test_the_order_of_arrival_changes_nothing(name: str) -> None:
    """What happened counts, not which file was read first."""
    events, (at, law, purpose), allowed = ARRIVALS[name]
    for arrived in permutations(events):
        assert given(*arrived).asked(at, law, purpose=purpose).allowed == allowed


BROUGHT = {
    "a description": ((), COMPANY, "marketing.other"),
    "the release of a hold": (
        (CONSENT, happened(e.ReviewDecided, "2023-03-01", outcome="hold")),
        happened(e.ReviewDecided, "2023-04-01", outcome="release_hold"),
        "marketing.similar",
    ),
    "a correction": (
        (CONSENT, opted_out("2023-03-01")),
        happened(e.Corrected, "2023-05-01", by="officer", undoes=2),
        "marketing.similar",
    ),
    "a minor, with a guardian's opt-in here": (
        (moved(CONSENT, by="guardian"),),
        happened(e.RecipientDescribed, "2023-02-01", minor=True),
        "marketing.similar",
    ),
    "an age, with a guardian's opt-in here": (
        (moved(CONSENT, by="guardian"), happened(e.RecipientDescribed, "2023-02-01", age=30)),
        happened(e.RecipientDescribed, "2023-02-01", age=12),
        "marketing.similar",
    ),
    "a confirmation": ((UNCONFIRMED,), confirmed("2023-02-01"), "marketing.similar"),
    "a purchase": ((), bought("2023-02-01"), "marketing.similar"),
}


@pytest.mark.parametrize("name", BROUGHT)
@pytest.mark.parametrize("law", ["GB", "DE"])
def test_what_a_merged_record_brings_grants_nothing(name: str, law: str) -> None:
    """P14: it may forbid, never allow."""
    mine, theirs, purpose = BROUGHT[name]
    there = moved(theirs, stream=DOUBLE)
    apart = given(*mine, there).asked("2023-07-01", law, purpose=purpose).allowed
    merged = given(*mine, there, MERGE).asked("2023-07-01", law, purpose=purpose).allowed
    assert not merged or apart


def test_a_merged_record_may_tell_that_the_person_is_a_minor() -> None:
    """P14, P17: what forbids is taken from every record."""
    child = happened(e.RecipientDescribed, "2023-02-01", stream=DOUBLE, minor=True)
    assert given(CONSENT, child).asked("2023-07-01").allowed
    assert given(CONSENT, child, MERGE).asked("2023-07-01").reason == "minor"
