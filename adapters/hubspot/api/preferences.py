"""Subscription types and what addresses are subscribed to: read, switched off; on only where HubSpot itself guards it.

Nothing here can turn on an address that opted out. The newer calls could, and they know no «only if it is still as I
saw it», so even a right decision might meet the person's own opt-out half-way. They are made for switching off alone.
The old `subscribe` HubSpot refuses for whoever opted out, and so it is the only one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from adapters.hubspot.api.client import Answer, Call, Client, RefusedError
from adapters.hubspot.api.reading import address_state, by_address, listed, objects, results, type_of
from adapters.hubspot.api.shapes import AddressState, Capabilities, SubscriptionType, TypeChange, Written
from adapters.hubspot.api.writing import rows_of_types, split, unanswered, written

T = TypeVar("T")
BATCH = 100
EMAIL = {"channel": "EMAIL"}
_WITHIN = ("statuses", "wideStatuses")


class Preferences:
    """The part of a portal that is about subscriptions."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._may: Capabilities | None = None
        self._probing = threading.Lock()

    def may(self) -> Capabilities:
        """What the token may do here; tried once. Raises AwayError."""
        with self._probing:
            if self._may is None:
                self._may = self._probe()
            return self._may

    def _probe(self) -> Capabilities:
        """By calls that change nothing: a write without anything in it is either forbidden or found lacking."""
        path, one = self.client.path, {"limit": "1"}
        came = self.client.calls(
            [
                Call("POST", path("statuses.read"), query=EMAIL, body={"inputs": []}),
                Call("POST", path("statuses.write"), body={"inputs": []}),
                Call("POST", path("subscribe"), body={}),
                Call("GET", path("contacts"), query=one),
                Call("GET", path("types")),
                Call("GET", path("timeline"), query=one),
                Call("GET", path("events"), query=one),
                Call("GET", path("forms"), query=one),
                Call("GET", path("deals"), query=one),
                Call("GET", path("imports"), query=one),
            ]
        )
        return Capabilities(*(isinstance(one, Answer) or one.status not in (401, 403, 404, 405, 410) for one in came))

    def types(self) -> list[SubscriptionType]:
        """Every subscription type. Raises RefusedError, AwayError."""
        body = self.client.call(Call("GET", self.client.path("types"))).body
        found = results(body) or objects(body.get("subscriptionDefinitions") if isinstance(body, dict) else None)
        return [type_of(one) for one in found]

    def states(self, emails: Sequence[str]) -> dict[str, AddressState]:
        """What addresses are subscribed to, by the address as it was given. Raises RefusedError, AwayError."""
        wanted = list(dict.fromkeys(emails))
        return self._states_at_once(wanted) if self.may().batch_read else self._states_one_by_one(wanted)

    def _states_at_once(self, emails: Sequence[str]) -> dict[str, AddressState]:
        parts = list(chunks(emails))
        paths = [self.client.path("statuses.read"), self.client.path("statuses.all.read")]
        calls = [Call("POST", path, query=EMAIL, body={"inputs": part}) for part in parts for path in paths]
        answers = iter(self.client.calls(calls))
        found: dict[str, AddressState] = {}
        unsaid: list[str] = []
        for part in parts:
            came = [next(answers), next(answers)]
            for one in came:
                listed(_sound(one))
            kinds, wide = (by_address(_sound(one), name) for one, name in zip(came, _WITHIN, strict=True))
            partly = any(isinstance(one, Answer) and unanswered(one) is not None for one in came)
            for email in part:
                key = email.casefold()
                if partly and not (key in kinds and key in wide):
                    unsaid.append(email)  # of whom nothing is said may have left everything
                found[email] = address_state(email, kinds.get(key, ()), wide.get(key, ()))
        return found | self._states_one_by_one(unsaid)

    def _states_one_by_one(self, emails: Sequence[str]) -> dict[str, AddressState]:
        paths = [self.client.path("status"), self.client.path("status.all")]
        calls = [Call("GET", path, {"email": email}, EMAIL) for email in emails for path in paths]
        came = self.client.calls(calls)
        # what HubSpot takes for no address is subscribed to nothing there; all of them can only be our mistake
        odd = sum(isinstance(one, RefusedError) and one.status == 400 for one in came)
        absent = (404,) if odd == len(came) else (400, 404)
        answers = iter([_sound(one, absent) for one in came])
        return {email: address_state(email, results(next(answers)), results(next(answers))) for email in emails}

    def unsubscribe(self, changes: Sequence[TypeChange]) -> list[Written]:
        """Switch types off; what became of each, in their order. Raises AwayError."""
        if not self.may().batch_write:
            return self._off_singly(changes)
        parts = list(chunks(changes))
        path = self.client.path("statuses.write")
        came = self.client.calls([Call("POST", path, body={"inputs": list(map(_input, part))}) for part in parts])
        found: list[Written] = []
        for part, answer in zip(parts, came, strict=True):
            # singly, where a batch was refused whole: that tells which of its inputs it was for
            found += self._off_singly(part) if isinstance(answer, RefusedError) else _split(part, answer)
        return found

    def _off_singly(self, changes: Sequence[TypeChange]) -> list[Written]:
        path = self.client.path("status")
        calls = [Call("POST", path, {"email": change.email}, EMAIL, _off(change)) for change in changes]
        return self._singly([change.email for change in changes], calls)

    def unsubscribe_all(self, emails: Sequence[str]) -> list[Written]:
        """Take addresses off all e-mail, which cannot be undone. What became of each, in their order."""
        if not self.may().batch_write:
            return self._all_singly(emails)
        parts = list(chunks(emails))
        path = self.client.path("statuses.all")
        came = self.client.calls([Call("POST", path, query=EMAIL, body={"inputs": part}) for part in parts])
        found: list[Written] = []
        for part, answer in zip(parts, came, strict=True):
            if isinstance(answer, RefusedError):
                found += self._all_singly(part)
                continue
            rows = by_address(answer.body, "wideStatuses")
            found += split(part, answer, {email: rows.get(email.casefold(), []) for email in part})
        return found

    def _all_singly(self, emails: Sequence[str]) -> list[Written]:
        path = self.client.path("status.all")
        return self._singly(emails, [Call("POST", path, {"email": email}, EMAIL) for email in emails])

    def subscribe(self, changes: Sequence[TypeChange]) -> list[Written]:
        """Switch types on for whom HubSpot knows no opt-out; it refuses the others. In their order."""
        calls = [
            Call(
                "POST",
                self.client.path("subscribe"),
                body={"emailAddress": change.email, "subscriptionId": change.type_id, **_why(change)},
            )
            for change in changes
        ]
        return self._singly([change.email for change in changes], calls)

    def _singly(self, keys: Sequence[str], calls: Sequence[Call]) -> list[Written]:
        return [written(key, came) for key, came in zip(keys, self.client.calls(calls), strict=True)]


def chunks(items: Sequence[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most so many."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def _sound(came: Answer | RefusedError, absent: Sequence[int] = ()) -> Any:
    """The body; nothing where the refusal's status is one of `absent`."""
    if isinstance(came, Answer):
        return came.body
    if came.status in absent:
        return None
    raise came


def _why(change: TypeChange) -> Mapping[str, str]:
    basis = {} if change.legal_basis is None else {"legalBasis": change.legal_basis}
    return {**basis, "legalBasisExplanation": change.explanation}


def _off(change: TypeChange) -> dict[str, Any]:
    number: int | str = int(change.type_id) if change.type_id.isdigit() else change.type_id
    return {"subscriptionId": number, "statusState": "UNSUBSCRIBED", "channel": "EMAIL", **_why(change)}


def _input(change: TypeChange) -> dict[str, Any]:
    return {"subscriberIdString": change.email, **_off(change)}


def _split(changes: Sequence[TypeChange], answer: Answer) -> list[Written]:
    # one address may stand with several types, and an answer names both
    keys = [f"{change.email}\n{change.type_id}" for change in changes]
    named = rows_of_types(keys, changes, answer)
    return [one._replace(key=change.email) for one, change in zip(split(keys, answer, named), changes, strict=True)]
