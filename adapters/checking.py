"""The check of a whole ledger: log and vault, what lies beside them, and the answers against a fresh judgement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.wiring import House, place_of
from ledger.checking.findings import Finding, Unreadable
from ledger.checking.schema import check_file
from ledger.checking.whole import Checked, check_stores
from ledger.damage import DamagedError
from ledger.keys import Keys, NoKeysError
from ledger.opening import FILES, NoLedgerError, Place, is_there
from ledger.scanning import scanning
from ledger.stores import Misfit
from projections import views

BESIDE = ("inbox", "crm", "hubspot", "streams")
"""Files beside log and vault that a check reads as files alone."""


def check_ledger(directory: Path, env: Mapping[str, str]) -> Checked:
    """Everything that is wrong with the ledger of a directory, or of the database that is named. Changes nothing."""
    place = place_of(directory, env)
    missing, keys = list(_missing(place)), None
    try:
        keys = Keys.load(directory / "keys", env)
    except NoKeysError as error:
        missing.append(Finding("keys", "missing", "", str(error)))
    if any(one.store != "keys" for one in missing):
        return Checked(0, 0, missing)
    checked = check_stores(place.log(), place.vault(), keys)
    found = [*missing, *checked.findings]
    if place.database_url is None:
        for part in BESIDE:
            found += _file(directory / f"{part}.db")
    if not found:
        found += _answers(place, env)
    return checked._replace(findings=found)


def _missing(place: Place) -> Iterator[Finding]:
    """The files that a ledger in files must have. Raises NoLedgerError where nothing of one is there."""
    if place.database_url is not None:
        return
    if not is_there(place):
        raise NoLedgerError([Misfit("ledger", "missing", f"there is no ledger in {place.home}")])
    for name in FILES:
        if not (place.home / name).exists():
            yield Finding(name, "missing", "", f"it is missing in {place.home}: bring it back from where it is kept")


def _file(path: Path) -> list[Finding]:
    found: list[Finding] = []
    if path.exists():
        with Unreadable(path.name, found), scanning(path) as scan:
            found += check_file(scan.driver, path.name)  # type: ignore[arg-type]  # a file's driver is sqlite3's
    return found


def _are_of_another_program(house: House) -> bool:
    """Whether an earlier or later program made the answers: then they are made anew, and none is used."""
    with house.runner.views.snapshot() as driver:
        held = views.held(driver)
    return held.position > 0 and held.policy is None


def _answers(place: Place, env: Mapping[str, str]) -> Iterator[Finding]:
    """The answers kept beside the facts, as of where they stand, compared with ones judged anew."""
    store = "views" if place.database_url else "views.db"
    if place.database_url is None and not (place.home / store).exists():
        return  # they are made from the log when they are asked for
    with House.open(place.home, env) as house:
        try:
            if _are_of_another_program(house):
                house.runner.follow(once=True)
            found = house.runner.replay()
            if not found.same_setting and not found.altered and found.fault is None:
                house.runner.follow(once=True)  # another rule set or program made them, and they are to be made anew
                found = house.runner.replay()
        except DamagedError as error:
            yield Finding(store, "unreadable", "", f"it cannot be read on: {error.problem}")
            return
    if found.fault is not None:
        yield Finding(store, "answers", "", f"{found.fault}; `consent-ledger replay` makes them anew")
        return
    for one in found.listed:
        text = f"the answer for {one.purpose} by {one.channel} is not the one that the log gives ({one.what})"
        yield Finding(store, "answer", f"contact {one.contact}", text)
    if not found.equal and not found.listed:
        yield Finding(store, "answers", "", "who is linked there is not who the log links")
