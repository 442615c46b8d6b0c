"""A line of the page of figures."""

from __future__ import annotations

from typing import Any


def line(name: str, ours: float, reference: float, bar: float | None, *, at_most: bool = False) -> dict[str, Any]:
    """Ours against the reference. `bar`: what the ratio is to reach, or (`at_most`) not to exceed; None: nothing."""
    ratio = ours / reference
    return {
        "name": name,
        "ours": ours,
        "reference": reference,
        "ratio": ratio,
        "bar": None if bar is None else f"{'<=' if at_most else '>='} {bar}",
        "holds": bar is None or (ratio <= bar if at_most else ratio >= bar),
    }
