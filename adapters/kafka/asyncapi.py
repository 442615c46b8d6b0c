"""The AsyncAPI 3.0 document of the topics, made from the same definitions as the records themselves.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0, Kafka bindings 0.5.0. Its schemas are
those of `adapters.kafka.schemas`, which keep to what JSON Schema's drafts 07 and 2020-12 share.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from adapters.fact_models import models
from adapters.kafka import examples
from adapters.kafka.messages import CRM_TYPE, RESULT_TYPE, STATUS_TYPE, Message
from adapters.kafka.schemas import ABSENT, TOKEN, definitions, submitted
from adapters.kafka.topics import CRM_RESULTS, EVENTS, FACTS, FACTS_DLQ, RESULTS, STATUS, STATUS_DLQ, TOPICS, Topic
from ledger.events import TOPICS as EVENT_TYPES

Node = dict[str, Any]

_BINDING = "0.5.0"
_NUMBERS = ("retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes")
_UUID_KEY = {"type": "string", "format": "uuid"}
_ANY_KEY = {"type": "string"}
_PLACE_KEY = {"type": "string", "pattern": "^[A-Za-z0-9._-]+/[0-9]+/[0-9]+$"}
_REQUIRED = ["ce_specversion", "ce_id", "ce_source", "ce_type"]
_NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
_ABOUT = f"""What a consent ledger says on Kafka, and what it takes in.

{ABSENT}

Kafka is never the truth: the ledger's log is, and it feeds the topics at least once. Skip an event whose position
you have applied, and a status whose revision is lower than the one you hold. Skip fields and event types you do
not know. No record that goes out holds personal data; `{FACTS}`, which comes in, does."""


def document(version: str) -> Node:
    """The whole document; `version` is the program's."""
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "consent-ledger",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, messages[topic.name]) for topic in TOPICS},
        "operations": {_operation_name(topic): _operation(topic, messages[topic.name]) for topic in TOPICS},
        "components": {
            "messages": {name: message for of_topic in messages.values() for name, message in of_topic.items()},
            "messageTraits": {"sent": _trait_sent(), "submitted": _trait_submitted()},
            "schemas": definitions("#/components/schemas/{name}")
            | {_submitted(name): schema for name, schema in submitted(_schemas(_submitted("{model}"))).items()},
        },
    }


def _channel(topic: Topic, messages: Iterable[str]) -> Node:
    config: Node = {name: int(value) if name in _NUMBERS else value for name, value in topic.config.items()}
    config["cleanup.policy"] = topic.config["cleanup.policy"].split(",")
    return {
        "address": topic.name,
        "description": f"{topic.about} Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {"partitions": topic.partitions, "topicConfiguration": config, "bindingVersion": _BINDING}
        },
    }


def _operation_name(topic: Topic) -> str:
    return f"{'receive' if topic.name == FACTS else 'send'}.{topic.name}"


def _operation(topic: Topic, messages: Iterable[str]) -> Node:
    """As the ledger does it: it sends, and receives facts."""
    channel = f"#/channels/{topic.name}"
    return {
        "action": "receive" if topic.name == FACTS else "send",
        "channel": {"$ref": channel},
        "summary": topic.about,
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in messages],
    }


def _submitted(name: str) -> str:
    """What a part of a submission is called, beside the entry of the same name."""
    return f"Submitted{name}"


def _schemas(name: str) -> str:
    return f"#/components/schemas/{name}"


def _trait_submitted() -> Node:
    """The headers of a fact in binary mode; structured mode, `application/cloudevents+json`, is taken as well."""
    attributes: dict[str, Node] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "the submitter's own id: source and id are taken once"},
        "ce_source": {"type": "string", "pattern": TOKEN, "description": "the system that submits"},
        "ce_type": {"enum": list(models())},
        "ce_time": {"type": "string", "format": "date-time", "description": "when the source recorded it"},
        "ce_correlationid": {"type": "string", "description": "given back with the result, if it is a UUID"},
        "content-type": {"type": "string"},
    }
    return {"headers": {"type": "object", "properties": attributes, "required": _REQUIRED}}


def _trait_sent() -> Node:
    """The attributes of CloudEvents in binary mode, each a header."""
    attributes: dict[str, Node] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "unique for its source"},
        "ce_source": {"type": "string", "format": "uri-reference", "description": "urn:uuid: and the ledger's id"},
        "ce_type": {"type": "string", "description": "what happened, and which description of it holds"},
        "ce_time": {"type": "string", "format": "date-time", "description": "when the ledger recorded or said it"},
        "ce_subject": {"type": "string", "description": "the same as the key"},
        "ce_partitionkey": {"type": "string", "description": "the same as the key"},
        "ce_position": _NUMBER | {"description": "an event's place in the log: skip what you have applied"},
        "ce_streamversion": _NUMBER | {"description": "an event's number among those of its contact"},
        "ce_revision": _NUMBER | {"description": "a status's revision: skip what is lower than you hold"},
        "ce_epoch": {
            "type": "string",
            "description": "the ledger's epoch: a new one begins when it is restored; then read anew, and skip nothing",
        },
        "content-type": {"const": "application/json"},
    }
    return {"headers": {"type": "object", "properties": attributes, "required": _REQUIRED}}


def _message(about: str, payload: Node, key: Node, shown: Iterable[Message], trait: str | None = "sent") -> Node:
    made: Node = {
        "summary": about,
        "contentType": "application/json",
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
        "examples": [_shown(message) for message in shown],
    }
    return made | ({"traits": [{"$ref": f"#/components/messageTraits/{trait}"}]} if trait else {})


def _shown(message: Message) -> Node:
    """An example as AsyncAPI writes it."""
    headers = {name: value.decode() for name, value in message.headers}
    return {"headers": headers, "payload": msgspec.json.decode(message.value) if message.value else None}


def _schema(name: str) -> Node:
    return {"$ref": _schemas(name)}


def _messages() -> dict[str, dict[str, Node]]:
    """Topic -> name -> message."""
    events = {
        name: _message(_about(cls), _schema(cls.__name__), _UUID_KEY, [examples.event(cls)])
        for name, cls in EVENT_TYPES.items()
    }
    facts = {
        f"submitted.{name}": _message(
            _about(model), _schema(_submitted(model.__name__)), _ANY_KEY, [examples.submission(name)], "submitted"
        )
        for name, model in models().items()
    }
    told = "All answers of one contact. Absent or unknown means not allowed."
    gone = "A tombstone: the contact was erased, and nothing is allowed."
    answered = "What became of a submitted fact."
    wrote = "One thing that was written to the CRM, and what it said."
    letter = _message("What could not be taken.", _schema("Letter"), _PLACE_KEY, [examples.dead_letter()], None)
    return {
        EVENTS: events,
        STATUS: {
            STATUS_TYPE: _message(told, _schema("ContactStatus"), _UUID_KEY, [examples.status()]),
            "contact.status.tombstone.v1": _message(gone, {"type": "null"}, _UUID_KEY, [examples.tombstone()]),
        },
        FACTS: facts,
        RESULTS: {RESULT_TYPE: _message(answered, _schema("ResultValue"), _PLACE_KEY, examples.results())},
        CRM_RESULTS: {CRM_TYPE: _message(wrote, _schema("CrmResult"), _UUID_KEY, [examples.crm_result()])},
        FACTS_DLQ: {"dead_letter.v1": letter},
        STATUS_DLQ: {"dead_letter.v1": letter},
    }


def _about(cls: type) -> str:
    return (cls.__doc__ or "").split("\n", 1)[0]
