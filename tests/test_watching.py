"""The watch over log lines sees what it is there for."""

from __future__ import annotations

import logging

import pytest

from tests.watching import Watch


@pytest.mark.parametrize(
    "text", ["to anna.b@example.com", "ANNA@mail.Example", "q=anna%40shop.example&x", "o'neil@x.test"]
)
def test_an_address_is_seen_however_it_comes(text: str) -> None:
    for given in (("%s", (text,)), (text, ())):
        watch = Watch()
        watch.emit(logging.LogRecord("ours", logging.INFO, "f.py", 1, given[0], given[1], None))
        assert watch.taken()
        assert not watch.taken()


def test_an_exception_is_read_too() -> None:
    watch = Watch()
    try:
        raise ValueError("anna@example.com")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
        watch.emit(logging.LogRecord("ours", logging.ERROR, "f.py", 1, "it failed", (), info))
    assert watch.taken()


def test_anything_else_is_not() -> None:
    watch = Watch()
    watch.emit(logging.LogRecord("ours", logging.INFO, "f.py", 1, "batch %d of contact 5a3a5f3c @ 12", (3,), None))
    assert not watch.taken()
