"""`make demo-streams`: PostgreSQL, Kafka, ledger, publisher and a mirror as real processes, and the way of a fact.

Everything lies in a folder of its own and is thrown away; the exit code is 1 when a fact took more than two seconds,
130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import sqlalchemy as sa

from adapters.kafka.mirror_schema import cells, contacts
from adapters.kafka.topics import EVENTS, STATUS
from adapters.report.screen import Screen
from adapters.wiring import now
from projections.announcing import MOMENTS
from tests.demonstrating import Stopwatch, awaited, command, key, program, servers, shown
from tests.services.reading import Found, Reader
from tests.waiting import BUDGET, until

WITHIN = 2.0
"""Seconds, from the moment a fact is posted until its answer is on the status topic."""
PERSON, PURPOSE = "ana@example.org", "marketing.similar"
SIGN_UP: dict[str, Any] = {
    "act": "unticked_box",
    "purposes": [PURPOSE],
    "channels": ["email"],
    "to": ["own"],
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
    "by": "data_subject",
}


class Here(NamedTuple):
    """What runs, and where it is told what it does."""

    screen: Screen
    shop: httpx.Client
    mailer: httpx.Client
    topics: Reader
    mirror: sa.Engine


def main(arguments: list[str] | None = None) -> int:
    """Run it; the exit code."""
    asks = argparse.ArgumentParser(prog="python -m tests.demo_streams", description="the way of a fact")
    asks.add_argument("--within", type=float, default=WITHIN, help="the seconds that an answer may take")
    within: float = asks.parse_args(arguments).within
    return shown(partial(_shown, within))


def _shown(within: float, stack: ExitStack, screen: Screen) -> int:
    here = _bring_up(stack, screen)
    took = max(_story(here))
    screen.line(f"The slower of the two was on the status topic after {took:.3f} s; {within:.0f} s are allowed.")
    return 0 if took <= within else 1


def _bring_up(stack: ExitStack, screen: Screen) -> Here:
    env = servers(stack, screen)
    env["CONSENT_LEDGER_MIRROR_URL"] = f"sqlite:///{Path(env['CONSENT_LEDGER_DIR']).parent / 'mirror.db'}"
    command(env, "streams", "setup")
    command(env, "init")
    writer, reader = (key(env, "shop", "writer"), key(env, "mailer", "reader"))
    ledger = program(stack, screen, env, "ledger", "serve", "--port", "0")
    publisher = program(stack, screen, env, "publisher", "streams", "publish")
    worker = program(stack, screen, env, "reader elsewhere", "streams", "worker", "mirror")
    awaited(ledger, ledger.ready)
    awaited(publisher, lambda: "is the active one" in publisher.said())
    awaited(worker, worker.ready)
    shop, mailer = (
        stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{ledger.port}", headers=key, timeout=BUDGET))
        for key in (writer, reader)
    )
    mirror = sa.create_engine(env["CONSENT_LEDGER_MIRROR_URL"])
    stack.callback(mirror.dispose)
    topics = stack.enter_context(closing(Reader(env["CONSENT_LEDGER_KAFKA"], [EVENTS, STATUS])))
    return Here(screen, shop, mailer, topics, mirror)


# --- the story ------------------------------------------------------------------------------------


def _story(here: Here) -> Iterator[float]:
    """What is told; the seconds each fact took to the status topic."""
    screen = here.screen
    screen.line()
    screen.line("BEFORE", "bold")
    declared = {"hints": [{"country": "GB", "kind": "declared"}]}
    here.shop.post("/v1/facts", json=_fact("country_evidenced", declared)).raise_for_status()
    screen.wrapped("  ", f"Somebody in Britain is known, by an address alone. {_gate(here)}", 2)
    screen.line()
    screen.line("AN OPT-IN", "bold")
    yield _follow(here, "opted_in", SIGN_UP)
    screen.wrapped("  ", f"{_gate(here)}", 2)
    screen.line()
    screen.line("AN OPT-OUT", "bold")
    yield _follow(here, "opted_out", {"by": "data_subject"})
    screen.wrapped("  ", f"{_gate(here)}", 2)


def _follow(here: Here, kind: str, fields: Mapping[str, Any]) -> float:
    """Post a fact, and tell where it comes by; the seconds until its answer is on the status topic."""
    watch = Stopwatch(here.screen)
    posted = here.shop.post("/v1/facts", json=_fact(kind, fields))
    posted.raise_for_status()
    position, contact = posted.json()["position"], posted.json()["contact"]
    watch.tell(f"POST /v1/facts: {posted.status_code}, the log has it at position {position}, of contact {contact}")
    event = here.topics.find(EVENTS, lambda one: one.header("ce_position") == str(position))
    watch.tell(
        f"{EVENTS}, {_place(event)}: {event.header('ce_type')}, version {event.header('ce_streamversion')}", event.at
    )
    status = here.topics.find(STATUS, lambda one: one.key == contact and one.revision >= position * MOMENTS)
    value = status.json()
    cell = next(one for one in value["cells"] if one["purpose"] == PURPOSE and one["channel"] == "email")
    took = watch.tell(
        f"{STATUS}, {_place(status)}: revision {value['revision']}, cause {value['cause']}; {PURPOSE} by e-mail: "
        + _answer(cell["allowed"], cell["reason"]),
        status.at,
    )
    until(lambda: _mirrored(here, contact)[0] >= status.revision)
    revision, allowed, reason = _mirrored(here, contact)
    watch.tell(f"the mirror's table: revision {revision}, {_answer(allowed, reason)}")
    return took


def _fact(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    data = {"person": {"email": PERSON}, "occurred_from": now().isoformat(), **fields}
    return {"source": "shop", "id": secrets.token_hex(8), "type": f"contact.{kind}.v1", "data": data}


def _gate(here: Here) -> str:
    """What the gate says now."""
    asked = here.mailer.post("/v1/gate", json={"email": PERSON, "purpose": PURPOSE})
    asked.raise_for_status()
    answer = asked.json()
    rule = f" by {answer['rule']}" if answer["allowed"] else ""
    return f"The gate, asked for {PURPOSE} by e-mail: {_answer(answer['allowed'], answer['reason'])}{rule}."


def _answer(allowed: bool, reason: str) -> str:
    return f"{'allowed' if allowed else 'not allowed'} ({reason})"


def _place(found: Found) -> str:
    return f"partition {found.partition}, offset {found.offset}"


def _mirrored(here: Here, contact: str) -> tuple[int, bool, str]:
    """What the mirror holds of the cell told of: revision, allowed, reason."""
    wanted = (contacts.c.contact == contact, cells.c.purpose == PURPOSE, cells.c.channel == "email")
    query = sa.select(contacts.c.revision, cells.c.allowed, cells.c.reason).join_from(
        contacts, cells, contacts.c.contact == cells.c.contact
    )
    with here.mirror.connect() as connection:
        row = connection.execute(query.where(*wanted)).first()
    return (row.revision, row.allowed, row.reason) if row else (-1, False, "absent")


if __name__ == "__main__":
    sys.exit(main())
