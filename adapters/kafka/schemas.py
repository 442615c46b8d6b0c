"""JSON Schemas (draft 2020-12) of what lies on the topics, made from the classes that are written and read.

One definition of each thing: descriptions come from the docstrings, types from the annotations. What has no
class of its own (that an entry's strings are tokens, that it holds no null) is added here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema

from adapters.fact_models import models
from adapters.kafka.cloudevents import MOST
from adapters.kafka.dead_letters import Letter, Original
from adapters.kafka.messages import CrmResult, ResultValue
from adapters.kafka.topics import CRM_RESULTS, EVENTS, FACTS, FACTS_DLQ, RESULTS, STATUS, STATUS_DLQ
from adapters.reasons import Reason
from ledger.codec import PLAIN_TEXT
from ledger.events import TOPICS, CountryHint, Event
from ledger.terms import LEDGER_STREAM
from projections import contact_status as told

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOKEN = f"^{PLAIN_TEXT}$"
"""What every string of an entry looks like that is no id and no time: no spaces, no `@`."""
ABSENT = (told.__doc__ or "").partition("\n\n")[2].strip()
"""What a reader of the status topic must know first."""

_IDS = frozenset({"stream", "address", "alike", "record", "other", "contact", "controller", "linked", "merged_into"})
_UUIDS = _IDS | {"correlationid"}
_STRUCTS: tuple[type[msgspec.Struct], ...] = (
    *TOPICS.values(),
    CountryHint,
    told.ContactStatus,
    told.ToldCell,
    told.ToldSegment,
    told.ToldRecord,
    ResultValue,
    Reason,
    CrmResult,
    Letter,
    Original,
)
_field_line = re.compile(r"([a-z_]+(?:, [a-z_]+)*) {2,}(\S.*)").fullmatch


def definitions(ref_template: str = "#/$defs/{name}") -> dict[str, Schema]:
    """Every class's schema under the class's name; `ref_template` says where they will stand."""
    _, raw = msgspec.json.schema_components(_STRUCTS, ref_template=ref_template)
    made = msgspec.json.decode(msgspec.json.encode(raw))  # tuples among the defaults become lists
    return {cls.__name__: _finish(cls, made[cls.__name__]) for cls in _STRUCTS}


def documents() -> dict[str, Schema]:
    """The schema of each topic's values under the name of its file."""
    every = definitions()
    entries = [cls.__name__ for cls in TOPICS.values()]
    about = (
        "An entry of the log. Other types come, by further names: skip a type that is not known here. "
        "A type's own description never changes."
    )
    return {
        EVENTS: _document(EVENTS, every, [*entries, "CountryHint"])
        | {"description": about, "anyOf": [{"$ref": f"#/$defs/{name}"} for name in entries]},
        STATUS: _document(STATUS, every, ["ContactStatus", "ToldCell", "ToldSegment", "ToldRecord"])
        | {"description": ABSENT, "$ref": "#/$defs/ContactStatus"},
        RESULTS: _document(RESULTS, every, ["ResultValue", "Reason"]) | {"$ref": "#/$defs/ResultValue"},
        CRM_RESULTS: _document(CRM_RESULTS, every, ["CrmResult"]) | {"$ref": "#/$defs/CrmResult"},
        FACTS_DLQ: _document(FACTS_DLQ, every, ["Letter", "Original"]) | {"$ref": "#/$defs/Letter"},
        STATUS_DLQ: _document(STATUS_DLQ, every, ["Letter", "Original"]) | {"$ref": "#/$defs/Letter"},
        FACTS: _facts_document(),
    }


def submitted(ref_template: str = "#/$defs/{model}") -> dict[str, Schema]:
    """The schema of each submittable fact's data, and of its parts, under the name of its class."""
    _, made = models_json_schema([(model, "validation") for model in models().values()], ref_template=ref_template)
    return {name: _untitled(schema) for name, schema in made["$defs"].items()}


def _facts_document() -> Schema:
    """A submission as one object: in binary mode `data` is the value, and the rest are headers."""
    text = {"type": "string", "minLength": 1, "maxLength": MOST}
    properties: Schema = {
        "specversion": {"const": "1.0"},
        "id": text | {"description": "the submitter's own id: source and id are taken once"},
        "source": {"type": "string", "pattern": TOKEN, "description": "the system that submits"},
        "type": {"enum": list(models())},
        "time": {"type": "string", "format": "date-time", "description": "when the source recorded it"},
        "correlationid": {"type": "string", "description": "given back with the result, if it is a UUID"},
        "datacontenttype": {"type": "string"},
        "data": {"type": "object"},
    }
    pairs = [
        {"properties": {"type": {"const": name}, "data": {"$ref": f"#/$defs/{model.__name__}"}}}
        for name, model in models().items()
    ]
    return {
        "$schema": DIALECT,
        "title": FACTS,
        "description": "A submitted fact as a CloudEvent in structured mode. In binary mode `data` is the record's "
        "value, and each other attribute a header `ce_...`. Carries personal data: kept for a short time only.",
        "type": "object",
        "properties": properties,
        "required": ["specversion", "id", "source", "type", "data"],
        "oneOf": pairs,
        "$defs": submitted(),
    }


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of the fields' names."""
    if "properties" not in schema:
        return schema
    fields = {
        name: {word: value for word, value in field.items() if word != "title"}
        for name, field in schema["properties"].items()
    }
    return {**schema, "properties": fields}


def _document(topic: str, every: Mapping[str, Schema], names: Iterable[str]) -> Schema:
    return {"$schema": DIALECT, "title": topic, "$defs": {name: every[name] for name in names}}


def _finish(cls: type[msgspec.Struct], schema: Schema) -> Schema:
    """Add what the annotations do not say."""
    about, fields = _documentation(cls)
    in_entry = issubclass(cls, Event) or cls is CountryHint
    properties = {}
    for name, given in schema["properties"].items():
        properties[name] = _property(name, dict(given), in_entry)
        if name in fields:
            said = fields[name].replace("None:", "absent:" if in_entry else "null:")
            properties[name]["description"] = said.replace("`terms.LEDGER_STREAM`", LEDGER_STREAM)
    required = schema.get("required", [])
    if issubclass(cls, Event):
        required = [*required, "recorded_at"]  # the log stamps each
    if cls is told.ContactStatus:
        about = f"{ABSENT}\n\n{about}"
    return {**schema, "description": about, "properties": properties, "required": required}


def _property(name: str, schema: Schema, in_entry: bool) -> Schema:
    if in_entry and "anyOf" in schema:  # `null` is never written there: the field is left out
        schema = next(part for part in schema["anyOf"] if part != {"type": "null"})
    if len(schema.get("enum", ())) == 1:
        schema = {"const": schema["enum"][0]}
    if "prefixItems" in schema:  # a pair of strings, as both drafts can say it
        schema = {name: value for name, value in schema.items() if name != "prefixItems"}
        return {**schema, "items": {"type": "string"}}
    if "items" in schema:
        return {**schema, "items": _property(name, schema["items"], in_entry)}
    if "anyOf" in schema:
        return {**schema, "anyOf": [_property(name, part, in_entry) for part in schema["anyOf"]]}
    if schema.get("type") == "string" and "format" not in schema:
        if name in _UUIDS:
            return {**schema, "format": "uuid"}
        if in_entry:
            return {**schema, "pattern": TOKEN}
    return schema


def _documentation(cls: type) -> tuple[str, dict[str, str]]:
    """What a class's docstring says of the whole, and of each field, its bases' fields included."""
    fields: dict[str, str] = {}
    about = ""
    for base in reversed(cls.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            about, own = _read_docstring(inspect.cleandoc(base.__doc__ or ""))
            fields |= own
    return about, fields


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Lines such as `name   what it holds`, with what is indented below them, are of a field."""
    about: list[str] = []
    fields: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        if found := _field_line(line):
            names = found[1].split(", ")
            fields |= dict.fromkeys(names, found[2] if len(names) == 1 else f"{found[1]}: {found[2]}")
        elif names and line.startswith("  "):
            fields |= {name: f"{fields[name]} {line.strip()}" for name in names}
        else:
            names = []
            about.append(line)
    return "\n".join(about).strip(), fields
