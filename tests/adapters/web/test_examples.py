"""The calls that the documentation shows are made, word for word."""

from __future__ import annotations

import json
import re
from pathlib import Path

from adapters.web.keys import ROLES
from tests.adapters.web.world import served

PAGE = Path(__file__).parents[3] / "docs/how-to/run-the-service.md"
CALL = re.compile(r"curl http://127\.0\.0\.1:8080(\S+) \\\n.*?Bearer \$([A-Z]+)\".*?-d '(.*?)'\n```", re.DOTALL)


def test_every_call_shown_works(tmp_path: Path) -> None:
    calls = CALL.findall(PAGE.read_text("utf-8"))
    assert len(calls) == PAGE.read_text("utf-8").count("curl ") == 4
    with served(tmp_path / "ledger") as service:
        for path, name, body in calls:
            (role,) = [role for role in ROLES if role == name.lower()]
            answer = service.post(path, json.loads(body), role)
            assert answer.status_code in (200, 201), answer.text
