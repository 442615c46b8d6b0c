"""The portal: everything in it, and what people, users and other apps do in it beside the API."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from threading import RLock
from typing import NamedTuple

from tests.hubspot.addresses import Address, Addresses, Type
from tests.hubspot.contacts import Contact, Contacts
from tests.hubspot.definitions import OPTOUT, Definitions
from tests.hubspot.forms import Forms
from tests.hubspot.imports import Imports
from tests.hubspot.journal import PERSON, Actor, Change, Clock, Flip, Journal, user
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


class State:
    """One portal, guarded by `lock`; every method here takes it."""

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

    # --- contacts

    def add_contact(
        self,
        email: str | None,
        *,
        also: Sequence[str] = (),
        actor: Actor | None = None,
        quietly: bool = False,
        **properties: str,
    ) -> int:
        """A new contact; its record id."""
        given = dict(properties, email=email) if email else dict(properties)
        with self.lock:
            at = self.journal.now()
            contact = self.contacts.add(given, actor or user(), at, also=also, quietly=quietly)
            self.show(contact, at=at)
            return contact.id

    def user_sets(self, record: int | str, who: Actor | None = None, **properties: str) -> None:
        """Somebody in the portal changes values, read-only ones too where HubSpot's own pages let them."""
        with self.lock:
            at = self.journal.now()
            contact = self.contact(record)
            for name, value in properties.items():
                self.contacts.set(contact, name, value, who or user(), at)

    def user_sets_marketing(self, record: int | str, marketing: bool) -> None:
        """Somebody in the portal sets the marketing status."""
        with self.lock:
            who = user()
            self.marketing.set(
                self.contact(record), marketing, who, self.journal.now(), reason="USER_SET", reason_id=who.id
            )

    def update_date(self) -> int:
        """The update date has come: pending demotions are done; how many."""
        with self.lock:
            return self.marketing.update_date()

    def run_workflow(self) -> int:
        """The portal's workflow takes everybody whose verdict stands already; how many values it changed."""
        with self.lock:
            return self.marketing.run()

    def merge(self, kept: int | str, gone: int | str, actor: Actor | None = None) -> int:
        """Two contacts become one; each address keeps its own state. The id that stays."""
        with self.lock:
            at = self.journal.now()
            first, second = self.contact(kept), self.contact(gone)
            if first is not second:
                self.contacts.merge(first, second, actor or user(), at)
                self.show(first, at=at)
            return first.id

    def delete(self, record: int | str, actor: Actor | None = None) -> None:
        """A contact is deleted; the states of its addresses stay."""
        with self.lock:
            contact = self.contact(record)
            if not contact.archived:
                self.contacts.delete(contact, actor or user(), self.journal.now())

    def restore(self, record: int) -> None:
        """And comes back."""
        with self.lock:
            contact = self.contact(record)
            if contact.archived:
                self.contacts.restore(contact, user(), self.journal.now())

    def gdpr_delete(self, record: int | str, actor: Actor | None = None) -> None:
        """Deleted for good; an address nobody has is kept out from now on."""
        with self.lock:
            contact = self.contacts.find(record)
            if contact is not None:
                self.addresses.blocked.update(contact.addresses)
                self.contacts.erase(contact, actor or user(), self.journal.now())
            elif isinstance(record, str):
                self.addresses.blocked.add(record.strip().lower())

    def contact(self, record: int | str) -> Contact:
        """The one with this id or address. KeyError where there is none."""
        found = self.contacts.find(record)
        if found is None:
            raise KeyError("no such contact")
        return found

    # --- subscriptions

    def address(self, email: str) -> Address:
        """Where an address stands."""
        with self.lock:
            return self.addresses.of(email)

    def person_opts_out(self, email: str, type_id: int | None = None) -> None:
        """The person leaves one type, or all e-mail, by a link in a mail."""
        with self.lock:
            self._set(email, type_id, False, PERSON)

    def person_opts_in(self, email: str, form: str | None = None, type_id: int = PRODUCT_NEWS) -> None:
        """The person turns a type on: by a form, or on the preferences page."""
        with self.lock:
            if form is not None:
                self.forms.submit_yes(form, email, type_id)
            else:
                self._set(email, type_id, True, PERSON)

    def user_sets_status(self, email: str, on: bool, type_id: int | None = None, who: Actor | None = None) -> None:
        """Somebody in the portal turns an address on or off."""
        with self.lock:
            self._set(email, type_id, on, who or user())

    def app_sets_status(self, email: str, on: bool, type_id: int | None = None, app: int = OTHER_APP) -> None:
        """Another app does."""
        self.user_sets_status(email, on, type_id, Actor("app", "INTEGRATION", str(app), "Shop connector"))

    def turned_on(self) -> list[Flip]:
        """Every time an address that was out was turned on, of a type or (`type_id` None) of all e-mail."""
        with self.lock:
            return list(self.journal.flips)

    def changes(self, *, actor: str | None = None) -> list[Change]:
        """Everything that changed since the fake began, or what this kind of actor did (`app`, `person` ...)."""
        with self.lock:
            return [one for one in self.journal.changes if actor is None or one.actor.kind == actor]

    def made(self, route: str = "", status: int | None = None) -> list[tuple[str, str, int]]:
        """Calls that were answered: (method, route, status)."""
        return [one for one in self.calls if route in one[1] and status in (None, one[2])]

    def _set(self, email: str, type_id: int | None, on: bool, actor: Actor) -> None:
        at = self.journal.now()
        if type_id is None:
            self.addresses.set_all(email, not on, actor, at)
        else:
            self.addresses.set_type(email, type_id, "SUBSCRIBED" if on else "UNSUBSCRIBED", actor, at)

    # --- what a contact shows

    def _after_set(self, contact: Contact, name: str, actor: Actor, at: int) -> None:
        self.marketing.watch(contact, name, at)
        if name == "email":
            self.show(contact, actor, at)

    def _show(self, address: Address, actor: Actor, at: int) -> None:
        contact = self.contacts.find(address.email) if "@" in address.email else None
        if contact is not None and contact.email == address.email:
            self.show(contact, actor, at)

    def show(self, contact: Contact, actor: Actor | None = None, at: int | None = None) -> None:
        """The properties of a contact follow the state of the first of its addresses."""
        moment, who = at or self.journal.now(), actor or Actor("system", "CALCULATED")
        address = self.addresses.of(contact.email)
        for name, out in self._outs(address):
            shown = contact.properties.get(name, "")
            if out or shown:
                self.contacts.set(contact, name, "true" if out else "false", who, moment)

    def _outs(self, address: Address) -> Iterable[tuple[str, bool]]:
        yield OPTOUT, address.all_out
        for type_id in self.addresses.types:
            state = address.types.get(type_id)
            yield f"{OPTOUT}_{type_id}", state is not None and state.status == "UNSUBSCRIBED"
