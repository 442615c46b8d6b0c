"""Files are there whole or not at all: also on a full disk, and after a run that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.cli.errors import explained
from adapters.cli.main import app
from adapters.evidence_map.reading import read_map
from adapters.files import UnwritableError, check_file, check_folder, replacing, write_whole
from adapters.report.staging import Staging
from adapters.tabular import UnreadableInput
from ledger.policy.rules import Policy, PolicyError
from ledger.toml import TOMLDecodeError, parse_toml
from tests.waiting import BUDGET

ROOT = Path(__file__).parents[2]
NESTED = "a = " + "[" * 3_000 + "]" * 3_000


def run(script: str, *arguments: object, full_at: int | None = None) -> subprocess.CompletedProcess[str]:
    """A Python script in a process of its own; with `full_at`, no file may grow beyond that many bytes."""
    bound = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({full_at}, {full_at}))\n" if full_at else ""
    command = [sys.executable, "-c", f"import sys\nfrom pathlib import Path\n{bound}{script}", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=BUDGET)


STAGE = """
from adapters.report.staging import Staging
with Staging(Path(sys.argv[1])) as staging:
    staging.whole("small.json", b"{}")
    people = staging.text("people.csv")
    for number in range(20_000):
        people.write(f"anna{number}@example.org\\n")
    staging.publish()
"""


def test_a_folder_of_files_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "people.csv").write_text("of the run before")
    done = run(STAGE, tmp_path / "out", full_at=100_000)
    assert "File too large" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["people.csv"]
    assert (tmp_path / "out" / "people.csv").read_text() == "of the run before"
    assert run(STAGE, tmp_path / "out").returncode == 0


def test_what_a_killed_run_left_goes_with_the_next_and_not_what_another_writes(tmp_path: Path) -> None:
    kill = STAGE.replace("    staging.publish()", f"    import os; os.kill(os.getpid(), {int(signal.SIGKILL)})")
    assert run(kill, tmp_path).returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob(".*.part"))) == 2
    with Staging(tmp_path) as first:
        assert not list(tmp_path.glob(".*.part"))
        first.text("people.csv").write("anna@example.org")
        with Staging(tmp_path) as second:
            second.whole("other.csv", b"")
            second.publish()
        first.publish()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.csv", "people.csv"]


def test_one_file_on_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "why.html"
    write_whole(path, b"before")
    write = "from adapters.files import write_whole; write_whole(Path(sys.argv[1]), b'x' * 200_000)"
    assert "File too large" in run(write, path, full_at=100_000).stderr
    assert (path.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (b"before", ["why.html"])
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"%d" % (1 // 0))
    assert (path.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (b"before", ["why.html"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_audit_on_a_full_disk_says_so_and_leaves_nobody(tmp_path: Path) -> None:
    """A disk of 100 kB, of this process alone, where the answers go; the ledger lies on another."""
    rows = "\n".join(f"{n},anna{n}@example.org,Marketing contact" for n in range(3_000))
    export, disk = tmp_path / "contacts.csv", tmp_path / "disk"
    export.write_text(f"Record ID,Email,Marketing contact status\n{rows}\n")
    disk.mkdir()
    audit = f"{sys.executable} -m adapters.cli audit {export} --ledger {tmp_path / 'ledger'} --out {disk / 'out'}"
    small = f"mount -t tmpfs -o size=100k tmpfs {disk} && {{ {audit}; echo ended $?; find {disk} -type f; }}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", small], cwd=ROOT, capture_output=True, text=True, check=False)
    if "ended" not in done.stdout:
        pytest.skip("no disk can be mounted here")
    assert done.stdout.endswith("ended 75\n"), done
    assert "no space left on device. Make room" in done.stderr
    assert "Traceback" not in done.stderr


# --- places where nothing can be written ---------------------------------------------------------


def ends(*arguments: object) -> int:
    """The exit code of the command line."""
    before = sys.argv
    sys.argv = ["consent-ledger", *map(str, arguments)]
    try:
        return int(explained(app) or 0)
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.argv = before


def test_a_file_where_a_folder_belongs_and_a_missing_folder_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, missing = tmp_path / "file", tmp_path / "missing"
    file.write_text("")
    assert ends("audit", file, "--out", file, "--ledger", tmp_path / "l") == 1
    assert ends("audit", file, "--out", file / "deeper", "--ledger", tmp_path / "l") == 1
    assert ends("why", "anna@example.org", "--pdf", missing / "why.pdf", "--ledger", tmp_path / "l") == 1
    assert ends("why", "anna@example.org", "--html", tmp_path, "--ledger", tmp_path / "l") == 1
    said = capsys.readouterr().err
    assert said.count("is a file, not a folder: name another folder") == 2
    assert f"there is no folder {missing}: make it" in said
    assert "is a folder: name a file in it" in said
    assert not (tmp_path / "l").exists()
    with pytest.raises(UnwritableError):
        check_file(missing / "x")
    with pytest.raises(UnwritableError):
        check_folder(file)


@pytest.mark.parametrize("text", [NESTED, "a = " + "{x=" * 3_000 + "1" + "}" * 3_000])
def test_toml_nested_deeper_than_anybody_writes_is_bad_input(tmp_path: Path, text: str) -> None:
    with pytest.raises(TOMLDecodeError, match="nested too deep"):
        parse_toml(text)
    path = tmp_path / "audit.toml"
    path.write_text(text)
    with pytest.raises(UnreadableInput, match="not TOML: brackets are nested too deep"):
        read_map(path)
    with pytest.raises(PolicyError, match="nested too deep"):
        Policy({"de.toml": text.encode()})


def test_a_folder_that_nobody_may_write_to_is_named(tmp_path: Path) -> None:
    """As somebody who is not root, who may write everywhere."""
    tmp_path.chmod(0o500)
    ours = os.geteuid()
    os.seteuid(65_534 if ours == 0 else ours)
    try:
        with pytest.raises(PermissionError):
            write_whole(tmp_path / "x", b"")
    finally:
        os.seteuid(ours)
