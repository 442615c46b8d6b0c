"""Adopting an evidence map: what it says anew is recorded, what it says no more is withdrawn, nothing is repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from adapters.encodings import UnreadableInput
from adapters.evidence_map.meaning import SOURCE
from adapters.evidence_map.reading import EvidenceMap
from adapters.wiring import House
from ledger import events as e
from ledger.application import Fact
from ledger.codec import content
from ledger.contact import Entry
from ledger.terms import LEDGER_STREAM


class Adopted(NamedTuple):
    """How many declarations were recorded, withdrawn, and found as they were."""

    recorded: int
    withdrawn: int
    unchanged: int


def adopt_map(house: House, evidence_map: EvidenceMap, asked_at: datetime) -> Adopted:
    """Record what differs from the declarations in force, in one step. Done again, it records nothing.

    Raises UnreadableInput when a file of evidence was changed since the map was read.
    """
    anew, gone = replaced_by(house, evidence_map)
    if anew or gone:
        _keep_files(house, evidence_map, anew)
        document = house.ledger.log.put_document(evidence_map.data)
        house.ledger.record_many(
            [
                *anew,
                *(_withdrawal(entry, evidence_map, asked_at) for entry in gone),
                _adoption(evidence_map, document, asked_at),
            ]
        )
    return Adopted(len(anew), len(gone), len(evidence_map.declarations()) - len(anew))


def replaced_by(house: House, evidence_map: EvidenceMap) -> tuple[list[Fact], list[Entry]]:
    """What a map declares that is not in force, and what is in force that it declares no more."""
    in_force = house.catalogue.declared.by_key
    said = evidence_map.declarations()
    anew = [fact for fact in said if not _is_in_force(house, fact, in_force)]
    keys = {fact.event.key for fact in said if isinstance(fact.event, e.Declaration)}
    return anew, [entry for key, entry in in_force.items() if key not in keys and entry.event.source == SOURCE]


def _is_in_force(house: House, fact: Fact, in_force: Mapping[str, Entry]) -> bool:
    assert isinstance(fact.event, e.Declaration)  # noqa: S101 - a map makes nothing else
    held = in_force.get(fact.event.key)
    return held is not None and content(held.event) == content(fact.event) and house.payload(held.event) == fact.payload


def _keep_files(house: House, evidence_map: EvidenceMap, facts: Iterable[Fact]) -> None:
    """Keep the files that these declarations name as documents beside the log."""
    named = {sha256 for fact in facts for sha256 in _files_of(fact.event)}
    for name, sha256 in evidence_map.files.items():
        if sha256 in named and house.ledger.log.put_document(evidence_map.file(name).read_bytes()) != sha256:
            raise UnreadableInput(
                "changed_meanwhile", f"{name} was changed while the map was being adopted.", "Run it again."
            )


def _files_of(event: e.Event) -> tuple[str, ...]:
    wording = event.wording if isinstance(event, e.FormDeclared) else None
    return event.evidence if wording is None else (*event.evidence, wording)


def _withdrawal(entry: Entry, evidence_map: EvidenceMap, asked_at: datetime) -> Fact:
    event = msgspec.structs.replace(
        entry.event,
        withdrawn=True,
        occurred_from=asked_at,
        precision="exact",
        recorded_at=None,
        sid=None,
        commitment=None,
        evidence=(),
    )
    return Fact(event, payload={**_named(evidence_map), "reason": "no longer in the evidence map"})


def _adoption(evidence_map: EvidenceMap, document: str, asked_at: datetime) -> Fact:
    event = e.EvidenceMapAdopted(
        stream=LEDGER_STREAM,
        source=SOURCE,
        by="officer",
        occurred_from=asked_at,
        document=document,
        evidence=(document,),
    )
    return Fact(event, payload=_named(evidence_map))


def _named(evidence_map: EvidenceMap) -> dict[str, object]:
    """Who answers for the map; where it names nobody for the whole, everybody it names."""
    signed = [evidence_map.by] if evidence_map.by else [evidence_map.signed(one) for one in evidence_map.stanzas]
    if not signed:
        return {}
    return {
        "name": ", ".join(dict.fromkeys(by.name for by in signed)),
        "role": ", ".join(dict.fromkeys(by.role for by in signed)),
    }
