"""What the package brings along: the rule set, and the case suites it must pass. Read on first use."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ledger.policy.cases import Case, load
from ledger.policy.rules import Policy

SUITES = ("decisions", "counterfactuals", "worked")
"""Decisions and regulators' examples; the same with one fact changed; examples worked from statutes."""


def rule_files() -> dict[str, bytes]:
    """The shipped rule files, by name."""
    folder = files("ledger.policy") / "rules"
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.endswith(".toml")}


@cache
def policy() -> Policy:
    """The shipped rule set."""
    return Policy(rule_files())


@cache
def suite(name: str) -> tuple[Case, ...]:
    """One shipped case suite, by its name in SUITES."""
    return tuple(load((files("ledger.policy") / "cases" / f"{name}.json").read_bytes()))


def all_cases() -> tuple[Case, ...]:
    """Every shipped case."""
    return tuple(case for name in SUITES for case in suite(name))
