"""Cells nobody foresaw: listed, counted, and taken for the safe thing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_DISTINCT = 200
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """A cell nobody foresaw: where it first stands, on how many rows, and what it was taken for."""

    file: str
    row: int
    column: str
    value: str
    effect: str
    rows: int

    def __str__(self) -> str:
        more = f" and {self.rows - 1} more" if self.rows > 1 else ""
        return f"{self.file}, row {self.row}{more}, {self.column}: “{self.value}” {self.effect}"


@dataclass(slots=True)
class Findings:
    """Cells not understood, counted by column and value."""

    _seen: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    _effects: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _distinct: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, file: str, row: int, column: str, value: str, effect: str) -> None:
        """Count one cell. Past some hundred different values a column's are counted together."""
        key = (file, column, value[:_SHOWN])
        if key not in self._seen:
            distinct = self._distinct.get((file, column), 0)
            if distinct >= _DISTINCT:
                key = (file, column, "…")
            self._distinct[(file, column)] = distinct + 1
        count = self._seen.setdefault(key, [row, 0])
        count[1] += 1
        self._effects.setdefault(key, effect)

    def __iter__(self) -> Iterator[Finding]:
        for key, (row, rows) in self._seen.items():
            yield Finding(key[0], row, key[1], key[2], self._effects[key], rows)

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()
        self._effects.clear()
        self._distinct.clear()
