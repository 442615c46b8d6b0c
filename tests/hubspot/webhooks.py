"""Webhooks, as an app gets them: signed, in no order, some twice, tried again until the target takes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from tests.hubspot.definitions import (
    AUTOMATED_QUARANTINE,
    CONFIRMATION,
    HARD_BOUNCE,
    LEGAL_BASIS,
    MARKETABLE,
    OPTOUT,
    QUARANTINE,
    UNTIL_RENEWAL,
)
from tests.hubspot.journal import Event
from tests.waiting import BUDGET, join

if TYPE_CHECKING:
    from tests.hubspot.state import State

MOST = 100
MOST_ATTEMPTS = 10
"""Retries of one delivery: HubSpot spreads them over a day, a sender here over moments."""
WATCHED = (
    "email", OPTOUT, MARKETABLE, UNTIL_RENEWAL, LEGAL_BASIS, CONFIRMATION, AUTOMATED_QUARANTINE, QUARANTINE,
    "hs_email_quarantined", "hs_email_hard_bounce_reason", HARD_BOUNCE, "hs_email_bad_address", "lifecyclestage",
)  # fmt: skip
"""Beside them, `hs_email_optout_<id>` of every type."""
KINDS = (
    "contact.creation", "contact.deletion", "contact.propertyChange", "contact.merge", "contact.restore",
    "contact.associationChange", "contact.privacyDeletion",
)  # fmt: skip
_FIRST_SUBSCRIPTION = 4_849_500


def sign(secret: str, method: str, uri: str, body: bytes, timestamp: int) -> str:
    """HubSpot's third kind of signature."""
    text = method.encode() + uri.encode() + body + str(timestamp).encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


class WebhookSender:
    """Sends what happens in a portal to one target, from its making on.

    public_url  what is signed: the URL as the outside knows it; without one, the target's
    calm        each event once and in order; without it, a seeded Random draws batches out of order, and repeats
    watched     the properties whose changes are told; None: `WATCHED`

    `step` makes one call and says whether there was anything to send, for tests that want no thread;
    `with sender:` runs a thread, and `settled` waits until nothing is left to send; while `held`, it sends nothing.
    """

    def __init__(
        self,
        state: State,
        target_url: str,
        secret: str,
        *,
        public_url: str | None = None,
        seed: int = 1,
        calm: bool = False,
        watched: tuple[str, ...] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.state, self.target_url, self.secret = state, target_url, secret
        self.public_url = public_url or target_url
        self.calm, self.duplicates, self.watched = calm, 0.0 if calm else 0.2, frozenset(watched or WATCHED)
        self.sent: list[dict[str, Any]] = []
        self.given_up: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self._random, self._clock = Random(seed), clock or state.clock
        self._waiting: list[dict[str, Any]] = []
        self._flying = 0
        self._events = 714_285_000
        self._subscriptions: dict[tuple[str, str], int] = {}
        self._changed = threading.Condition()
        self.held = False
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._http = httpx.Client(timeout=BUDGET)
        state.journal.listeners.append(self._hear)

    def __enter__(self) -> WebhookSender:
        self._thread = threading.Thread(target=self._run, name="fake-hubspot-webhooks", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Send nothing more."""
        if self._hear in self.state.journal.listeners:
            self.state.journal.listeners.remove(self._hear)
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            join(self._thread)
        self._http.close()

    @property
    def waiting(self) -> int:
        """How many events are not delivered yet."""
        with self._changed:
            return len(self._waiting) + self._flying

    def settled(self, seconds: float = BUDGET) -> bool:
        """Wait until everything is delivered or given up; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._flying, seconds)

    def step(self) -> bool:
        """One call to the target; False where there is nothing to send."""
        batch = self._take()
        if not batch:
            return False
        status = self._post(batch)
        self.answers.append(status)
        with self._changed:
            if 200 <= status < 300:
                self.sent.extend(batch)
            else:
                for one in batch:
                    if one["attemptNumber"] >= MOST_ATTEMPTS:
                        self.given_up.append(one)
                    else:
                        self._waiting.append({**one, "attemptNumber": one["attemptNumber"] + 1})
            self._flying -= len(batch)
            self._changed.notify_all()
        return True

    def taken(self) -> list[dict[str, Any]]:
        """What waits, and will not be sent from here any more: for tests that send it themselves."""
        with self._changed:
            taken, self._waiting = self._waiting, []
            return taken

    def signed(self, batch: Sequence[Mapping[str, Any]]) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a call with these events, signed now."""
        body = msgspec.json.encode(batch)
        timestamp = round(self._clock() * 1000)
        return body, {
            "Content-Type": "application/json;charset=UTF-8",
            "X-HubSpot-Signature-v3": sign(self.secret, "POST", self.public_url, body, timestamp),
            "X-HubSpot-Request-Timestamp": str(timestamp),
        }

    def _take(self) -> list[dict[str, Any]]:
        with self._changed:
            if not self.calm:
                self._random.shuffle(self._waiting)
            most = MOST if self.calm else self._random.randint(1, MOST)
            batch, self._waiting = self._waiting[:most], self._waiting[most:]
            self._flying += len(batch)
            if batch and self._random.random() < self.duplicates:
                # it comes again later, whatever becomes of this one
                self._waiting.append(dict(self._random.choice(batch)))
            return batch

    def _post(self, batch: list[dict[str, Any]]) -> int:
        body, headers = self.signed(batch)
        try:
            return self._http.post(self.target_url, content=body, headers=headers).status_code
        except httpx.HTTPError:
            return 0

    def _run(self) -> None:
        failed = 0
        while not self._stopped.is_set():
            with self._changed:
                if self.held or not self._waiting:
                    self._changed.wait(0.2)
                    continue
            self.step()
            failed = 0 if 200 <= self.answers[-1] < 300 else failed + 1
            if failed:
                self._stopped.wait(min(2.0, 0.05 * 2**failed))

    def _hear(self, event: Event) -> None:
        name = event.name
        if event.kind == "contact.propertyChange" and name not in self.watched and not name.startswith(OPTOUT):
            return
        with self._changed:
            self._events += 1
            subscription = self._subscriptions.setdefault(
                (event.kind, name), _FIRST_SUBSCRIPTION + len(self._subscriptions)
            )
            made: dict[str, Any] = {
                "eventId": self._events,
                "subscriptionId": subscription,
                "portalId": self.state.portal_id,
                "appId": self.app_id,
                "occurredAt": event.at,
                "subscriptionType": event.kind,
                "attemptNumber": 0,
                "objectId": event.record,
                "changeSource": event.actor.source,
                **event.more,
            }
            if event.actor.id:
                made["sourceId"] = event.actor.id
            if name:
                made |= {"propertyName": name, "propertyValue": event.value, "isSensitive": False}
            self._waiting.append(made)
            self._changed.notify_all()

    @property
    def app_id(self) -> int:
        """The app that gets them: the first one with a token."""
        return next(iter(self.state.apps.values())).id
