"""Lines of a closed set of fields: what somebody sent is in none of them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.logs import FIELDS, Lines, take_over

MARKER = "zq7marker"


class Written:
    """Lines, and what they came to."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.lines = Lines(self._stream, lambda: datetime(2026, 3, 1, tzinfo=UTC))

    def read(self) -> list[dict[str, Any]]:
        """What was written."""
        assert MARKER not in self._stream.getvalue()
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def root() -> Iterator[None]:
    """The root logger as it was before."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:], logger.level = handlers, level


def test_a_line_is_one_json_object(written: Written) -> None:
    written.lines.write("info", "request", route="/v1/gate", status=200, ms=0.4)
    assert written.read() == [
        {
            "time": "2026-03-01T00:00:00Z",
            "level": "info",
            "event": "request",
            "route": "/v1/gate",
            "status": 200,
            "ms": 0.4,
        }
    ]


@pytest.mark.parametrize("field", ["email", "contact", "path", "body", "message", "key", "name"])
def test_a_field_outside_the_set_is_an_error(written: Written, field: str) -> None:
    assert field not in FIELDS
    with pytest.raises(ValueError, match=field):
        written.lines.write("info", "request", **{field: MARKER})
    assert written.read() == []


def test_libraries_are_heard_without_their_values(written: Written, root: None) -> None:
    take_over(written.lines)
    logger = logging.getLogger("some.library")
    logger.warning("no answer from %s", MARKER)
    logger.debug("not heard: %s", MARKER)
    try:
        raise ValueError(MARKER)
    except ValueError:
        logger.exception("failed for %s", MARKER)
    first, second = written.read()
    assert (first["level"], first["logger"], first["template"]) == ("warning", "some.library", "no answer from %s")
    assert (second["level"], second["error"]) == ("error", "ValueError")
    assert second["places"][0].startswith("test_logs.py:")
    assert second["places"][0].endswith(" test_libraries_are_heard_without_their_values")
