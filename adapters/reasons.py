"""Why something that was sent cannot be taken: said the same way over HTTP and Kafka."""

from __future__ import annotations

import msgspec


class Reason(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with which field; never the value that was given."""

    field: str
    problem: str
