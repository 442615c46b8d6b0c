"""One answer on a terminal and as JSON."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, date, datetime

import msgspec
import pytest
from rich.console import Console

from adapters.report.text import render_why
from adapters.report.why import (
    Why,
    WhyClaim,
    WhyCondition,
    WhyJurisdiction,
    WhyQuestion,
    WhyRow,
    WhyRule,
    why_json,
)


def at(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


QUESTION = WhyQuestion(
    purpose="marketing.similar",
    channel="email",
    on=at(2025, 1, 15, 10),
    known_at=at(2025, 1, 15, 10),
    law_at=at(2026, 11, 23),
)

FULL = Why(
    email="ana@example.de",
    email_masked="a…@e….de",
    reference="0f8fad5b-d9cb-469f-a165-70867728950e@5200",
    question=QUESTION,
    verdict="not allowed by the rules applied",
    sentence="An opt-out of 3 January 2025 stands, and no later opt-in by the person.",
    basis="soft_opt_in",
    rule=WhyRule(
        id="DE-UWG-7-3",
        text="own similar goods, address from a sale, refusal offered at collection and each time",
        source="UWG s 7(3); Dir 2002/58/EC Art 13(2)",
        confidence="high",
    ),
    conditions=(
        WhyCondition(name="address obtained in a sale", met=True, positions=(12, 13)),
        WhyCondition(name="refusal offered at collection", met=None),
        WhyCondition(name="not refused", met=False, positions=(19,)),
    ),
    timeline=(
        WhyRow(
            position=12,
            what="contract started, seller own, category shoes",
            happened_from=at(2023, 2, 1),
            happened_to=at(2023, 2, 28, 23, 59),
            precision="month",
            held_since=at(2023, 3, 1, 9),
            recorded_at=at(2026, 11, 1, 8),
            note="counts",
        ),
        WhyRow(
            position=15,
            what="[b]marketing contact[/b] flag",
            recorded_at=at(2026, 11, 1, 8),
            note="grants nothing",
        ),
        WhyRow(
            position=19,
            what="opted out of all marketing by the link in a mail, shown by the subscription timeline",
            happened_from=at(2025, 1, 3, 7, 41),
            held_since=at(2025, 1, 3, 7, 41),
            recorded_at=at(2026, 11, 1, 8),
            note="stop",
        ),
        WhyRow(
            position=22,
            what="an enquiry",
            happened_from=at(2024, 5, 1),
            happened_to=at(2024, 6, 12),
            precision="period",
            recorded_at=at(2026, 11, 1, 8),
            note="not known then",
        ),
    ),
    spoke_against=("opted out, position 19",),
    obligations=("name the sender", "offer a refusal in every message"),
    would_change=("A later opt-in by the person, with what was shown and done.",),
    changes_at=date(2027, 2, 1),
    jurisdictions=(WhyJurisdiction(code="DE", evidence=("billing address", "top-level domain")),),
    policy_hash="9f" * 32,
    claimed=WhyClaim(rule="EU-EPD-13-1", basis="explicit_consent", missing=("the wording shown", "the act")),
    liabilities=("BGH VI ZR 134/15: each message counts",),
)

BARE = Why(
    email_masked="no address",
    reference="0f8fad5b-d9cb-469f-a165-70867728950e@1",
    question=QUESTION,
    verdict="cannot be shown",
    policy_hash="00" * 32,
)


def printed(why: Why) -> str:
    """What a pipe of 80 columns receives."""
    stream = io.StringIO()
    render_why(why, Console(file=stream, width=80))
    return stream.getvalue()


@pytest.mark.parametrize("why", [FULL, BARE])
def test_fits_eighty_columns(why: Why) -> None:
    shown = printed(why)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "\x1b" not in shown
    assert "lawful" not in shown.lower()
    assert "This is not legal advice." in shown


def test_says_the_answer_before_its_grounds() -> None:
    shown = printed(FULL)
    order = (
        "a…@e….de",
        "No send on record",
        "Not allowed by the rules applied.",
        "What happened, on three clocks",
        "DE-UWG-7-3",
        "Would change it",
        "Rule set",
        "Note of counsel",
    )
    places = [shown.index(said) for said in order]
    assert places == sorted(places)
    assert "ana@example.de" not in shown


def test_keeps_the_clocks_apart_and_unknown_unknown() -> None:
    """In the order it happened; a month stays a month, and what is unknown is called so."""
    shown = printed(FULL)
    table = shown[shown.index("three clocks") : shown.index("Times are UTC")]
    rows = [" ".join(part.split()) for part in re.split(r"\n(?=\d)", table)[1:]]
    assert rows[0].startswith("1 contract started, seller own, 2023-02 2023-03-01 2026-11-01 counts")
    assert "an enquiry [22] 2024-05-01 not shown" in rows[1]
    assert "19" in rows[2]
    assert "unknown not shown 2026-11-01 grants" in rows[3]
    assert "[b]marketing contact[/b]" in rows[3]
    facts = " ".join(shown.split())
    assert "met: address obtained in a sale not met: not refused not shown: refusal offered at collection" in facts


def test_says_who_stands_behind_the_rules() -> None:
    shown = " ".join(printed(FULL).split())
    assert "not checked by counsel" in shown
    assert "not adopted by anybody yet" in shown
    assert "Missing: the wording shown; the act" in shown


def test_a_terminal_of_few_letters_still_shows_it() -> None:
    """No character that the terminal's encoding lacks."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    render_why(FULL, Console(file=stream, width=80))
    stream.flush()
    assert b"Not allowed by the rules applied." in raw.getvalue()


def test_json_round_trips() -> None:
    content = why_json(FULL)
    assert msgspec.json.decode(content, type=Why) == FULL
    assert json.loads(content)["schema"] == "consent-ledger/why/2"
