"""The portal: everything in it, and who may call its API."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from threading import RLock
from typing import NamedTuple

from tests.hubspot.addresses import Addresses, Type
from tests.hubspot.contacts import Contacts
from tests.hubspot.deeds import Deeds
from tests.hubspot.definitions import Definitions
from tests.hubspot.forms import Forms
from tests.hubspot.imports import Imports
from tests.hubspot.journal import Actor, Clock, Journal
from tests.hubspot.limits import Chaos, Rates
from tests.hubspot.mail import Mail
from tests.hubspot.portal_workflow import Marketing
from tests.hubspot.sales import Sales

PORTAL, APP, OTHER_APP = 26_100_100, 4_210_001, 4_210_777
TOKEN, OTHER_TOKEN = "pat-fake-ours", "pat-fake-other"
BATCH_SCOPES = frozenset(
    {"communication_preferences.statuses.batch.read", "communication_preferences.statuses.batch.write"}
)
"""Only Marketing Hub Enterprise has them."""
SCOPES = BATCH_SCOPES | {
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read",
    "crm.schemas.contacts.write", "crm.objects.deals.read", "crm.import", "forms", "content",
    "communication_preferences.read", "communication_preferences.write", "communication_preferences.read_write",
}  # fmt: skip
MARKETING_INFORMATION, PRODUCT_NEWS, CUSTOMER_SERVICE = 1_001, 1_002, 1_003
TYPES = (
    Type(MARKETING_INFORMATION, "Marketing Information", "News of all kinds"),
    Type(PRODUCT_NEWS, "Product News", "News about products"),
    Type(CUSTOMER_SERVICE, "Customer Service Communication", "About what was bought"),
)


class App(NamedTuple):
    """Whoever holds a token."""

    id: int
    name: str
    scopes: set[str]

    @property
    def actor(self) -> Actor:
        """As it is named in histories and webhooks."""
        return Actor("app", "INTEGRATION", str(self.id), self.name)


class State(Deeds):
    """One portal, guarded by `lock`; every method takes it. What happens in it beside the API: `Deeds`."""

    def __init__(self, *, clock: Clock = time.time, seed: int = 1, rate: int | None = 190) -> None:
        self.lock = RLock()
        self.random = Random(seed)
        self.portal_id = PORTAL
        self.journal = Journal(clock)
        self.definitions = Definitions()
        self.mail = Mail(self.journal, self.random, PORTAL)
        self.contacts = Contacts(self.journal, self.definitions)
        self.addresses = Addresses(self.journal, self.mail)
        self.marketing = Marketing(self.contacts, self.journal)
        self.sales = Sales()
        self.forms = Forms(self)
        self.imports = Imports(self)
        self.chaos = Chaos(clock)
        self.clock, self._rate = clock, rate
        self.apps: dict[str, App] = {}
        self.rates: dict[str, Rates] = {}
        self.anybody = Rates(clock, rate)
        self.calls: list[tuple[str, str, int]] = []
        self.v3_subscribe, self.data_privacy, self.double_opt_in = True, False, False
        self.contacts.after_set = self._after_set
        self.addresses.after_change = self._show
        for kind in TYPES:
            self.add_type(kind)
        self.add_app(App(APP, "Consent ledger", set(SCOPES)), TOKEN)
        self.add_app(App(OTHER_APP, "Shop connector", set(SCOPES)), OTHER_TOKEN)

    @classmethod
    def from_portal(cls, folder: Path, *, clock: Clock = time.time, rate: int | None = 190) -> State:
        """The portal whose files `consent-ledger generate portal` wrote."""
        from tests.hubspot.seeding import seed_portal

        state = cls(clock=clock, rate=rate)
        seed_portal(state, folder)
        return state

    # --- who may do what

    def add_app(self, app: App, token: str) -> None:
        """Somebody else with a token."""
        self.apps[token], self.rates[token] = app, Rates(self.clock, self._rate)

    def enterprise(self, on: bool) -> None:
        """Whether the portal's edition has the batch calls of subscription statuses."""
        for app in self.apps.values():
            app.scopes.difference_update(BATCH_SCOPES)
            app.scopes.update(BATCH_SCOPES if on else ())

    def limit(self, rate: int | None) -> None:
        """Allow so many calls in ten seconds; None: any number."""
        for rates in self.rates.values():
            rates.limit(rate)

    def add_type(self, kind: Type) -> None:
        """One more subscription type."""
        self.addresses.types[kind.id] = kind
        self.definitions.add_type(kind.id, kind.name)
