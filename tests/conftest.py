"""What every test runs under, and the one fixture that every room uses: where a ledger lies."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests import stores, watching
from tests.properties import choose_profile, raise_examples
from tests.services import shared

choose_profile()


@pytest.fixture(params=stores.STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[stores.Place]:
    """A place for a ledger, once for each kind of store."""
    with stores.made(request.param, tmp_path) as made:
        yield made


_WHY = "skipped under CI=true, where no test may be skipped"


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _refuse(report: Report, location: str) -> Report:
    report.outcome = "failed"
    report.longrepr = f"{location}: {_WHY}: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test whose service cannot be had here is skipped, and says what to install; in CI it has failed."""
    report = yield
    if report.failed and call.excinfo is not None and call.excinfo.errisinstance(shared.MissingError):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"Skipped: {call.excinfo.value}")
    personal = item.config.stash[_watch].taken()
    if personal:
        report.outcome = "failed"
        report.longrepr = "\n".join(("a log line holds a person's address:", *personal))
    if report.skipped and _strict() and not hasattr(report, "wasxfail"):
        return _refuse(report, item.nodeid)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, a module that skips itself has failed too: nobody can see whether it held a service test."""
    report = yield
    if report.skipped and _strict():
        return _refuse(report, collector.nodeid)
    return report


def _strict() -> bool:
    return os.environ.get("CI") == "true"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that needs a service is slow: `make test` starts none. A property may be tried more often."""
    for item in items:
        raise_examples(item)
        if item.get_closest_marker("service"):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that starts a service without saying so fails."""
    shared.mark(None if item.get_closest_marker("service") else item.nodeid)
    result = yield
    shared.mark(None)
    return result


_watch = pytest.StashKey[watching.Watch]()


def pytest_configure(config: pytest.Config) -> None:
    """Log lines are watched from here on.

    The process that steers the run names the folder of its services (`tests.services.shared`).
    """
    config.stash[_watch] = watching.begin()
    if not hasattr(config, "workerinput"):
        shared.sweep()
        shared.open_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """And it ends them."""
    if not hasattr(config, "workerinput"):
        shared.close_run()
