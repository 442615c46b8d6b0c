"""SendGrid's event webhook: lists of events, signed with a key of which the public half is known.

One mail is told of twice, taken in and delivered: the first of the two that comes is the mail. A group left is a
stop of that group's name: of all marketing, until somebody declares what the group is for.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.hearing import (
    CAPTURED_BY,
    EMAIL,
    NO_EVENT,
    NO_TIME,
    NOBODY,
    SKEW,
    UNKNOWN,
    Told,
    address,
    delivery,
    exact,
    items_of,
    message,
    name_of,
    oversized,
    same,
    saying,
    seconds,
    text,
    told,
)
from adapters.reading import by_then, clocks, digest, happened
from adapters.receiving import MOST_ITEMS, Accepted, Delivery, Heard, Refused, Sent
from adapters.times import Span
from adapters.wiring import House
from ledger import events as e
from ledger.terms import LEDGER_STREAM, Party

SYSTEM = SOURCE = "sendgrid"
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
WINDOW = timedelta(hours=25)
"""SendGrid tries again for a day, and nothing says that it signs anew. Within that, the events' ids tell."""
_SENDING = ("processed", "delivered")
_QUIET = frozenset({"open", "click", "deferred", "account_status_change"})
_NOT_OF_THE_PERSON = ("invalid smtpapi", "spam content", "recipient list over")
"""Reasons for which SendGrid drops a mail that lie with the mail or its sender."""
_Facts = Iterator[tuple[str, e.Event]]


class SendGridReceiver:
    """Takes what is signed by the key whose public half (base64, or PEM) is given. ValueError for no such key."""

    name = "sendgrid"
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, public_key: str) -> None:
        self._key = _public_key(public_key)

    def accept(self, sent: Sent) -> Accepted | Refused:
        """Every event of a request, each once; or none of them."""
        too_much = oversized(sent)
        if too_much:
            return too_much
        signed_at = seconds(sent.headers.get(TIMESTAMP, ""))
        if signed_at is None or not self._signed(sent):
            return Refused(401, "is not signed by the key that is set")
        if not -SKEW <= sent.at - signed_at <= WINDOW:
            return Refused(401, "was signed too long ago, or in the future")
        events = items_of(sent.body)
        if events is None:
            return Refused(400, "is not a list of events")
        if len(events) > MOST_ITEMS:
            return Refused(413, "holds more events than one request may")
        wanted = [one for one in events if text(one.get("event")) not in _QUIET]
        kept = {_same(one): delivery(_same(one), _span(Told(sent.at, one)), sent.at, one) for one in reversed(wanted)}
        return Accepted(list(reversed(kept.values())))

    def _signed(self, sent: Sent) -> bool:
        try:
            signature = base64.b64decode(sent.headers.get(SIGNATURE, ""), validate=True)
            signed = sent.headers[TIMESTAMP].encode() + sent.body
            self._key.verify(signature, signed, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:
        """What each says; the ledger is asked which mails it has been told of."""
        heard = [_heard(one) for one in map(told, deliveries)]
        ids = [one.source_id for each in heard for one in each.sayings if isinstance(one.event, e.EmailSent)]
        sids = {name: house.ledger.sid(SOURCE, name) for name in ids if name}
        known = set(house.ledger.log.find(set(sids.values())))
        return [_without(each, sids, known) for each in heard]


def _public_key(written: str) -> ec.EllipticCurvePublicKey:
    lines = [line for line in written.split() if "-" not in line and line != "PUBLIC"]
    try:
        key = load_der_public_key(base64.b64decode("".join(lines), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("SendGrid's verification key is no public key of the curve P-256")
    return key


def _without(heard: Heard, sids: Mapping[str, bytes], known: set[bytes]) -> Heard:
    """What is said of mails the ledger knows falls away; whatever stays is known from now on."""
    stays = [one for one in heard.sayings if sids.get(one.source_id or "") not in known]
    known |= {sids[one.source_id] for one in stays if one.source_id and one.source_id in sids}
    return heard._replace(sayings=stays)


def _key(said: Mapping[str, Any]) -> str:
    return text(said.get("sg_event_id")) or same(said)


def _same(said: Mapping[str, Any]) -> str:
    """What an event is known again by. Should two have one id, the one must not hide what the other says."""
    return digest(_key(said), text(said.get("event")), text(said.get("email")).casefold())


def _span(one: Told) -> Span | None:
    return exact(seconds(one.event.get("timestamp")), one.at)


def _heard(one: Told | None) -> Heard:
    if one is None:
        return NO_EVENT
    said, kind, span = one.event, text(one.event.get("event")), _span(one)
    email = address(said.get("email"))
    if kind in _QUIET:
        return Heard()
    if kind not in _READS and kind not in _SENDING:
        return Heard(problem=UNKNOWN)
    if email is None:
        return Heard(problem=NOBODY)
    about = {"message_id": text(said.get("sg_message_id")), "smtp_id": text(said.get("smtp-id"))}
    if kind in _SENDING:
        if span is None:
            return Heard(problem=NO_TIME)
        mail = about["message_id"] or about["smtp_id"]
        key = digest(mail, email.casefold()) if mail else _key(said)
        return Heard([saying(SYSTEM, email, _sent(said, span), f"sent:{key}", **about)])
    facts = list(_READS[kind](said, span))
    if kind == "dropped" and not facts and not _reason(said).startswith(_NOT_OF_THE_PERSON):
        return Heard(problem=UNKNOWN)
    return Heard([saying(SYSTEM, email, event, f"{what}:{_key(said)}", **about) for what, event in facts])


def _sent(said: Mapping[str, Any], span: Span) -> e.Event:
    """A mail that went out. What it was for, a declaration of its campaign may say."""
    category = said.get("category")
    first = category[0] if isinstance(category, list) and category else category
    named = [text(said.get(name)) for name in ("singlesend_name", "marketing_campaign_name")]
    campaign = next((name_of(name) for name in (*named, text(first)) if name), None)
    mail: dict[str, Any] = {"message": message(said.get("sg_message_id")), **happened(span, CAPTURED_BY)}
    mail |= {"stream": LEDGER_STREAM, "source": SOURCE, "by": "system"}
    return e.CampaignMailSent(**mail, campaign=campaign) if campaign else e.EmailSent(**mail)


def _common(by: Party, times: Mapping[str, Any], via: str = SYSTEM) -> dict[str, Any]:
    return {"stream": LEDGER_STREAM, "source": SOURCE, "by": by, "via": via, **times}


def _left(_: Mapping[str, Any], span: Span | None) -> _Facts:
    yield "opted_out", e.OptedOut(**_common("data_subject", clocks(span, CAPTURED_BY)), channels=EMAIL)


def _left_group(said: Mapping[str, Any], span: Span | None) -> _Facts:
    """One group; without its number, everything."""
    if not text(said.get("asm_group_id")):
        yield from _left(said, span)
        return
    stop = _common("data_subject", clocks(span, CAPTURED_BY), f"{SYSTEM}.group")
    kind = name_of(SYSTEM, "group", said.get("asm_group_id"))
    yield "left", e.TypeOptedOut(**stop, channels=EMAIL, subscription_type=kind)


def _joined_group(said: Mapping[str, Any], span: Span | None) -> _Facts:
    shown = _common("system", clocks(span, CAPTURED_BY), f"{SYSTEM}.group_resubscribe")
    kind = name_of(SYSTEM, "group", said.get("asm_group_id"))
    yield "shown", e.SubscriptionShown(**shown, subscription_type=kind, state="subscribed")


def _complained(_: Mapping[str, Any], span: Span | None) -> _Facts:
    yield "complained", e.Complained(**_common("data_subject", clocks(span, CAPTURED_BY)))


def _bounced(said: Mapping[str, Any], span: Span | None) -> _Facts:
    """`blocked`: this mail was, and the next may not be."""
    kind: Any = "soft" if said.get("type") == "blocked" else "hard"
    yield "bounced", e.Bounced(**_common("system", clocks(span, CAPTURED_BY)), kind=kind)


def _dropped(said: Mapping[str, Any], span: Span | None) -> _Facts:
    """SendGrid itself did not send, for what it knew by then."""
    reason, times = _reason(said), by_then(span, CAPTURED_BY)
    if "unsubscribe" in reason:
        yield "opted_out", e.OptedOut(**_common("data_subject", times), channels=EMAIL)
    elif "spam report" in reason:
        yield "complained", e.Complained(**_common("data_subject", times))
    elif reason.startswith("bounced"):
        yield "bounced", e.Bounced(**_common("system", times), kind="hard")
    elif reason == "invalid":
        yield "bounced", e.Bounced(**_common("system", times), kind="invalid")


def _reason(said: Mapping[str, Any]) -> str:
    return text(said.get("reason")).casefold()


_READS = {
    "unsubscribe": _left,
    "group_unsubscribe": _left_group,
    "group_resubscribe": _joined_group,
    "spamreport": _complained,
    "bounce": _bounced,
    "dropped": _dropped,
}
