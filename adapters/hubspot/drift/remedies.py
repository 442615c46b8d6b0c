"""What may be done about each kind of difference: in words, and by which of the three commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from adapters.hubspot.drift.comparing import Kind

Remedy = Literal["push", "record", "ignore"]


class Told(NamedTuple):
    """A kind in words: what it is, which commands are of use, and what to do by hand."""

    what: str
    remedies: tuple[Remedy, ...]
    by_hand: str = ""


KINDS: Mapping[Kind, Told] = {
    "crm_on_ledger_stopped": Told("HubSpot would send over a stop", ("push", "record")),
    "crm_opted_out_ledger_allows": Told("HubSpot shows an opt-out that the ledger does not hold", ("record",)),
    "opted_in_later_elsewhere": Told(
        "the person opted in after the opt-out that HubSpot shows",
        ("ignore",),
        "nothing is turned on from here: the person sends in a HubSpot form or the preferences page, or somebody sets "
        "the subscription on the contact's page (Communication subscriptions), naming the reference",
    ),
    "crm_on_without_basis": Told(
        "HubSpot shows a subscription that no basis carries",
        ("record", "ignore"),
        "the verdict property keeps mail away only where the portal's workflow acts on it (`hubspot recipe`); ask for "
        "the evidence (see `audit`), or take the subscription off",
    ),
    "marketing_mark_differs": Told(
        "HubSpot bills the contact otherwise than the ledger answers",
        ("push", "record"),
        "the workflow of the portal sets it by the verdict (`consent-ledger hubspot recipe`)",
    ),
    "property_differs": Told("our properties say something else", ("push",)),
    "record_gone": Told(
        "HubSpot does not hold the record any more",
        ("ignore",),
        "stops stay in the ledger; if it was deleted on the person's wish, record an erasure request",
    ),
    "merged_in_crm": Told(
        "several contacts of the ledger are one record",
        ("ignore",),
        "if they are one person, `consent-ledger merge`; until then the strictest answer counts for the record",
    ),
}

PENDING = "HubSpot changes it at its next update"
OWN_ACT = (
    "the person turned it on in HubSpot: bring what shows it (`consent-ledger hubspot pull`, the form's words in the "
    "evidence map) before anything is pushed; it may lift the stop"
)


def refusal(kind: Kind, wanted: Remedy) -> str | None:
    """Why a command is of no use here; None: it is."""
    told = KINDS[kind]
    if wanted in told.remedies or wanted == "ignore":
        return None
    rest = f"; {told.by_hand}" if told.by_hand else f"; use {' or '.join(told.remedies)}"
    return f"{told.what}: `drift {wanted}` cannot mend that{rest}"
