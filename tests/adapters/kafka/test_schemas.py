"""The schemas: they say what is written and read, they are fresh, and no change of them breaks anybody."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from adapters.fact_models import models
from adapters.kafka import examples
from adapters.kafka.asyncapi import document
from adapters.kafka.messages import Message
from adapters.kafka.schemas import ABSENT, documents
from adapters.kafka.topics import EVENTS, FACTS, FACTS_DLQ, RESULTS, STATUS, TOPICS
from ledger.events import TOPICS as EVENT_TYPES
from projections.announcing import encode
from tests.adapters.kafka.compatibility import breaks
from tests.golden.write import FILE
from tests.golden.write_schemas import FOLDER, digest, kept, written
from tests.projections.histories import batches, history
from tests.projections.outbox_world import world
from tests.streams_docs import REFERENCE, ROOT, TOPICS_PAGE, files
from tests.test_docs import fences

PINS = {
    "consent.events.v1.1.json": "2950c3d7196e9eaf663f36b6d5fb316e4e142c58ba4f1f2c9796d407968994d5",
    "consent.events.v1.2.json": "bbccc6f04ec098b2378aae0f1de270c0b270715dbcef4b646596c924c58d11c0",
    "consent.events.v1.3.json": "e12dcf26c947931d7b9d4fd4f42353b4f56121df1a677dc6816638c263a42824",
    "consent.facts.v1.3.json": "0dcf415232905796d862eb5a0b53500922c67f2cd868ce08e644207afbf1084a",
    "consent.contact-status.v1.1.json": "c338da6d0aa7b03a887485b06eb7ed921ef691c42c3d869a76b0bd8696e72dd5",
    "consent.facts-results.v1.1.json": "67b4b7eee81aaddc566e547761932a8277d596bc612a645ef6d4db2993020a8b",
    "consent.facts-results.v1.2.json": "e37d2645c98e694d9fb35dffb940864ed8fcfabe5f57a9d86208e4d92919efd7",
    "consent.facts.dlq.v1.1.json": "4415e75f33eeef366a998b169d9bf7e52dcba1e8eee576ccbd05c310304abf9d",
    "consent.contact-status.dlq.v1.1.json": "4415e75f33eeef366a998b169d9bf7e52dcba1e8eee576ccbd05c310304abf9d",
    "consent.crm-results.v1.1.json": "3ae8186d8fcced427eee8f57d99475daa65ce2e984c7e6c5574ee9893a61c0c8",
    "consent.facts.v1.1.json": "e6ec8ae8ddc3d2d2d5510c9c5595ed33e8be5e5a488b572be4e050d195a4cf80",
    "consent.facts.v1.2.json": "9ca435cad9714defc8be8e03d8a2305da602c7536f31935f5e32bda8940ff6ca",
    "consent.events.v1.5.json": "e12dcf26c947931d7b9d4fd4f42353b4f56121df1a677dc6816638c263a42824",
    "consent.facts.v1.4.json": "0dcf415232905796d862eb5a0b53500922c67f2cd868ce08e644207afbf1084a",
    "consent.events.v1.6.json": "8f5b4d19412641f7b0d0c353311c07c7ca2c5ae683ae56c8e3dcac807bdfcadc",
    "consent.facts.v1.5.json": "d2946817751833f6d25affd3b0821fbf6349087d90147c98b173a9decedc0de9",
    "consent.events.v1.7.json": "16d159d7c58fcf1f5c6691110c32c8e500c891c9aabc2172012c1c189be5ddc0",
}
"""Kept schema -> its SHA-256. Add one when a schema is added; never change one."""

FORMATS = FormatChecker(["uuid"])


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    """RFC 3339; the library would need another for it."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


NOW = documents()
ASYNCAPI = document("0")


def valid(topic: str, value: object) -> bool:
    """Whether a value fits the schema of its topic; formats are checked too."""
    validator = Draft202012Validator(NOW[topic], format_checker=FORMATS)
    return not list(validator.iter_errors(value))


def decoded(message: Message) -> Any:
    """The value as a reader has it."""
    return msgspec.json.decode(message.value or b"null")


# --- what they say -------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", NOW)
def test_a_schema_is_one(topic: str) -> None:
    """By the rules of draft 2020-12; every topic has one."""
    Draft202012Validator.check_schema(NOW[topic])
    assert set(NOW) == {topic.name for topic in TOPICS}


def test_every_entry_ever_written_fits() -> None:
    """The golden log, all topics and fields."""
    validator = Draft202012Validator(NOW[EVENTS], format_checker=FORMATS)
    assert [line for line in FILE.read_bytes().splitlines() if not validator.is_valid(json.loads(line))] == []


@pytest.mark.parametrize(
    "change",
    [
        {"source": "ada@example.org"},
        {"via": "she said so"},
        {"stream": "ada"},
        {"type": "contact.unheard_of.v1"},
        {"occurred_from": None},
        {"email": "ada"},
        {"recorded_at": "yesterday"},
    ],
)
def test_what_the_log_would_not_take_does_not_fit(change: dict[str, object]) -> None:
    """The rules on tokens, ids and absent fields are in the schema."""
    entry = decoded(examples.event(EVENT_TYPES["contact.opted_out.v1"]))
    assert valid(EVENTS, entry)
    assert not valid(EVENTS, entry | change)


def test_absent_means_not_allowed_is_said_first() -> None:
    """Whoever opens the schema of the answers reads that before anything else."""
    assert ABSENT.startswith("**Absent or unknown means not allowed.**")
    assert NOW[STATUS]["description"].startswith(ABSENT)
    assert NOW[STATUS]["$defs"]["ContactStatus"]["description"].startswith(ABSENT)
    assert ABSENT in ASYNCAPI["info"]["description"]


@pytest.mark.parametrize("topic", sorted(NOW.keys() - {EVENTS, FACTS}))
def test_every_field_that_a_docstring_explains_is_explained(topic: str) -> None:
    """No field's line was left behind in the words about the whole."""
    for schema in NOW[topic]["$defs"].values():
        for name in schema["properties"]:
            assert f"\n{name}  " not in f"\n{schema['description']}"


# --- examples ------------------------------------------------------------------------------------


def test_the_examples_fit() -> None:
    """Each of a status, a result, a letter; each type of entry and of submission."""
    assert valid(STATUS, decoded(examples.status()))
    assert all(valid(RESULTS, decoded(result)) for result in examples.results())
    assert valid(FACTS_DLQ, decoded(examples.dead_letter()))
    assert [name for name, cls in EVENT_TYPES.items() if not valid(EVENTS, decoded(examples.event(cls)))] == []


@pytest.mark.parametrize("topic", models())
def test_a_submission_shown_is_one_that_is_taken(topic: str) -> None:
    """By the schema, and by the model that decides at run time."""
    message = examples.submission(topic)
    models()[topic].model_validate_json(message.value or b"")
    sent = {name.removeprefix("ce_"): value.decode() for name, value in message.headers if name != "content-type"}
    assert valid(FACTS, sent | {"data": decoded(message)})
    assert not valid(FACTS, sent | {"data": decoded(message) | {"unheard_of": 1}})
    assert not valid(FACTS, sent | {"type": "ledger.policy_adopted.v1", "data": decoded(message)})


@pytest.mark.parametrize("seed", range(5))
def test_what_the_projection_says_fits(seed: int) -> None:
    """Of made-up people with linked, erased and lapsed contacts among them; as the bytes that are sent."""
    with world(seed) as made:
        for batch in batches(seed, history(seed, 120)):
            made.log.append(batch)
        made.runner().follow(once=True)
        told = [json.loads(encode(value)) for value in made.projection().values()]
    assert any(one["cells"] for one in told)
    assert [one for one in told if not valid(STATUS, one)] == []


@pytest.mark.parametrize(("about", "topic"), [("status", STATUS), ("fact", FACTS), ("result", RESULTS)])
def test_the_examples_of_the_topics_page_fit(about: str, topic: str) -> None:
    """What people copy."""
    shown = [fence.text for fence in fences(TOPICS_PAGE) if fence.about == about]
    assert shown
    assert all(valid(topic, json.loads(text)) for text in shown)


@pytest.mark.parametrize("name", ASYNCAPI["components"]["messages"])
def test_the_examples_of_the_asyncapi_document_fit_its_own_schemas(name: str) -> None:
    """Payload and headers, by draft 07 as AsyncAPI has it."""
    message = ASYNCAPI["components"]["messages"][name]
    traits = [trait["$ref"].rpartition("/")[2] for trait in message.get("traits", [])]
    headers = [ASYNCAPI["components"]["messageTraits"][trait]["headers"] for trait in traits]
    assert message["examples"]
    for example in message["examples"]:
        payload = Draft7Validator(
            {"allOf": [message["payload"]], "components": ASYNCAPI["components"]},
            format_checker=FORMATS,
        )
        assert payload.is_valid(example["payload"])
        for schema in headers:
            assert Draft7Validator(schema, format_checker=FORMATS).is_valid(example["headers"])
            assert set(example["headers"]) <= set(schema["properties"])


def test_the_asyncapi_document_has_every_topic_with_its_settings() -> None:
    """As `streams setup` makes it."""
    for topic in TOPICS:
        channel = ASYNCAPI["channels"][topic.name]
        binding = channel["bindings"]["kafka"]
        assert binding["partitions"] == topic.partitions
        told = binding["topicConfiguration"]
        assert {name: ",".join(v) if isinstance(v, list) else str(v) for name, v in told.items()} == topic.config
        assert channel["messages"]


def test_the_parser_that_checks_it_is_pinned_by_its_bytes_and_from_no_host() -> None:
    """Whoever installs it takes it from the registry of their own."""
    folder = ROOT / "tests/asyncapi"
    (wanted,) = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"].items()
    locked = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    assert locked[f"node_modules/{wanted[0]}"]["version"] == wanted[1]
    assert [name for name, package in locked.items() if name and "integrity" not in package] == []
    assert [name for name, package in locked.items() if "resolved" in package] == []


# --- fresh, and nothing broken -------------------------------------------------------------------


def test_the_committed_files_are_fresh() -> None:
    """`make docs` would change nothing, and no file is left over."""
    expected = files()
    assert [path.name for path, text in expected.items() if not path.exists() or path.read_text("utf-8") != text] == []
    assert sorted((REFERENCE / "schemas").iterdir()) == sorted(
        path for path in expected if path.parent.name == "schemas"
    )


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_schema_breaks_whoever_uses_an_older_one(path: Any) -> None:
    """Every schema ever kept, not only the last."""
    topic = path.name.rsplit(".", 2)[0]
    assert breaks(json.loads(path.read_text("utf-8")), NOW[topic], outgoing=topic != FACTS) == []


@pytest.mark.parametrize("topic", NOW)
def test_the_schema_of_today_is_kept(topic: str) -> None:
    """A change nobody kept could be taken back unseen: `python -m tests.golden.write_schemas`."""
    assert kept(topic)[-1].read_text("utf-8") == written(NOW[topic])


def test_kept_schemas_are_only_added_to() -> None:
    """To the byte what they were when they were pinned."""
    assert {path.name: digest(path) for path in FOLDER.iterdir()} == PINS
