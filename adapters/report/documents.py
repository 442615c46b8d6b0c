"""The two JSON files: the audit for machines, and the manifest that ties the outputs to the inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from projections.verdicts import Audit

AUDIT_SCHEMA_ID = "consent-ledger/audit/1"


def audit_json(audit: Audit) -> bytes:
    """`audit.json`: the struct as it is, two spaces deep."""
    return msgspec.json.format(msgspec.json.encode(audit), indent=2) + b"\n"


def audit_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `audit.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{AUDIT_SCHEMA_ID.replace('/', ':')}",
        **msgspec.json.schema(Audit),
    }


def manifest_json(audit: Audit, written: Iterable[tuple[str, Path]], tool_version: str) -> bytes:
    """`manifest.json`: hash and size of every file, hash of every input, tool and moment.

    `written` pairs the final name with where the bytes lie now.
    """
    document = {
        "schema": "consent-ledger/manifest/1",
        "tool": {"name": "consent-ledger", "version": tool_version},
        "at": audit.at,
        "ledger_position": audit.ledger_position,
        "rule_set": audit.rule_set.hash,
        "inputs": [{"name": one.name, "sha256": one.sha256, "rows": one.rows} for one in audit.files],
        "files": [{"name": name, "sha256": _sha256(path), "bytes": path.stat().st_size} for name, path in written],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
