"""Draw a portal and write it: the same seed and day give the same bytes and the same file times."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from random import Random

from adapters.hubspot.portal.calendar import Calendar
from adapters.hubspot.portal.declared import write_declared
from adapters.hubspot.portal.desk import HARD, UNSUBSCRIBED, Desk, campaigns_of
from adapters.hubspot.portal.files import write_audience, write_contacts, write_json, write_records
from adapters.hubspot.portal.people import LEGAL_BASIS, People, Person
from adapters.hubspot.portal.persona import Persona
from adapters.hubspot.portal.personas import deal_out

_DELETED_SHARE = 50
"""One person in so many was deleted from the contacts, and stands in the unsubscribes still."""
_DELETED = 900_000_000


def write_portal(folder: Path, *, contacts: int, seed: int, today: date) -> None:
    """Write a portal of so many contacts into the folder, exported at the beginning of `today`.

    Everybody in it is made up. Addresses are under names reserved for examples (RFC 2606, RFC 6761); those of
    two personas, whose top level is what matters, are under `example.de` and `example.io`. `truth.json` says
    of each record id whether marketing by e-mail is allowed, from what its persona did, not from any rule engine.
    """
    random = Random(seed)  # noqa: S311  nothing secret is drawn
    calendar = Calendar(today)
    desk = Desk(random, calendar, campaigns_of(calendar))
    people = People(random, calendar)
    portal: list[Person] = []
    truth: dict[str, dict[str, object]] = {}
    for persona in deal_out(random, contacts):
        for who in _act(persona, people, desk):
            portal.append(who)
            truth[who.record_id] = persona.truth()
    _deleted(desk, contacts // _DELETED_SHARE)
    _noise(desk)
    folder.mkdir(parents=True, exist_ok=True)
    written = [
        write_contacts(folder, portal),
        *write_records(folder, desk),
        write_audience(folder, desk.audience, today),
        *write_declared(folder, calendar, contacts),
        write_json(folder / "truth.json", truth),
    ]
    # the file's time is what backs what an export shows
    moment = calendar.exported.timestamp()
    for path in written:
        os.utime(path, (moment, moment))


def _act(persona: Persona, people: People, desk: Desk) -> list[Person]:
    """The records of one persona, with all that happened to them filed."""
    made = [people.draw(persona.places) for _ in range(persona.records)]
    for who in made:
        who.cells[LEGAL_BASIS] = desk.random.choice(persona.claims)
    who = made[0]
    who.twin = made[1] if len(made) > 1 else None
    persona.build(desk, who)
    if who.mailed:
        _mailed(desk, who)
    return made


def _mailed(desk: Desk, who: Person) -> None:
    """What went out to them of the last campaigns, and whether they clicked."""
    for campaign in desk.random.sample(desk.campaigns[-6:], desk.random.randrange(2, 5)):
        at = desk.mail(who, campaign)
        if desk.random.random() < 0.08:
            clicked = at + timedelta(minutes=desk.random.randrange(1, 2_000))
            desk.event(who.email, "CLICK", clicked, campaign, url="https://www.nordlicht.example/news")


def _deleted(desk: Desk, people: int) -> None:
    """People who are gone from the contacts, and whose refusal must outlive that."""
    for number in range(people):
        email = f"gone.{number}@example.org"
        reason = desk.random.choice((UNSUBSCRIBED, UNSUBSCRIBED, HARD))
        at = desk.calendar.ago(desk.random, 1_500, 200)
        desk.enlist(email, str(_DELETED + number), at, reason, everything=reason == UNSUBSCRIBED)


def _noise(desk: Desk) -> None:
    """Rows that no reader can use: no address, or none that is one."""
    at = desk.calendar.ago(desk.random, 300)
    desk.enlist("(deleted)", "", at, UNSUBSCRIBED, everything=True)
    desk.objections.append(["at the counter, no address", f"{at:%Y-%m-%d}", "no more mails please"])
