"""Mailchimp's webhooks: a form for each event, unsigned; whoever knows the path is believed.

What an audience's files say as well is the same fact here, with the same id. `fired_at` names no zone. Where it lies
just before the moment it came in, it is UTC, as in the files; else it may be a time of any zone.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from adapters.hearing import NO_EVENT, NOBODY, SKEW, Told, address, delivery, name_of, oversized, same, saying, told
from adapters.mailchimp.audience import CAPTURED_BY, EMAIL, OBSERVED_BY, SYSTEM, form_of
from adapters.reading import clocks, digest, happened, moment
from adapters.receiving import MOST_ITEMS, Accepted, Delivery, Heard, Refused, Sent
from adapters.recording import Saying
from adapters.times import Span, TimeReader
from adapters.wiring import House
from ledger import events as e
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration

SOURCE = f"{SYSTEM}.audience"
LEAST_SECRET = 16
PROMPT = timedelta(minutes=15)
"""No zone but UTC lies this near to it, so a time that came this soon was written in UTC."""
_READ = ("type", "fired_at", "data[list_id]", "data[email]", "data[action]", "data[reason]", "data[ip_signup]")
_READ_OF_CHANGE = ("data[new_id]", "data[new_email]", "data[old_email]")
_QUIET = frozenset({"profile", "campaign"})
_utc, _anywhere = TimeReader(ZoneInfo("UTC")), TimeReader(None)


class _Member(NamedTuple):
    """What an event says of whom, when, in which audience."""

    said: Mapping[str, Any]
    email: str
    span: Span | None

    @property
    def form(self) -> str:
        """The audience, named as its files name the form by which people come into it."""
        return form_of(self.audience)

    @property
    def audience(self) -> str:
        """The audience's id."""
        return _text(self.said, "data[list_id]") or "audience"

    def fact(self, about: str, event: e.Event) -> Saying:
        """A fact, with the id that it has in a file."""
        return saying(
            SYSTEM, self.email, event, f"{about}:{digest(self.form, self.email.casefold(), moment(self.span))}"
        )


class MailchimpReceiver:
    """Takes what comes to the path that ends in a secret. ValueError for no secret, or one that can be guessed."""

    name = "mailchimp"
    methods: tuple[str, ...] = ("GET", "HEAD", "POST")

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or min(map(len, secrets)) < LEAST_SECRET:
            raise ValueError(f"the secret in Mailchimp's path needs {LEAST_SECRET} characters or more")
        self._secrets = [secret.encode() for secret in secrets]

    def accept(self, sent: Sent) -> Accepted | Refused:
        """One event; none for the look by which Mailchimp finds out whether somebody is there."""
        tail = sent.tail.strip("/").encode("utf-8", "surrogatepass")
        known = [hmac.compare_digest(tail, secret) for secret in self._secrets]
        if not any(known):
            return Refused(401, "the path ends in no secret of ours")
        if sent.method in ("GET", "HEAD"):
            return Accepted()
        return oversized(sent) or self._event(sent)

    def _event(self, sent: Sent) -> Accepted | Refused:
        try:
            pairs = parse_qsl(sent.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_ITEMS)
        except ValueError:
            return Refused(400, "is no form")
        event = dict(pairs)
        if not event.get("type"):
            return Refused(400, "is not an event of Mailchimp")
        if any(sum(name == field for field, _ in pairs) > 1 for name in (*_READ, *_READ_OF_CHANGE)):
            return Refused(400, "says two things in one field")
        if event["type"] in _QUIET:
            return Accepted()
        return Accepted([delivery(same(event), _span(event, sent.at), sent.at, event)])

    def hear(self, house: House, deliveries: Sequence[Delivery]) -> Sequence[Heard]:
        """What each says. A change of address is looked up, since two people may be one after it."""
        return [_heard(house, one) for one in map(told, deliveries)]


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value.strip() if isinstance(value, str) else ""


def _span(event: Mapping[str, Any], at: datetime) -> Span | None:
    """When an event was; None where it says no time, or one that has not come yet in any zone."""
    written = _text(event, "fired_at")
    utc = _utc.read(written)
    if utc is not None and -SKEW <= at - utc.latest <= PROMPT:
        return utc
    span = _anywhere.read(written)
    return None if span is None or span.earliest - at > SKEW else span


def _heard(house: House, one: Told | None) -> Heard:
    if one is None:
        return NO_EVENT
    said, kind = one.event, _text(one.event, "type")
    span = _span(said, one.at)
    if kind == "upemail":
        return _moved(house, said, span)
    if kind in _QUIET:
        return Heard()
    reads = {"subscribe": _joined, "unsubscribe": _left, "cleaned": _cleaned}.get(kind)
    if reads is None:
        return Heard(problem="is a type of event that this program does not know; if it is a stop, record it by hand")
    email = address(said.get("data[email]"))
    return Heard(reads(_Member(said, email, span))) if email else Heard(problem=NOBODY)


def _common(by: str, via: str = SYSTEM) -> dict[str, Any]:
    return {"stream": LEDGER_STREAM, "source": SOURCE, "by": by, "via": via}


def _joined(member: _Member) -> list[Saying]:
    """Signed up by its form, where Mailchimp holds the address they did it from; else only shown as a member.

    It fires for single and for double opt-in alike, so it confirms nothing.
    """
    span = member.span
    if span is None or not _text(member.said, "data[ip_signup]"):
        return [member.fact("subscribed", _shown(member, "subscribed", f"{SYSTEM}.subscribe"))]
    sent_in = e.FormSubmitted(**_common("data_subject", "form"), form=member.form, **happened(span, CAPTURED_BY))
    return [member.fact("form", sent_in)]


def _left(member: _Member) -> list[Saying]:
    """A stop, whoever made it. Deleted by whoever keeps the audience, it is one all the same."""
    if _text(member.said, "data[action]") == "delete":
        gone = e.OptedOut(**_common("unknown", f"{SYSTEM}.delete"), channels=EMAIL, **clocks(member.span, OBSERVED_BY))
        facts = [member.fact("deleted", gone)]
    else:
        stop = e.OptedOut(**_common("data_subject"), channels=EMAIL, **clocks(member.span, OBSERVED_BY))
        facts = [member.fact("opted_out", stop)]
    if _text(member.said, "data[reason]") == "abuse":
        facts.append(_complained(member))
    return facts


def _cleaned(member: _Member) -> list[Saying]:
    if _text(member.said, "data[reason]") == "abuse":
        return [_complained(member)]
    bounced = e.Bounced(**_common("system"), kind="hard", **clocks(member.span, OBSERVED_BY))
    return [member.fact("bounced", bounced)]


def _complained(member: _Member) -> Saying:
    complaint = e.Complained(**_common("data_subject"), **clocks(member.span, OBSERVED_BY))
    return member.fact("complained", complaint)


def _shown(member: _Member, state: Any, via: str) -> e.Event:
    kind = name_of(SYSTEM, member.audience)
    times = clocks(member.span, OBSERVED_BY)
    return e.SubscriptionShown(**_common("system", via), subscription_type=kind, state=state, **times)


def _moved(house: House, said: Mapping[str, Any], span: Span | None) -> Heard:
    """Another address of the same person. What was stopped stays stopped, at the new address too.

    A new address joins the person of the old one. One that is somebody's already is linked with them: stops of
    either then hold for both, and no grant passes over.
    """
    old, new = address(said.get("data[old_email]")), address(said.get("data[new_email]"))
    if old is None or new is None:
        return Heard(problem=NOBODY)
    members = _Member(said, old, span), _Member(said, new, span)
    form, via = members[0].form, f"{SYSTEM}.upemail"
    change = digest(form, old.casefold(), new.casefold(), _text(said, "data[new_id]"), moment(span))
    sayings = [  # whether they are subscribed, it does not say
        saying(SYSTEM, member.email, _shown(member, "not_specified", via), f"{about}:{change}")
        for member, about in zip(members, ("moved_from", "moved_to"), strict=True)
    ]
    if house.ledger.log.find({house.ledger.sid(SOURCE, f"moved_from:{change}")}):
        return Heard(sayings)  # told again: nobody is made known by it
    record = f"upemail:{change}"
    before, after = house.ledger.register_many(
        [Registration(old, SYSTEM, record, primary=False), Registration(new, SYSTEM, record)]
    )
    if before.contact != after.contact:
        for who, other, about in ((old, after, "linked_from"), (new, before, "linked_to")):
            link = e.ContactsLinked(**_common("system", via), other=other.contact, **clocks(span, OBSERVED_BY))
            sayings.append(saying(SYSTEM, who, link, f"{about}:{change}"))
    return Heard(sayings)
