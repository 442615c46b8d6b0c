"""Whatever is sent: no 5xx, and no answer that the OpenAPI document does not have.

`CONSENT_LEDGER_FUZZ=5000` is how many calls are made altogether; `make fuzz` makes 5,000.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from adapters.web.access import MAY
from adapters.web.app import OPERATIONS, openapi
from adapters.web.keys import Role
from tests.adapters.web.world import ANA, Served, served

pytestmark = pytest.mark.slow

CALLS = int(os.environ.get("CONSENT_LEDGER_FUZZ", "1000"))
SCHEMA = schemathesis.openapi.from_dict(openapi())
CHECKED = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
REFUSING = {operation.name for operation in OPERATIONS} - {"record_fact", "record_facts"}
"""What is wrong is refused as a whole. But a stop is recorded whatever is wrong with it, and a batch answers for each
of its facts."""
RUNS = [(operation, mode) for operation in OPERATIONS for mode in GenerationMode if operation.name in MAY]
RUNS += [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS if operation.name not in MAY]
FUZZED = settings(
    max_examples=CALLS // len([1 for operation, _ in RUNS if operation.name in MAY]) + 1,
    suppress_health_check=list(HealthCheck),
    deadline=None,
    database=None,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fuzz") / "ledger", wait_seconds=0.0) as service:
        service.grant()
        yield service


@pytest.mark.parametrize(("operation", "mode"), RUNS, ids=lambda one: getattr(one, "name", None))
def test_every_answer_is_a_documented_one(service: Served, operation: Any, mode: GenerationMode) -> None:
    described = SCHEMA[operation.path][operation.method]
    contact = service.house.find(ANA)[0]
    role: Role = "writer" if operation.name.startswith("record") else "dpo"
    checks: Any = CHECKS.get_by_names([*CHECKED, *(["negative_data_rejection"] if operation.name in REFUSING else [])])

    cases = described.as_strategy(generation_mode=mode, headers=service.key(role))

    @given(case=cases, known=st.booleans())
    @FUZZED
    def fuzzed(case: Case[Any], known: bool) -> None:
        if known and mode is GenerationMode.POSITIVE:  # somebody, where a stranger was made up
            if "contact" in (case.path_parameters or {}):
                case.path_parameters = {"contact": contact}
            if isinstance(case.body, dict) and case.body.get("email"):
                case.body["email"] = ANA
        answer = send(service, case)
        case.validate_response(answer, checks=checks)

    fuzzed()


def send(service: Served, case: Case[Any]) -> Any:
    """A case as its bytes, to the application in memory."""
    made = requests.Request(**case.as_transport_kwargs(base_url="http://ledger")).prepare()
    return service.send(str(made.method), str(made.url), content=made.body or b"", headers=dict(made.headers))
