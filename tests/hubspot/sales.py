"""Deals, and the pipelines they go through."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.hubspot.journal import iso


class Deal(NamedTuple):
    """One deal, and the contacts it is with."""

    id: int
    properties: dict[str, str]
    contacts: tuple[int, ...]
    at: int

    def shown(self, wanted: list[str], *, associations: bool) -> dict[str, Any]:
        """As the API gives it."""
        own = {"hs_object_id": str(self.id), "createdate": iso(self.at), "hs_lastmodifieddate": iso(self.at)}
        every = own | self.properties
        names = wanted or ["amount", "closedate", "dealname", "dealstage", "pipeline"]
        made: dict[str, Any] = {
            "id": str(self.id),
            "properties": own | {name: every.get(name) for name in names},
            "createdAt": iso(self.at),
            "updatedAt": iso(self.at),
            "archived": False,
        }
        if associations and self.contacts:
            ends = [{"id": str(record), "type": "deal_to_contact"} for record in self.contacts]
            made["associations"] = {"contacts": {"results": ends}}
        return made


class Stage(NamedTuple):
    """A stage of a pipeline. `probability` 1.0 and closed: won."""

    id: str
    label: str
    closed: bool
    probability: str


def _stages(prefix: str) -> tuple[Stage, ...]:
    return (
        Stage(f"{prefix}appointmentscheduled", "Appointment scheduled", False, "0.2"),
        Stage(f"{prefix}closedwon", "Closed won", True, "1.0"),
        Stage(f"{prefix}closedlost", "Closed lost", True, "0.0"),
    )


class Sales:
    """All of them. The default pipeline's stages have the ids HubSpot gives them; another's have its own."""

    def __init__(self) -> None:
        self.deals: dict[int, Deal] = {}
        self.pipelines: dict[str, tuple[str, tuple[Stage, ...]]] = {"default": ("Online shop", _stages(""))}

    def add(self, properties: dict[str, str], contacts: tuple[int, ...], at: int, deal_id: int | None = None) -> int:
        """A new deal; its id."""
        number = deal_id or max(self.deals, default=700_000) + 1
        self.deals[number] = Deal(number, properties, contacts, at)
        return number

    def pipeline(self, label: str) -> str:
        """The id of the pipeline with this name; it is made where there is none."""
        for pipeline, (known, _) in self.pipelines.items():
            if known == label:
                return pipeline
        made = str(88_000 + len(self.pipelines))
        self.pipelines[made] = (label, _stages(f"{made}_"))
        return made

    def stage(self, pipeline: str, label: str) -> str:
        """The id of a stage by its name."""
        return next(stage.id for stage in self.pipelines[pipeline][1] if stage.label == label)

    def shown(self) -> list[dict[str, Any]]:
        """The pipelines as the API gives them."""
        return [
            {
                "id": pipeline,
                "label": label,
                "displayOrder": place,
                "archived": False,
                "createdAt": iso(0),
                "updatedAt": iso(0),
                "stages": [
                    {
                        "id": stage.id,
                        "label": stage.label,
                        "displayOrder": order,
                        "archived": False,
                        "metadata": {"isClosed": str(stage.closed).lower(), "probability": stage.probability},
                    }
                    for order, stage in enumerate(stages)
                ],
            }
            for place, (pipeline, (label, stages)) in enumerate(self.pipelines.items())
        ]
