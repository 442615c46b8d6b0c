"""A stanza of the map as the event it is recorded as: tokens in the event, names as written in the payload."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from adapters.evidence_map.shape import By, Campaign, Form, Imported, Sale, Spanning, Stanza, Type
from adapters.tokens import token_of
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM, OWN

SOURCE = "evidence_map"
"""The source of every declaration that a map made."""
_AS_WRITTEN = ("form", "box", "switches_on", "pipeline", "type", "campaign", "list", "seller")


def declaration(stanza: Stanza, by: By, files: Mapping[str, str]) -> Fact:
    """What is recorded of a stanza. `files`: name as written in the map -> SHA-256."""
    common: dict[str, Any] = {
        "stream": LEDGER_STREAM,
        "source": SOURCE,
        "by": "officer",
        "occurred_from": midnight(by.on),
        "precision": "day",
        "key": stanza.key,
        "evidence": tuple(dict.fromkeys(files[name] for name in stanza.evidence)),
    }
    if isinstance(stanza, Spanning):
        common |= {"shown_from": _day(stanza.shown_from), "shown_to": _day(stanza.shown_to)}
    return Fact(_event(stanza, common, files), payload=_payload(stanza, by))


def _event(stanza: Stanza, common: dict[str, Any], files: Mapping[str, str]) -> e.Declaration:
    match stanza:
        case Form(says_minor=True):
            return e.MinorDeclared(**common, form=stanza.form_token, box=stanza.box_token or "")
        case Form():
            return e.FormDeclared(
                **common,
                form=stanza.form_token,
                box=stanza.box_token,
                ticked_before=stanza.ticked_before,
                required=stanza.required,
                purposes=tuple(stanza.purposes),
                channels=tuple(stanza.channels),
                to=tuple(_company(name) for name in stanza.senders),
                wording=None if stanza.wording is None else files[stanza.wording],
            )
        case Sale():
            return e.SaleDeclared(
                **common,
                pipeline=stanza.pipeline_token,
                kind=stanza.kind or "unknown",
                seller=None if stanza.seller is None else _company(stanza.seller),
                collected_from_person=stanza.collected_from_person,
                refusal_offered=stanza.refusal_offered,
                refusals_recorded=stanza.refusals_recorded,
            )
        case Type():
            kind = token_of(stanza.type)
            return e.TypeDeclared(**common, subscription_type=kind, purposes=tuple(stanza.purposes))
        case Campaign():
            return e.CampaignDeclared(**common, campaign=token_of(stanza.campaign), purpose=stanza.purpose)
        case Imported():
            return e.ImportDeclared(**common, list=token_of(stanza.list))
    raise TypeError(f"{type(stanza).__name__} has no event")


def _payload(stanza: Stanza, by: By) -> dict[str, object]:
    """Who answers for it, and the names as they were written."""
    said: dict[str, object] = {"name": by.name, "role": by.role, "on": by.on.isoformat()}
    if stanza.note is not None:
        said["note"] = stanza.note
    for name in _AS_WRITTEN:
        written = getattr(stanza, name, None)
        if written is not None:
            said[name] = written
    if isinstance(stanza, Form) and stanza.senders:
        said["senders"] = list(stanza.senders)
    return said


def _company(name: str) -> str:
    return OWN if name == OWN else token_of(name)


def midnight(on: date) -> datetime:
    """The beginning of a day, in UTC."""
    return datetime(on.year, on.month, on.day, tzinfo=UTC)


def _day(on: date | None) -> datetime | None:
    return None if on is None else midnight(on)
