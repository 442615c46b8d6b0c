"""The watchdog's judgement, by observations as the broker gives them."""

from __future__ import annotations

from adapters.kafka.readiness import Seen, Watchdog


def seen(committed: dict[int, int], ends: dict[int, int], **holders: str) -> Seen:
    """An observation; `p0="me"` says who holds partition 0."""
    held = {int(name[1:]): member for name, member in holders.items()}
    return Seen(committed, ends, held, frozenset({"me", *held.values()}))


def test_not_ready_before_the_broker_answered_and_when_it_is_silent() -> None:
    """What is not known is not well."""
    dog = Watchdog("me", 10)
    assert dog.not_ready(0) == "the broker has not answered yet"
    dog.look(seen({0: 5}, {0: 5}, p0="me"), 1)
    assert dog.not_ready(2) is None
    assert dog.not_ready(12) == "the broker does not answer"


def test_not_ready_when_no_member() -> None:
    """A worker that was expelled reads nothing."""
    dog = Watchdog("me", 10)
    dog.look(Seen({}, {0: 0}, {0: "other"}, frozenset({"other"})), 0)
    assert dog.not_ready(0) == "not a member of its group"


def test_stuck_is_no_commit_while_records_wait() -> None:
    """Neither idleness nor slowness is."""
    dog = Watchdog("me", 10)
    for now in range(0, 100, 5):
        dog.look(seen({0: 7}, {0: 7}, p0="me"), now)
        assert dog.not_ready(now) is None, "idle"
    for now in range(100, 200, 5):
        dog.look(seen({0: now}, {0: 10_000}, p0="me"), now)
        assert dog.not_ready(now) is None, "slow"
    for now in range(200, 210, 5):
        dog.look(seen({0: 195}, {0: 10_000}, p0="me"), now)
    assert dog.not_ready(204) is None
    assert dog.not_ready(206) == "no offset committed while records wait, partition 0"
    dog.look(seen({0: 196}, {0: 10_000}, p0="me"), 207)
    assert dog.not_ready(207) is None


def test_records_that_were_never_committed_wait_too() -> None:
    """A group that has not begun has lag."""
    dog = Watchdog("me", 10)
    for now in (0, 5, 11):
        dog.look(seen({}, {0: 3, 1: 0}, p0="me", p1="me"), now)
    assert dog.not_ready(11) == "no offset committed while records wait, partition 0"


def test_another_workers_partition_is_its_own_affair_but_nobodys_is_everybodys() -> None:
    """One that is stuck does not take the others with it."""
    dog = Watchdog("me", 10)
    for now in (0, 5, 11):
        dog.look(seen({0: 1, 1: 9}, {0: 9, 1: 9}, p0="other", p1="me"), now)
    assert dog.not_ready(11) is None
    for now in (12, 20, 23):
        dog.look(seen({0: 1, 1: 9}, {0: 9, 1: 9}, p1="me"), now)
    assert dog.not_ready(23) == "no offset committed while records wait, partition 0"
