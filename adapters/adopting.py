"""Adopting a rule set: who changes is shown first, then a named person's act is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapters.wiring import House, now
from ledger import events as e
from ledger.application import Fact
from ledger.contact import Contact, placed
from ledger.policy.rules import Policy
from ledger.terms import LEDGER_STREAM
from projections.simulate import Change, differences

_CHUNK = 2_000


def preview(house: House, chosen: Policy) -> list[Change]:
    """Whose answer changes if the rule set is adopted, today."""
    return list(differences(people_of(house), house.policy, chosen, house.catalogue, now()))


def people_of(house: House) -> Iterator[tuple[Contact, ...]]:
    """Every contact, each with whoever it is linked with after it."""
    streams = house.ledger.log.streams()
    for start in range(0, len(streams), _CHUNK):
        for contact in house.contacts(streams[start : start + _CHUNK]).values():
            if contact.contact != LEDGER_STREAM:
                linked = contact.links or contact.stop_links
                yield tuple(house.group(contact)) if linked else (placed(contact, ()),)


def adopt(house: House, chosen: Policy, name: str, role: str) -> int:
    """Keep the rule files as a document and record who adopted them; the position."""
    files = {file: data.decode() for file, data in chosen.files.items()}
    document = house.ledger.log.put_document(json.dumps(files, sort_keys=True, ensure_ascii=False).encode())
    event = e.PolicyAdopted(
        stream=LEDGER_STREAM,
        source="cli",
        by="officer",
        occurred_from=now(),
        policy=chosen.hash,
        document=document,
        evidence=(document,),
    )
    return house.ledger.record(Fact(event, payload={"name": name, "role": role})).position
