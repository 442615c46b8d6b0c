"""A mirror of a ledger that was restored: nothing of an earlier epoch stands, whatever comes late."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kafka.mirror import Mirror, Told
from adapters.kafka.mirror_schema import contacts
from adapters.kafka.topics import since_restored
from ledger.stores import ordinal_of
from tests.adapters.kafka.stream_world import contact
from tests.stores import Place

FIRST, SECOND, OTHER_SECOND = "1-aa", "2-bb", "2-cc"


@pytest.fixture
def mirror(place: Place) -> Iterator[Mirror]:
    made = Mirror(place.owner_url or f"sqlite:///{place.folder}/mirror.db")
    yield made
    made.close()


def held(mirror: Mirror) -> dict[str, int]:
    with mirror._engine.connect() as connection:
        return {row.contact: row.revision for row in connection.execute(sa.select(contacts))}


def gone(number: int, revision: int, epoch: str) -> Told:
    return Told(contact(number), revision, None, epoch)


def test_a_lower_revision_of_a_later_epoch_stands_and_the_rest_is_let_go(mirror: Mirror) -> None:
    mirror.apply([gone(1, 9, FIRST), gone(2, 9, FIRST)])
    mirror.apply([gone(1, 3, SECOND)])
    assert held(mirror) == {contact(1): 3}
    mirror.apply([gone(1, 12, FIRST), gone(2, 12, FIRST)])
    assert held(mirror) == {contact(1): 3}


def test_a_ledger_restored_twice_from_one_copy(mirror: Mirror) -> None:
    mirror.apply([gone(1, 9, SECOND)])
    mirror.apply([gone(1, 3, OTHER_SECOND)])
    mirror.apply([gone(1, 10, SECOND), gone(1, 4, OTHER_SECOND)])
    assert held(mirror) == {contact(1): 4}


def test_a_program_that_named_no_epoch_comes_before_every_one(mirror: Mirror) -> None:
    mirror.apply([gone(1, 9, "")])
    mirror.apply([gone(1, 3, FIRST)])
    mirror.apply([gone(1, 10, "")])
    assert held(mirror) == {contact(1): 3}


@given(
    batches=st.lists(
        st.lists(st.builds(gone, st.integers(1, 3), st.integers(1, 5), st.sampled_from([FIRST, SECOND])), max_size=5),
        max_size=6,
    )
)
@settings(max_examples=40)
def test_only_the_last_epoch_counts_in_whatever_order_records_come(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Told]]
) -> None:
    mirror = Mirror(f"sqlite:///{tmp_path_factory.mktemp('mirror')}/mirror.db")
    try:
        for batch in batches:
            mirror.apply(batch)
        told = [one for batch in batches for one in batch]
        last = max((one.epoch for one in told), key=ordinal_of, default="")
        newest: dict[str, int] = {}
        for one in told:
            if one.epoch == last:
                newest[one.contact] = max(one.revision, newest.get(one.contact, 0))
        assert held(mirror) == newest
    finally:
        mirror.close()


def test_a_group_is_a_new_one_after_a_restore() -> None:
    assert since_restored(FIRST) == ""
    assert since_restored(SECOND) == "-2-bb"
    assert since_restored(SECOND) != since_restored(OTHER_SECOND)
