"""What other systems submit: good ones are recorded once, bad ones say why, and neither says what was in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.fact_models import EVENTS, models, moment
from adapters.near import near_addresses
from adapters.recording import Saying, record_all
from adapters.submitting import Answer, Submission, Translated, take, translate
from adapters.wiring import House
from ledger import codec
from ledger import events as e
from ledger.terms import ALL_MARKETING, EVERY_CHANNEL, LEDGER_STREAM
from ledger.vault import Registration
from tests.ledgers import open_house

ANA, BEN = "ana.marker@example.org", "ben.marker@example.org"
OPT_IN, OPT_OUT, ERASURE = "contact.opted_in.v1", "contact.opted_out.v1", "contact.erasure_requested.v1"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
THEN = "2026-03-01T10:00:00Z"
DATABASE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


MARKER = "zq7"
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text().map(lambda text: MARKER + text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text().map(lambda t: MARKER + t), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path / "ledger", {}) as house:
        yield house


def said(number: object = 1, type_: str = OPT_OUT, email: str | None = ANA, **fields: Any) -> Submission:
    person = {"email": email} if email else {}
    return Submission("shop", f"e-{number}", type_, None, json.dumps({"person": person} | fields).encode())


def yes(**fields: Any) -> Submission:
    return said(type_=OPT_IN, **fields)


def events(house: House) -> list[e.AnyEvent]:
    return [codec.decode(state) for _, _, state in house.ledger.log.read(0, 1_000)]


def reasons(answer: Answer) -> dict[str, str]:
    return {reason.field: reason.problem for reason in answer.reasons}


def one(house: House, submission: Submission) -> Answer:
    (answer,) = take(house, [submission])
    return answer


def test_a_fact_is_recorded_about_the_person_it_names(house: House) -> None:
    answer = one(house, said(type_=OPT_IN, act="unticked_box", purposes=["marketing.similar"], occurred_from=THEN))
    contact, address = house.find(ANA)
    assert answer == Answer(status="recorded", position=2, contact=contact, known=False)
    assert events(house)[1] == e.OptedIn(
        stream=contact,
        address=address,
        source="shop",
        sid=house.ledger.sid("shop", "e-1").hex(),
        recorded_at=events(house)[1].recorded_at,
        act="unticked_box",
        purposes=("marketing.similar",),
        occurred_from=datetime(2026, 3, 1, 10, tzinfo=UTC),
    )


def test_what_is_personal_lies_in_the_vault(house: House) -> None:
    take(house, [said(payload={"note": f"wrote from {BEN}"}, person={"email": ANA, "record_id": "K-4711"})])
    (fact,) = [event for event in events(house) if isinstance(event, e.OptedOut)]
    assert house.payload(fact) == {"note": f"wrote from {BEN}"}
    assert fact.record is not None
    assert house.ledger.vault.record_text(fact.record) == ("shop", "K-4711")
    everything = b"".join(state for _, _, state in house.ledger.log.read(0, 100))
    assert b"marker" not in everything
    assert b"4711" not in everything


def test_the_same_again_is_recorded_once(house: House) -> None:
    first = one(house, said())
    again = take(house, [said(), said(), said(2)])
    assert [answer.status for answer in again] == ["unchanged", "unchanged", "recorded"]
    assert {answer.position for answer in again[:2]} == {first.position}
    assert {answer.contact for answer in again} == {first.contact}


def test_twice_in_one_batch_is_once(house: House) -> None:
    answers = take(house, [said(), said()])
    assert [answer.status for answer in answers] == ["recorded", "unchanged"]
    assert answers[0].position == answers[1].position


def test_other_content_under_the_same_id_is_a_conflict(house: House) -> None:
    first = one(house, said())
    answer = one(house, said(channels=["email"]))
    assert (answer.status, answer.position, answer.contact) == ("conflict", first.position, None)
    assert reasons(answer) == {"id": "stands at that position with other content, or for another person"}


@pytest.mark.parametrize("together", [True, False])
def test_one_id_for_two_people_is_a_conflict(house: House, together: bool) -> None:
    """Were it taken for a repetition, the second person's opt-out would be lost in silence."""
    both = [said(email=ANA), said(email=BEN)]
    answers = take(house, both) if together else [one(house, submission) for submission in both]
    assert [answer.status for answer in answers] == ["recorded", "conflict"]


@pytest.mark.parametrize("type_", [OPT_OUT, ERASURE])
def test_delivered_again_after_an_erasure_it_brings_nobody_back(house: House, type_: str) -> None:
    first = one(house, said(type_=type_))
    assert first.contact is not None
    house.ledger.vault.erase(first.contact)
    head = house.ledger.log.last_position()
    again = one(house, said(type_=type_))
    assert (again.status, again.contact) == ("unchanged", first.contact)
    assert house.ledger.vault.find_address(ANA) is None
    assert house.ledger.log.last_position() == head


def test_an_erasure_request_suppresses_the_address(house: House) -> None:
    answers = take(house, [said(1), said(2, ERASURE, by="agent", payload={"note": "by phone"}), said(3)])
    assert [answer.status for answer in answers] == ["recorded"] * 3
    assert house.ledger.vault.is_suppressed([ANA]) == {ANA}
    assert [type(event).__name__ for event in events(house)[1:]] == ["OptedOut", "ErasureRequested", "OptedOut"]
    assert one(house, said(2, ERASURE, by="agent", payload={"note": "by phone"})).status == "unchanged"


def test_a_record_without_an_address_is_somebody(house: House) -> None:
    fact = said(email=None, person={"system": "crm", "record_id": "17"})
    first = one(house, fact)
    assert first.status == "recorded"
    assert one(house, fact).status == "unchanged"
    assert one(house, said(email=None, person={"system": "crm", "record_id": "18"})).status == "conflict"


def test_an_erasure_request_of_a_record_is_recorded_and_suppresses_what_address_there_is(house: House) -> None:
    """Given a record with an address and one without, then neither request is lost, and the address is suppressed."""
    house.ledger.register_many([Registration(None, "crm", "17"), Registration(ANA, "crm", "18")])
    for number in ("17", "18"):
        event = e.ErasureRequested(stream=LEDGER_STREAM, source="cli", by="data_subject")
        (recorded,) = record_all(house.ledger, [Saying(Registration(None, "crm", number), event, None)])
        assert recorded.status == "recorded"
    assert house.ledger.vault.is_suppressed([ANA]) == {ANA}
    asked = [event for event in events(house) if isinstance(event, e.ErasureRequested)]
    assert [(event.address is None, event.record is None) for event in asked] == [(True, False), (False, True)]


def test_the_time_of_the_envelope_is_when_the_source_held_it(house: House) -> None:
    held = datetime(2026, 3, 2, tzinfo=UTC)
    take(house, [said()._replace(time=held), said(2, captured_at=THEN)._replace(time=held)])
    assert [event.captured_at for event in events(house)[1:]] == [held, moment(THEN)]


def test_bad_ones_never_stop_good_ones(house: House) -> None:
    good = [said(number) for number in range(4)]
    bad = [
        said(10)._replace(data=b"{"),
        said(11, "contact.erased_everything.v1"),
        said(12, email="no address"),
        said(13, email=None),
    ]
    mixed = [submission for pair in zip(bad, good, strict=True) for submission in pair]
    assert [answer.status for answer in take(house, mixed)] == ["rejected", "recorded"] * 4


@pytest.mark.parametrize(
    ("submission", "field"),
    [
        (said()._replace(source="ledger"), "source"),
        (said()._replace(source="jo@example.org"), "source"),
        (said()._replace(id=""), "id"),
        (said()._replace(id="\ud800"), "id"),
        (said()._replace(id="x" * 513), "id"),
        (said()._replace(type="contact.corrected.v1"), "type"),
        (said()._replace(time=datetime(2026, 1, 1)), "time"),  # noqa: DTZ001 - the point of the case
        (said()._replace(time=datetime.min.replace(tzinfo=UTC)), None),
        (yes(occurred_from=0), "occurred_from"),
        (yes(occurred_from="0"), "occurred_from"),
        (yes(occurred_from="1700000000"), "occurred_from"),
        (yes(occurred_from="2026-03-01"), "occurred_from"),
        (yes(occurred_from="2026-03-01T10:00:00"), "occurred_from"),
        (yes(occurred_from="0001-01-01T00:00:00+14:00"), "occurred_from"),
        (yes(occurred_from=THEN, occurred_to="2026-02-01T00:00:00Z"), "data"),
        (yes(purposes=["with a space"]), "purposes.0"),
        (yes(purposes=["marketing.*"] * 65), "purposes"),
        (yes(informed=1), "informed"),
        (yes(sid="0" * 32), "sid"),
        (yes(stream="0" * 32), "stream"),
        (yes(address="0" * 32), "address"),
        (yes()._replace(data=b'{"person": {"record_id": "1"}, "jo@example.org": 1}'), "data"),
        (yes(person={"email": ANA, "jo@example.org": 1}), "person"),
        (yes(person={}), "person"),
        (yes(payload={"jo@example.org": float("nan")}), "payload"),
        (yes(payload={"text": "x" * 65_536}), "payload"),
        (yes(payload=[1]), "payload"),
        (yes(purposes=["marketing.similar", "newsletter"]), "purposes.1"),
        (yes(purposes=["marketing.similar"], channels=["fax"]), "channels.0"),
        (yes(act="winked"), "act"),
        (said(type_="contact.opt_in_requested.v1", purposes=["newsletter"]), "purposes.0"),
        (said(type_="contact.double_opt_in_confirmed.v1", verifies_channel="fax"), "verifies_channel"),
        (said(type_="contact.country_evidenced.v1", hints=[{"country": "UK", "kind": "ip"}]), "hints.0.country"),
        (said(person={}), "person"),
        (said(person={"email": "nobody"}), "person.email"),
        (said(type_="contact.recipient_described.v1", age=2**53), "age"),
        (said(type_="contact.country_evidenced.v1", hints=[{"country": "DE", "kind": "guess"}]), "hints.0.kind"),
        (said(type_="contact.country_evidenced.v1", hints=[{"country": "DE"}]), "hints.0.kind"),
        (said()._replace(data=b"[]"), "data"),
        (said()._replace(data=b"\xff"), "data"),
        (said()._replace(data=b"[" * 100_000), "data"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(house: House, submission: Submission, field: str | None) -> None:
    answer = one(house, submission)
    assert answer.status == ("rejected" if field else "recorded")
    assert [reason.field for reason in answer.reasons] == ([field] if field else [])


STOPS = sorted(topic for topic in models() if issubclass(e.TOPICS[topic], e.Stop))


@pytest.mark.parametrize("type_", STOPS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"purposes": ["newsletter"]},
        {"purposes": ["with a space"]},
        {"purposes": "marketing.similar"},
        {"purposes": ["marketing.similar"], "channels": ["fax"]},
        {"purposes": ["marketing.similar"], "scope": "newsletter"},
        {"purposes": ["marketing.similar"], "address_only": "no"},
        {"except_purposes": ["newsletter"]},
        {"except_purposes": [7]},
        {"subscription_type": None},
        {"by": "somebody"},
        {"occurred_from": "yesterday"},
        {"occurred_from": THEN, "occurred_to": "2026-02-01T00:00:00Z"},
        {"payload": ["no object"]},
        {"person": {"email": ANA, "name": "Ana"}},
        {"person": {"email": ANA, "record_id": 17}},
    ],
)
def test_a_stop_is_recorded_whatever_is_wrong_with_it(house: House, type_: str, wrong: dict[str, Any]) -> None:
    """Only an address that cannot be read refuses it: what was wrong may have been its scope, so it has the widest."""
    take(house, [yes(number=9, act="unticked_box", purposes=["marketing.*"], channels=["email"], occurred_from=THEN)])
    fields = {"subscription_type": "news"} if type_ == "contact.type_opted_out.v1" else {}
    answer = one(house, said(1, type_, **fields | wrong))
    assert answer.status == "recorded", answer
    assert answer.warnings or type_ == "contact.erasure_requested.v1" or wrong.keys() == {"subscription_type"}
    contact = house.contacts([answer.contact or ""])[answer.contact or ""]
    (stop,) = [entry.event for entry in contact.stops]
    assert isinstance(stop, e.Stop)
    if not wrong.keys() <= {"by", "occurred_from", "occurred_to", "payload", "person"}:
        assert (stop.purposes, stop.channels, stop.except_purposes) == (ALL_MARKETING, EVERY_CHANNEL, ())
    assert one(house, said(1, type_, **fields | wrong)).status == "unchanged"


@given(
    scope=st.dictionaries(st.sampled_from(["purposes", "channels", "except_purposes", "address_only", "via"]), _json)
)
def test_a_stop_with_anything_in_its_scope_is_a_stop(scope: dict[str, Any]) -> None:
    """A law over all that may be sent: it is translated, with a warning where its scope is not as it was sent."""
    read = translate(said(1, OPT_OUT, **scope))
    assert isinstance(read, Translated)
    stop = read.saying.event
    assert isinstance(stop, e.Stop)
    as_sent = {name: json.loads(msgspec.json.encode(getattr(stop, name))) for name in scope}
    assert read.warnings or as_sent == scope


def test_an_answer_says_whether_the_person_was_known(house: House) -> None:
    """By address, else by record."""
    by_record = said(3, email=None, person={"system": "crm", "record_id": "17"})
    answers = [one(house, submission) for submission in (said(1), said(2), by_record, by_record._replace(id="e-4"))]
    assert [answer.known for answer in answers] == [False, True, False, True]


@pytest.mark.parametrize("written", ["Ana@Example.org", "ana@EXAMPLE.org", "ana@example.org"])
def test_no_address_is_near_itself_however_it_is_written(house: House, written: str) -> None:
    """A fact that is recorded makes its address known, and that is not what it may be misspelt for."""
    take(house, [said(1, email="Ana@Example.org"), said(2, email="anna@example.org")])
    assert near_addresses(house.ledger.vault, written) == ["anna@example.org"]


def test_parts_of_an_event_are_read_as_the_event_has_them(house: House) -> None:
    hints = [{"country": "DE", "kind": "billing"}, {"country": "AT", "kind": "ip"}]
    assert one(house, said(type_="contact.country_evidenced.v1", hints=hints)).status == "recorded"
    (event,) = [event for event in events(house) if isinstance(event, e.CountryEvidenced)]
    assert event.hints == (e.CountryHint(country="DE", kind="billing"), e.CountryHint(country="AT", kind="ip"))


def test_what_only_the_ledger_or_a_named_person_says_cannot_be_submitted() -> None:
    refused = set(e.TOPICS) - set(models())
    assert {topic for topic in refused if topic.startswith("ledger.")} == {
        t for t in e.TOPICS if t.startswith("ledger.")
    }
    assert refused - {topic for topic in refused if topic.startswith("ledger.")} == {
        "contact.address_linked.v1",
        "contact.address_unlinked.v1",
        "contact.corrected.v1",
        "contact.erasure_completed.v1",
        "contact.linked.v1",
        "contact.note_added.v1",
        "contact.review_decided.v1",
        "contact.stops_linked.v1",
        "contact.stops_unlinked.v1",
        "contact.unlinked.v1",
    }


def test_every_model_says_what_its_event_says() -> None:
    """Beside person and payload, and without what the ledger sets."""
    for cls in EVENTS:
        fields = set(models()[str(cls.__struct_config__.tag)].model_fields) - {"person", "payload"}
        if cls is e.ErasureRequested:
            assert fields == {"occurred_from", "by", "via"}
        else:
            assert set(cls.__struct_fields__) - fields - {"opt_outs_on"} == {
                "stream",
                "source",
                "sid",
                "address",
                "record",
                "recorded_at",
                "recorded_clock",
                "commitment",
            }


# --- properties ----------------------------------------------------------------------------------

_names = st.sampled_from(sorted({name for cls in EVENTS for name in cls.__struct_fields__} | {"person", "payload"}))


@st.composite
def wild(draw: st.DrawFn) -> Submission:
    """Anything in any field, under a real topic or none."""
    fields = draw(st.dictionaries(_names | st.text().map(lambda text: MARKER + text), _json, max_size=5))
    if draw(st.booleans()):
        fields["person"] = {"email": draw(st.emails())}
    data = json.dumps(fields).encode() if draw(st.integers(0, 9)) else draw(st.binary())
    type_ = draw(st.sampled_from([*models(), MARKER]))
    source = draw(st.sampled_from(["shop", "web/eu", "ledger", MARKER + " @"]))
    return Submission(
        source,
        MARKER + draw(st.text()),
        type_,
        draw(st.none() | st.datetimes(timezones=st.none() | st.timezones())),
        data,
    )


@given(wild())
@settings(max_examples=400)
def test_whatever_is_sent_it_is_an_event_or_has_reasons_without_values(submission: Submission) -> None:
    read = translate(submission)
    if isinstance(read, Translated):
        entry = codec.encode(msgspec.structs.replace(read.saying.event, recorded_at=NOW))
        assert codec.decode_strict(entry).stream == LEDGER_STREAM
        assert MARKER not in msgspec.json.encode(read.warnings).decode()
    else:
        assert read
        assert MARKER not in msgspec.json.encode(read).decode()


_FIELDS: list[dict[str, Any]] = [
    {},
    {"occurred_from": THEN},
    {"via": "phone"},
    {"payload": {"note": "said so"}},
]


@st.composite
def good(draw: st.DrawFn) -> Submission:
    """A fact of a handful of people, under one of a handful of ids."""
    email = draw(st.sampled_from([ANA, BEN, "cleo.marker@example.org"]))
    type_ = draw(st.sampled_from([OPT_IN, OPT_OUT, "contact.complained.v1", ERASURE]))
    fields = draw(st.sampled_from(_FIELDS))
    return said(draw(st.integers(0, 5)), type_, email, **fields)


@given(submissions=st.lists(good() | wild(), max_size=12))
@DATABASE
def test_a_batch_is_answered_as_its_facts_are_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, submissions: list[Submission]
) -> None:
    """And delivered again, whatever was recorded is unchanged, and nothing is added."""
    with (
        open_house(tmp_path_factory.mktemp("batch"), {}) as together,
        open_house(tmp_path_factory.mktemp("alone"), {}) as apart,
    ):
        answers = take(together, submissions)
        alone = [one(apart, submission) for submission in submissions]
        assert [(a.status, a.reasons) for a in answers] == [(a.status, a.reasons) for a in alone]
        head = together.ledger.log.last_position()
        for before, after in zip(answers, take(together, submissions), strict=True):
            status = "unchanged" if before.status == "recorded" else before.status
            assert (after.status, after.position, after.contact) == (status, before.position, before.contact)
        assert together.ledger.log.last_position() == head


def test_a_yes_that_waited_in_a_topic_did_not_happen_when_it_was_recorded(house: House) -> None:
    """It says `recorded`; an opt-out may have come, and be known, between its being written and its being read."""
    waited = said(2, OPT_IN, act="unticked_box", purposes=["marketing.similar"], precision="recorded")
    (answer,) = take(house, [waited])
    assert answer.status == "recorded"
    assert events(house)[-1].precision == "unknown"
    assert take(house, [waited])[0].status == "unchanged"
    assert take(house, [said(3, precision="recorded")])[0].status == "recorded"
    assert events(house)[-1].precision == "recorded"  # a stop that waited counts until it is recorded
    (posted,) = take(house, [said(4, OPT_IN, act="unticked_box", precision="recorded")], NOW)
    assert posted.status == "recorded"
    assert events(house)[-1].precision == "recorded"


# --- by a reference ------------------------------------------------------------------------------


def by(number: object = 1, type_: str = OPT_OUT, fields: dict[str, Any] | None = None, **person: Any) -> Submission:
    return said(number, type_, None, person=person, **fields or {})


def reference(answer: Answer) -> str:
    return f"CL-{(answer.contact or '')[:8]}-{answer.position}"


GIVEN = {"act": "unticked_box", "purposes": ["marketing.similar"], "occurred_from": THEN}


@pytest.mark.parametrize("type_", [OPT_IN, OPT_OUT, ERASURE])
def test_a_reference_names_the_address_that_it_stands_for(house: House, type_: str) -> None:
    first = one(house, said("first", "contact.enquired.v1"))
    fields = GIVEN if type_ == OPT_IN else {}
    answer = one(house, by(1, type_, fields, reference=reference(first)))
    assert (answer.status, answer.contact, answer.known, answer.warnings) == ("recorded", first.contact, True, ())
    assert events(house)[-1].address == house.find(ANA)[1]
    assert one(house, by(1, type_, fields, reference=reference(first))).status == "unchanged"
    assert one(house, by(1, type_, fields, email=ANA)).status == "unchanged"
    other = one(house, said("other", "contact.enquired.v1", BEN))
    assert one(house, by(1, type_, fields, reference=reference(other))).status == "conflict"


@pytest.mark.parametrize("type_", [OPT_IN, OPT_OUT, ERASURE])
@pytest.mark.parametrize("unknown", ["CL-0a1b2c3d-2", "CL-0a1b2c3d-0", "CL-0a1b2c3d-999999999999999", "CL-x"])
def test_a_reference_that_names_nobody_is_refused_by_its_field(house: House, type_: str, unknown: str) -> None:
    one(house, said("first", "contact.enquired.v1"))
    head = house.ledger.log.last_position()
    fields = GIVEN if type_ == OPT_IN else {}
    bad, good = take(house, [by(1, type_, fields, reference=unknown), said(2)])
    assert (bad.status, good.status) == ("rejected", "recorded")
    assert "person.reference" in reasons(bad) or (unknown == "CL-x" and reasons(bad))
    assert unknown not in msgspec.json.encode(bad).decode()
    assert house.ledger.log.last_position() == head + 1


@pytest.mark.parametrize(
    "person",
    [
        {"reference": ANA},
        {"reference": f" CL-{ANA}"},
        {"reference": ANA, "email": ANA.upper()},
        {"reference": ANA, "email": "nonsense"},
        {"email": "{ana}"},
        {"email": " {ana} ", "reference": "{ana}"},
        {"reference": " {ana}"},
        {"reference": "CL-0a1b2c3d-2", "email": ANA},
        {"reference": "nonsense", "email": ANA},
        {"reference": "{ana}", "email": "nonsense"},
        {"reference": 7, "email": ANA},
        {"reference": "{ana}", "email": ANA, "record_id": 17},
        {"reference": "CL-0a1b2c3d-2", "system": "crm", "record_id": "17"},
        {"reference": "{ana}", "system": "crm", "record_id": "18"},
        {"reference": "{ana}", "nickname": "Ana"},
    ],
)
def test_a_stop_is_not_lost_for_how_its_reference_is_written(house: House, person: dict[str, Any]) -> None:
    """A text with `@` is an address, wherever it stands; and a name of nobody takes nothing from one of somebody."""
    cl = f"cl-{ANA}"
    first = one(house, said("first", "contact.enquired.v1", ANA))
    one(house, said("cl", "contact.enquired.v1", cl))
    one(house, by("record", "contact.enquired.v1", email=ANA, system="crm", record_id="17"))
    filled: dict[str, Any] = {
        name: value.replace("{ana}", reference(first)) if isinstance(value, str) else value
        for name, value in person.items()
    }
    answer = one(house, by(1, **filled))
    assert answer.status == "recorded", answer
    stop = events(house)[-1]
    assert isinstance(stop, e.OptedOut)
    meant = cl if person == {"reference": f" CL-{ANA}"} else ANA
    assert stop.stream == house.find(meant)[0]
    assert (stop.purposes, stop.channels) == (ALL_MARKETING, EVERY_CHANNEL)
    assert one(house, by(1, **filled)).status == "unchanged"


@pytest.mark.parametrize(
    "person",
    [
        {"reference": "{ana}", "email": BEN},
        {"reference": ANA, "email": BEN},
        {"reference": "{ana}", "email": "{ben}"},
        {"reference": "{ana}", "email": "new.marker@example.org"},
    ],
)
@pytest.mark.parametrize("type_", [OPT_IN, OPT_OUT, ERASURE])
def test_a_fact_of_two_people_is_refused(house: House, type_: str, person: dict[str, Any]) -> None:
    """Whichever of them it was recorded of, for the other one it would be lost."""
    ana, ben = (one(house, said(email, "contact.enquired.v1", email)) for email in (ANA, BEN))
    filled: dict[str, Any] = {
        name: value.replace("{ana}", reference(ana)).replace("{ben}", reference(ben)) for name, value in person.items()
    }
    answer = one(house, by(1, type_, GIVEN if type_ == OPT_IN else {}, **filled))
    assert answer.status == "rejected"
    assert all(field.startswith("person") for field in reasons(answer))


def test_a_grant_takes_a_reference_and_an_address_to_the_letter(house: House) -> None:
    first = one(house, said("first", "contact.enquired.v1"))
    wrong: list[dict[str, Any]] = [
        {"reference": ANA},
        {"email": reference(first)},
        {"reference": "CL-0a1b2c3d-2", "email": ANA},
    ]
    answers = [one(house, by(n, OPT_IN, GIVEN, **person)) for n, person in enumerate(wrong)]
    assert [answer.status for answer in answers] == ["rejected"] * 3
    assert [set(reasons(answer)) for answer in answers] == [
        {"person.reference"},
        {"person.email"},
        {"person.reference"},
    ]
    assert one(house, by(9, OPT_IN, GIVEN, reference=reference(first), email=ANA)).status == "recorded"


def test_a_reference_names_a_record_where_there_is_no_address(house: House) -> None:
    first = one(house, by("first", "contact.enquired.v1", system="crm", record_id="17"))
    answer = one(house, by(1, reference=reference(first)))
    assert (answer.status, answer.contact, answer.known) == ("recorded", first.contact, True)
    assert one(house, by(2, reference=reference(first), system="crm", record_id="17")).contact == first.contact
    one(house, by("other", "contact.enquired.v1", system="crm", record_id="18"))
    assert one(house, by(3, reference=reference(first), system="crm", record_id="18")).status == "rejected"
    assert set(reasons(one(house, by(4, ERASURE, reference=reference(first))))) == {"person.reference"}


@pytest.mark.parametrize("type_", [OPT_OUT, ERASURE])
def test_delivered_again_by_reference_after_an_erasure_it_is_the_same(house: House, type_: str) -> None:
    first = one(house, said("first", "contact.enquired.v1"))
    again = by(1, type_, reference=reference(first))
    assert one(house, again).status == "recorded"
    house.ledger.vault.erase(first.contact or "")
    head = house.ledger.log.last_position()
    assert one(house, again).status == "unchanged"
    assert set(reasons(one(house, by(2, type_, reference=reference(first))))) == {"person.reference"}
    assert house.ledger.log.last_position() == head
