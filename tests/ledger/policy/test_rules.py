"""The shipped rule files: complete, sourced, and each as its own page of law."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest

from ledger.policy import shipped
from ledger.policy.rules import Policy, PolicyError
from ledger.terms import STRICTNESS, Basis

POLICY = shipped.policy()
EU_27 = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
CITED_BY_JUDGE = ("MIXED-1", "P5", "P14", "P17", "REVIEW")


def test_every_rule_has_a_text_and_a_source_and_nobody_has_signed_one_yet() -> None:
    """`checked_by` is for a lawyer, not for us."""
    for rule in POLICY.rules.values():
        assert len(rule.text) > 20
        assert rule.source
        assert (rule.checked_by, rule.checked_on) == ("", "")


def test_the_union_has_its_27_members_and_the_eea() -> None:
    """A member without a file has the Union's rules, and its own time zone and age."""
    assert set(POLICY.sheets["EU"].members) == {*EU_27, "IS", "LI", "NO"}
    assert set(POLICY.sheets["EU"].member_timezones) == set(POLICY.sheets["EU"].members)
    romania = POLICY.regime("RO")
    assert [r.id for r in romania.bases][:2] == ["EU-EPD-13-1", "EU-EPD-13-2"]
    assert (str(romania.zone), POLICY.regime("BE").digital_age, romania.digital_age) == (
        "Europe/Bucharest",
        13,
        16,
    )


@pytest.mark.parametrize("code", sorted(set(POLICY.sheets) - {"*", "EU"}))
def test_a_national_rule_replaces_the_unions_of_the_same_basis(code: str) -> None:
    """Never both."""
    own = {r.basis for r in POLICY.sheets[code].rule if r.kind == "basis"}
    for rule in POLICY.regime(code).bases:
        assert not (rule.id.startswith("EU-") and rule.basis in own)


def test_a_country_without_a_file_is_judged_by_the_strictest() -> None:
    """Switzerland, today."""
    assert not POLICY.knows("CH")
    assert [r.id for r in POLICY.regime("CH").bases if r.basis == Basis.EXPLICIT_CONSENT] == ["XX-STRICTEST"]


def test_every_rule_the_engine_cites_by_name_is_in_the_rule_set() -> None:
    """`why` shows its text."""
    for name in CITED_BY_JUDGE:
        assert POLICY.rules[name].kind == "classification"


def test_repeals_are_dated() -> None:
    """Poland, 2024-11-10."""
    assert POLICY.regime("PL").repealed == {"soft_opt_in": date(2024, 11, 10)}


def test_the_hash_is_of_names_and_bytes() -> None:
    """The same files are the same version, whatever the order; another byte is another."""
    shuffled = dict(reversed(list(shipped.rule_files().items())))
    assert Policy(shuffled).hash == POLICY.hash
    changed = shipped.rule_files()
    changed["gb.toml"] += b"\n# one more remark\n"
    assert Policy(changed).hash != POLICY.hash


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'[[rule]]\nid = "A"\n', "missing required field"),
        (
            b'[[rule]]\nid = "A"\nkind = "basis"\ntext = "t"\nsource = "s"\nconfidence = "high"\n',
            "a basis needs",
        ),
        (
            b'[[rule]]\nid = "SERVICE-1"\nkind = "stop"\ntext = "t"\nsource = "s"\nconfidence = "high"\n',
            "stands twice",
        ),
        (b'colour = "blue"\n', "colour"),
        (b"jurisdiction =", "nz.toml"),
    ],
)
def test_a_broken_rule_file_is_refused_with_its_name_and_the_reason(line: bytes, complaint: str) -> None:
    """Fail closed, and say what to change."""
    head = b'jurisdiction = "NZ"\ntitle = "New Zealand"\n'
    with pytest.raises(PolicyError, match=complaint) as caught:
        Policy(shipped.rule_files() | {"nz.toml": head + line})
    assert "nz.toml" in str(caught.value)


def test_a_new_country_is_a_file_and_no_python() -> None:
    """Known mechanisms only."""
    file = (files("ledger.policy") / "rules" / "gb.toml").read_bytes()
    copy = file.replace(b'jurisdiction = "GB"', b'jurisdiction = "NZ"').replace(b'"GB-', b'"NZ-')
    policy = Policy(shipped.rule_files() | {"nz.toml": copy})
    assert policy.knows("NZ")
    assert {r.id for r in policy.regime("NZ").bases} >= {"NZ-PECR-22-2", "SERVICE-1"}


def test_bases_are_tried_strictest_first() -> None:
    """So that the strictest is reported."""
    for code in POLICY.sheets:
        if code != "*":
            ranks = [STRICTNESS[r.basis] for r in POLICY.regime(code).bases if r.basis]
            assert ranks == sorted(ranks)
