"""What a portal's contacts are asked for: the properties that are read, by the names an export has for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from adapters.hubspot import changes as c
from adapters.hubspot.api.portal import RefusedError
from adapters.hubspot.api.reading import objects
from adapters.hubspot.pull.run import Pull, Raw
from adapters.hubspot.wordings import LABELS, OPTED_OUT_OF

LEFT = "hs_email_optout_"
_type_left = re.compile(r"hs_email_optout_\d+\Z").match


class Asked(NamedTuple):
    """What is asked of contacts.

    header  property -> the column that it is read as; `types`: id -> name
    words   what this portal's numbers for a confirmation mean
    """

    header: Mapping[str, str]
    history: tuple[str, ...]
    types: Mapping[str, str]
    words: Mapping[str, str]


def asked_of(pull: Pull) -> Asked:
    """The properties that this portal has of those that are read, each as an export would name it."""
    types = pull.type_names()
    definitions = _definitions(pull)
    known = None if definitions is None else definitions.keys()
    header: dict[str, str] = {}
    for name, (internal, *_) in LABELS.items():
        held = next((one for one in internal.split("|") if known is None or one in known), None)
        if held is not None or name in ("record_id", "email"):
            header[held or internal.partition("|")[0]] = held or internal.partition("|")[0]
    word = OPTED_OUT_OF["en"].partition("|")[0]
    left = {name: name for name in sorted(known or ()) if _type_left(name)}
    left |= {
        f"{LEFT}{number}": f"{word}: {name}"
        for number, name in types.items()
        if known is None or f"{LEFT}{number}" in left
    }
    watched = [name for name in c.WATCHED if known is None or name in known]
    return Asked(header | left, (*watched, *left), types, words_of((definitions or {}).get(c.CONFIRMATION, {})))


def _definitions(pull: Pull) -> dict[str, Raw] | None:
    """The portal's properties by name; None where the token may not ask, and then all are asked for."""
    try:
        return {str(one.get("name")): one for one in pull.portal.properties()}
    except RefusedError as error:
        if error.status != 403:
            raise
        return None


def words_of(definition: Raw) -> dict[str, str]:
    """Some portals number their options: what a number stands for, the portal itself says."""
    options = {str(one.get("value")): str(one.get("label") or "") for one in objects(definition.get("options"))}
    return {value: label for value, label in options.items() if value.isdigit() and label}
