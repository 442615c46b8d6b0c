"""Amazon SES, by way of SNS: what became of mails, and what people left.

A message may tell of several people. Each of them is a delivery of its own, so that one who cannot be made out
holds up no other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters.esp.ses_events import event_within, hear_event, recipients, says_nothing
from adapters.esp.sns import Certificates, Fetch, confirmation
from adapters.hearing import NO_EVENT, SKEW, Told, delivery, exact, json_of, oversized, part, text, time_of, told
from adapters.receiving import MOST_ITEMS, Accepted, AwayError, Delivery, Heard, Refused, Sent
from adapters.wiring import House

WINDOW = timedelta(days=14)
"""As long as a queue of undelivered messages can hold one. Within that, the message's own id tells."""
_WANTED = frozenset({"Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"})
_BEGUN = "Successfully validated SNS topic"
_ENDED = Heard(problem="the topic has ended its subscription: nothing comes in from it until it is subscribed again")
_NOT_CONFIRMED = Heard(problem="is no confirmation that SNS accepts: request it again at the topic")
_NOT_SES = Heard(problem="is a message to the topic, and no event of SES")


class SesReceiver:
    """Takes what the allowed topics send, signed by SNS. ValueError for no topic."""

    name = "ses"
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, topic_arns: Collection[str], fetch: Fetch, clock: Callable[[], datetime]) -> None:
        if not topic_arns:
            raise ValueError("SES needs the ARN of a topic that may report")
        self._topics = frozenset(topic_arns)
        self._fetch = fetch
        self._certificates = Certificates(fetch, clock)

    def accept(self, sent: Sent) -> Accepted | Refused:
        """The one message of a request, once for each whom it is about."""
        too_much = oversized(sent)
        if too_much:
            return too_much
        said = json_of(sent.body)
        if not isinstance(said, dict) or text(said.get("Type")) not in _WANTED or not text(said.get("MessageId")):
            return Refused(400, "is not a message of SNS")
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
        return _deliveries(said, published, sent.at)

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:  # noqa: ARG002
        """What each says. A subscription that begins is confirmed here, or later where SNS does not answer."""
        return [self._heard(one) for one in map(told, deliveries)]

    def _heard(self, one: Told | None) -> Heard:
        if one is None:
            return NO_EVENT
        said = part(one.event, "message")
        kind = text(said.get("Type"))
        if kind == "UnsubscribeConfirmation":
            return _ENDED
        if kind == "SubscriptionConfirmation":
            return self._confirmed(said)
        event = event_within(said)
        if event is None:
            return Heard() if text(said.get("Message")).startswith(_BEGUN) else _NOT_SES
        place = one.event.get("place")
        return hear_event(Told(one.at, event), text(said.get("MessageId")), place if isinstance(place, int) else 0)

    def _confirmed(self, said: Any) -> Heard:
        url = confirmation(said) if text(said.get("TopicArn")) in self._topics else None
        try:
            return Heard() if url and self._fetch(url) is not None else _NOT_CONFIRMED
        except AwayError:
            return Heard(later=True)


def _deliveries(said: dict[str, Any], published: datetime, at: datetime) -> Accepted | Refused:
    event = event_within(said) if said["Type"] == "Notification" else None
    if event is not None and says_nothing(event):
        return Accepted()
    many = len(recipients(event)) if event is not None else 1
    if many > MOST_ITEMS:
        return Refused(413, "tells of more people than one mail goes to")
    span = exact(published, at)
    return Accepted(
        [
            delivery(f"{text(said['MessageId'])}/{place}", span, at, {"message": said, "place": place})
            for place in range(max(many, 1))
        ]
    )
