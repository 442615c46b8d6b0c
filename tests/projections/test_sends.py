"""The audit of what was sent gives the answers that `explain` gives, mail by mail, and misses none."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

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
from projections.sends import Sending, Totals, Window, audited
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


SAID = {"allowed": "allowed by the rules applied", "cannot_be_shown": "cannot be shown"}


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
    assert [one.finding for one in found] == ["no_basis", "before_effect", "after_stop"]
    assert [one.stop and one.stop.position for one in found] == [None, 3, 3]


def test_a_stop_without_a_day_may_have_come_after_the_mail(tmp_path: Path) -> None:
    """It forbids, and nobody is accused: the mail cannot be shown to have come after it."""
    undated = e.OptedOut(stream=contact(1), address=address(1), source="t", by="data_subject")
    found = findings(tmp_path, (START, sent(START)), (START + DAY, undated), (START + 2 * DAY, sent(START + 2 * DAY)))
    assert [one.finding for one in found] == ["cannot_be_shown", "after_stop"]
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
