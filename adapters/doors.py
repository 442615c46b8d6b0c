"""The doors by which facts come in (`via`): a closed list, since what people type there may be anybody's name."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.recording import Saying
from ledger.application import Ledger
from ledger.codec import EntryError, decode

DOORS = (
    "account",
    "api",
    "app",
    "authority",
    "chat",
    "dpo_email",
    "email",
    "event",
    "fax",
    "form",
    "hubspot",
    "import",
    "in_person",
    "lawyer",
    "letter",
    "mailchimp",
    "phone",
    "preference_center",
    "reply",
    "rfc8058",
    "sales",
    "shop",
    "sms",
    "social_media",
    "support",
    "unsubscribe_link",
    "website",
)
"""What may stand in the log as it was written."""


def check_door(via: str | None) -> None:
    """Raise EntryError for a door that is not on the list, as a person can choose another at once."""
    if via is not None and via not in DOORS:
        raise EntryError(
            f"via takes one of {', '.join(DOORS)}: it stays in the log for ever. Put anything else "
            "into the note, which is encrypted"
        )


def close_doors(ledger: Ledger, sayings: Sequence[Saying]) -> list[Saying]:
    """The facts, with a door that is not on the list as a keyed hash: a fact of a program is never lost for it.

    One that the log holds already stays as it stands there, so that handing it in again is no conflict.
    """
    unknown = {
        ledger.sid(one.event.source, one.source_id)
        for one in sayings
        if one.source_id is not None and one.event.via is not None and one.event.via not in DOORS
    }
    held = {sid: decode(known.entry).via for sid, known in ledger.log.find(unknown).items()} if unknown else {}
    return [_closed(ledger, one, held) for one in sayings]


def _closed(ledger: Ledger, one: Saying, held: dict[bytes, str | None]) -> Saying:
    via = one.event.via
    if via is None or via in DOORS:
        return one
    if one.source_id is not None and held.get(ledger.sid(one.event.source, one.source_id)) == via:
        return one
    hashed = f"other-{ledger.stamp(via.encode(), b'via')[:16]}"
    return one._replace(event=msgspec.structs.replace(one.event, via=hashed))
