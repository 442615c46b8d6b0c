"""Why something that was sent cannot be taken: said the same way over HTTP and Kafka."""

from __future__ import annotations

import re

import msgspec

_is_plain = re.compile(r"[A-Za-z][A-Za-z_]{0,39}\Z").match


class Reason(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with which field; never the value that was given."""

    field: str
    problem: str


def unknown_field(where: str, name: object) -> Reason:
    """A field that nothing reads, in the field `where` (empty: the whole).

    Its name was sent like any value. It is told where it is a word such as fields have, and nobody's address or number.
    """
    if isinstance(name, str) and _is_plain(name):
        return Reason(f"{where}.{name}" if where else name, "is not known here")
    return Reason(where, "holds a field that is not known here")
