"""The audit of what was sent: every mail with both its answers, against asking `explain` for each."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.codec import encode, topic_of
from ledger.database import uuid_text
from ledger.log import Draft, Log
from ledger.policy.question import Question
from ledger.policy.shipped import policy
from ledger.terms import LEDGER_STREAM, MARKETING_PURPOSES
from projections.explain import explain
from projections.sends import Sending, Totals, Window, audited

SENDS, EACH = 100_000, 20
SECONDS = 60
SAMPLE = 1_000
_BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
_BATCH = 5_000


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Seconds for all, and what the same would take mail by mail."""
    sends = SENDS // 50 if quick else SENDS
    rules = policy()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        _build(path, sends)
        with Log.make(path, lambda: _BEGIN) as log:
            started = time.perf_counter()
            found = list(audited(log, path, rules, Window(), Totals()))
            seconds = time.perf_counter() - started
            dice = random.Random(1)
            started = time.perf_counter()
            for one in (sample := dice.sample(found, min(SAMPLE, len(found)))):
                _explained(log, rules, one)
            singly = (time.perf_counter() - started) / len(sample) * len(found)
    return [
        {
            "name": f"audit of {len(found):,} e-mails, as known then and as known now, seconds",
            "ours": seconds,
            "reference": SECONDS,
            "ratio": seconds / SECONDS,
            "bar": "<= 1.0",
            "holds": seconds <= SECONDS,
        },
        {
            "name": "the same by `explain`, mail by mail, times as slow",
            "ours": seconds,
            "reference": singly,
            "ratio": singly / seconds,
            "bar": None,
            "holds": True,
        },
    ]


def _explained(log: Log, rules: Any, one: Sending) -> None:
    for known_at in (None, one.at):
        for purpose in (one.purpose,) if one.purpose else MARKETING_PURPOSES:
            question = Question(
                purpose=purpose,
                channel="email",
                at=one.at,
                address=one.entry.event.address,
                known_at=known_at,
                law_at=known_at,
            )
            explain(log, rules, Catalogue(), one.entry.event.stream, question)


def _build(path: Path, sends: int) -> None:
    """A mail to everybody each week, recorded as it goes out: what is known is another at each."""
    now = itertools.count()
    with Log.make(path, lambda: _BEGIN + timedelta(seconds=next(now))) as log:
        log.append([_draft(e.ControllerDescribed(stream=LEDGER_STREAM, source="bench", country="DE"))])
        dice = random.Random(2)
        people = [(uuid_text(dice.randbytes(16)), uuid_text(dice.randbytes(16))) for _ in range(sends // EACH)]
        weeks = itertools.chain(_signed_up(dice, people), *(_week(dice, people, week) for week in range(EACH)))
        while batch := list(itertools.islice(weeks, _BATCH)):
            now = itertools.count(int((batch[-1].latest - _BEGIN).total_seconds()) + 60)
            log.append([_draft(event) for event in batch])


def _signed_up(dice: random.Random, people: list[tuple[str, str]]) -> Iterator[e.Event]:
    for contact, address in people:
        yes: dict[str, Any] = {
            "act": "unticked_box",
            "purposes": ("marketing.similar",),
            "channels": ("email",),
            "to": ("own",),
            "informed": True,
            "specific": dice.choice((True, True, None)),
            "proof": "individual",
            "address_verified": True,
        }
        yield e.OptedIn(stream=contact, address=address, source="bench", by="data_subject", occurred_from=_BEGIN, **yes)


def _week(dice: random.Random, people: list[tuple[str, str]], week: int) -> Iterator[e.Event]:
    at = _BEGIN + timedelta(days=7 * (week + 1))
    purpose = "marketing.similar" if week % 3 else None
    for contact, address in people:
        about: dict[str, Any] = {"stream": contact, "address": address, "source": "bench", "occurred_from": at}
        yield e.CampaignMailSent(**about, campaign="weekly", purpose=purpose, message=f"m-{week}")
        if dice.random() < 0.01:
            yield e.OptedOut(**about, by="data_subject", via="rfc8058")


def _draft(event: e.Event) -> Draft:
    return Draft(event.stream, topic_of(event), encode(event))
