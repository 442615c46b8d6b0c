"""Amazon SES, by way of SNS: what became of mails, and what people left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from adapters.esp.sns import Certificates, Fetch, confirmation
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
    alarming,
    delivery,
    exact,
    json_of,
    message,
    name_of,
    oversized,
    part,
    parts,
    saying,
    text,
    time_of,
    told,
)
from adapters.reading import clocks, digest, happened, token
from adapters.receiving import Accepted, Delivery, Heard, Refused, Sent
from adapters.recording import Saying
from adapters.times import Span
from adapters.wiring import House
from ledger import events as e
from ledger.terms import LEDGER_STREAM, Party

SYSTEM = SOURCE = "ses"
WINDOW = timedelta(days=14)
"""As long as a queue of undelivered messages can hold one. Within that, the message's own id tells."""
_WANTED = frozenset({"Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"})
_BEGUN = "Successfully validated SNS topic"
_ENDED = Heard(problem="the topic has ended its subscription: nothing comes in from it until it is subscribed again")
_NOT_CONFIRMED = Heard(problem="is no confirmation that SNS accepts: request it again at the topic")
_NOT_SES = Heard(problem="is a message to the topic, and no event of SES")
_QUIET = frozenset({"Open", "Click", "Reject", "DeliveryDelay", "Rendering Failure"})
_BOUNCES: Mapping[str, Literal["hard", "soft"]] = {"Permanent": "hard", "Transient": "soft", "Undetermined": "soft"}


class _Fact(NamedTuple):
    """Of whom, what, and what tells it from the others of its message."""

    who: object
    about: str
    event: e.Event


_Facts = Iterator[_Fact]


class SesReceiver:
    """Takes what the allowed topics send, signed by SNS. ValueError for no topic."""

    name = "ses"
    methods = ("POST",)

    def __init__(self, topic_arns: Collection[str], fetch: Fetch, clock: Callable[[], datetime]) -> None:
        if not topic_arns:
            raise ValueError("SES needs the ARN of a topic that may report")
        self._topics = frozenset(topic_arns)
        self._fetch = fetch
        self._certificates = Certificates(fetch, clock)

    def accept(self, sent: Sent) -> Accepted | Refused:
        """The one message of a request."""
        too_much = oversized(sent)
        if too_much:
            return too_much
        said = json_of(sent.body)
        if not isinstance(said, dict) or text(said.get("Type")) not in _WANTED or not text(said.get("MessageId")):
            return Refused(400, "is no message of SNS")
        if text(said.get("TopicArn")) not in self._topics:
            return Refused(401, "comes from a topic that is not allowed")
        published = time_of(said.get("Timestamp"))
        if published is None or not -SKEW <= sent.at - published <= WINDOW:
            return Refused(401, "was published too long ago, or in the future")
        checked = self._certificates.check(said)
        if checked == "away":
            return Refused(503, "the certificate it is signed with cannot be had now")
        if checked == "forged":
            return Refused(401, "is not signed by SNS")
        if _says_nothing(said):
            return Accepted()
        return Accepted([delivery(text(said["MessageId"]), exact(published, sent.at), sent.at, said)])

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:  # noqa: ARG002
        """What each says. A subscription that begins is confirmed here; AwayError where SNS does not answer."""
        return [self._heard(one) for one in map(told, deliveries)]

    def _heard(self, one: Told | None) -> Heard:
        if one is None:
            return NO_EVENT
        kind = text(one.event.get("Type"))
        if kind == "UnsubscribeConfirmation":
            return _ENDED
        if kind == "SubscriptionConfirmation":
            url = confirmation(one.event) if text(one.event.get("TopicArn")) in self._topics else None
            return Heard() if url and self._fetch(url) is not None else _NOT_CONFIRMED
        said = _within(one.event)
        if said is None:
            return Heard() if text(one.event.get("Message")).startswith(_BEGUN) else _NOT_SES
        return _said(Told(one.at, said), text(one.event.get("MessageId")))


def _within(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The event that a message carries as its text."""
    written = said.get("Message")
    held = json_of(written) if isinstance(written, str) else None
    return held if isinstance(held, dict) else None


def _kind(event: Mapping[str, Any]) -> str:
    """What an event is, in its present form or the older one."""
    return text(event.get("eventType")) or text(event.get("notificationType"))


def _says_nothing(said: Mapping[str, Any]) -> bool:
    """Whether a message need not be kept: an event that counts for nothing here."""
    event = _within(said) if said.get("Type") == "Notification" else None
    kind = _kind(event) if event is not None else ""
    return kind in _QUIET or bool(kind and kind not in _READS and not alarming(kind))


def _said(one: Told, key: str) -> Heard:
    """What an event of SES says. Of whoever cannot be made out among several, the others are told none the less."""
    kind = _kind(one.event)
    reads = _READS.get(kind)
    if reads is None:
        return Heard(problem=UNKNOWN if alarming(kind) and kind not in _QUIET else None) if kind else _NOT_SES
    facts = list(reads(one))
    if not facts:
        return Heard(problem=None if kind == "Complaint" and _not_spam(one) else NO_TIME if _is_mail(kind) else NOBODY)
    about = {"message_id": text(part(one.event, "mail").get("messageId"))}
    sayings: list[Saying] = []
    for fact in facts:
        email = address(fact.who)
        if email is not None:
            mail = about["message_id"] if isinstance(fact.event, e.EmailSent) else ""
            source_id = f"{fact.about}:{digest(mail or key, email.casefold())}"
            sayings.append(saying(SYSTEM, email, fact.event, source_id, **about))
    return Heard(sayings, None if len(sayings) == len(facts) else NOBODY)


def _is_mail(kind: str) -> bool:
    return kind in ("Send", "Delivery")


def _not_spam(one: Told) -> bool:
    """Moved out of the spam folder: the opposite of a complaint."""
    return text(part(one.event, "complaint").get("complaintFeedbackType")) == "not-spam"


def _span(one: Told, name: str) -> Span | None:
    return exact(time_of(part(one.event, name).get("timestamp")), one.at)


def _common(by: Party, span: Span | None, via: str = SYSTEM) -> dict[str, Any]:
    return {"stream": LEDGER_STREAM, "source": SOURCE, "by": by, "via": via, **clocks(span, CAPTURED_BY)}


def _bounced(one: Told) -> _Facts:
    bounce = part(one.event, "bounce")
    kind = _BOUNCES.get(text(bounce.get("bounceType")), "soft")
    for recipient in parts(bounce, "bouncedRecipients"):
        event = e.Bounced(**_common("system", _span(one, "bounce")), kind=kind)
        yield _Fact(recipient.get("emailAddress") if isinstance(recipient, dict) else None, "bounced", event)


def _complained(one: Told) -> _Facts:
    """SES names everybody at the provider who may have complained: each of them did."""
    if _not_spam(one):
        return
    for recipient in parts(part(one.event, "complaint"), "complainedRecipients"):
        event = e.Complained(**_common("data_subject", _span(one, "complaint")))
        yield _Fact(recipient.get("emailAddress") if isinstance(recipient, dict) else None, "complained", event)


def _sent(one: Told) -> _Facts:
    """Sent and delivered are one mail: of the moment at which SES took it."""
    mail, span = part(one.event, "mail"), _span(one, "mail")
    if span is None:
        return
    common = {"stream": LEDGER_STREAM, "source": SOURCE, "by": "system", **happened(span, CAPTURED_BY)}
    whom = parts(part(one.event, "delivery"), "recipients") or parts(mail, "destination")
    for recipient in whom:
        yield _Fact(recipient, "sent", e.EmailSent(**common, message=message(mail.get("messageId"))))


def _left(one: Told) -> _Facts:
    """Left the whole list, or topics of it. Where a mail went to several, nobody can say which of them it was."""
    held = part(one.event, "subscription")
    name, span = text(held.get("contactList")), _span(one, "subscription")
    after, before = part(held, "newTopicPreferences"), part(held, "oldTopicPreferences")
    whom = parts(part(one.event, "mail"), "destination") or (None,)
    events = list(_preferences(name, span, after, before))
    for recipient in whom:
        for about, event in events:
            yield _Fact(recipient, about, event)


def _preferences(
    name: str, span: Span | None, after: Mapping[str, Any], before: Mapping[str, Any]
) -> Iterator[tuple[str, e.Event]]:
    if after.get("unsubscribeAll") is not False:  # what is not understood counts as a stop
        yield "opted_out", e.OptedOut(**_common("data_subject", span), channels=EMAIL)
    elif before.get("unsubscribeAll") is not False:
        yield "shown", _shown(span, name_of(SYSTEM, name), "subscribed")
    stood = _topics(before)
    for topic, state in _topics(after).items():
        kind = name_of(SYSTEM, f"{name} {topic}")
        about = token(topic)
        if state == "OptIn":
            yield f"shown.{about}", _shown(span, kind, "subscribed")
        elif stood.get(topic) == state:
            yield f"shown.{about}", _shown(span, kind, "unsubscribed")
        else:
            stop = _common("data_subject", span, f"{SYSTEM}.topic")
            yield f"left.{about}", e.TypeOptedOut(**stop, channels=EMAIL, subscription_type=kind)


def _shown(span: Span | None, kind: str, state: Literal["subscribed", "unsubscribed"]) -> e.Event:
    return e.SubscriptionShown(**_common("system", span, f"{SYSTEM}.subscription"), subscription_type=kind, state=state)


def _topics(preferences: Mapping[str, Any]) -> dict[str, str]:
    """Topic -> how it stands."""
    told_of = [one for one in parts(preferences, "topicSubscriptionStatus") if isinstance(one, dict)]
    named = [(text(one.get("topicName")), text(one.get("subscriptionStatus"))) for one in told_of]
    return {topic: state for topic, state in named if topic}


_READS: Mapping[str, Callable[[Told], _Facts]] = {
    "Bounce": _bounced,
    "Complaint": _complained,
    "Send": _sent,
    "Delivery": _sent,
    "Subscription": _left,
}
