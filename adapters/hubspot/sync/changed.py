"""Whose answers may have changed since a sync without Kafka last looked."""

from __future__ import annotations

from datetime import datetime

from adapters.wiring import House
from ledger.codec import decode
from ledger.terms import LEDGER_STREAM
from projections import views
from projections.status import answers, touches_all

CURSOR = "sync"


def changed(house: House, after: int, looked_at: datetime | None, now: datetime) -> list[str]:
    """Contacts with entries after a position, whoever was ever linked with them, and those of whom a day came.

    Everybody, where it never looked before, or something changed that holds for all. The views are brought up first.
    """
    house.runner.follow(once=True)
    touched: set[str] = set()
    everybody = after == 0 or looked_at is None
    for _, _, state in () if everybody else house.ledger.log.entries(after=after):
        event = decode(state)
        if event.stream != LEDGER_STREAM:
            touched.add(event.stream)
        elif touches_all(event):
            everybody = True
            break
    with house.views.snapshot() as driver:
        if everybody or looked_at is None:
            return sorted(views.contacts_held(driver))
        found = views.kin_of(driver, touched) if touched else set()
        for row in views.all_changing(driver):
            told = answers(row[:-1])
            if any(looked_at < moment <= now for moment in told.boundaries):
                found.add(views.contact_of(row))
    return sorted(found)
