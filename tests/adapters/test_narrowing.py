"""A map edited so that a subscription type means less: nobody's stop is lifted in passing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.cli.options import EXIT
from tests.adapters.test_damaged import Done, program

CONTACTS = """\
Record ID,Email,Country/Region,Marketing contact status,Unsubscribed from all email,Opted out of email: News
1,ana@example.org,United Kingdom,Marketing contact,No,Yes
2,bo@example.org,United Kingdom,Marketing contact,No,No
"""
MAP = """
[by]
name = "Dana Weiss"
role = "data protection officer"
on = 2026-01-10

[[type]]
key = "news"
type = "News"
purposes = {purposes}
evidence = ["page.html"]
"""
WIDE, NARROW = '["marketing.similar", "marketing.other"]', '["marketing.other"]'
L = ("--ledger", "L")


def adopt(home: Path, purposes: str, *words: str, code: int = EXIT.OK) -> Done:
    (home / "audit.toml").write_text(MAP.format(purposes=purposes), encoding="utf-8")
    return program(home, "map", "adopt", "audit.toml", *words, *L, code=code)


def allowed(home: Path) -> bool:
    """What the gate says of the person who left the type, for the purpose that is to be taken out of it."""
    (home / "list.txt").write_text("ana@example.org\n")
    gated = program(home, "gate", "list.txt", "--purpose", "marketing.similar", "--json", *L)
    return bool(json.loads(gated.stdout)[0]["allowed"])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Ana opted in before anything else, and left the type when it meant both purposes."""
    (tmp_path / "page.html").write_text("<p>News: our products, and other news.</p>")
    for name in ("words.txt", "shot.txt"):
        (tmp_path / name).write_text("Yes, send me news about similar products by e-mail.")
    (tmp_path / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    grant = (
        "--act",
        "unticked_box",
        "--purpose",
        "marketing.similar",
        "--wording",
        "words.txt",
        "--evidence",
        "shot.txt",
    )
    program(tmp_path, "record", "opt-in", "ana@example.org", *grant, "--at", "2026-01-10T10:00:00Z", *L)
    program(tmp_path, "record", "confirmation", "ana@example.org", "--at", "2026-01-10T10:30:00Z", *L)
    program(tmp_path, "record", "country", "ana@example.org", "GB", *L)
    adopt(tmp_path, WIDE)
    assert allowed(tmp_path) is True
    program(tmp_path, "import", "contacts.csv", *L)
    assert allowed(tmp_path) is False
    return tmp_path


def test_a_narrower_type_is_shown_with_how_many_it_frees_and_adopted_only_on_purpose(home: Path) -> None:
    """In a script it only shows; what somebody answers for counts."""
    refused = adopt(home, NARROW, code=EXIT.FINDINGS)
    assert "subscription type news" in refused.stderr
    assert "1 person who left it could be written to again" in refused.stderr
    assert allowed(home) is False
    adopt(home, NARROW, "--yes")
    assert allowed(home) is True


@pytest.mark.parametrize("command", [("audit", "contacts.csv", "--out", "out"), ("import", "contacts.csv")])
def test_an_audit_does_not_adopt_it_in_passing(home: Path, command: tuple[str, ...]) -> None:
    (home / "narrow.toml").write_text(MAP.format(purposes=NARROW), encoding="utf-8")
    refused = program(home, *command, "--map", "narrow.toml", *L, code=EXIT.ERROR)
    assert "could be written to again" in refused.stderr
    assert "consent-ledger map adopt narrow.toml" in refused.stderr
    assert allowed(home) is False


def test_a_wider_type_and_one_that_frees_nobody_are_adopted_at_once(home: Path) -> None:
    adopt(home, '["marketing.similar", "marketing.other", "marketing.survey"]')
    adopt(home, '["marketing.similar", "marketing.survey"]')
    assert allowed(home) is False


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('type = "News"', 'type = "Newss"'),
        ('key = "news"', 'key = "news-2"'),
        ('key = "news"\ntype = "News"', 'key = "other"\ntype = "Other"'),
        (
            '[[type]]\nkey = "news"\ntype = "News"\npurposes = ["marketing.other"]',
            '[[list]]\nkey = "news"\nlist = "Fair"',
        ),
    ],
)
def test_a_type_by_another_name_or_key_lifts_no_stop_in_passing(home: Path, old: str, new: str) -> None:
    """The other type is declared to mean all that this one did, so nothing of what was left would be stopped."""
    text = MAP.format(purposes=NARROW)
    assert old in text
    other = '\n[[type]]\nkey = "rest"\ntype = "Rest"\npurposes = ["marketing.similar"]\nevidence = ["page.html"]\n'
    (home / "other.toml").write_text(text.replace(old, new) + other, encoding="utf-8")
    refused = program(home, "import", "contacts.csv", "--map", "other.toml", *L, code=EXIT.ERROR)
    assert "1 person who left it could be written to again" in refused.stderr
    assert allowed(home) is False
    program(home, "map", "adopt", "other.toml", *L, code=EXIT.FINDINGS)
    assert allowed(home) is False


def test_another_type_declared_later_lifts_no_stop_of_one_of_which_nobody_spoke(home: Path) -> None:
    """Ana left a type that the map does not name: it stops whatever no other type means."""
    (home / "contacts.csv").write_text(CONTACTS.replace("email: News", "email: Weekly"), encoding="utf-8")
    base = ("record", "opt-in", "ana@example.org", "--act", "unticked_box", "--purpose", "marketing.similar")
    program(
        home, *base, "--wording", "words.txt", "--evidence", "shot.txt", "--at", "2026-06-10T10:00:00Z", "--ledger", "M"
    )
    program(home, "record", "confirmation", "ana@example.org", "--at", "2026-06-10T10:30:00Z", "--ledger", "M")
    program(home, "record", "country", "ana@example.org", "GB", "--ledger", "M")
    (home / "audit.toml").write_text(MAP.format(purposes=NARROW), encoding="utf-8")
    program(home, "map", "adopt", "audit.toml", "--ledger", "M")
    program(home, "import", "contacts.csv", "--ledger", "M")
    (home / "wide.toml").write_text(MAP.format(purposes=WIDE), encoding="utf-8")
    refused = program(home, "import", "contacts.csv", "--map", "wide.toml", "--ledger", "M", code=EXIT.ERROR)
    assert "subscription type weekly" in refused.stderr
