"""A confirmation that nobody can have made: it counts as none, whichever door it came by."""

from __future__ import annotations

import pytest

from ledger import events as e
from tests.ledger.policy.histories import Asked, ask
from tests.ledger.policy.story import day, happened, opted_in

SIGNED_UP = "2025-05-10T09:00:00"


def allowed(confirmed: str, *others: e.Event, precision: str = "exact", **fields: object) -> bool:
    """Whether Germany allows it, with this confirmation of an opt-in whose address is verified by nothing else."""
    history = [
        opted_in(SIGNED_UP, address_verified=None),
        *others,
        happened(e.DoubleOptInConfirmed, confirmed, verifies_channel="email", precision=precision, **fields),
    ]
    return ask(history, Asked(day("2025-06-01"), ("DE",), "marketing.similar", "email", None)).allowed


@pytest.mark.parametrize(
    ("confirmed", "counts"),
    [
        ("2025-05-10T09:00:00", False),
        ("2025-05-10T09:00:01", False),
        ("2025-05-10T09:00:05", False),
        ("2025-05-10T09:00:06", True),
        ("2025-05-10T09:41:00", True),
    ],
)
def test_a_confirmation_within_five_seconds_is_a_machines(confirmed: str, counts: bool) -> None:
    """Nobody receives, reads and follows a mail so fast: a scanner followed the link."""
    assert allowed(confirmed) is counts


def test_it_is_counted_from_the_request_as_well() -> None:
    """The mail may have been sent long after the form."""
    request = happened(e.OptInRequested, "2025-05-10T10:00:00")
    assert not allowed("2025-05-10T10:00:02", request)
    assert allowed("2025-05-10T10:05:00", request)


@pytest.mark.parametrize("precision", ["day", "period"])
def test_a_time_that_is_not_exact_does_not_count_as_at_once(precision: str) -> None:
    """Two facts of one day or minute may lie hours apart."""
    assert allowed("2025-05-10T09:00:01", precision=precision, occurred_to="2025-05-10T23:59:59")
