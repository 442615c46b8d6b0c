"""The calls that the documentation shows are made, word for word."""

from __future__ import annotations

import json
import re
from pathlib import Path

from adapters.web.keys import ROLES, Role
from tests.adapters.web.world import served

PAGE = Path(__file__).parents[3] / "docs/how-to/run-the-service.md"
POSTED = re.compile(r"curl http://127\.0\.0\.1:8080(\S+) \\\n.*?Bearer \$([A-Z]+)\".*?-d '(.*?)'\n```", re.DOTALL)
GOT = re.compile(r"curl \"http://127\.0\.0\.1:8080(\S+)\" -H \"Authorization: Bearer \$([A-Z]+)\"\n```")


def test_every_call_shown_works(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    posted, got = POSTED.findall(text), GOT.findall(text)
    assert (len(posted), len(got)) == (4, 1)
    assert text.count("curl ") == 5
    with served(tmp_path / "ledger") as service:
        contact = ""
        for path, name, body in posted:
            answer = service.post(path, json.loads(body), role_of(name))
            assert answer.status_code in (200, 201), answer.text
            contact = answer.json().get("contact") or contact
        for path, name in got:
            answer = service.get(path.replace("$CONTACT", contact), role_of(name))
            assert answer.status_code == 200, answer.text
            assert answer.json()["entries"]


def role_of(name: str) -> Role:
    """The role whose key the page keeps in a variable of this name."""
    (role,) = [role for role in ROLES if role == name.lower()]
    return role
