"""`make audit-deps`: what the image installs as a CycloneDX SBOM, and what is known to be wrong with it.

It fails for an advisory that a released version mends, unless `.ci/advisories.toml` names it and its day has not
passed. What could not be looked up is said to be unchecked: a package that was not checked is not a sound one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from packaging.markers import Marker

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
EXCEPTIONS = ROOT / ".ci/advisories.toml"
SBOM = ROOT / "build/sbom.cdx.json"
SECONDS = 300
IN_THE_IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
"""What a requirement's condition is held against, whichever machine this runs on."""
_AWAY = re.compile(r"ConnectionError|Could not connect|Max retries|timed out|NameResolutionError|HTTPError")


class Package(NamedTuple):
    """A package of the lock, with the SHA-256 of each file that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]


class Exempt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An advisory that is let pass, why, and the last day on which it is."""

    id: str
    reason: str
    until: date


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    exception: tuple[Exempt, ...] = ()


class Verdict(NamedTuple):
    """What a report comes to: lines for what fails, for what could not be looked up, and for what is only noted."""

    fails: list[str]
    unchecked: list[str]
    notes: list[str]


def packages(lock: str) -> Iterator[Package]:
    """What of a lock the image installs."""
    for part in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]:
        found = re.match(r"(?P<name>[a-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+))?", part)
        assert found, part
        if found["marker"] is None or Marker(found["marker"].strip()).evaluate(IN_THE_IMAGE):
            yield Package(found["name"], found["version"], tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", part)))


def sbom(installed: Iterable[Package], version: str) -> str:
    """The software bill of materials, as CycloneDX 1.6 in JSON."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    def component(one: Package) -> Component:
        files = ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"https://pypi.org/project/{one.name}/{one.version}/#files"),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in one.hashes],
        )
        purl = PackageURL("pypi", None, one.name, one.version)
        return Component(
            type=ComponentType.LIBRARY,
            name=one.name,
            version=one.version,
            purl=purl,
            bom_ref=str(purl),
            external_references=[files],
        )

    bom = Bom()
    ours = Component(
        type=ComponentType.APPLICATION, name="consent-ledger", version=version, bom_ref=f"consent-ledger@{version}"
    )
    bom.metadata.component = ours
    parts = [component(one) for one in installed]
    bom.components.update(parts)
    bom.register_dependency(ours, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1)


def exceptions(text: str) -> tuple[Exempt, ...]:
    """The exceptions of a file. msgspec.ValidationError or TOMLDecodeError for one that is none."""
    return msgspec.convert(tomllib.loads(text), _File).exception


def judged(report: Mapping[str, Any], exempt: Sequence[Exempt], today: date) -> Verdict:
    """What pip-audit's JSON report comes to."""
    verdict = Verdict([], [], [])
    passing = {one.id: one for one in exempt if one.until >= today}
    verdict.fails.extend(f"the exception for {one.id} ended on {one.until}" for one in exempt if one.until < today)
    used = set[str]()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            verdict.unchecked.append(f"{package['name']}: {package['skip_reason']}")
            continue
        for advisory in package["vulns"]:
            names = [advisory["id"], *advisory.get("aliases", ())]
            said = f"{package['name']} {package['version']}: {', '.join(names)}"
            named = next((passing[name] for name in names if name in passing), None)
            if not advisory["fix_versions"]:
                verdict.notes.append(f"{said}; no release mends it yet")
            elif named is None:
                verdict.fails.append(f"{said}; mended in {', '.join(advisory['fix_versions'])}")
            else:
                used.add(named.id)
                verdict.notes.append(f"{said}; let pass until {named.until}: {named.reason}")
    verdict.notes.extend(f"the exception for {name} is not needed" for name in passing if name not in used)
    return verdict


def looked_up(lock: Path) -> Mapping[str, Any] | str:
    """pip-audit's report; a line where the advisories are out of reach. RuntimeError where it ends in any other way."""
    words = "--require-hashes --disable-pip --vulnerability-service pypi --format json --progress-spinner off"
    done = subprocess.run(
        [Path(sys.executable).with_name("pip-audit"), *words.split(), "--requirement", lock],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    try:
        report: Mapping[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if _AWAY.search(done.stderr):
            return f"the advisories of PyPI are out of reach ({last.partition(':')[0]})"
        raise RuntimeError(f"pip-audit ended with {done.returncode}: {last}") from None
    return report


def told(verdict: Verdict, count: int) -> Iterator[str]:
    """A verdict on so many packages, line by line; what was not checked is said before anything else."""
    if len(verdict.unchecked) == count:
        yield "!! NOT CHECKED: advisories out of reach: PyPI's vulnerability feed knows none of the packages here."
        yield f"!! Nothing is known about {count} packages. This is no pass: run it where the feed can be had."
    elif verdict.unchecked:
        yield f"!! NOT CHECKED: {len(verdict.unchecked)} of {count} packages"
        yield from (f"!!   {line}" for line in verdict.unchecked)
    yield from (f"note: {line}" for line in verdict.notes)
    yield from (f"FAILED: {line}" for line in verdict.fails)
    if not verdict.fails and len(verdict.unchecked) < count:
        yield f"{count - len(verdict.unchecked)} packages checked: none has an advisory that a release mends"


def main() -> int:
    """Write the SBOM, look up what is in it, and say what is wrong; the exit code."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    installed = list(packages(LOCK.read_text("utf-8")))
    SBOM.parent.mkdir(exist_ok=True)
    SBOM.write_text(sbom(installed, version) + "\n", "utf-8")
    print(f"{SBOM.relative_to(ROOT)}: {len(installed)} packages")
    exempt = exceptions(EXCEPTIONS.read_text("utf-8"))
    found = looked_up(LOCK)
    if isinstance(found, str):
        found = {"dependencies": [{"name": one.name, "skip_reason": found} for one in installed]}
    verdict = judged(found, exempt, datetime.now(UTC).date())
    for line in told(verdict, len(found["dependencies"])):
        print(line)
    return 1 if verdict.fails else 0


if __name__ == "__main__":
    raise SystemExit(main())
