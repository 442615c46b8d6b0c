"""Postmark's webhooks: one JSON object each, unsigned; name and password in the URL make it known.

A suppression holds for one message stream, so it is a stop of that stream's name: of all marketing, until somebody
declares what the stream is for.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from adapters.hearing import (
    CAPTURED_BY,
    EMAIL,
    NO_EVENT,
    NO_TIME,
    NOBODY,
    UNKNOWN,
    Told,
    address,
    alarming,
    by_way_of,
    delivery,
    exact,
    json_of,
    message,
    name_of,
    oversized,
    same,
    saying,
    text,
    time_of,
    told,
)
from adapters.reading import clocks, happened
from adapters.receiving import Accepted, Delivery, Heard, Refused, Sent
from adapters.times import Span
from adapters.wiring import House
from ledger import events as e
from ledger.terms import LEDGER_STREAM, Party

SYSTEM = SOURCE = "postmark"
_TIMES = {
    "SubscriptionChange": "ChangedAt",
    "Bounce": "BouncedAt",
    "SpamComplaint": "BouncedAt",
    "Delivery": "DeliveredAt",
}
"""What is listened to, and where it says when. Opens and clicks say nothing that counts here."""
_QUIET = frozenset({"Open", "Click", "Inbound", "SMTPApiError"})
_BY: Mapping[str, Party] = {"Recipient": "data_subject", "Customer": "officer", "Admin": "third_party"}
_BOUNCES: Mapping[str, Literal["hard", "soft", "quarantined", "invalid"]] = {
    "HardBounce": "hard",
    "BadEmailAddress": "invalid",
    "ManuallyDeactivated": "quarantined",
    "SoftBounce": "soft",
    "Transient": "soft",
    "DnsError": "soft",
    "Blocked": "soft",
    "DMARCPolicy": "soft",
    "SpamNotification": "soft",
    "Undeliverable": "soft",
    "Unknown": "soft",
}
_NO_BOUNCES = frozenset(
    {
        "Subscribe",
        "AutoResponder",
        "AddressChange",
        "OpenRelayTest",
        "VirusNotification",
        "ChallengeVerification",
        "Unconfirmed",
        "SMTPApiError",
        "InboundError",
        "TemplateRenderingFailed",
    }
)
"""Types of bounces that say nothing of whether the person wants mail, or whether it can be delivered."""
_Facts = Iterator[tuple[str, e.Event]]


class PostmarkReceiver:
    """Takes what comes with this name and password. ValueError where one of them is empty."""

    name = "postmark"
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, user: str, password: str) -> None:
        if not user or not password:
            raise ValueError("Postmark's URL needs a name and a password")
        self._known = f"{user}:{password}".encode()

    def accept(self, sent: Sent) -> Accepted | Refused:
        """The one event of a request."""
        if not hmac.compare_digest(_given(sent.headers.get("authorization", "")), self._known):
            return Refused(401, "name and password are not ours")
        too_much = oversized(sent)
        if too_much:
            return too_much
        event = json_of(sent.body)
        if not isinstance(event, dict):
            return Refused(400, "is not an event of Postmark")
        if text(event.get("RecordType")) in _QUIET:
            return Accepted()
        return Accepted([delivery(same(event), _span(Told(sent.at, event)), sent.at, event)])

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:  # noqa: ARG002
        """What each says; nobody has to be asked."""
        return [_heard(one) for one in map(told, deliveries)]


def _given(header: str) -> bytes:
    """Name and password of a request; nothing where it has none."""
    scheme, _, given = header.partition(" ")
    try:
        return base64.b64decode(given.strip(), validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        return b""


def _span(one: Told) -> Span | None:
    kind = one.event.get("RecordType")
    return exact(time_of(one.event.get(_TIMES.get(text(kind), ""))), one.at)


def _heard(one: Told | None) -> Heard:
    if one is None:
        return NO_EVENT
    said, kind, span = one.event, text(one.event.get("RecordType")), _span(one)
    if kind not in _TIMES:
        return Heard(problem=UNKNOWN)
    reads = {"SubscriptionChange": _changed, "Bounce": _bounced, "SpamComplaint": _complained, "Delivery": _delivered}
    facts = list(reads[kind](said, span))
    if kind == "Delivery" and not facts:
        return Heard(problem=NO_TIME)
    if kind == "Bounce" and not facts and text(said.get("Type")) not in _NO_BOUNCES:
        return Heard(problem=UNKNOWN)
    email = address(said.get("Recipient") or said.get("Email"))
    if email is None:
        return Heard(problem=NOBODY if facts else None)
    key = same(said)
    about = {"message_id": text(said.get("MessageID")), "stream": text(said.get("MessageStream"))}
    return Heard([saying(SYSTEM, email, event, f"{what}:{key}", **about) for what, event in facts])


def _common(by: Party, span: Span | None, via: str = SYSTEM) -> dict[str, Any]:
    return {"stream": LEDGER_STREAM, "source": SOURCE, "by": by, "via": via, **clocks(span, CAPTURED_BY)}


def _changed(said: Mapping[str, Any], span: Span | None) -> _Facts:
    """Suppressed, for one stream, and by whom; or switched on again, which grants nothing."""
    reason, origin = text(said.get("SuppressionReason")), text(said.get("Origin"))
    stream = name_of(SYSTEM, said.get("MessageStream"))
    if said.get("SuppressSending") is False:
        shown = _common("system", span, by_way_of(SYSTEM, origin))
        yield "shown", e.SubscriptionShown(**shown, subscription_type=stream, state="subscribed")
    elif reason == "HardBounce":
        yield "bounced", e.Bounced(**_common("system", span), kind="hard")
    elif reason == "SpamComplaint":
        yield from _complained(said, span)
    else:  # by hand; and what is not understood counts as a stop
        stop = _common(_BY.get(origin, "unknown"), span, f"{SYSTEM}.stream")
        yield "left", e.TypeOptedOut(**stop, channels=EMAIL, subscription_type=stream)


def _bounced(said: Mapping[str, Any], span: Span | None) -> _Facts:
    kind = text(said.get("Type"))
    if kind == "SpamComplaint":
        yield from _complained(said, span)
    elif kind in _BOUNCES:
        yield "bounced", e.Bounced(**_common("system", span), kind=_BOUNCES[kind])
    elif alarming(kind):
        yield "opted_out", e.OptedOut(**_common("data_subject", span), channels=EMAIL)


def _complained(_: Mapping[str, Any], span: Span | None) -> _Facts:
    yield "complained", e.Complained(**_common("data_subject", span))


def _delivered(said: Mapping[str, Any], span: Span | None) -> _Facts:
    """A mail that went out. What it was for, a declaration of its tag may say."""
    if span is None:
        return
    common = {"stream": LEDGER_STREAM, "source": SOURCE, "by": "system", **happened(span, CAPTURED_BY)}
    mail = {**common, "message": message(said.get("MessageID"))}
    tag = name_of(said.get("Tag"))
    yield "sent", e.CampaignMailSent(**mail, campaign=tag) if tag else e.EmailSent(**mail)
