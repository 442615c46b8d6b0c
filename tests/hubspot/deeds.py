"""What people, users and other apps do in a portal beside its API, and what can be asked of it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import RLock

from tests.hubspot.addresses import Address, Addresses, Status
from tests.hubspot.contacts import Contact, Contacts
from tests.hubspot.definitions import MARKETABLE, OPTOUT
from tests.hubspot.forms import Forms
from tests.hubspot.journal import PERSON, Actor, Change, Event, Flip, Journal, iso, user
from tests.hubspot.portal_workflow import Marketing
from tests.hubspot.sales import Sales


class Deeds:
    """Every method takes the lock; `record` is an id, or an address."""

    lock: RLock
    journal: Journal
    contacts: Contacts
    addresses: Addresses
    marketing: Marketing
    forms: Forms
    sales: Sales
    calls: list[tuple[str, str, int]]

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
        """Somebody in the portal changes values; an opt-out, too, and then it is that of the address."""
        with self.lock:
            at = self.journal.now()
            contact = self.contact(record)
            for name, value in properties.items():
                self._user_sets(contact, name, value, who or user(), at)

    def user_sets_marketing(self, record: int | str, marketing: bool) -> None:
        """Somebody in the portal sets the marketing status."""
        with self.lock:
            value = "true" if marketing else "false"
            self._user_sets(self.contact(record), MARKETABLE, value, user(), self.journal.now())

    def _user_sets(self, contact: Contact, name: str, value: str, who: Actor, at: int) -> None:
        if name == OPTOUT:
            self.addresses.set_all(contact.email, value == "true", who, at)
        elif name.startswith(f"{OPTOUT}_"):
            status: Status = "UNSUBSCRIBED" if value == "true" else "SUBSCRIBED" if value else "NOT_SPECIFIED"
            self.addresses.set_type(contact.email, int(name.removeprefix(f"{OPTOUT}_")), status, who, at)
        elif name == MARKETABLE:
            self.marketing.set(contact, value == "true", who, at, reason="USER_SET", reason_id=who.id)
        else:
            self.contacts.set(contact, name, value, who, at)

    def add_deal(
        self, record: int, *, stage: str = "Closed won", pipeline: str = "Online shop", **properties: str
    ) -> int:
        """A deal with a contact; its id."""
        with self.lock:
            at, where = self.journal.now(), self.sales.pipeline(pipeline)
            named = {"dealstage": self.sales.stage(where, stage), "pipeline": where, "closedate": iso(at)}
            deal = self.sales.add(named | properties, (record,), at)
            more = {
                "associationType": "CONTACT_TO_DEAL",
                "fromObjectId": record,
                "toObjectId": deal,
                "associationRemoved": False,
                "isPrimaryAssociation": False,
            }
            self.journal.tell(Event("contact.associationChange", record, at, user(), more=more))
            return deal

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

    def person_opts_in(self, email: str, form: str | None = None, type_id: int | None = 1_002) -> None:
        """The person turns a type on, by a form or on the preferences page; or (None) lifts their opt-out of all."""
        with self.lock:
            if form is not None:
                self.forms.submit_yes(form, email, type_id or 1_002)
            else:
                self._set(email, type_id, True, PERSON)

    def user_sets_status(self, email: str, on: bool, type_id: int | None = None, who: Actor | None = None) -> None:
        """Somebody in the portal turns an address on or off."""
        with self.lock:
            self._set(email, type_id, on, who or user())

    def app_sets_status(self, email: str, on: bool, type_id: int | None = None, app: int = 4_210_777) -> None:
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
