"""The ledger-wide fold: controllers, notices, forms, evidence maps and adopted policies.

An entry here re-judges the contacts it touches. What a form or map says is in its document.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from ledger import events as e
from ledger.contact import Entry
from ledger.declared import NOTHING_DECLARED, Declared
from ledger.terms import BEGINNING


class Catalogue(msgspec.Struct, frozen=True):
    """Ledger-wide facts. `policies` and `maps` in log order: the last one is in force.

    `accepted`: files that somebody goes on with although rows of them are lost.
    """

    position: int = 0
    recorded_at: datetime = BEGINNING
    controller: Entry | None = None
    policies: tuple[Entry, ...] = ()
    maps: tuple[Entry, ...] = ()
    notices: tuple[Entry, ...] = ()
    forms: tuple[Entry, ...] = ()
    imports: tuple[Entry, ...] = ()
    accepted: tuple[Entry, ...] = ()
    declared: Declared = NOTHING_DECLARED

    @property
    def is_charity(self) -> bool | None:
        """Whether the controller is a charity; None: nobody said."""
        described = self.controller.event if self.controller else None
        return described.charity if isinstance(described, e.ControllerDescribed) else None

    @property
    def country(self) -> str | None:
        """The sender's country; None: nobody said, so its law is unknown."""
        described = self.controller.event if self.controller else None
        return described.country if isinstance(described, e.ControllerDescribed) else None

    @property
    def assumed_country(self) -> str | None:
        """What is assumed of recipients nothing is known of."""
        described = self.controller.event if self.controller else None
        return described.assumed_country if isinstance(described, e.ControllerDescribed) else None

    @property
    def policy(self) -> str | None:
        """Hash of the rule set adopted last; None: adopted by nobody."""
        adopted = self.policies[-1].event if self.policies else None
        return adopted.policy if isinstance(adopted, e.PolicyAdopted) else None


def evolve(catalogue: Catalogue, entry: Entry) -> Catalogue:
    """Fold one ledger-wide entry. Never raises; entries of other kinds change nothing."""
    place = {
        e.PolicyAdopted: "policies",
        e.EvidenceMapAdopted: "maps",
        e.NoticePublished: "notices",
        e.FormDescribed: "forms",
        e.ImportFinished: "imports",
        e.LostStopsAccepted: "accepted",
    }.get(type(entry.event))
    seen = {"position": entry.position, "recorded_at": entry.event.recorded_at or catalogue.recorded_at}
    if isinstance(entry.event, e.ControllerDescribed):
        return msgspec.structs.replace(catalogue, controller=entry, **seen)
    if isinstance(entry.event, e.Declaration | e.TypeNamed):
        return msgspec.structs.replace(catalogue, declared=catalogue.declared.after(entry), **seen)
    if place is not None:
        return msgspec.structs.replace(catalogue, **{place: (*getattr(catalogue, place), entry)}, **seen)
    return msgspec.structs.replace(catalogue, **seen)
