"""The generated parts of docs/reference/http.md, and the committed OpenAPI document."""

from __future__ import annotations

import json

from adapters.web.access import MAY
from adapters.web.app import OPERATIONS, openapi
from adapters.web.keys import ROLES
from adapters.web.openapi import kinds_of
from adapters.web.problems import KINDS


def roles() -> str:
    """Which role may do what."""
    rows = [f"| operation | {' | '.join(ROLES)} | no key |", f"| --- | {' | '.join('---' for _ in ROLES)} | --- |"]
    for operation in OPERATIONS:
        may = MAY.get(operation.name)
        cells = ["yes" if may is None or role in may else "" for role in ROLES]
        rows.append(f"| `{operation.method} {operation.path}` | {' | '.join(cells)} | {'' if may else 'yes'} |")
    return "\n".join(rows)


def operations() -> str:
    """What each operation is asked and how it answers."""
    rows = ["| operation | what it answers | answers | problems |", "| --- | --- | --- | --- |"]
    for operation in OPERATIONS:
        answers = ", ".join(str(status) for status in operation.answers)
        problems = ", ".join(str(KINDS[kind].status) for kind in kinds_of(operation))
        rows.append(f"| `{operation.method} {operation.path}` | {operation.about} | {answers} | {problems} |")
    return "\n".join(rows)


def problems() -> str:
    """Every kind of problem."""
    rows = ["| type | status | title |", "| --- | --- | --- |"]
    rows += [f"| `urn:consent-ledger:problem:{name}` | {kind.status} | {kind.title} |" for name, kind in KINDS.items()]
    return "\n".join(rows)


def openapi_json() -> str:
    """The OpenAPI document as it is committed."""
    return json.dumps(openapi(), indent=1, ensure_ascii=False) + "\n"
