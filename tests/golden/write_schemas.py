"""Keeps the schema of each topic as it is now, for ever, where it differs from what was kept last.

Run `python -m tests.golden.write_schemas` after a change of a schema that its readers survive. Each file is kept
as `TOPIC.N.json`; it prints the digests to add to `PINS` in tests/adapters/kafka/test_schemas.py.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from adapters.kafka.schemas import documents
from tests.adapters.kafka.compatibility import bare

FOLDER = Path(__file__).parent / "schemas"


def kept(topic: str) -> list[Path]:
    """What was kept of a topic, oldest first."""
    return sorted(FOLDER.glob(f"{topic}.*.json"), key=lambda path: int(path.suffixes[-2][1:]))


def written(schema: dict[str, Any]) -> str:
    """A schema without its words, so that a better description is no new schema."""
    return json.dumps(bare(schema), separators=(",", ":"), sort_keys=True) + "\n"


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write() -> None:
    """Add what is new; never touch what is there."""
    for topic, schema in documents().items():
        old = kept(topic)
        if not old or old[-1].read_text("utf-8") != written(schema):
            last = int(old[-1].suffixes[-2][1:]) if old else 0
            path = FOLDER / f"{topic}.{last + 1}.json"
            with path.open("x", encoding="utf-8") as file:
                file.write(written(schema))
            print(f'    "{path.name}": "{digest(path)}",')


if __name__ == "__main__":
    write()
