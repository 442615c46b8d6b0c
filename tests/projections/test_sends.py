"""The audit of what was sent gives the answers that `explain` gives, mail by mail, and misses none."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.whys import verdict_of
from ledger import catalogue as catalogues
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.codec import decode
from ledger.contact import Entry
from ledger.log import Log
from ledger.policy.question import Decision, Question
from ledger.policy.shipped import policy
from ledger.scanning import scanning
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from projections.bulk import pairs_of
from projections.explain import explain
from projections.groups import neighbours, reach
from projections.sends import Sending, Totals, Window, audited, median_of
from tests.hubspot_sync.world import SIGN_UP
from tests.projections.histories import START, address, batches, contact, draft, history, open_log
from tests.stores import Place

POLICY = policy()


def catalogue_at(log: Log, moment: datetime | None) -> Catalogue:
    """The ledger-wide fold of what was recorded by a moment."""
    folded = Catalogue()
    for position, version, state in log.stream(LEDGER_STREAM):
        event = decode(state)
        if moment is not None and event.recorded_at is not None and event.recorded_at > moment:
            break
        folded = catalogues.evolve(folded, Entry(position, version, event))
    return folded


def explained(log: Log, place: Place, one: Sending, known_at: datetime | None) -> Decision:
    """The answer by the way `why` takes."""
    event = one.entry.event
    with scanning(place("log")) as source:
        partners = neighbours(pairs_of(source, 2**40))
    purposes = MARKETING_PURPOSES if one.purpose is None else (one.purpose,)
    answers = []
    for purpose in purposes:
        question = Question(
            purpose=purpose, channel="email", at=one.at, address=event.address, known_at=known_at, law_at=known_at
        )
        found = explain(
            log,
            POLICY,
            catalogue_at(log, known_at),
            event.stream,
            question,
            lambda name: reach([name], lambda other: partners.get(other, ())),
        )
        answers.append(found.decision)
    return max(answers, key=lambda d: (d.allowed, d.claimed is not None or d.uncertain))


@pytest.mark.parametrize("seed", range(8))
def test_answers_are_those_of_explain(place: Place, seed: int) -> None:
    """Known then and known now, with merges, corrections and declarations between the mails."""
    with open_log(place("log"), seed) as log:
        for part in batches(seed, history(seed, 200)):
            log.append(part)
        totals = Totals()
        found = list(audited(log, place("log"), POLICY, Window(), totals))
        sent = [p for p, _, state in log.entries() if isinstance(decode(state), e.EmailSent)]
        assert sorted(one.entry.position for one in found) == sent
        assert totals.sends == len(sent) == sum(totals.findings.values())
        for one in found:
            assert one.now.same_answer(explained(log, place, one, None))
            first = min(decode(state).recorded_at or START for _, _, state in log.stream(one.entry.event.stream))
            assert (one.then is None) == (one.at < first)
            if one.then is not None:
                assert one.then.same_answer(explained(log, place, one, one.at))


SAID = {
    "allowed": "allowed by the rules applied",
    "cannot_be_shown": "cannot be shown",
    "stop_day_unknown": "cannot be shown",
}


@pytest.mark.parametrize("seed", range(8))
def test_the_finding_of_a_mail_is_the_answer_of_its_page(tmp_path: Path, seed: int) -> None:
    """One mail, two pages: the list of what was sent and the page of the person say the same."""
    with open_log(tmp_path / "log.db", seed) as log:
        for part in batches(seed, history(seed, 500)):
            log.append(part)
        mails = [n for n in audited(log, tmp_path / "log.db", POLICY, Window(), Totals()) if n.purpose is not None]
    assert len(mails) > 2
    for one in mails:
        assert verdict_of(one.now) == SAID.get(one.finding, "not allowed by the rules applied"), one


def sent(when: datetime, **more: object) -> e.EmailSent:
    """A mail to the first person."""
    about = {"stream": contact(1), "address": address(1), "source": "t", "purpose": "marketing.similar"}
    return e.EmailSent(**{**about, "occurred_from": when, **more})  # type: ignore[arg-type]


def findings(folder: Path, *recorded: tuple[datetime, e.Event], window: Window = Window()) -> list[Sending]:  # noqa: B008
    """What the mails of a story come to, each fact recorded at its own moment."""
    clock = iter(moment for moment, _ in recorded)
    with Log.make(folder / "log.db", lambda: next(clock)) as log:
        for _, event in recorded:
            log.append([draft(event)])
        return list(audited(log, folder / "log.db", POLICY, window, Totals()))


DAY = timedelta(days=1)
OPT_OUT = e.OptedOut(stream=contact(1), address=address(1), source="t", by="data_subject", occurred_from=START)


def test_a_mail_before_the_stop_was_on_record_is_told_from_one_after(tmp_path: Path) -> None:
    """The stop was made on day 0 and recorded on day 5; mails on day -1, 2 and 7."""
    found = findings(
        tmp_path,
        (START - DAY, sent(START - DAY)),
        (START + 2 * DAY, sent(START + 2 * DAY)),
        (START + 5 * DAY, OPT_OUT),
        (START + 7 * DAY, sent(START + 7 * DAY)),
    )
    assert [one.finding for one in found] == ["no_basis", "after_stop", "after_stop"]
    assert [one.stop and one.stop.position for one in found] == [None, 3, 3]
    assert [one.stop_on_record for one in found] == [False, False, True]
    assert [(one.days_after_stop, one.days_to_record) for one in found] == [(None, None), (2, 5), (7, 5)]


def test_a_stop_without_a_day_may_have_come_after_the_mail(tmp_path: Path) -> None:
    """It forbids, and nobody is accused: the mail cannot be shown to have come after it."""
    undated = e.OptedOut(stream=contact(1), address=address(1), source="t", by="data_subject")
    found = findings(tmp_path, (START, sent(START)), (START + DAY, undated), (START + 2 * DAY, sent(START + 2 * DAY)))
    assert [one.finding for one in found] == ["stop_day_unknown", "after_stop"]
    assert [(one.days_after_stop, one.days_to_record) for one in found] == [(None, None)] * 2
    assert found[0].now.reason == "stop_time_unknown"


def test_a_stop_taken_back_or_lifted_by_an_opt_in_is_no_finding(tmp_path: Path) -> None:
    """A stop recorded by mistake does not count, whenever that was found out."""
    found = findings(
        tmp_path,
        (START, OPT_OUT),
        (START + DAY, sent(START + DAY)),
        (START + 2 * DAY, e.Corrected(stream=contact(1), source="t", undoes=1)),
    )
    assert [one.finding for one in found] == ["no_basis"]


def test_mail_that_is_no_marketing_is_not_stopped(tmp_path: Path) -> None:
    """An invoice after an opt-out is no finding; a mail nobody classified counts as marketing."""
    found = findings(
        tmp_path,
        (START, OPT_OUT),
        (START + DAY, sent(START + DAY, purpose="service.security")),
        (START + 2 * DAY, sent(START + 2 * DAY, purpose=None)),
    )
    assert [one.finding == "after_stop" for one in found] == [False, True]


def test_a_mail_nobody_dated_is_not_held_against_a_stop(tmp_path: Path) -> None:
    """It is counted when it came to be known."""
    found = findings(tmp_path, (START, OPT_OUT), (START + DAY, sent(START, occurred_from=None)))
    assert [(one.at, one.finding) for one in found] == [(START + DAY, "no_basis")]


def test_only_the_mails_of_the_window_are_looked_at(tmp_path: Path) -> None:
    """Both ends are inside; what was recorded outside the window is known all the same."""
    days = [sent(START + n * DAY) for n in range(4)]
    window = Window(START + DAY, START + 2 * DAY)
    found = findings(tmp_path, *((mail.earliest, mail) for mail in days), window=window)
    assert [one.at for one in found] == [START + DAY, START + 2 * DAY]


def test_what_was_recorded_later_was_not_known_then(tmp_path: Path) -> None:
    """A mail imported afterwards: this ledger held nothing of the person when it went out."""
    found = findings(tmp_path, (START + DAY, sent(START)))
    assert [one.then for one in found] == [None]


def test_a_stop_that_a_later_opt_in_turned_is_not_held_against_a_mail(tmp_path: Path) -> None:
    """What forbade the mail is that the address was given up."""
    opt_in = e.OptedIn(
        stream=contact(1),
        address=address(1),
        source="t",
        occurred_from=START + DAY,
        purposes=("marketing.similar",),
        **SIGN_UP,
    )
    given_up = e.AddressUnlinked(stream=contact(1), address=address(1), source="t", occurred_from=START + 3 * DAY)
    found = findings(
        tmp_path,
        (START, OPT_OUT),
        (START + DAY, opt_in),
        (START + 2 * DAY, sent(START + 2 * DAY)),
        (START + 3 * DAY, given_up),
        (START + 4 * DAY, sent(START + 4 * DAY)),
    )
    assert [(one.finding, one.now.reason) for one in found] == [
        ("no_basis", "address_unlinked"),
        ("no_basis", "address_unlinked"),
    ]
    assert [one.stop for one in found] == [None, None]


@pytest.mark.parametrize("recorded", [0, 1, 2, 3, 400])
def test_when_a_stop_was_recorded_does_not_decide_what_it_forbade(tmp_path: Path, recorded: int) -> None:
    """The person had opted out on day 0; the mail went out on day 2, whenever this ledger came to know of it."""
    story: list[tuple[datetime, e.Event]] = [
        (START + recorded * DAY, OPT_OUT),
        (START + 2 * DAY, sent(START + 2 * DAY)),
    ]
    (one,) = findings(tmp_path, *sorted(story, key=lambda told: told[0]))
    assert (one.finding, one.stopped_by, one.days_after_stop) == ("after_stop", "person", 2)
    assert (one.stop_on_record, one.days_to_record) == (recorded <= 2, recorded)


def test_what_a_review_or_somebody_else_stopped_is_no_opt_out_of_the_person(tmp_path: Path) -> None:
    """Each is counted under whoever decided; where the person said no as well, under the person."""
    review = e.ReviewDecided(stream=contact(1), source="review", by="officer", outcome="stop", occurred_from=START)
    by_staff = e.OptedOut(
        stream=contact(1), address=address(1), source="t", by="officer", occurred_from=START + 2 * DAY
    )
    own = e.Objected(
        stream=contact(1), address=address(1), source="t", by="data_subject", occurred_from=START + 4 * DAY
    )
    found = findings(
        tmp_path,
        (START, review),
        (START + DAY, sent(START + DAY)),
        (START + 2 * DAY, by_staff),
        (START + 3 * DAY, sent(START + 3 * DAY)),
        (START + 4 * DAY, own),
        (START + 5 * DAY, sent(START + 5 * DAY)),
    )
    assert [(one.stopped_by, one.days_after_stop) for one in found] == [("review", 1), ("review", 3), ("person", 1)]
    assert {one.finding for one in found} == {"after_stop"}


def test_days_count_from_the_stop_that_stood(tmp_path: Path) -> None:
    """One that an opt-in had turned since does not make the time longer."""
    opt_in = e.OptedIn(
        stream=contact(1),
        address=address(1),
        source="t",
        occurred_from=START + 10 * DAY,
        purposes=("marketing.similar",),
        **SIGN_UP,
    )
    again = e.OptedOut(
        stream=contact(1), address=address(1), source="t", by="data_subject", occurred_from=START + 20 * DAY
    )
    found = findings(
        tmp_path,
        (START, OPT_OUT),
        (START + 5 * DAY, sent(START + 5 * DAY)),
        (START + 10 * DAY, opt_in),
        (START + 15 * DAY, sent(START + 15 * DAY)),
        (START + 20 * DAY, again),
        (START + 23 * DAY, sent(START + 23 * DAY)),
    )
    assert [(one.finding, one.days_after_stop) for one in found] == [
        ("after_stop", 5),
        ("allowed", None),
        ("after_stop", 3),
    ]


def test_a_stop_seen_before_the_mail_and_without_a_day_is_certain_and_in_no_median(tmp_path: Path) -> None:
    """The source held it before the mail: it had been made, only nobody knows since when."""
    shown = e.OptedOut(
        stream=contact(1), address=address(1), source="t", by="data_subject", occurred_to=START, precision="unknown"
    )
    (one,) = findings(tmp_path, (START + DAY, shown), (START + 2 * DAY, sent(START + 2 * DAY)))
    assert (one.finding, one.days_after_stop, one.days_to_record) == ("after_stop", None, None)


def test_a_stop_of_the_same_day_may_have_come_later(tmp_path: Path) -> None:
    """Its day is known, and its hour is not: the mail cannot be shown to have come after it."""
    that_day = e.OptedOut(
        stream=contact(1),
        address=address(1),
        source="t",
        by="data_subject",
        occurred_from=START,
        occurred_to=START + DAY,
        precision="day",
    )
    noon = START + timedelta(hours=12)
    (one,) = findings(tmp_path, (noon, sent(noon)), (START + 3 * DAY, that_day))
    assert (one.finding, one.now.reason) == ("cannot_be_shown", "stop_time_unknown")


def test_a_mail_that_nobody_classified_is_held_against_a_stop_of_all_marketing_alone(tmp_path: Path) -> None:
    """It may have been of a purpose that the person had not opted out of."""
    partly = e.OptedOut(
        stream=contact(1),
        address=address(1),
        source="t",
        by="data_subject",
        occurred_from=START,
        purposes=("marketing.similar",),
    )
    found = findings(
        tmp_path,
        (START, partly),
        (START + DAY, sent(START + DAY)),
        (START + 2 * DAY, sent(START + 2 * DAY, purpose=None)),
    )
    assert [one.finding for one in found] == ["after_stop", "no_basis"]


@given(st.dictionaries(st.integers(0, 900), st.integers(1, 9)))
def test_a_median_is_the_value_in_the_middle(counts: dict[int, int]) -> None:
    """As of the list that the counts stand for."""
    values = sorted(value for value, number in counts.items() for _ in range(number))
    assert median_of(counts) == (median_low(values) if values else None)
