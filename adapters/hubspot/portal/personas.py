"""Every situation the portal holds: a first audit of most of them settles nothing, the files settle most."""

from __future__ import annotations

from random import Random

from adapters.hubspot.portal.answered import ANSWERED
from adapters.hubspot.portal.granted import GRANTED
from adapters.hubspot.portal.persona import Persona
from adapters.hubspot.portal.stopped import STOPPED
from adapters.hubspot.portal.unshown import UNSHOWN

PERSONAS: tuple[Persona, ...] = (*GRANTED, *STOPPED, *ANSWERED, *UNSHOWN)


def deal_out(random: Random, contacts: int) -> list[Persona]:
    """Personas that make so many records, in any order; each once, before any comes twice."""
    dealt: list[Persona] = []
    room = contacts
    for persona in PERSONAS:
        if persona.records <= room:
            dealt.append(persona)
            room -= persona.records
    drawn = random.choices(PERSONAS, [persona.weight for persona in PERSONAS], k=room)
    for persona in drawn:
        if persona.records <= room:
            dealt.append(persona)
            room -= persona.records
    singles = [persona for persona in PERSONAS if persona.records == 1]
    dealt += random.choices(singles, k=room)
    random.shuffle(dealt)
    return dealt
