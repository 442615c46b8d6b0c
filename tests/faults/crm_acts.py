"""Who does what about their mail, at the ledger's door, in HubSpot and elsewhere; kept by the one who does it.

What a person did themselves is kept with its moment, so that what must hold in the end is known without asking
the ledger. What is told to the service is told again until it is acknowledged, each person's facts in their order.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import httpx

from adapters.wiring import now
from tests.hubspot.state import CUSTOMER_SERVICE, MARKETING_INFORMATION, PRODUCT_NEWS, State
from tests.waiting import BUDGET, join

PEOPLE, BUSY = 200, 60
"""In the portal, and those among them of whom most acts are: with each of them much happens at once."""
SOURCE = "shop"
POSTMARK = ("postmark", "only-for-tests")
ALL = frozenset({MARKETING_INFORMATION, PRODUCT_NEWS, CUSTOMER_SERVICE})
NEWS = frozenset({PRODUCT_NEWS})
MEANS = {PRODUCT_NEWS: "marketing.similar", MARKETING_INFORMATION: "marketing.other"}
"""What the subscription types are declared to stand for."""
_SIGN_UP: dict[str, Any] = {
    "act": "unticked_box",
    "channels": ["email"],
    "to": ["own"],
    "informed": True,
    "specific": True,
    "proof": "individual",
    "address_verified": True,
    "verifies_channel": "email",
    "by": "data_subject",
}
_STOP: dict[str, Any] = {"by": "data_subject", "channels": ["email"]}


class Own(NamedTuple):
    """Something that a person did themselves. `types`: the subscription types it is about."""

    at: datetime
    what: Literal["stop", "yes"]
    types: frozenset[int]
    where: Literal["ledger", "hubspot"]


class Fact(NamedTuple):
    """A fact for the service; `position`: where it was acknowledged."""

    id: str
    type: str
    body: dict[str, Any]


class Crowd:
    """Acts steadily in a thread until it is stopped; everything it did stays here."""

    def __init__(self, state: State, url: str, key: dict[str, str], seed: int, rate: float) -> None:
        self.state, self.url = state, url
        self.people = [f"person{number}@example.org" for number in range(PEOPLE)]
        self.own: dict[str, list[Own]] = {email: [] for email in self.people}
        self.acts: Counter[str] = Counter()
        self.acknowledged: dict[str, int] = {}
        self.complained: list[str] = []
        self.told = 0
        self.joined: dict[str, str] = {}
        self.sent_again = 0
        self._later: list[tuple[float, str]] = []
        self._form = state.forms.add("Newsletter")
        self._dice = random.Random(seed)
        self._pause = 1 / rate
        self._numbers = iter(range(10**9))
        self._http = httpx.Client(headers=key, timeout=BUDGET)
        self._out: queue.Queue[Callable[[], bool] | None] = queue.Queue()
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._acting, self._telling)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, once the service has acknowledged everything."""
        self._stop.set()
        acting, telling = self._threads
        join(acting)
        self._out.put(None)
        join(telling)
        assert not self._failed, self._failed
        self._http.close()

    # --- acting -----------------------------------------------------------------------------------

    def _acting(self) -> None:
        try:
            while not self._stop.wait(self._pause):
                self.act()
                due = [one for one in self._later if one[0] <= time.monotonic()]
                self._later = [one for one in self._later if one not in due]
                for _, email in due:
                    self.leaves_there(email, self._dice.choice((None, PRODUCT_NEWS)))
        except BaseException as error:
            self._failed.append(error)
            raise

    def act(self) -> None:
        """One more act, of anybody."""
        names = list(_ACTS)
        (name,) = self._dice.choices(names, [_ACTS[name][0] for name in names])
        email = self._dice.choice(self.people[:BUSY] if self._dice.random() < 0.7 else self.people)
        if _ACTS[name][1](self, email) is not False:
            self.acts[name] += 1

    def reachable(self, email: str) -> bool:
        """Whether HubSpot tells of what becomes of this address: it is the first one of a record."""
        contact = self.state.contacts.find(email)
        return contact is not None and not contact.archived and contact.email == email

    def _did(self, email: str, what: Literal["stop", "yes"], types: frozenset[int], where: Any) -> None:
        self.own[email].append(Own(now(), what, types, where))

    def tell(self, email: str, kind: str, what: Literal["stop", "yes"], types: frozenset[int], **fields: Any) -> None:
        """A fact at the ledger's own door."""
        self._did(email, what, types, "ledger")
        at = self.own[email][-1].at.isoformat()
        fact = Fact(
            f"{email.partition('@')[0]}-{next(self._numbers)}",
            f"contact.{kind}.v1",
            {"person": {"email": email}, "occurred_from": at, **fields},
        )
        self.told += 1
        self._out.put(lambda: self._post_fact(fact))

    def joins(self, email: str, types: frozenset[int]) -> None:
        """An opt-in with its proof."""
        purposes = ["marketing.*"] if types == ALL else [MEANS[one] for one in types]
        self.tell(email, "opted_in", "yes", types, purposes=purposes, **_SIGN_UP)

    def thinks_again(self) -> bool:
        """An opt-in of somebody HubSpot knows nothing of, and an opt-out there while that is on its way."""
        with self.state.lock:
            new = [one for one in self.people if not self.own[one] and self.reachable(one)]
            new = [one for one in new if not self.state.address(one).types]
        if not new:
            return False
        email = self._dice.choice(new)
        self.joins(email, ALL)
        self._later.append((time.monotonic() + self._dice.uniform(0.3, 3.0), email))
        return True

    def leaves(self, email: str, types: frozenset[int]) -> None:
        """An opt-out."""
        purposes = {} if types == ALL else {"purposes": [MEANS[one] for one in types]}
        self.tell(email, "opted_out", "stop", types, **_STOP, **purposes)

    def complains(self, email: str) -> None:
        """A spam complaint, which another sender of mail reports by its webhook."""
        self._did(email, "stop", ALL, "ledger")
        at = self.own[email][-1].at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        identifier = f"00000000-0000-4000-8000-{next(self._numbers):012d}"
        body = {
            "RecordType": "SpamComplaint",
            "Type": "SpamComplaint",
            "MessageID": identifier,
            "MessageStream": "outbound",
            "Email": email,
            "BouncedAt": at,
        }
        self.complained.append(email)
        self._out.put(lambda: self._accepted(f"{self.url}/webhooks/postmark", body, auth=POSTMARK) is not None)

    def leaves_there(self, email: str, kind: int | None) -> bool:
        """An opt-out by a link in a mail that HubSpot sent."""
        with self.state.lock:
            if not self.reachable(email) or (kind and self.state.address(email).out(kind)):
                return False
            if self.state.address(email).all_out:
                return False  # nothing would change there, and nobody would be told
            self.state.person_opts_out(email, kind)
            self._did(email, "stop", frozenset({kind}) if kind else ALL, "hubspot")
        return True

    def joins_there(self, email: str) -> bool:
        """A form of HubSpot's, with a box that is ticked."""
        with self.state.lock:
            if email in self.joined:
                return False
            self.state.person_opts_in(email, self._form, PRODUCT_NEWS)
            self._did(email, "yes", NEWS, "hubspot")
        return True

    def user_sets(self, email: str, **what: Any) -> bool:
        """Somebody who works in the portal."""
        with self.state.lock:
            if not self.reachable(email):
                return False
            if "on" in what:
                self.state.user_sets_status(email, what["on"], what["kind"])
            elif "marketing" in what:
                self.state.user_sets_marketing(email, what["marketing"])
            else:
                self.state.user_sets(email, jobtitle=f"Title {next(self._numbers)}")
        return True

    def flips(self, email: str) -> bool:
        """Another app turns somebody on who is out."""
        with self.state.lock:
            if not self.reachable(email):
                return False
            out = [kind for kind in MEANS if self.state.address(email).out(kind)]
            if not out:
                return False
            self.state.app_sets_status(email, True, self._dice.choice(out))
        return True

    def merges(self, email: str) -> bool:
        """Two records become one."""
        other = self._dice.choice(self.people)
        with self.state.lock:
            if other == email or not self.reachable(email) or not self.reachable(other):
                return False
            self.state.merge(email, other)
            self.joined[other] = email
        return True

    def goes(self, email: str) -> bool:
        """A record is deleted; not one that others are in."""
        with self.state.lock:
            if not self.reachable(email) or email in self.joined.values():
                return False
            self.state.delete(email)
        return True

    # --- telling the service ----------------------------------------------------------------------

    def _telling(self) -> None:
        try:
            while (post := self._out.get()) is not None:
                while not post():
                    self.sent_again += 1
                    time.sleep(0.3)
        except BaseException as error:
            self._failed.append(error)
            raise

    def _post_fact(self, fact: Fact) -> bool:
        body = {"source": SOURCE, "id": fact.id, "type": fact.type, "data": fact.body}
        answer = self._accepted(f"{self.url}/v1/facts", body)
        if answer is not None:
            self.acknowledged[fact.id] = answer["position"]
        return answer is not None

    def _accepted(self, url: str, body: Any, **more: Any) -> Any:
        """The answer; None: it may not have come, and is to be sent again."""
        with suppress(httpx.TransportError):
            answer = self._http.post(url, json=body, **more)
            if answer.status_code < 300:
                return answer.json() if answer.content else {}
            assert answer.status_code >= 500, (answer.status_code, answer.text)
        return None


_ACTS: dict[str, tuple[int, Callable[[Crowd, str], object]]] = {
    "opt-in": (10, lambda crowd, email: crowd.joins(email, ALL)),
    "opt-in to news": (8, lambda crowd, email: crowd.joins(email, NEWS)),
    "second thoughts": (10, lambda crowd, _: crowd.thinks_again()),
    "opt-out": (8, lambda crowd, email: crowd.leaves(email, ALL)),
    "opt-out of news": (6, lambda crowd, email: crowd.leaves(email, NEWS)),
    "objection": (4, lambda crowd, email: crowd.tell(email, "objected", "stop", ALL, by="data_subject")),
    "complaint": (2, lambda crowd, email: crowd.tell(email, "complained", "stop", ALL, by="data_subject")),
    "complaint by webhook": (4, lambda crowd, email: crowd.complains(email)),
    "opt-out in HubSpot": (6, lambda crowd, email: crowd.leaves_there(email, None)),
    "opt-out of news in HubSpot": (8, lambda crowd, email: crowd.leaves_there(email, PRODUCT_NEWS)),
    "form in HubSpot": (8, lambda crowd, email: crowd.joins_there(email)),
    "user: property": (8, lambda crowd, email: crowd.user_sets(email)),
    "user: off": (3, lambda crowd, email: crowd.user_sets(email, on=False, kind=PRODUCT_NEWS)),
    "user: on": (3, lambda crowd, email: crowd.user_sets(email, on=True, kind=PRODUCT_NEWS)),
    "user: marketing": (2, lambda crowd, email: crowd.user_sets(email, marketing=True)),
    "other app: on": (6, lambda crowd, email: crowd.flips(email)),
    "merge": (2, lambda crowd, email: crowd.merges(email)),
    "deletion": (2, lambda crowd, email: crowd.goes(email)),
}
