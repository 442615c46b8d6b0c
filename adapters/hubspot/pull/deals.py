"""Deals: those that are won, with their contacts. HubSpot lists them all each time; what is known stays unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from adapters.hubspot.api.portal import Page, RefusedError
from adapters.hubspot.deals import Deals
from adapters.hubspot.layouts import DEALS
from adapters.hubspot.pull.run import Pull, Raw


class _Pipelines(NamedTuple):
    """What a portal calls its pipelines, and which of their stages are won."""

    names: Mapping[str, str]
    won: Mapping[tuple[str, str], bool]


def pull_deals(pull: Pull) -> None:
    """Every deal; a won one is a fact for each of its contacts."""
    tally = pull.begin("deals", DEALS.kind)
    pipelines = _pipelines(pull)

    def took(rows: Sequence[Raw]) -> bool:
        pull.take(tally, DEALS, Deals, "deals", [_plain(row, pipelines) for row in rows])
        return True

    def fetch(_: datetime | None, after: str | None, __: datetime) -> Page[Raw]:
        return pull.portal.deals(after)

    pull.walk(tally, "deals.pages", fetch, took)
    pull.finish(tally, f"hubspot.{DEALS.kind}")


def _pipelines(pull: Pull) -> _Pipelines:
    try:
        found = pull.portal.pipelines().items
    except RefusedError:
        return _Pipelines({}, {})  # then only the stages that HubSpot itself names are known
    won = {
        (str(one.get("id")), str(stage.get("id"))): _is_won(stage.get("metadata"))
        for one in found
        for stage in one.get("stages") or ()
        if isinstance(stage, dict)
    }
    return _Pipelines({str(one.get("id")): str(one.get("label") or one.get("id")) for one in found}, won)


def _is_won(metadata: Any) -> bool:
    """A stage that ends a deal with certainty."""
    if not isinstance(metadata, dict):
        return False
    try:
        sure = float(metadata.get("probability", 0)) >= 1
    except (TypeError, ValueError):
        return False
    return sure and str(metadata.get("isClosed", "true")).lower() == "true"


def _plain(row: Raw, pipelines: _Pipelines) -> Raw:
    """A deal with one id, the pipeline by its name as an export has it, and whether it is won."""
    held = row.get("properties") or {}
    pipeline, stage = str(held.get("pipeline") or ""), str(held.get("dealstage") or "")
    won = pipelines.won.get((pipeline, stage))
    people = ((row.get("associations") or {}).get("contacts") or {}).get("results") or ()
    contacts = dict.fromkeys(str(one.get("id")) for one in people if isinstance(one, dict) and one.get("id"))
    return {
        "dealId": str(row.get("id") or ""),
        "dealstage": stage,
        "hs_is_closed_won": held.get("hs_is_closed_won") or ("" if won is None else str(won).lower()),
        "pipeline": pipelines.names.get(pipeline, pipeline),
        "closedate": held.get("closedate") or "",
        "associatedVids": ";".join(contacts),
    }
