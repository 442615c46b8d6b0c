"""What is shipped: light imports, a lock without hosts, a licence, nothing of the machine it was made on."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from itertools import chain
from pathlib import Path

import pytest

import adapters
import ledger
import projections

ROOT = Path(__file__).parent.parent
FOLDERS = (".ci", "adapters", "docs", "ledger", "projections", "tests")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-dev.lock")
HEAVY = {"sqlalchemy", "eventsourcing", "cryptography", "pydantic", "typer", "rich", "chardet", "sqlite3"}

MACHINE_PATH = re.compile(r"(?<![\w.:/~-])/(?:home|root|work|Users|opt/wheels)/\w")
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|PRIVATE\+KEY\+\w+\+"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abp]-[0-9]{6}"
    r"|\bpat-(?:na|eu)[0-9]-[0-9a-f]{8}-|\beyJhbGciOi[\w-]{10,}\.eyJ"
    r"|://[^/\s:@'\"{}$<>]+:[^/\s:@'\"{}$<>]+@(?!localhost)"
)


def shipped() -> list[Path]:
    """Every file of the project, found without git."""
    found = [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith((".coverage", ".git"))]
    for folder in FOLDERS:
        found += (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


@pytest.mark.parametrize("module", ["ledger", "ledger.terms", "ledger.events", "ledger.codec", "projections"])
def test_imports_are_light(module: str) -> None:
    """The words and the format are there without the database, the vault's cipher or a terminal."""
    code = f"import sys, {module}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert HEAVY & set(done.stdout.split()) == set()


def test_the_packages_are_ours() -> None:
    """PyPI has a package `adapters`; what is imported here is this project's."""
    for package in (ledger, projections, adapters):
        assert Path(str(package.__file__)).parent.parent == ROOT
        assert Path(str(package.__file__)).with_name("py.typed").exists()


def test_the_command_is_installed() -> None:
    """`consent-ledger` starts what pyproject.toml names."""
    (command,) = entry_points(group="console_scripts", name="consent-ledger")
    assert command.value == PROJECT["scripts"]["consent-ledger"]
    assert callable(command.load())


def test_nothing_of_a_machine_and_no_secret_is_shipped() -> None:
    """No path of somebody's machine, no key, no token, no password in a URL."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in shipped()
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1)
        if (match := MACHINE_PATH.search(line) or SECRETS.search(line))
    ]
    assert found == []


def test_the_licence_is_there() -> None:
    """Apache-2.0, as pyproject.toml says."""
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_path(lock: str) -> None:
    """Where packages come from is the installing machine's choice."""
    text = (ROOT / lock).read_text("utf-8")
    plain = re.compile(
        r"#.*|[a-z0-9][a-z0-9._-]*==\S+(?: ; [^\\]+)? \\"
        r"|    --hash=sha256:[0-9a-f]{64}(?: \\)?|    # via.*|    #   .*"
    )
    assert [line for line in text.splitlines() if not plain.fullmatch(line)] == []
    assert re.findall(r"\w+://\S*|(?<!\S)/\S+|--(?:index|extra-index|find-links|trusted)\S*", text) == []


def locked(lock: str) -> dict[str, str]:
    """Package -> version of a lock, in which nothing stands without a hash."""
    packages = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in package for package in packages)
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", "".join(packages), re.MULTILINE))


def asked(*extras: str) -> set[str]:
    """What pyproject.toml asks for, in these extras and without any."""
    optional = PROJECT["optional-dependencies"]
    words = [*PROJECT["dependencies"], *chain.from_iterable(optional[extra] for extra in extras)]
    return {re.split(r"[<>=!~\[; ]", one)[0] for one in words} - {PROJECT["name"]}  # an extra may name others


def test_what_runs_and_what_develops_it_are_locked_apart_and_alike() -> None:
    """The image installs what runs, and nothing that tests, measures or checks; what is in both, is the same."""
    runs, develops = locked("requirements.lock"), locked("requirements-dev.lock")
    extras = set(PROJECT["optional-dependencies"]) - {"dev"}
    assert asked(*extras) <= runs.keys()
    assert asked(*extras, "dev") <= develops.keys()
    assert not (asked("dev") - asked(*extras)) & runs.keys()
    assert runs.items() <= develops.items()
    assert {"pytest", "hypothesis", "mypy", "ruff", "schemathesis", "pip-audit"} <= develops.keys() - runs.keys()


def test_the_image_is_built_of_what_runs() -> None:
    """By hashes, on images of a version that is named."""
    made = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"\S+ -r \S+", made) == ["--require-hashes -r requirements.lock"]
    bases = re.findall(r"^FROM (\S+)", made, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"[a-z./-]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", base) for base in bases)
    assert "requirements-dev.lock" in (ROOT / "Makefile").read_text("utf-8")


def test_the_changelog_has_this_version() -> None:
    """Whoever upgrades can read what changed."""
    headings = re.findall(r"^## \[([^]]+)]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert "Unreleased" in headings
    assert PROJECT["version"] in headings or headings == ["Unreleased"]
