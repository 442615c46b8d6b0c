"""Which country's law a sign brings: one strong sign or two that agree settle it; else the strictest rules join."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import countries as tables
from adapters.hubspot.hints import CountryReader, Signs
from adapters.hubspot.labels import fold
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Entry
from ledger.policy.jurisdictions import UNKNOWN, candidates, is_known

AT = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = get_args(get_type_hints(e.CountryHint)["kind"])
STRONG = ("declared", "billing", "delivery", "region", "assumed")
WEAK = tuple(kind for kind in KINDS if kind not in STRONG)
OF_GERMANY = Catalogue(
    controller=Entry(1, 1, e.ControllerDescribed(stream="0" * 36, source="test", country="DE", recorded_at=AT))
)


def laws(*signs: tuple[str, str], catalogue: Catalogue = OF_GERMANY) -> dict[str, bool]:
    """Code -> whether it is declared, of signs (country, kind) that each stand in an entry of their own."""
    entries = [
        Entry(n, n, e.CountryEvidenced(stream="c", source="test", hints=(e.CountryHint(country, kind),)))  # type: ignore[arg-type]
        for n, (country, kind) in enumerate(signs, start=1)
    ]
    found = candidates(entries, catalogue)
    assert is_known(entries) is (UNKNOWN not in {one.code for one in found} or catalogue.country is None)
    return {one.code: one.strong for one in found}


@pytest.mark.parametrize("kind", STRONG)
def test_one_strong_sign_is_that_country(kind: str) -> None:
    assert laws(("CA", kind)) == {"CA": True, "DE": True}


@pytest.mark.parametrize("kind", WEAK)
def test_one_weak_sign_adds_the_strictest_rules(kind: str) -> None:
    assert laws(("CA", kind)) == {"CA": False, "DE": False, UNKNOWN: False}


@pytest.mark.parametrize("first", WEAK)
@pytest.mark.parametrize("second", WEAK)
def test_two_weak_signs_that_agree_are_that_country(first: str, second: str) -> None:
    """Of two kinds: a second phone is no second sign. What asks for a declared country is not met by them."""
    known = {} if first != second else {UNKNOWN: False}
    assert laws(("CA", first), ("CA", second)) == {"CA": False, "DE": False} | known


def test_signs_that_contradict_add_both_laws() -> None:
    assert laws(("CA", "region"), ("AU", "ip")) == {"CA": True, "AU": False, "DE": True}
    assert laws(("CA", "billing"), ("AU", "declared")) == {"AU": True, "CA": True, "DE": True}
    assert laws(("CA", "ip"), ("AU", "phone")) == {"AU": False, "CA": False, "DE": False, UNKNOWN: False}
    assert laws(("CA", "ip"), ("CA", "phone"), ("AU", "domain")) == {"AU": False, "CA": False, "DE": False}


def test_of_a_sender_without_a_country_the_strictest_rules_stay() -> None:
    assert laws(("CA", "declared"), catalogue=Catalogue()) == {"CA": True, UNKNOWN: False}


@given(st.lists(st.tuples(st.sampled_from(["CA", "AU", "FR"]), st.sampled_from(KINDS)), max_size=6), st.randoms())
def test_no_order_of_signs_changes_the_laws_and_no_further_sign_takes_one_away(
    signs: list[tuple[str, str]], random: object
) -> None:
    """But that of the unknown country, which a sign may end."""
    found = laws(*signs)
    mixed = list(signs)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert laws(*mixed) == found
    for n in range(len(signs)):
        assert laws(*signs[:n]).keys() - {UNKNOWN} <= found.keys()


def _kinds(**cells: str) -> set[tuple[str, str]]:
    return {(hint.country, hint.kind) for hint in CountryReader().read(Signs(**cells))}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Manitoba", {("CA", "region")}),
        ("bayern", {("DE", "region")}),
        ("Nouvelle-Écosse", {("CA", "region")}),
        ("ON", {("CA", "state")}),
        ("Georgia", {("US", "state")}),
        ("CA", set()),
        ("Victoria", set()),
    ],
)
def test_a_state_is_a_strong_sign_if_it_is_written_out_and_lies_in_one_country(
    state: str, expected: set[tuple[str, str]]
) -> None:
    assert _kinds(state=state) == expected


def test_no_region_is_named_as_a_country_is() -> None:
    names = {
        fold(entry.partition(" ")[2])
        for table in (tables.ENGLISH, tables.OTHER_LANGUAGES)
        for entry in table.replace("\n", "|").split("|")
        if entry
    }
    for entry in tables.STATES.replace("\n", "|").split("|"):
        if entry:
            (sign,) = _kinds(state=entry.partition(" ")[2])
            assert (sign[1] == "state") is (fold(entry.partition(" ")[2]) in names)
