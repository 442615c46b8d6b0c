"""Where contacts without a basis come from, and the setting in HubSpot that lets no more of them in."""

from __future__ import annotations

from typing import NamedTuple

from adapters.report import wording
from adapters.report.prose import Grid, said
from projections.verdicts import Audit, OriginCount

TOP = 10

FIELDS: dict[str, str] = {
    "flag_source": "HubSpot flag set by",
    "flag_source_name": "by the one named",
    "source": "original source",
    "created_month": "created in",
}
"""A field of `Origin` in words. The order breaks ties."""


class Setting(NamedTuple):
    """What a source of the flag is called, and where it is turned off."""

    name: str
    stop: str


FLAG_SOURCES: dict[str, Setting] = {
    "ad": Setting("ads", "Do not make the contacts of lead ads marketing contacts (Settings > Marketing > Ads)"),
    "contact_import": Setting(
        "an import", "Leave “Set contacts as marketing contacts” unticked in the import dialogue"
    ),
    "conversation": Setting(
        "a chat", "Turn off the chatflow > Options > Marketing contacts; ask in the chat, with the wording of step 5"
    ),
    "email": Setting(
        "e-mail", "See in Settings > Marketing > Email which send or reply made them so, and stop it there"
    ),
    "form_submission": Setting(
        "a form",
        "Turn off the form > Options > “Set contacts created as marketing contacts”; let a workflow set it for a "
        "ticked box",
    ),
    "initial_state": Setting(
        "the start of marketing contacts", "There is nothing to stop: it happened once, to everybody"
    ),
    "integrator_set": Setting("a connected app", "Turn that app off in Settings > Integrations > Marketing contacts"),
    "sample_contact": Setting("HubSpot's samples", "Delete the sample contacts"),
    "user_set": Setting(
        "a user, by hand", "Give “Marketing contacts access” (Settings > Users) to few, who ask the ledger first"
    ),
    "workflow": Setting(
        "a workflow",
        "Let the workflow's action “Set marketing contact status” run only for contacts whose ledger answer allows it",
    ),
}
"""Token of what set the HubSpot flag -> its name and the setting."""

_LOOK = "Open three of them: the history of “Marketing contact status” names what set it; mend that"
_NAMED = "Find the import, form, workflow or app of that name, and turn it off there"
_OFFLINE_SETTING = (
    "These are mostly imports and connected apps: leave the import's box unticked, and switch the apps off"
)
_WEB_SETTING = (
    "Give its forms and pop-ups a box of their own for marketing, not ticked beforehand; see each form's Options"
)
_MONTH_SETTING = "Look what was imported or connected in that month"
_OFFLINE = ("offline", "hors ligne", "sin conexión")

TIPS: tuple[str, ...] = (
    "Non-marketing is the default in every form, import, chat and app. One workflow alone sets the HubSpot flag, "
    "for contacts whom the ledger allows.",
    "Every form has a box of its own for marketing: not ticked beforehand, not required, apart from the terms. "
    "Keep a picture of it and its wording by date, and name both in `audit.toml`.",
    "Every sale offers refusal when it takes the address, and keeps the answer.",
    "No list from elsewhere comes in without the record of each person's own opt-in; the word of a fair, a partner "
    "or a seller is no such record.",
    "An opt-out told to support, sales or another system goes into the ledger on the day it comes.",
    "Run this audit before each update date, and before each renewal.",
)


def ranked(audit: Audit) -> list[OriginCount]:
    """The ten that bring most, whatever they are counted by."""
    order = {field: place for place, field in enumerate(FIELDS)}
    return sorted(audit.origins, key=lambda one: (-one.contacts, order.get(one.by, len(order)), one.value))[:TOP]


def grid(audit: Audit) -> Grid | None:
    """The table; None where the export does not say where contacts come from."""
    rows = tuple((_described(one), one.contacts, setting(one)) for one in ranked(audit))
    if not rows:
        return None
    return Grid(
        "Marketing contacts with nothing on record, or stopped, by where they come from; the rows overlap",
        ("Came by", "Contacts", "What stops it"),
        rows,
        (1,),
    )


def setting(one: OriginCount) -> str:
    """The setting that stops this way in."""
    if one.by == "flag_source":
        known = FLAG_SOURCES.get(one.value.casefold())
        return known.stop if known else _LOOK
    if one.by == "flag_source_name":
        return _NAMED
    if one.by == "created_month":
        return _MONTH_SETTING
    return _OFFLINE_SETTING if any(word in one.value.casefold() for word in _OFFLINE) else _WEB_SETTING


def _described(one: OriginCount) -> str:
    value = one.value
    if one.by == "flag_source" and value.casefold() in FLAG_SOURCES:
        value = FLAG_SOURCES[value.casefold()].name
    elif one.by == "created_month":
        value = wording.month(value)
    return f"{FIELDS.get(one.by, one.by)}: {said(value, 80)}"
