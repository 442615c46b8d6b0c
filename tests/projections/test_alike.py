"""Contacts judged by a form are judged as if there were none: byte for byte, whatever their days."""

from __future__ import annotations

import ast
import inspect
import random
from datetime import timedelta
from types import ModuleType

import msgspec
import pytest

from ledger import contact as contacts
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Entry, fold
from ledger.database import uuid_text
from ledger.policy import dossier, judge, jurisdictions, mechanisms
from ledger.policy.shipped import policy
from ledger.terms import LEDGER_STREAM
from projections import cells
from projections.alike import UNREAD, Alike, Told
from projections.groups import Kin
from projections.status import Row, Setting, rows_of
from tests.projections.histories import START, history

GERMAN = Catalogue(controller=Entry(1, 1, e.ControllerDescribed(stream="", source="t", country="DE")))


def plain(stream: bytes, told: list[Told], setting: Setting) -> list[Row]:
    alone = fold(uuid_text(stream), [Entry(*one) for one in told])
    return rows_of(Kin((alone,), alone), setting)


def shifted(event: e.Event, days: int) -> e.Event:
    moments = {
        name: getattr(event, name) + timedelta(days=days)
        for name in ("occurred_from", "occurred_to", "captured_at")
        if getattr(event, name) is not None
    }
    return msgspec.structs.replace(event, **moments)


def twins(seed: int) -> list[tuple[bytes, list[Told]]]:
    """Short histories, each told many times over with other days, other ids and other places in the log."""
    dice = random.Random(seed)
    told: list[tuple[bytes, list[Told]]] = []
    position = 10
    for number in range(12):
        events = [x for x in history(seed * 100 + number, 6, people=1) if x.stream != LEDGER_STREAM]
        for _ in range(25):
            mine: list[Told] = []
            since = START + timedelta(days=dice.randrange(400))
            for version, event in enumerate(events, start=1):
                position += dice.randrange(1, 9)
                since += timedelta(days=dice.choice((0, 0, 40)))
                recorded = msgspec.structs.replace(
                    shifted(event, dice.randrange(-300, 300)), recorded_at=since, via=dice.choice((None, "door"))
                )
                mine.append((position, version, recorded))
            if mine:
                told.append((dice.randbytes(16), mine))
    dice.shuffle(told)
    return told


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("catalogue", [Catalogue(), GERMAN], ids=["unknown sender", "german sender"])
def test_a_form_gives_the_rows_a_judgement_gives(seed: int, catalogue: Catalogue) -> None:
    """Also where stops and grants change their order, and where a window ends before or after another."""
    setting = Setting(policy(), catalogue, 500, START + timedelta(days=150))
    alike = Alike(setting)
    for stream, told in twins(seed):
        assert alike.rows(stream, told) == plain(stream, told, setting)
    assert alike.walked > 20
    assert alike.refused == 0


def test_a_rule_that_reads_an_unread_field_is_served_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs time, never an answer."""
    weigh = mechanisms.CONSENT_NEEDS["informed"]
    picky = lambda event, case: weigh(event, case) if event.source == "t" else None  # noqa: E731
    monkeypatch.setitem(mechanisms.CONSENT_NEEDS, "informed", picky)
    setting = Setting(policy(), GERMAN)
    alike = Alike(setting)
    for stream, told in twins(3):
        assert alike.rows(stream, told) == plain(stream, told, setting)
    assert alike.refused > 0


@pytest.mark.parametrize("module", [contacts, dossier, judge, jurisdictions, mechanisms, cells], ids=str)
def test_no_rule_asks_even_whether_an_unread_field_is_there(module: ModuleType) -> None:
    """`is None` cannot be caught when it happens; the names that stand for nothing else are looked for here."""
    read = {node.attr for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Attribute)}
    assert not read & (set(UNREAD) - {"evidence", "message", "reason"})


def test_contacts_with_several_addresses_keep_the_order_of_their_rows() -> None:
    """The order of two addresses is part of what makes contacts alike."""
    setting = Setting(policy(), GERMAN)
    alike = Alike(setting)
    dice = random.Random(1)
    for _ in range(40):
        addresses = [uuid_text(dice.randbytes(16)) for _ in range(3)]
        told: list[Told] = [
            (n, n, e.OptedIn(stream="x", source="t", address=address, purposes=("marketing.other",)))
            for n, address in enumerate(addresses, start=dice.randrange(1, 90))
        ]
        stream = dice.randbytes(16)
        assert alike.rows(stream, told) == plain(stream, told, setting)
    assert alike.walked > 0
