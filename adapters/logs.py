"""What a running process says of itself: one JSON object a line, from a closed set of fields, nothing personal.

A name outside the set is an error of the program. Messages of other libraries are written as their templates,
without what was to be put in; errors as their class and the places in the code, without their text.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

Level = Literal["debug", "info", "warning", "error"]
FIELDS = frozenset(
    {
        "attempts",
        "count",
        "days",
        "error",
        "from",
        "group",
        "host",
        "key_name",
        "lag",
        "logger",
        "method",
        "ms",
        "offset",
        "partition",
        "places",
        "port",
        "position",
        "reason",
        "receiver",
        "request",
        "role",
        "route",
        "seconds",
        "status",
        "template",
        "topic",
    }
)
"""Everything a line may say beside time, level and event. None of them holds what somebody sent."""
_encode = msgspec.json.Encoder().encode


class Lines:
    """Writes lines to a stream by a clock."""

    def __init__(self, stream: TextIO, clock: Callable[[], datetime]) -> None:
        self._stream = stream
        self._clock = clock

    def write(self, level: Level, event: str, **fields: str | float | bool | list[str] | None) -> None:
        """One line. ValueError for a field outside the closed set."""
        if not fields.keys() <= FIELDS:
            raise ValueError(f"no log line has a field {', '.join(sorted(fields.keys() - FIELDS))}")
        line = {"time": self._clock(), "level": level, "event": event, **fields}
        self._stream.write(_encode(line).decode() + "\n")
        self._stream.flush()


class Handler(logging.Handler):
    """Lines for what libraries log."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(logging.INFO)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """The template of a message, without its values."""
        said: dict[str, Any] = {"logger": record.name, "template": str(record.msg)}
        if record.exc_info and record.exc_info[1] is not None:
            said = {"logger": record.name} | described(record.exc_info[1])
        level: Level = "error" if record.levelno >= logging.ERROR else "info"
        self._lines.write("warning" if record.levelno == logging.WARNING else level, "library", **said)


def described(error: BaseException) -> dict[str, Any]:
    """An error without its text, which may quote what somebody sent: its class, and where it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "places": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }


def take_over(lines: Lines) -> None:
    """Let everything that libraries log, and errors nobody caught, become lines."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(Handler(lines))
    root.setLevel(logging.INFO)


def to_stdout(clock: Callable[[], datetime]) -> Lines:
    """Where a service's lines go."""
    return Lines(sys.stdout, clock)
