"""What `make audit-deps` makes of a report, and that nothing unchecked passes for sound."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
import pytest
from packaging.version import Version
from pip_audit._format.json import JsonFormat
from pip_audit._service.interface import ResolvedDependency, SkippedDependency, VulnerabilityID, VulnerabilityResult

from tests.audit_deps import EXCEPTIONS, LOCK, Exempt, exceptions, judged, packages, sbom, told

TODAY = date(2026, 12, 1)
MENDED = "GHSA-aaaa-bbbb-cccc"


def report(*fixed: str, skipped: bool = False) -> dict[str, Any]:
    """A report as pip-audit itself writes it: a sound package, and one with an advisory."""
    advisory = VulnerabilityResult(
        VulnerabilityID(MENDED), "made up", [Version(one) for one in fixed], {"CVE-2026-1"}, None
    )
    found: dict[Any, list[VulnerabilityResult]] = {
        ResolvedDependency("sound", Version("1.0")): [],
        ResolvedDependency("broken", Version("2.0")): [advisory],
    }
    if skipped:
        found[SkippedDependency("unheard", "Dependency not found on PyPI")] = []
    made: dict[str, Any] = json.loads(JsonFormat(False, True).format(found, []))
    return made


def test_an_advisory_that_a_release_mends_fails() -> None:
    verdict = judged(report("2.1"), (), TODAY)
    assert verdict.fails == [f"broken 2.0: {MENDED}, CVE-2026-1; mended in 2.1"]


def test_an_advisory_that_nothing_mends_yet_is_noted() -> None:
    verdict = judged(report(), (), TODAY)
    assert (verdict.fails, len(verdict.notes)) == ([], 1)


@pytest.mark.parametrize("name", [MENDED, "CVE-2026-1"])
def test_an_exception_lets_pass_until_its_day(name: str) -> None:
    exempt = (Exempt(name, "not called", TODAY),)
    assert judged(report("2.1"), exempt, TODAY).fails == []
    late = judged(report("2.1"), exempt, date(2026, 12, 2))
    assert len(late.fails) == 2


def test_an_exception_that_has_ended_fails_though_nothing_needs_it() -> None:
    exempt = (Exempt("CVE-2020-1", "long ago", date(2026, 1, 1)),)
    assert judged(report(), exempt, TODAY).fails == ["the exception for CVE-2020-1 ended on 2026-01-01"]


def test_what_could_not_be_looked_up_does_not_pass_for_checked() -> None:
    """Of some, they are named; of all, no line says that anything was found to be sound."""
    partly = judged(report(skipped=True), (), TODAY)
    assert [line for line in told(partly, 3) if "NOT CHECKED: 1 of 3" in line]
    nothing = judged({"dependencies": [{"name": "a", "skip_reason": "away"}]}, (), TODAY)
    lines = list(told(nothing, 1))
    assert "NOT CHECKED" in lines[0]
    assert not [line for line in lines if "checked: none" in line]


@pytest.mark.parametrize(
    "wrong",
    [
        '[[exception]]\nid = "X"\nreason = "because"',
        '[[exception]]\nid = "X"\nuntil = 2026-12-31',
        '[[exception]]\nid = "X"\nreason = "because"\nuntil = 2026-12-31\nfor = "ever"',
        "[[exempt]]",
    ],
)
def test_an_exception_has_a_name_a_reason_and_a_day(wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        exceptions(wrong)


def test_our_own_exceptions_can_be_read() -> None:
    assert all(one.reason for one in exceptions(EXCEPTIONS.read_text("utf-8")))


def test_the_bill_of_materials_has_what_the_image_installs() -> None:
    """Each with its version and hashes; nothing for another system, nothing of ours that develops it."""
    installed = list(packages(LOCK.read_text("utf-8")))
    made = json.loads(sbom(installed, "0.1.0"))
    assert made["bomFormat"] == "CycloneDX"
    assert made["metadata"]["component"]["name"] == "consent-ledger"
    assert {(one["name"], one["version"]) for one in made["components"]} == {one[:2] for one in installed}
    assert all(one["purl"].startswith("pkg:pypi/") for one in made["components"])
    assert all(one["externalReferences"][0]["hashes"] for one in made["components"])
    names = {one.name for one in installed}
    assert {"uvicorn", "uvloop", "cryptography"} <= names
    assert not names & {"pytest", "pip-audit", "colorama"}
