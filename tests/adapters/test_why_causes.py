"""The first sentence of `why`: the condition that fails, for counsel and for the person."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from adapters.hubspot.portal import write_portal
from adapters.report.why import Why
from adapters.why_causes import law_name
from adapters.why_needs import NEEDS
from adapters.why_person import for_person
from adapters.whys import Asked, answer
from ledger import events as e
from ledger.policy import shipped
from ledger.policy.mechanisms import names_of_needs
from ledger.terms import LEDGER_STREAM, Party
from tests.adapters.test_cli import run
from tests.adapters.why_world import ANA, World, at, opened, opted_out, signed_up

LAPSED = Asked(at(2026, 6, 1))


def both(world: World, question: Asked, whom: str = ANA) -> tuple[Why, Why]:
    """The answer for counsel, and the one for the person."""
    with opened(world.directory) as house:
        why = answer(house, whom, question)
        return why, for_person(house, whom, question, why)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Nobody yet."""
    return World(tmp_path / "ledger")


def test_a_consent_that_lapsed_is_called_so(world: World) -> None:
    """Given an opt-in confirmed in May 2023, when asked in June 2026, then the lapse and its day are the reason."""
    signed_up(world)
    why, person = both(world, LAPSED)
    assert why.sentence == (
        "The opt-in of 4 May 2023 [4] lapsed at the end of 4 May 2025: 24 months passed without contact after the "
        "confirmation of 4 May 2023 [5]; the number is our choice, the law names none."
    )
    assert person.sentence == (
        "Your opt-in of 4 May 2023 lapsed at the end of 4 May 2025: 24 months passed without contact after your "
        "confirmation of 4 May 2023; the number is our choice, the law names none."
    )
    assert [one.name for one in why.conditions if one.met is not True] == [NEEDS["not_lapsed"]]


def test_a_consent_recorded_after_the_day_asked_is_not_said_to_be_missing(world: World) -> None:
    """Given an opt-in of May 2023 that no source held before February 2024, when asked about January 2024."""
    who = world.person(ANA, "1")
    world.controller()
    world.record(_opt_in(who, at(2023, 5, 4)))
    hints = (e.CountryHint(country="FR", kind="declared"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    why, person = both(world, Asked(at(2024, 1, 10), day=date(2024, 1, 10), purpose="marketing.similar"))
    assert "is on record only since 1 February 2024; nothing shows that it existed on 10 January 2024." in why.sentence
    assert (
        "is on record only since 1 February 2024; nothing shows that we had it on 10 January 2024." in person.sentence
    )
    assert why.sentence.startswith("The opt-in of 4 May 2023 [3] ")
    assert "evidence of a record of it from before the moment asked about" in why.would_change


def _opt_in(who: tuple[str, str], when: datetime, **what: object) -> e.OptedIn:
    told = {
        "act": "unticked_box",
        "purposes": ("marketing.similar",),
        "channels": ("email",),
        "to": ("own",),
        "informed": True,
        "specific": True,
        "proof": "individual",
        "by": "data_subject",
        "address_verified": True,
    }
    return e.OptedIn(stream=who[0], address=who[1], source="cli", occurred_from=when, **(told | what))  # type: ignore[arg-type]


def test_a_stop_names_its_day_and_what_came_after_it(world: World) -> None:
    """Given an objection, then its day and that no opt-in followed; given an unproven one after it, what that lacks."""
    who = signed_up(world)
    world.time = at(2024, 7, 1)
    stop = opted_out(world, who, at(2024, 6, 1, 12))
    why, person = both(world, Asked(at(2024, 7, 2)))
    assert why.sentence == (
        f"The person objected to marketing on 1 June 2024 [{stop}], and there is no later opt-in to this that can be "
        "shown."
    )
    assert person.sentence == (
        "You objected to marketing on 1 June 2024, and we hold no later opt-in of yours to this that can be shown."
    )
    world.time = at(2024, 9, 1)
    later = world.record(_opt_in(who, at(2024, 8, 1), address_verified=None))
    why, person = both(world, Asked(at(2024, 9, 2)))
    assert f"What came later does not lift it: the opt-in of 1 August 2024 [{later}] is on record, but" in why.sentence
    assert "no evidence of a double opt-in confirmation" in why.sentence
    assert "your opt-in of 1 August 2024 is on record, but there is no evidence of a double opt-in" in person.sentence
    assert why.would_change[0] == "evidence of a double opt-in confirmation, for the opt-in that came later"


def test_what_the_company_decided_is_not_said_of_the_person(world: World) -> None:
    """A review's stop names the review, in both."""
    who = signed_up(world)
    decided = e.ReviewDecided(
        stream=who[0], source="review", outcome="stop", question="customers", occurred_from=at(2024, 2, 1)
    )
    position = world.record(decided, name="Dora", role="dpo")
    why, person = both(world, Asked(at(2024, 2, 2)))
    assert why.sentence == (
        f"A review by the company decided on 1 February 2024 to stop all marketing [{position}], and there is no "
        "later opt-in to this that can be shown."
    )
    assert person.sentence == (
        "We decided on 1 February 2024 to stop all marketing, and we hold no later opt-in of yours to this that can be "
        "shown."
    )


def test_a_review_that_began_later_is_said_to_have(world: World) -> None:
    """Given a hold of February, when asked about January, then it is not said that mail was on hold then."""
    who = signed_up(world)
    hold = e.ReviewDecided(stream=who[0], source="review", outcome="hold", question="customers")
    position = world.record(hold, name="Dora", role="dpo")
    before, _ = both(world, Asked(at(2024, 1, 10)))
    assert before.sentence == (
        f"A review of 1 February 2024 [{position}] is not answered yet, so it is not shown either whether this was "
        "allowed before."
    )
    after, person = both(world, Asked(at(2024, 2, 10)))
    assert after.sentence.startswith(f"A review puts this on hold since 1 February 2024 [{position}]; nothing is sent")
    assert person.sentence.startswith("A review puts this on hold since 1 February 2024; nothing is sent")


def test_a_withdrawn_declaration_is_the_reason(world: World) -> None:
    """Given a declared form that made it allowed, when the declaration is withdrawn, then that is what is named."""
    signed_up(world)
    before, _ = both(world, Asked(at(2024, 2, 2)))
    assert before.verdict == "allowed by the rules applied"
    world.time = at(2024, 3, 1, 9)
    gone = e.FormDeclared(
        stream=LEDGER_STREAM, source="map", key="form.kontakt", form="kontakt", box="newsletter", withdrawn=True
    )
    world.declare(gone)
    why, person = both(world, Asked(at(2024, 3, 2)))
    assert why.sentence.startswith("The declaration that box newsletter of form kontakt: not ticked beforehand")
    assert "no longer counts since 1 March 2024; with it, the opt-in of 4 May 2023 [4] would be enough." in why.sentence
    assert "no longer counts since 1 March 2024" in person.sentence
    assert "the declaration again, with its evidence" in why.would_change


def test_a_missing_need_is_named(world: World) -> None:
    """Given a German opt-in without a confirmation, then the confirmation is what is missing."""
    who = world.person(ANA, "1")
    world.controller()
    hints = (e.CountryHint(country="DE", kind="declared"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    world.record(_opt_in(who, at(2024, 1, 4), address_verified=None))
    why, _ = both(world, Asked(at(2024, 2, 2), purpose="marketing.similar"))
    assert why.sentence == (
        "The opt-in of 4 January 2024 [4] is on record, but there is no evidence of a double opt-in confirmation, "
        "which UWG § 7(2) Nr 2 (rule DE-UWG-7-2-2) requires."
    )
    assert why.claimed is not None
    assert why.claimed.missing == (NEEDS["address_verified"],)


def test_a_confirmation_of_a_machine_is_named(world: World) -> None:
    """Given a confirmation three seconds after the opt-in, and one that its source says a machine made."""
    who = world.person(ANA, "1")
    world.controller()
    hints = (e.CountryHint(country="DE", kind="declared"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    world.record(_opt_in(who, at(2024, 1, 4, 9), address_verified=None))
    followed = e.DoubleOptInConfirmed(
        stream=who[0], address=who[1], source="cli", by="data_subject", occurred_from=at(2024, 1, 4, 9, 0, 3)
    )
    position = world.record(followed)
    why, person = both(world, Asked(at(2024, 2, 2), purpose="marketing.similar"))
    assert why.sentence.endswith(f"; a machine may have made the confirmation of 4 January 2024 [{position}].")
    assert person.sentence.endswith("; a machine may have made the confirmation of 4 January 2024.")


def _followed(who: tuple[str, str], by: Literal["system", "data_subject"]) -> e.DoubleOptInConfirmed:
    return e.DoubleOptInConfirmed(stream=who[0], address=who[1], source="cli", by=by, occurred_from=at(2024, 1, 4, 10))


def test_a_confirmation_by_a_machine_proves_nothing_whenever_it_came(world: World) -> None:
    """Given one an hour later by the system, then it is claimed; given the person's own, then it is allowed."""
    who = world.person(ANA, "1")
    world.controller()
    hints = (e.CountryHint(country="DE", kind="declared"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    world.record(_opt_in(who, at(2024, 1, 4, 9), address_verified=None))
    for followed, verdict in (
        (_followed(who, "system"), "cannot be shown"),
        (_followed(who, "data_subject"), "allowed by the rules applied"),
    ):
        world.record(followed)
        why, _ = both(world, Asked(at(2024, 2, 2), purpose="marketing.similar"))
        assert why.verdict == verdict


def test_an_unknown_country_is_named(world: World) -> None:
    """Given an opt-in that France would accept, and a country that one weak sign alone points to."""
    who = world.person(ANA, "1")
    world.controller(country="FR")
    hints = (e.CountryHint(country="FR", kind="domain"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    world.record(_opt_in(who, at(2024, 1, 4), address_verified=None))
    why, person = both(world, Asked(at(2024, 2, 2), purpose="marketing.similar"))
    assert why.sentence.startswith(
        "Nothing declares where the recipient is, and no two signs of it agree, so the strictest rules count too, "
        "although the rules of one country alone would allow it (France): the opt-in of 4 January 2024 [4] is on record"
    )
    assert "although the rules of one country alone would allow it (France)" in person.sentence
    assert why.would_change == (
        "evidence of a double opt-in confirmation",
        "a record of the recipient's country (France would do)",
    )
    hints = (e.CountryHint(country="FR", kind="declared"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    known, _ = both(world, Asked(at(2024, 2, 2), purpose="marketing.similar"))
    assert known.verdict == "allowed by the rules applied"


def test_a_sign_of_a_country_is_no_act_of_the_person(world: World) -> None:
    """Given a law under which nobody need opt in, and a guess at the country, then the guess is not called theirs."""
    who = world.person(ANA, "1")
    world.controller(country="US")
    hints = (e.CountryHint(country="US", kind="ip"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    why, person = both(world, Asked(at(2024, 2, 2), purpose="marketing.similar"))
    assert why.sentence == (
        "There is no evidence of the recipient's country, beyond a guess from an IP address or the like, which 15 USC "
        "7704(a) (rule US-OPTOUT) requires."
    )
    assert "Your sign" not in person.sentence
    assert why.would_change[0] == "a record of the recipient's country (United States would do)"


def test_a_rule_not_yet_in_force_is_named(world: World) -> None:
    """Given a gift before the day on which the charity exception began, asked about a day before it."""
    who = world.person(ANA, "1")
    world.record(
        e.ControllerDescribed(
            stream=LEDGER_STREAM, source="cli", document=world.keep(b"{}"), country="GB", charity=True
        )
    )
    hints = (e.CountryHint(country="GB", kind="declared"),)
    world.record(e.CountryEvidenced(stream=who[0], address=who[1], source="cli", hints=hints))
    gift = e.Donated(
        stream=who[0], address=who[1], source="cli", kind="donation", by="data_subject", occurred_from=at(2024, 1, 4),
        collected_directly=True, refusal_offered=True, refused=False,
    )  # fmt: skip
    world.record(gift)
    why, _ = both(world, Asked(at(2024, 2, 2), purpose="marketing.charitable"))
    assert why.facts is not None
    assert why.facts.cause.kind in ("not_in_force", "unmet")
    assert "5 February 2026" in why.sentence or "before the rule began" in why.sentence


# --- every persona of a portal ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A portal with all its files and its map, audited; the addresses in it."""
    home = tmp_path_factory.mktemp("causes")
    files = home / "portal"
    write_portal(files, contacts=300, seed=5, today=date(2026, 11, 30))
    names = ("forms", "deals.csv", "unsubscribes-and-bounces.csv", "subscription-timeline.json", "email-events.json")
    brought = [files / name for name in ("contacts.csv", *names, "mailchimp-audience.zip")]
    common = ("--ledger", home / "ledger", "--timezone", "Europe/Berlin", "--sender-country", "DE")
    settled = ("--map", files / "audit.toml", "--stops", files / "objections.csv")
    run("audit", *brought, *settled, "--out", home / "out", *common)
    with (files / "contacts.csv").open(encoding="utf-8-sig", newline="") as text:
        emails = [row["Email"] for row in csv.DictReader(text) if row.get("Email")]
    return home / "ledger", list(dict.fromkeys(emails))


def test_no_answer_contradicts_itself(portal: tuple[Path, list[str]]) -> None:
    """Over every persona, today and on two days before: one reason, the same in both voices, in plain words."""
    directory, emails = portal
    kinds: Counter[str] = Counter()
    with opened(directory) as house:
        for number, email in enumerate(emails):
            moment = (datetime(2026, 12, 1, tzinfo=UTC), at(2025, 3, 3), at(2026, 6, 1))[number % 3]
            why = answer(house, email, Asked(moment))
            assert why.facts is not None
            kinds[why.facts.cause.kind] += 1
            _agrees(why)
            _agrees(for_person(house, email, Asked(moment), why))
    assert kinds.keys() >= {"proven", "stopped", "lapsed", "missing", "claimed", "recorded_later", "begins_later"}


def _agrees(why: Why) -> None:
    met = {one.name for one in why.conditions if one.met is True}
    missing = set(why.claimed.missing) if why.claimed is not None else set()
    assert not met & missing, (why.sentence, met & missing)
    assert not re.search(r"[a-z]_[a-z]|marketing\.", why.sentence), why.sentence
    assert why.sentence.endswith(".")
    assert not re.search(r"\ba [aeio]|  |\.\.|None|what is on record is on record", why.sentence), why.sentence
    if why.audience == "person":
        assert not re.search(r"\[\d|rule [A-Z]{2}|the person|CL-", why.sentence), why.sentence


def test_every_condition_of_every_rule_has_its_words() -> None:
    """A rule that asks for something new asks for words too."""
    rules = [rule for rule in shipped.policy().rules.values() if rule.kind == "basis"]
    assert {name for rule in rules for name in names_of_needs(rule)} - NEEDS.keys() == set()
    assert len(set(NEEDS.values())) == len(NEEDS)


def test_the_cause_is_for_machines_too(world: World) -> None:
    """As a value in the JSON for counsel; the person's holds no more than the page."""
    signed_up(world)
    why, person = both(world, LAPSED)
    found = msgspec.json.decode(msgspec.json.encode(why))["facts"]["cause"]
    assert (found["kind"], found["period"], found["chosen"]) == ("lapsed", "P24M", True)
    assert datetime.fromisoformat(found["since"]) - at(2025, 5, 4) < timedelta(days=1)
    assert person.facts is None


def test_an_allowed_answer_does_not_deny_an_opt_out_that_came_later_or_covers_less(world: World) -> None:
    """Given an opt-out after the day asked about, or of another channel, then nobody reads that there was none."""
    who = signed_up(world)
    world.time = at(2024, 7, 1)
    opted_out(world, who, at(2024, 6, 1, 12))
    for why in both(world, Asked(at(2024, 3, 1))):
        assert why.verdict == "allowed by the rules applied"
        assert "not opted out" not in why.sentence
        assert why.sentence.endswith("and no opt-out that covers this stood against it at the moment asked about.")


def test_what_came_but_does_not_count_is_not_said_to_be_absent(world: World) -> None:
    """Given a guardian's opt-in, or one after an erasure, that lacks evidence, then it is not said that none came."""
    who = signed_up(world)
    world.record(e.RecipientDescribed(stream=who[0], address=who[1], source="cli", minor=True))
    world.time = at(2024, 9, 1)
    world.record(_opt_in(who, at(2024, 8, 1), by="guardian", address_verified=None))
    for why in both(world, Asked(at(2024, 9, 2))):
        assert why.sentence.endswith("and no guardian's consent can be shown.")


def test_an_opt_in_after_an_erasure_is_not_said_to_be_absent(world: World) -> None:
    """Given an opt-in after an erasure that lacks evidence, then it is not said that none came."""
    who = signed_up(world)
    world.record(e.ErasureCompleted(stream=who[0], source="cli"))
    world.time = at(2024, 9, 1)
    world.record(_opt_in(who, at(2024, 8, 1), address_verified=None))
    for why in both(world, Asked(at(2024, 9, 2))):
        assert "and no later opt-in to this can be shown" in why.sentence


@pytest.mark.parametrize(
    ("by", "counsel", "person", "row"),
    [
        (
            "data_subject",
            "The person objected to marketing on 1 June 2024 [9]",
            "You objected to marketing on 1 June 2024",
            "You objected to marketing",
        ),
        (
            "guardian",
            "A guardian objected to marketing on behalf of the person on 1 June 2024 [9]",
            "A guardian objected to marketing on your behalf on 1 June 2024",
            "A guardian objected to marketing on your behalf",
        ),
        (
            "agent",
            "Somebody objected to marketing on behalf of the person on 1 June 2024 [9]",
            "Somebody objected to marketing on your behalf on 1 June 2024",
            "Somebody objected to marketing on your behalf",
        ),
        (
            "unknown",
            "An objection to marketing of 1 June 2024 is on record [9]",
            "An objection to marketing of 1 June 2024 is on record",
            "An objection to marketing is on record",
        ),
        (
            "officer",
            "Somebody else than the person took this contact off the mailings on 1 June 2024 [9]",
            "Somebody else than you took you off our mailings on 1 June 2024",
            "Somebody else than you took you off our mailings",
        ),
    ],
)
def test_nobody_reads_that_they_said_what_another_said(
    world: World, by: Party, counsel: str, person: str, row: str
) -> None:
    """The sentence and the letter's list name who acted, or that it is not known."""
    who = signed_up(world)
    world.time = at(2024, 7, 1)
    world.record(e.Objected(stream=who[0], address=who[1], source="cli", by=by, occurred_from=at(2024, 6, 1)))
    why, letter = both(world, Asked(at(2024, 7, 2)))
    assert why.sentence == f"{counsel}, and there is no later opt-in to this that can be shown."
    assert letter.sentence == f"{person}, and we hold no later opt-in of yours to this that can be shown."
    assert row in [one.what for one in letter.timeline]


@pytest.mark.parametrize(
    ("by", "row"),
    [
        ("data_subject", "You opted in"),
        ("guardian", "A guardian opted in on your behalf"),
        ("third_party", "An opt-in is on record, made by somebody else than you"),
        ("unknown", "An opt-in is on record"),
    ],
)
def test_nobody_reads_that_they_opted_in_where_another_did(world: World, by: Party, row: str) -> None:
    """In the letter's list."""
    who = signed_up(world)
    world.record(_opt_in(who, at(2024, 1, 5), by=by))
    _, letter = both(world, Asked(at(2024, 2, 2)))
    assert row in [one.what for one in letter.timeline]


def test_the_stop_that_stands_is_named(world: World) -> None:
    """Given an objection, a proven opt-in after it, and an opt-out after that: the opt-out, and no opt-in denied."""
    who = signed_up(world)
    world.time = at(2024, 8, 1)
    opted_out(world, who, at(2024, 2, 10))
    world.record(_opt_in(who, at(2024, 3, 1)))
    stop = e.OptedOut(stream=who[0], address=who[1], source="cli", by="data_subject", occurred_from=at(2024, 6, 1))
    position = world.record(stop)
    why, person = both(world, Asked(at(2024, 8, 2)))
    rest = "that can be shown."
    assert (
        why.sentence == f"The person opted out on 1 June 2024 [{position}], and there is no later opt-in to this {rest}"
    )
    assert person.sentence == f"You opted out on 1 June 2024, and we hold no later opt-in of yours to this {rest}"
    assert {line.reason for line in why.answers if line.purpose == "marketing.similar"} == {"opted out"}


def test_an_opt_in_after_the_day_asked_is_not_denied(world: World) -> None:
    """Given an opt-out, and a proven opt-in later than the moment asked about, then it is said until when none came."""
    who = signed_up(world)
    world.time = at(2024, 8, 1)
    opted_out(world, who, at(2024, 6, 1))
    world.record(_opt_in(who, at(2024, 7, 1)))
    why, person = both(world, Asked(at(2024, 6, 15)))
    assert "there is no later opt-in to this, up to the moment asked about, that can be shown." in why.sentence
    assert (
        "we hold no later opt-in of yours to this, up to the moment asked about, that can be shown." in person.sentence
    )


def _with_another(world: World, country: str, link: type[e.ContactsLinked | e.StopsLinked]) -> tuple[str, str]:
    """Ana of Germany, linked with Bob of another country."""
    who = signed_up(world)
    bob = world.person("bob@example.de", "4712")
    hints = (e.CountryHint(country=country, kind="declared"),)
    world.record(e.CountryEvidenced(stream=bob[0], address=bob[1], source="cli", hints=hints))
    world.record(link(stream=who[0], other=bob[0], source="cli"))
    world.record(link(stream=bob[0], other=who[0], source="cli"))
    return who


@pytest.mark.parametrize("link", [e.ContactsLinked, e.StopsLinked])
@pytest.mark.parametrize("country", ["FR", "CA", "JP", "US"])
@pytest.mark.parametrize("when", [at(2024, 2, 2), at(2023, 1, 1), at(2026, 1, 2)])
def test_a_letter_does_not_tell_where_somebody_else_is(
    world: World, country: str, link: type[e.ContactsLinked | e.StopsLinked], when: datetime
) -> None:
    """Given a linked contact of another country, then no part of Ana's letter names it, its law or its rule."""
    _with_another(world, country, link)
    why, letter = both(world, Asked(when))
    regime = shipped.policy().regime(country)
    assert country in [one.code for one in why.jurisdictions]
    assert [one.code for one in letter.jurisdictions] == ["DE"]
    written = msgspec.json.encode(letter).decode()
    assert regime.title not in written
    assert f'"{country}"' not in written
    laws = [law_name(rule) for rule in shipped.policy().rules.values() if rule.id.startswith(f"{country}-")]
    assert not [law for law in laws if law in written]


def test_a_law_that_is_asked_for_somebody_else_is_not_named(world: World) -> None:
    """Given a person of the United States linked with one of Germany, then the letter names no law and no country."""
    who = world.person(ANA, "1")
    bob = world.person("bob@example.de", "2")
    world.controller(country="US")
    for one, code in ((who, "US"), (bob, "DE")):
        hints = (e.CountryHint(country=code, kind="declared"),)
        world.record(e.CountryEvidenced(stream=one[0], address=one[1], source="cli", hints=hints))
    world.record(e.StopsLinked(stream=who[0], other=bob[0], source="cli"))
    why, letter = both(world, Asked(at(2024, 2, 2)))
    assert why.sentence.startswith(
        "The rules of one country alone would allow it (United States), but others count too"
    )
    assert letter.sentence == (
        "The strictest of the rules that may apply decide: nothing on record about you could be a legal basis for this."
    )
    assert letter.rule is None


def test_a_minor_is_shown_by_the_record_that_says_so(world: World) -> None:
    """Given a minor and a later description that says nothing of age, then the first is named, also to the person."""
    who = signed_up(world)
    minor = world.record(e.RecipientDescribed(stream=who[0], address=who[1], source="cli", minor=True))
    world.record(e.RecipientDescribed(stream=who[0], address=who[1], source="cli", professional=True))
    why, person = both(world, Asked(at(2024, 2, 2)))
    assert why.sentence.startswith(f"The records say that the person is a minor [{minor}], and")
    assert person.sentence.startswith("The records say that you are a minor, and")


def test_a_letter_does_not_call_somebody_a_minor_because_of_another(world: World) -> None:
    """Given a minor who is only linked with the person, then the letter leaves it open."""
    who = signed_up(world)
    bob = world.person("bob@example.de", "4712")
    world.record(e.RecipientDescribed(stream=bob[0], source="cli", minor=True))
    world.record(e.ContactsLinked(stream=who[0], other=bob[0], source="cli"))
    why, person = both(world, Asked(at(2024, 2, 2)))
    assert why.verdict == "not allowed by the rules applied"
    assert person.sentence == "Our records leave open whether you are a minor, and no guardian's consent can be shown."


@pytest.mark.parametrize("law_at", [at(2000, 1, 1), at(2004, 7, 7)])
def test_a_law_of_a_later_day_is_not_applied(world: World, law_at: datetime) -> None:
    """Given a law in force since 8 July 2004, when only law of an earlier day counts, then it carries nothing."""
    signed_up(world)
    day = at(2024, 2, 2)
    why, person = both(world, Asked(day, law_at=law_at, purpose="marketing.similar"))
    assert why.verdict == "not allowed by the rules applied"
    assert why.sentence == (
        "UWG § 7(2) Nr 2 (rule DE-UWG-7-2-2) was not yet in force, or not yet declared, before 8 July 2004; "
        "the opt-in of 4 May 2023 [4] needs it."
    )
    assert person.sentence.endswith("your opt-in of 4 May 2023 needs it.")
    known, _ = both(world, Asked(day, law_at=at(2004, 7, 9), purpose="marketing.similar"))
    assert known.verdict == "allowed by the rules applied"


def test_what_counted_against_names_the_law_before_the_rule(world: World) -> None:
    """Of a stop, of a hold and of a minor alike."""
    who = signed_up(world)
    minor = world.record(e.RecipientDescribed(stream=who[0], address=who[1], source="cli", minor=True))
    hold = world.record(e.ReviewDecided(stream=who[0], source="review", outcome="hold", question="customers"))
    world.time = at(2024, 7, 1)
    stop = opted_out(world, who, at(2024, 6, 1))
    why, _ = both(world, Asked(at(2024, 7, 2)))
    assert why.spoke_against == (
        f"objected to marketing [{stop}], GDPR Art 7(3), 21(2)-(4) (rule EU-STOP)",
        f"on hold until a review is answered [{hold}], our own rule (rule REVIEW)",
        f"a minor, without a guardian's consent [{minor}], GDPR Art 8, rec 38 (rule P17)",
    )


def test_a_stop_of_an_unknown_day_names_the_last_day_it_can_be_of(world: World) -> None:
    """Given an opt-out that an export showed on a day, then it is of a day up to that one."""
    who = signed_up(world)
    world.time = at(2024, 7, 1)
    shown = e.OptedOut(
        stream=who[0], address=who[1], source="hubspot.export", occurred_to=at(2024, 6, 1), precision="unknown"
    )
    position = world.record(shown)
    why, person = both(world, Asked(at(2024, 7, 2)))
    assert why.sentence.startswith(f"An opt-out of a day up to 1 June 2024 is on record [{position}], and ")
    assert person.sentence.startswith("An opt-out of a day up to 1 June 2024 is on record, and ")


def test_a_claim_that_one_law_would_not_need_is_not_said_to_be_accepted_nowhere(world: World) -> None:
    """Given a claim of an interest, a recipient in the United States and a sender in Germany."""
    who = world.person(ANA, "1")
    world.controller()
    about: dict[str, Any] = {"stream": who[0], "address": who[1], "source": "hubspot.export"}
    world.record(e.CountryEvidenced(**about, hints=(e.CountryHint(country="US", kind="declared"),)))
    claim = world.record(e.BasisClaimed(**about, by="system", field="legal_basis", claims=("interest_other",)))
    why, _ = both(world, Asked(at(2024, 2, 2)))
    assert why.sentence == (
        "The rules of one country alone would allow it (United States), but others count too, those of Germany among "
        f"them: the CRM claims a legitimate interest [{claim}], and in at least one of the countries in question no "
        "rule accepts that as a legal basis for this."
    )
    assert "CRM claims a basis (a legitimate interest; legal basis)" in [row.what for row in why.timeline]
