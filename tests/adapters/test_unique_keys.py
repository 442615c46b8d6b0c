"""A key that stands twice is refused at every door: nobody may say a yes behind a no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hearing import json_of
from adapters.hubspot.notices import deliveries, read
from adapters.kafka import cloudevents
from adapters.receiving import Refused
from adapters.submitting import Submission, translate
from adapters.tabular import UnreadableInput, open_tables
from adapters.unique_keys import TWICE, RepeatedKeyError, are_unique, require_unique_keys
from adapters.web.gate import _gate
from adapters.web.operations import decoded
from adapters.web.problems import ProblemError

TOLD_TWICE = [
    '{"a": 1, "a": 2}',
    '[{"b": {"a": 1, "a": 1}}]',
    '{"a": 1, "\\u0061": 2}',
    '{"x": [1, {"a": null, "b": 2, "a": null}]}',
]
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_what_says_each_key_once_passes(value: Any) -> None:
    require_unique_keys(json.dumps(value))


@pytest.mark.parametrize("text", TOLD_TWICE)
def test_a_key_twice_is_refused_however_deep_it_stands_and_is_spelled(text: str, tmp_path: Path) -> None:
    with pytest.raises(RepeatedKeyError, match=TWICE):
        require_unique_keys(text)
    assert json_of(text) is None
    with pytest.raises(ProblemError):
        decoded(text.encode(), _gate)
    path = tmp_path / "deals.json"
    path.write_text(text)
    with pytest.raises(UnreadableInput, match=TWICE):
        open_tables(path)


@pytest.mark.parametrize("text", ["", "no", "[" * 100_000, '{"a": NaN', "\ud800"])
def test_what_is_no_json_is_left_to_its_reader(text: str) -> None:
    require_unique_keys(text.encode("utf-8", "surrogatepass"))


NAMES = (b'"email"', b'"purpose"')


@pytest.mark.parametrize(
    "text",
    [
        '{"email": "a@example.org", "email": "b@example.org"}',
        '{"email": "a@example.org", "email" : "b@example.org"}',
        '{"email": "a@example.org", "\\u0065mail": "b@example.org"}',
    ],
)
def test_a_key_that_may_stand_twice_is_never_taken_for_unique(text: str) -> None:
    """However it is written: the quick look gives way to the whole reading."""
    assert not are_unique(text.encode(), NAMES)


def test_a_plain_question_is_known_to_be_unique_without_being_read() -> None:
    assert are_unique(b'{"email": "a@example.org", "purpose": "email"}', NAMES) is False  # it only looks like one
    assert are_unique(b'{"email": "a@example.org", "purpose": "marketing.similar"}', NAMES)


def test_a_fact_that_names_its_scope_twice_is_refused() -> None:
    data = b'{"person": {"email": "anna@example.org"}, "purposes": ["*"], "purposes": []}'
    found = translate(Submission("shop", "1", "contact.opted_out.v1", None, data))
    assert isinstance(found, tuple)
    assert [reason.problem for reason in found] == [TWICE]  # type: ignore[union-attr]


def test_a_record_on_kafka_and_a_notice_of_hubspot_are_refused() -> None:
    headers = [("content-type", b"application/cloudevents+json")]
    refused = cloudevents.read(headers, b'{"id": "1", "id": "2"}')
    assert isinstance(refused, cloudevents.Refusal)
    assert TWICE in refused.reasons[0].problem
    found = deliveries(b'[{"eventId": 1, "eventId": 2}]')
    assert not isinstance(found, Refused)
    assert [read(one.body) for one in found] == ["no notice of HubSpot's"]


def test_a_line_of_many_is_refused_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "deals.ndjson"
    path.write_text('{"dealname": "a"}\n{"dealname": "b", "dealname": "c"}\n{"dealname": "d"}\n')
    (table,) = open_tables(path)
    rejected: list[Any] = []
    assert [cells for _, cells in table.rows(rejected.append)] == [["a"], ["d"]]
    assert [(one.row, one.reason) for one in rejected] == [(3, f"is not JSON: {TWICE}")]
    assert msgspec.json.decode(b'{"a": 1, "a": 2}') == {"a": 2}, "why it has to be looked at"
