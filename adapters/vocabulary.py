"""The words that questions and facts may use: purposes, channels, countries. A word that is not known has no meaning.

A question and a grant with such a word are refused, with the words there are. A stop never is: it reaches as far as
it may have been meant, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from adapters.countries import CODES
from adapters.reasons import Reason
from ledger import events as e
from ledger.terms import (
    ALL_MARKETING,
    CHANNELS,
    EVERY_CHANNEL,
    MARKETING_PURPOSES,
    SERVICE,
    is_channel,
    is_purpose,
)

PURPOSES_KNOWN = f"{', '.join(MARKETING_PURPOSES)}, or {SERVICE}NAME for messages that are not marketing"
CHANNELS_KNOWN = ", ".join(CHANNELS)
_NO_PURPOSE = f"must be one of these: {PURPOSES_KNOWN}"
_NO_CHANNEL = f"must be one of these: {CHANNELS_KNOWN}"
_NO_COUNTRY = "must be the code of a country, the two letters of ISO 3166, such as DE, GB or US"
GRANTS = (e.OptedIn, e.OptInRequested, e.DoubleOptInConfirmed, e.CountryEvidenced)
"""Facts that may carry a yes by a word of theirs."""


def is_asked_purpose(name: str) -> bool:
    """A purpose that a message can have: no family of them."""
    return name in MARKETING_PURPOSES or (name.startswith(SERVICE) and name != SERVICE)


def unknown_in_question(purpose: str | None, channel: str) -> tuple[Reason, ...]:
    """What is wrong with the purpose and the channel that somebody asks about."""
    found = []
    if purpose is not None and not is_asked_purpose(purpose):
        found.append(Reason("purpose", _NO_PURPOSE))
    if channel not in CHANNELS:
        found.append(Reason("channel", _NO_CHANNEL))
    return tuple(found)


def unknown_in_grant(event: e.Event) -> tuple[Reason, ...]:
    """Why a fact that may carry a yes is refused; () for any other fact."""
    return tuple(_unknown(event)) if isinstance(event, GRANTS) else ()


def _unknown(event: e.Event) -> Iterator[Reason]:
    for place, name in enumerate(getattr(event, "purposes", ())):
        if not is_purpose(name):
            yield Reason(f"purposes.{place}", _NO_PURPOSE)
    for place, name in enumerate(getattr(event, "channels", ())):
        if not is_channel(name):
            yield Reason(f"channels.{place}", _NO_CHANNEL)
    verified = getattr(event, "verifies_channel", None)
    if verified is not None and verified not in CHANNELS:
        yield Reason("verifies_channel", _NO_CHANNEL)
    for place, hint in enumerate(getattr(event, "hints", ())):
        if hint.country not in CODES:
            yield Reason(f"hints.{place}.country", _NO_COUNTRY)


def widen_stop(event: e.Event) -> tuple[e.Event, tuple[Reason, ...]]:
    """A stop whose scope uses a word that is not known, in the widest scope, and which words; other facts as they are.

    Such a word may have meant anything, so the stop reaches all marketing by every channel.
    """
    if not isinstance(event, e.Stop):
        return event, ()
    unknown = [
        Reason(field, f"{problem}: the stop reaches all marketing by every channel")
        for field, is_known, problem in _SCOPE
        if not all(map(is_known, getattr(event, field)))
    ]
    if not unknown:
        return event, ()
    return msgspec.structs.replace(event, **_WIDEST), tuple(unknown)


_WIDEST = {"purposes": ALL_MARKETING, "channels": EVERY_CHANNEL, "except_purposes": (), "address_only": False}
_SCOPE = (
    ("purposes", is_purpose, "names a purpose that is not known here"),
    ("channels", is_channel, "names a channel that is not known here"),
    ("except_purposes", is_purpose, "keeps a purpose that is not known here"),
)
