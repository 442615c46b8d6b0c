"""A small ledger with one person whose story has every part a page can show, and others who must not be shown."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from tests.ledgers import open_house, open_ledger

ANA = "ana.berger@example.de"
WORDING = b"""<!doctype html><title>Kontakt</title><form><label><input type="checkbox" name="nl"> Yes, Example GmbH may
send me its newsletter with offers by e-mail. I can stop at any time.</label>
<a href="/privacy">Privacy notice</a><script>track()</script></form>"""
SUBJECT = "Winter sale #strong[now] <script>alert(1)</script> *50 %* $x$ @ref"


def at(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


class World:
    """Writes facts into a new ledger by a clock of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.time = at(2024, 2, 1, 9)
        seed = random.Random(7)
        ticks = itertools.count()
        clock = lambda: self.time + timedelta(microseconds=next(ticks))  # noqa: E731
        self.ledger = open_ledger(directory, clock, seed.randbytes, {})

    def person(self, email: str, record: str | None = None) -> tuple[str, str]:
        """(contact, address) of somebody, known or new."""
        (who,) = self.ledger.register_many([Registration(email, "hubspot", record)])
        assert who.address is not None
        return who.contact, who.address

    def record(self, event: e.Event, **payload: object) -> int:
        """Record a fact; its position."""
        return self.ledger.record(Fact(event, payload=payload or None)).position

    def keep(self, content: bytes) -> str:
        """Keep a document; its SHA-256."""
        return self.ledger.log.put_document(content)

    def controller(self, name: str = "Example GmbH", country: str = "DE") -> None:
        """Who sends."""
        document = self.keep(json.dumps({"controller": name}).encode())
        self.record(e.ControllerDescribed(stream=LEDGER_STREAM, source="cli", document=document, country=country))

    def looked(self, kind: str, **period: str) -> None:
        """An import of one kind of source."""
        done = e.ImportFinished(
            stream=LEDGER_STREAM,
            source=f"hubspot.{kind}",
            file="0" * 63 + str(len(kind) % 10),
            captured_at=self.time - timedelta(days=1),
            rows=10,
        )
        self.record(done, **period)

    def declare(self, event: e.Declaration, name: str = "Dora Duty", role: str = "data protection officer") -> int:
        """A declaration, with who answers for it."""
        return self.record(event, name=name, role=role, on="2024-02-01")


@contextmanager
def opened(directory: Path) -> Iterator[House]:
    """The ledger, to be asked."""
    with open_house(directory, {}) as house:
        yield house


def signed_up(world: World, *, evidence: bool = True, email: str = ANA) -> tuple[str, str]:
    """Somebody in Germany who ticked a box that a declaration speaks of, and confirmed."""
    contact, address = world.person(email, "4711")
    world.controller()
    shot = world.keep(b"\x89PNG\r\n\x1a\n" + bytes(200))
    declared = e.FormDeclared(
        stream=LEDGER_STREAM,
        source="map",
        key="form.kontakt",
        form="kontakt",
        box="newsletter",
        ticked_before=False,
        required=False,
        purposes=("marketing.similar", "marketing.other"),
        channels=("email",),
        to=("own",),
        wording=world.keep(WORDING),
        evidence=(shot,) if evidence else (),
    )
    world.declare(declared)
    about: dict[str, Any] = {"stream": contact, "address": address, "source": "hubspot.forms"}
    submitted = at(2023, 5, 4, 8, 30)
    world.record(
        e.BoxAnswered(
            **about,
            form="kontakt",
            box="newsletter",
            by="data_subject",
            occurred_from=submitted,
            captured_at=submitted,
            captured_by="form_record",
        )
    )
    world.record(
        e.DoubleOptInConfirmed(
            **about | {"source": "hubspot.subscriptions"},
            verifies_channel="email",
            by="data_subject",
            occurred_from=at(2023, 5, 4, 8, 41),
            captured_at=at(2023, 5, 4, 8, 41),
            captured_by="subscription_timeline",
        )
    )
    hints = (e.CountryHint(country="DE", kind="declared"),)
    world.record(e.CountryEvidenced(**about | {"source": "hubspot.export"}, hints=hints))
    world.looked("forms", first="2023-05-04", last="2024-01-20")
    world.looked("export")
    return contact, address


def sent(world: World, who: tuple[str, str], when: datetime, subject: str = SUBJECT, campaign: str = "winter") -> int:
    """A mail of a campaign."""
    event = e.CampaignMailSent(
        stream=who[0],
        address=who[1],
        source="hubspot.events",
        campaign=campaign,
        message="m-1",
        occurred_from=when,
        captured_at=when,
        captured_by="event_log",
    )
    return world.record(
        event,
        subject=subject,
        campaign="Winter sale 2024",
        message_id="<1f3a.winter@mail.example.de>",
        **{"from": "Example GmbH <news@example.de>", "list": "Newsletter DE"},
    )


def classified(
    world: World, campaign: str = "winter", purpose: str = "marketing.similar", *, shown: bool = True
) -> None:
    """Somebody says which purpose a campaign had."""
    evidence = (world.keep(b"campaign brief"),) if shown else ()
    said = e.CampaignDeclared(
        stream=LEDGER_STREAM,
        source="map",
        key=f"campaign.{campaign}",
        campaign=campaign,
        purpose=purpose,
        evidence=evidence,
    )
    world.declare(said, name="Mark Market", role="head of marketing")


def opted_out(
    world: World, who: tuple[str, str], when: datetime | None, words: str = "Bitte keine Werbung mehr"
) -> int:
    """An objection, with its words."""
    event = e.Objected(
        stream=who[0],
        address=who[1],
        source="cli",
        by="data_subject",
        via="dpo_email",
        occurred_from=when,
        evidence=(world.keep(f"From: ana\n\n{words}".encode()),),
    )
    return world.record(event, note=words)
