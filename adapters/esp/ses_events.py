"""What an event of Amazon SES says, in its present form or the older one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from adapters.hearing import (
    CAPTURED_BY,
    EMAIL,
    NO_TIME,
    NOBODY,
    UNKNOWN,
    Told,
    address,
    exact,
    json_of,
    message,
    name_of,
    part,
    parts,
    saying,
    text,
    time_of,
)
from adapters.reading import clocks, digest, happened
from adapters.receiving import Heard
from adapters.times import Span
from adapters.tokens import token_of
from ledger import events as e
from ledger.terms import LEDGER_STREAM, Party

SYSTEM = SOURCE = "ses"
_MAILS = ("Send", "Delivery")
_QUIET = frozenset(
    {
        "Open",
        "Click",
        "Reject",
        "DeliveryDelay",
        "Rendering Failure",
        "RenderingFailure",
        "AmazonSnsSubscriptionSucceeded",
    }
)
_BOUNCES: Mapping[str, Literal["hard", "soft"]] = {"Permanent": "hard", "Transient": "soft", "Undetermined": "soft"}
_Facts = Iterator[tuple[str, e.Event]]


def event_within(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The event that a message of SNS carries as its text."""
    written = said.get("Message")
    held = json_of(written) if isinstance(written, str) else None
    return held if isinstance(held, dict) else None


def says_nothing(event: Mapping[str, Any]) -> bool:
    """Whether it counts for nothing here, and need not be kept."""
    return _kind(event) in _QUIET


def recipients(event: Mapping[str, Any]) -> Sequence[object]:
    """Whom it is about. SES names everybody at a provider who may have complained: each of them did.

    Where it names nobody, whoever the mail went to may have complained.
    Who left a list is whoever the mail went to; where it went to several, nobody can say which of them it was.
    """
    kind, mail = _kind(event), parts(part(event, "mail"), "destination")
    if kind == "Bounce":
        return _addresses(parts(part(event, "bounce"), "bouncedRecipients"))
    if kind == "Complaint":
        named = _addresses(parts(part(event, "complaint"), "complainedRecipients"))
        return named if any(map(address, named)) else [*named, *mail]
    return parts(part(event, "delivery"), "recipients") or mail if kind == "Delivery" else mail


def hear_event(one: Told, key: str, place: int) -> Heard:
    """What an event says of one of those whom it is about. `key`: the id of the message that brought it."""
    kind, whom = _kind(one.event), recipients(one.event)
    if says_nothing(one.event):
        return Heard()
    if kind not in _READS:
        return Heard(problem=UNKNOWN)
    facts = list(_READS[kind](one))
    email = address(whom[place]) if 0 <= place < len(whom) else None
    if not facts:
        problems = {"Send": NO_TIME, "Delivery": NO_TIME, "Subscription": UNKNOWN}
        return Heard(problem=problems.get(kind))
    if email is None:
        return Heard(problem=NOBODY)
    mail = text(part(one.event, "mail").get("messageId"))
    key = mail or key if kind in _MAILS else key
    return Heard(
        [
            saying(SYSTEM, email, event, f"{about}:{digest(key, email.casefold())}", message_id=mail)
            for about, event in facts
        ]
    )


def _kind(event: Mapping[str, Any]) -> str:
    return text(event.get("eventType")) or text(event.get("notificationType"))


def _addresses(whom: Sequence[Any]) -> list[object]:
    return [one.get("emailAddress") if isinstance(one, dict) else None for one in whom]


def _span(one: Told, name: str) -> Span | None:
    return exact(time_of(part(one.event, name).get("timestamp")), one.at)


def _common(by: Party, span: Span | None, via: str = SYSTEM) -> dict[str, Any]:
    return {"stream": LEDGER_STREAM, "source": SOURCE, "by": by, "via": via, **clocks(span, CAPTURED_BY)}


def _bounced(one: Told) -> _Facts:
    kind = _BOUNCES.get(text(part(one.event, "bounce").get("bounceType")), "soft")
    yield "bounced", e.Bounced(**_common("system", _span(one, "bounce")), kind=kind)


def _complained(one: Told) -> _Facts:
    """Moved out of the spam folder, it is the opposite of a complaint."""
    if text(part(one.event, "complaint").get("complaintFeedbackType")) != "not-spam":
        yield "complained", e.Complained(**_common("data_subject", _span(one, "complaint")))


def _sent(one: Told) -> _Facts:
    """Sent and delivered are one mail: of the moment at which SES took it."""
    span = _span(one, "mail")
    if span is not None:
        common = {"stream": LEDGER_STREAM, "source": SOURCE, "by": "system", **happened(span, CAPTURED_BY)}
        yield "sent", e.EmailSent(**common, message=message(part(one.event, "mail").get("messageId")))


def _left(one: Told) -> _Facts:
    """Left the whole list, or topics of it; joined again, it is shown and grants nothing."""
    held = part(one.event, "subscription")
    name, span = text(held.get("contactList")), _span(one, "subscription")
    after, before = part(held, "newTopicPreferences"), part(held, "oldTopicPreferences")
    if after.get("unsubscribeAll") is not False:  # what is not understood counts as a stop
        yield "opted_out", e.OptedOut(**_common("data_subject", span), channels=EMAIL)
    elif before.get("unsubscribeAll") is not False:
        yield "shown", _shown(span, name_of(SYSTEM, name), "subscribed")
    if any(state != "OptIn" for topic, state in _states(after) if not topic):  # left, and nobody can say what
        yield "left_unnamed", e.OptedOut(**_common("data_subject", span), channels=EMAIL)
    stood = _topics(before)
    for topic, state in _topics(after).items():
        kind, about = name_of(SYSTEM, name, topic), token_of(topic)
        if state == "OptIn":
            if stood.get(topic) != state:
                yield f"shown.{about}", _shown(span, kind, "subscribed")
        elif stood.get(topic) == state:
            yield f"shown.{about}", _shown(span, kind, "unsubscribed")
        else:
            stop = _common("data_subject", span, f"{SYSTEM}.topic")
            yield f"left.{about}", e.TypeOptedOut(**stop, channels=EMAIL, subscription_type=kind)


def _shown(span: Span | None, kind: str, state: Literal["subscribed", "unsubscribed"]) -> e.Event:
    common = _common("system", span, f"{SYSTEM}.subscription")
    return e.SubscriptionShown(**common, subscription_type=kind, state=state)


def _topics(preferences: Mapping[str, Any]) -> dict[str, str]:
    """Topic -> how it stands. Of one that stands there twice, a way in which it was left counts."""
    named = [(topic, state) for topic, state in _states(preferences) if topic]
    return dict(sorted(named, key=lambda one: one[1] != "OptIn"))


def _states(preferences: Mapping[str, Any]) -> list[tuple[str, str]]:
    told_of = [one for one in parts(preferences, "topicSubscriptionStatus") if isinstance(one, dict)]
    return [(text(one.get("topicName")), text(one.get("subscriptionStatus"))) for one in told_of]


_READS: Mapping[str, Callable[[Told], _Facts]] = {
    "Bounce": _bounced,
    "Complaint": _complained,
    "Send": _sent,
    "Delivery": _sent,
    "Subscription": _left,
}
