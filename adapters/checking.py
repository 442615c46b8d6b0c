"""The check of a whole ledger: log and vault, what lies beside them, and the answers against a fresh judgement."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.settings import Settings
from adapters.wiring import House, is_ledger
from ledger.checking.findings import Finding, Unreadable
from ledger.checking.schema import check_file
from ledger.checking.whole import Checked, check_stores
from ledger.damage import DamagedError
from ledger.database import is_server
from ledger.keys import Keys
from ledger.scanning import scanning

BESIDE = ("inbox", "crm", "hubspot", "streams")
"""Files beside log and vault that a check reads as files alone."""


def check_ledger(directory: Path, env: Mapping[str, str]) -> Checked:
    """Everything that is wrong with the ledger of a directory, or of the database that is named. Changes nothing."""
    url = None if is_ledger(directory) else Settings.read(env).database_url
    keys = Keys.load(directory / "keys", os.urandom, env)
    checked = check_stores(url or directory / "log.db", url or directory / "vault.db", keys)
    found = list(checked.findings)
    if url is None:
        for part in BESIDE:
            found += _file(directory / f"{part}.db")
    if not found:
        found += _answers(directory, env)
    return checked._replace(findings=found)


def _file(path: Path) -> list[Finding]:
    found: list[Finding] = []
    if path.exists():
        with Unreadable(path.name, found).noted(), scanning(path) as scan:
            found += check_file(scan.driver, path.name)  # type: ignore[arg-type]  # a file's driver is sqlite3's
    return found


def _answers(directory: Path, env: Mapping[str, str]) -> Iterator[Finding]:
    """The answers kept beside the facts, followed to the head and compared with ones judged anew."""
    with House.open(directory, env) as house:
        store = "views" if is_server(house.location("views")) else "views.db"
        try:
            house.runner.follow(once=True)
            differences = house.runner.replay()
        except DamagedError as error:
            yield Finding(store, "unreadable", "", f"it cannot be read on: {error.problem}")
            return
    for one in differences.listed:
        text = f"the answer for {one.purpose} by {one.channel} is not the one that the log gives ({one.what})"
        yield Finding(store, "answer", f"contact {one.contact}", text)
    if not differences.equal and not differences.listed:
        yield Finding(store, "answer", "", "it was made by another rule set, or knows other links, than the log gives")
