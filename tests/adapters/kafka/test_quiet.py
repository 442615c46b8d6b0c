"""What is said again and again is said once a minute."""

from __future__ import annotations

import logging

from adapters.kafka.quiet import Quiet


def test_the_same_is_said_once_a_minute_and_our_own_always() -> None:
    """Told apart by logger and template, not by what is put in."""
    now = [5.0]
    said = Quiet(lambda: now[0]).filter

    def record(name: str, template: str, value: int) -> logging.LogRecord:
        return logging.LogRecord(name, logging.ERROR, "", 1, template, (value,), None)

    assert [said(record("aiokafka", "away %s", value)) for value in range(3)] == [True, False, False]
    assert said(record("aiokafka", "back %s", 1))
    assert said(record("other", "away %s", 1))
    now[0] = 64.9
    assert not said(record("aiokafka", "away %s", 1))
    now[0] = 65.0
    assert said(record("aiokafka", "away %s", 1))
    assert [said(record("adapters.kafka.worker", "stopping %s", 1)) for _ in range(2)] == [True, True]
