"""What of the documentation is made from the definitions of the topics. Written by `make docs`, tested fresh."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from adapters.kafka import asyncapi, schemas
from adapters.kafka.topics import TOPICS, Topic

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs/reference"
TOPICS_PAGE = REFERENCE / "topics.md"


def files() -> dict[Path, str]:
    """The machine-readable files, by where they lie."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    made = {f"schemas/{name}.json": schema for name, schema in schemas.documents().items()}
    made["asyncapi.json"] = asyncapi.document(version)
    return {REFERENCE / name: json.dumps(value, indent=1, ensure_ascii=False) + "\n" for name, value in made.items()}


def topics_table() -> str:
    """The topics as people read them."""
    head = ["| topic | key | what lies there | partitions | how long |", "| --- | --- | --- | --- | --- |"]
    rows = [
        f"| `{topic.name}` | {topic.key} | {topic.about} | {topic.partitions} | {_how_long(topic)} |"
        for topic in TOPICS
    ]
    return "\n".join([*head, *rows])


def settings_table() -> str:
    """Every setting a topic is made with."""
    head = ["| topic | setting | value |", "| --- | --- | --- |"]
    rows = []
    for topic in TOPICS:
        shown = f"`{topic.name}`"
        for name, value in sorted(topic.config.items()):
            rows.append(f"| {shown} | `{name}` | `{value}`{_in_words(name, value)} |")
            shown = ""
    return "\n".join([*head, *rows])


def _how_long(topic: Topic) -> str:
    said = []
    if "compact" in topic.config["cleanup.policy"]:
        said.append("the last value of each key")
    if (kept := topic.config.get("retention.ms")) is not None:
        said.append("for ever" if kept == "-1" else _days(kept))
    return ", ".join(said)


def _in_words(name: str, value: str) -> str:
    return f" ({_days(value)})" if name.endswith(".ms") and value != "-1" else ""


def _days(milliseconds: str) -> str:
    hours = int(milliseconds) // 3_600_000
    days = hours // 24
    return f"{hours} hours" if not days else f"{days} day{'s' if days > 1 else ''}"
