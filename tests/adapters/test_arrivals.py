"""Who came first decides nothing: records and addresses in any order, by the real doors, get the same answers."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.adopting import _people
from adapters.crew import Brief
from adapters.evidence_map.adopting import adopt_map
from adapters.evidence_map.reading import read_map
from adapters.hubspot.portal import write_portal
from adapters.importing import imported
from adapters.inputs import sort_inputs
from adapters.recording import CROWDED
from adapters.why_person import for_person
from adapters.whys import Asked, answer
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.commands import Merge, Signature
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from ledger.vault import Registration
from projections.audit import Auditor, Record
from projections.verdicts import Bucket, Verdict
from tests.ledgers import open_house

NOW = datetime.now(UTC)
A, B, C = "a@x.example", "b@x.example", "t@fußball.de"
SPELLED = "t@fussball.de"
FORM, BOX = "form-1", "under_16"
DECLARED: tuple[e.Declaration, ...] = (
    e.MinorDeclared(stream=LEDGER_STREAM, source="map", key="minors", form=FORM, box=BOX),
    e.SaleDeclared(
        stream=LEDGER_STREAM,
        source="map",
        key="sales",
        kind="sale",
        seller="own",
        collected_from_person=True,
        refusal_offered=True,
        refusals_recorded=True,
        evidence=("ab" * 32,),
    ),
)


class Deed(NamedTuple):
    """A source shows a record with an address, and perhaps what somebody said or did on that day.

    `moved_to`: the person of the address takes up this one, by the system's own word.
    """

    email: str | None
    record: str | None
    said: str
    day: int
    primary: bool = True
    moved_to: str | None = None


SAYS: dict[str, tuple[type[e.Event], dict[str, Any]]] = {
    "no": (e.OptedOut, {}),
    "no here": (e.OptedOut, {"address_only": True}),
    "yes": (
        e.OptedIn,
        {
            "act": "unticked_box",
            "purposes": ("marketing.similar",),
            "channels": ("email",),
            "to": ("own",),
            "informed": True,
            "specific": True,
            "proof": "individual",
            "address_verified": True,
            "verifies_channel": "email",
        },
    ),
    "sale": (e.DealWon, {"deal": "deal-1"}),
    "subscribed": (
        e.ContractStarted,
        {
            "kind": "subscription",
            "seller": "own",
            "collected_from_person": True,
            "refusal_offered": True,
            "refused": False,
        },
    ),
    "ended": (e.ContractEnded, {"kind": "subscription"}),
    "minor": (e.RecipientDescribed, {"minor": True}),
    "minor's box": (e.BoxAnswered, {"form": FORM, "box": BOX, "ticked": True}),
    "DE": (e.CountryEvidenced, {"hints": (e.CountryHint(country="DE", kind="declared"),)}),
    "US": (e.CountryEvidenced, {"hints": (e.CountryHint(country="US", kind="declared"),)}),
    "CA": (e.CountryEvidenced, {"hints": (e.CountryHint(country="CA", kind="declared"),)}),
    "bounced": (e.Bounced, {"kind": "hard"}),
    "clicked": (e.Clicked, {}),
}
"""What a source may say of a person."""


def event_of(deed: Deed, contact: str, address: str | None, record: str | None) -> e.Event | None:
    if not deed.said:
        return None
    kind, fields = SAYS[deed.said]
    return kind(
        stream=contact,
        source="shop",
        address=address,
        record=record,
        by="data_subject",
        occurred_from=NOW - timedelta(days=deed.day),
        captured_at=NOW - timedelta(days=deed.day),
        captured_by="form_record",
        **fields,
    )


def do(house: House, deed: Deed) -> None:
    if deed.moved_to is not None:
        move(house, deed.email, deed.moved_to)
        return
    (who,) = house.ledger.register_many([Registration(deed.email, "hubspot", deed.record, deed.primary)])
    event = event_of(deed, who.contact, who.address, who.record)
    if event is not None:
        house.ledger.record(Fact(event, f"{deed}"))


def move(house: House, old: str | None, new: str) -> None:
    """As a sender's change of address does."""
    record = f"upemail:{old}:{new}"
    before, after = house.ledger.register_many(
        [Registration(old, "mailchimp", record, primary=False), Registration(new, "mailchimp", record)]
    )
    if before.contact != after.contact:
        for who, other in ((before, after), (after, before)):
            link = e.ContactsLinked(stream=who.contact, source="mailchimp", by="system", other=other.contact)
            house.ledger.record(Fact(link, f"{record}:{who.contact}"))


def answers(house: House, emails: Sequence[str]) -> dict[str, bool]:
    """What the gate says of each address that is known; rows, folds and audit say the same."""
    return {email: bool(allowed) for email, allowed in allowed_at(house, emails).items()}


def allowed_at(house: House, emails: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The marketing purposes that the gate allows at each address that is known; rows, folds and audit agree."""
    found: dict[str, tuple[str, ...]] = {}
    at = datetime.now(UTC) + timedelta(days=1)
    auditor = Auditor(house.policy, house.catalogue, at)
    for email in emails:
        known = house.ledger.vault.find_address(email)
        if known is None:
            continue
        contact, address = known
        ask = tuple(p for p in MARKETING_PURPOSES if house.gate.ask(contact, p, "email", address, at).allowed)
        folded = house.contacts([contact])
        verdict = auditor.verdict(house.group_of(folded, contact), Record(contact, None, address, None, email))
        assert verdict.allowed == bool(ask), (email, verdict)
        found[email] = ask
    return found


def told(deeds: Sequence[Deed], emails: Sequence[str], *, follow: bool) -> dict[str, bool]:
    """What is allowed at all after these deeds; see `purposes_after`."""
    return {email: bool(allowed) for email, allowed in purposes_after(deeds, emails, follow=follow).items()}


def purposes_after(deeds: Sequence[Deed], emails: Sequence[str], *, follow: bool) -> dict[str, tuple[str, ...]]:
    """The answers of a new ledger after these deeds, by rows kept in step or by folds; a rebuild agrees."""
    with TemporaryDirectory() as folder, open_house(Path(folder), {}) as house:
        house.describe_controller("Nordlicht GmbH", "DE", None)
        house.ledger.record_many(Fact(one, one.key) for one in DECLARED)
        for deed in deeds:
            do(house, deed)
            if follow:
                house.runner.follow(once=True)
        found = allowed_at(house, emails)
        house.runner.follow(once=True)
        assert house.runner.replay().equal
        assert allowed_at(house, emails) == found
        return found


D, E = "d@x.example", "e@x.example"
EVERYBODY = (A, B, D, E)
SAID = ("yes", "yes", "no", "no here", "sale", "sale", "subscribed", "ended", "minor", "minor's box", "DE", "US", "CA")
deeds = st.builds(
    Deed,
    st.sampled_from([A, A, B, D, E, None]),
    st.sampled_from(["1", "1", "2", "3", None]),
    st.sampled_from([*SAID, "bounced", "clicked", "", "", ""]),
    st.integers(2, 900),
    st.booleans(),
).filter(lambda deed: deed.email is not None or deed.record is not None)
moves = st.builds(Deed, st.just(A), st.none(), st.just(""), st.integers(2, 900), moved_to=st.sampled_from([B, D]))
lists = st.lists(st.one_of(deeds, deeds, deeds, moves), min_size=2, max_size=8, unique_by=lambda deed: deed.day)


@given(lists, st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_order_of_arrival_gets_the_same_answers(listed: list[Deed], dice: random.Random, follow: bool) -> None:
    other = dice.sample(listed, len(listed))
    expected = purposes_after(listed, EVERYBODY, follow=not follow)
    assert purposes_after(other, EVERYBODY, follow=follow) == expected


MOVED = (Deed(A, "1", "no", 10), Deed(B, None, "yes", 100), Deed(B, "1", "", 5))


@pytest.mark.parametrize("order", list(itertools.permutations(MOVED)))
def test_the_stop_of_a_record_holds_where_it_moves_to_whatever_came_first(order: Sequence[Deed]) -> None:
    assert told(order, (A, B), follow=False) == {A: False, B: False}


@pytest.mark.parametrize("said", ["no", "no here"])
@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("record", [None, "1"])
def test_a_stop_reaches_every_spelling_and_a_yes_none(said: str, turn: bool, record: str | None) -> None:
    """On two contacts, and on one that shows both spellings."""
    no, yes = Deed(C, record, said, 10), Deed(SPELLED, record, "yes", 100)
    order = (yes, no) if turn else (no, yes)
    assert told(order, (C, SPELLED), follow=turn) == {C: False, SPELLED: False}
    alone = told((yes, Deed(C, None, "", 1)), (C, SPELLED), follow=turn)
    assert alone == {C: False, SPELLED: True}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "ledger", {}) as house:
        house.describe_controller("Nordlicht GmbH", "DE", None)
        yield house


def test_only_what_forbids_passes_over_a_stop_link(house: House) -> None:
    """An erasure and the history stay where they are; that one is a minor, or is held, counts on the other side."""
    do(house, Deed(B, None, "yes", 100))
    do(house, Deed(A, "1", "", 10))
    contact, _ = house.find(A)
    house.ledger.record(Fact(e.ErasureCompleted(stream=contact, source="t")))
    house.ledger.record(Fact(e.RecipientDescribed(stream=contact, source="t", professional=True)))
    do(house, Deed(B, "1", "", 5))
    assert answers(house, (A, B)) == {A: False, B: True}
    house.ledger.record(Fact(e.ReviewDecided(stream=contact, source="t", outcome="hold")))
    assert answers(house, (B,)) == {B: False}
    house.ledger.record(Fact(e.ReviewDecided(stream=contact, source="t", outcome="release_hold")))
    assert answers(house, (B,)) == {B: True}
    house.ledger.record(Fact(e.RecipientDescribed(stream=contact, source="t", minor=True)))
    assert answers(house, (B,)) == {B: False}


@pytest.mark.parametrize("order", list(itertools.permutations(("minor by record", "yes at A", "record at A"))))
def test_a_minor_is_one_whatever_came_first(house: House, order: tuple[str, ...]) -> None:
    """The record is told to be a minor's, the address says yes, and the two belong together."""
    for deed in order:
        if deed == "minor by record":
            (who,) = house.ledger.register_many([Registration(None, "hubspot", "7")])
            house.ledger.record(Fact(e.RecipientDescribed(stream=who.contact, source="t", minor=True)))
        elif deed == "yes at A":
            do(house, Deed(A, None, "yes", 100))
        else:
            do(house, Deed(A, "7", "", 5))
    assert answers(house, (A,)) == {A: False}


def test_a_page_shows_a_linked_contacts_stops_and_nothing_else_of_it(house: House) -> None:
    do(house, Deed(B, None, "yes", 100))
    do(house, Deed(A, "1", "yes", 50))
    (who,) = house.ledger.register_many([Registration(A, "hubspot", "1")])
    asked = e.ErasureRequested(stream=who.contact, source="dpo", address=who.address, occurred_from=NOW)
    house.ledger.record(Fact(asked, payload={"words": "I am Anna, forget me"}))
    do(house, Deed(B, "1", "", 5))
    on = Asked(datetime.now(UTC) + timedelta(days=1))
    why = answer(house, B, on)
    theirs = [row.what for row in why.timeline if row.linked]
    assert [what.partition(" (")[0] for what in theirs] == ["asked to be erased"]
    assert [(stop.what, stop.words) for stop in why.stops] == [("asked to be erased", None)]
    assert why.requests == ()
    assert [(one.stops_only, one.addresses) for one in why.linked] == [(True, ())]
    told = for_person(house, B, on, why)
    assert not told.requests
    assert [row.what for row in told.timeline] == ["You opted in"]


def test_who_would_gain_by_a_rule_set_is_judged_with_the_stops_of_linked_contacts(house: House) -> None:
    do(house, Deed(B, None, "yes", 100))
    do(house, Deed(A, "1", "no", 50))
    do(house, Deed(B, "1", "", 5))
    contact, _ = house.find(B)
    groups = {group[0].contact: group for group in _people(house)}
    assert list(groups[contact]) == list(house.group(house.contacts([contact])[contact]))
    assert any(member.stops for member in groups[contact])


def test_a_contact_has_no_answer_about_an_address_of_another(house: House) -> None:
    for deed in (Deed(A, "1", "", 10), Deed(B, None, "yes", 100), Deed(B, "1", "", 5)):
        do(house, deed)
    contact, address = house.find(A)
    house.runner.follow(once=True)
    assert {status.address for status in house.runner.current(contact)} == {address}


def test_a_merge_by_a_named_person_makes_one_person_of_them(house: House) -> None:
    for deed in (Deed(A, "1", "", 10), Deed(B, None, "yes", 100), Deed(B, "1", "", 5)):
        do(house, deed)
    assert answers(house, (B,)) == {B: True}
    one, other = (house.contacts([house.find(email)[0]]) for email in (A, B))
    folds = [*one.values(), *other.values()]
    house.ledger.record(Fact(e.RecipientDescribed(stream=folds[0].contact, source="t", professional=True)))
    assert not house.group(house.contacts([folds[1].contact])[folds[1].contact])[1].described
    house.carry_out(Merge(signed=Signature(name="Eva", role="DPO", reason="the same person")), folds)
    assert [member.contact for member in house.group(house.contacts([folds[1].contact])[folds[1].contact])] == [
        folds[1].contact,
        folds[0].contact,
    ]
    assert house.group(house.contacts([folds[1].contact])[folds[1].contact])[1].described


# --- contacts exports ----------------------------------------------------------------------------

HEADER = "Record ID,Email,Additional email addresses,Unsubscribed from all email"


def export(folder: Path, name: str, *rows: str, header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    moment = NOW.timestamp() - 3600 + 60 * int(name.partition(".")[0])
    os.utime(path, (moment, moment))
    return path


def take(house: House, *paths: Path) -> tuple[list[Verdict], list[str]]:
    """What an import of contacts exports comes to, and its findings."""
    with imported(house, sort_inputs(paths, stops=[]), workers=1) as done:
        return list(done.crew.verdicts(Brief(datetime.now(UTC) + timedelta(days=1), None))), done.findings


@pytest.mark.parametrize("first", ["yes", "export"])
def test_the_stop_of_a_record_stops_its_additional_addresses(house: House, tmp_path: Path, first: str) -> None:
    shown = export(tmp_path, "1.csv", f"1,{A},{B};{C},Yes")
    if first == "yes":
        do(house, Deed(B, None, "yes", 100))
    take(house, shown)
    if first == "export":
        do(house, Deed(B, None, "yes", 100))
    assert answers(house, (A, B, C)) == {A: False, B: False, C: False}


def test_additional_addresses_join_also_where_no_record_id_is_shown(house: House, tmp_path: Path) -> None:
    do(house, Deed(B, None, "yes", 100))
    take(house, export(tmp_path, "1.csv", f"{A},{B},Yes", header=HEADER.removeprefix("Record ID,")))
    assert answers(house, (A, B)) == {A: False, B: False}


def test_a_record_that_moved_is_answered_for_its_address_each_time_it_is_shown(house: House, tmp_path: Path) -> None:
    """The second time its row says nothing new; it is the same row about the same two contacts."""
    others = [f"{n},{n}@y.example,," for n in range(2, 40)]
    take(house, export(tmp_path, "1.csv", f"1,{A},,Yes", *others))
    do(house, Deed(B, None, "yes", 100))
    moved = export(tmp_path, "2.csv", f"1,{B}", *(row[:-2] for row in others), header="Record ID,Email")
    for _ in range(2):
        verdicts, _ = take(house, moved)
        assert [(v.reason, v.allowed) for v in verdicts if v.record_id == "1"] == [("times_overlap", False)]


def test_who_is_stopped_by_another_contacts_stop_is_among_those_to_opt_out(house: House, tmp_path: Path) -> None:
    do(house, Deed(B, "2", "", 100))
    do(house, Deed(A, "1", "no", 10))
    do(house, Deed(B, "1", "", 5))
    verdicts, _ = take(house, export(tmp_path, "1.csv", f"2,{B},,"))
    assert [(v.bucket, v.stopped_all) for v in verdicts] == [(Bucket.STOPPED, True)]


def test_an_address_of_too_many_records_is_a_finding_and_a_hold(house: House, tmp_path: Path) -> None:
    do(house, Deed(A, None, "yes", 100))
    assert answers(house, (A,)) == {A: True}
    rows = [f"{n},{n}@y.example,," for n in range(100)]
    assert take(house, export(tmp_path, "1.csv", *rows))[1] == []
    moved = [f"{n},{A},," for n in range(3)] + rows[3:]
    _, findings = take(house, export(tmp_path, "2.csv", *moved))
    assert CROWDED in findings
    assert answers(house, (A,)) == {A: False}


# --- portals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "early"), [(0, False), (1, False), (2, True)])
def test_the_audit_and_the_gate_agree_of_every_record_of_a_portal(tmp_path: Path, seed: int, early: bool) -> None:
    """Whichever files came first, and whether records have exchanged their addresses since."""
    portal = tmp_path / "portal"
    write_portal(portal, contacts=300, seed=seed, today=date.today())  # noqa: DTZ011 - as the demo does
    said = read_map(portal / "audit.toml")
    others = ["forms", "deals.csv", "unsubscribes-and-bounces.csv", "mailchimp-audience.zip", "email-events.json"]
    files = [portal / name for name in ("contacts.csv", *others)]
    dice = random.Random(seed)
    with open_house(tmp_path / "ledger", {}) as house:
        house.describe_controller("Nordlicht GmbH", "DE", None)
        adopt_map(house, said, NOW)
        if early:  # people are known by their addresses before the CRM's records are
            evidence = sort_inputs(dice.sample(files[1:], len(files) - 1), stops=[])
            with imported(house, evidence, wanted=said.wanted, workers=1):
                pass
        with imported(
            house, sort_inputs(files, stops=[portal / "objections.csv"]), wanted=said.wanted, workers=1
        ) as done:
            _exchange(house, dice)
            at = datetime.now(UTC) + timedelta(days=1)
            verdicts = list(done.crew.verdicts(Brief(at, None)))
        house.runner.follow(once=True)
        assert house.runner.replay().equal
        assert {Bucket.STOPPED, Bucket.BASIS_CLAIMED} <= {v.bucket for v in verdicts}
        assert early or any(v.allowed for v in verdicts)
        for verdict in verdicts:
            if verdict.email is not None:
                contact, address = house.find(verdict.email)
                ask = [house.gate.ask(contact, name, "email", address, at).allowed for name in MARKETING_PURPOSES]
                assert verdict.allowed == any(ask), verdict
                assert not (verdict.bucket is Bucket.STOPPED and any(ask)), verdict


def _exchange(house: House, dice: random.Random) -> None:
    """Some records are shown with the address of another."""
    people = []
    for number in range(1, house.ledger.log.last_position(), 40):
        ((_, _, state),) = house.ledger.log.read(number - 1, 1)
        stream = house.stream_of(state)
        people += [(house.ledger.vault.record_text(ref), stream) for ref in house.ledger.vault.records_of(stream)]
    for known, _ in people:
        _, other = dice.choice(people)
        addresses = house.ledger.vault.addresses_of(other)
        text = house.ledger.vault.address_text(addresses[0]) if addresses else None
        if isinstance(known, tuple) and isinstance(text, str):
            house.ledger.register_many([Registration(text, *known)])
