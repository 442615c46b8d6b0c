"""The portal's contacts: their values with what these were before, and what becomes of a record."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from tests.hubspot.definitions import ALSO, MERGED, MERGED_AT, STAGES, Definitions
from tests.hubspot.journal import MERGE, Actor, Change, Event, Journal, iso


class Contact:
    """One record. `history` holds only what changed since it was made: `past` adds the first values."""

    __slots__ = ("also", "archived", "archived_at", "created", "history", "id", "modified", "origin", "properties")

    def __init__(self, record_id: int, created: int, origin: Actor, properties: dict[str, str]) -> None:
        self.id, self.created, self.modified, self.origin = record_id, created, created, origin
        self.properties = properties
        self.history: dict[str, list[Change]] = {}
        self.also: list[str] = []
        self.archived, self.archived_at = False, 0

    @property
    def email(self) -> str:
        """The first of its addresses, in lower case; empty where it has none."""
        return self.properties.get("email", "")

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them."""
        return (self.email, *self.also) if self.email else tuple(self.also)

    def past(self, name: str) -> list[Change]:
        """What a property was, the oldest first."""
        if name in self.history:
            return self.history[name]
        value = self.shown(name)
        return [] if value is None else [Change(self.created, self.origin, "property", name, None, value, self.id)]

    def shown(self, name: str) -> str | None:
        """What the API says of a property; None where nothing was ever said."""
        if name == "hs_object_id":
            return str(self.id)
        if name == "createdate":
            return iso(self.created)
        if name == "lastmodifieddate":
            return iso(self.modified)
        return self.properties.get(name)


class Contacts:
    """All of them. Ids only grow, so that a page goes on where the last one ended."""

    def __init__(self, journal: Journal, definitions: Definitions) -> None:
        self._journal, self.definitions = journal, definitions
        self.by_id: dict[int, Contact] = {}
        self.ids: list[int] = []
        self.by_email: dict[str, int] = {}
        self.merged: dict[int, int] = {}
        self.after_set: Callable[[Contact, str, Actor, int], None] | None = None

    def __len__(self) -> int:
        return len(self.by_id)

    def find(self, key: int | str) -> Contact | None:
        """By record id, its own or that of one which is merged into it; or by any of its addresses."""
        if isinstance(key, str) and not key.isdecimal():
            return self.by_id.get(self.by_email.get(key.strip().lower(), 0))
        record = int(key)
        while record in self.merged:
            record = self.merged[record]
        return self.by_id.get(record)

    def after(self, last: int, *, archived: bool = False) -> Iterator[Contact]:
        """Those with a larger id, in order."""
        for record in islice(self.ids, bisect_right(self.ids, last), None):
            contact = self.by_id.get(record)
            if contact is not None and contact.archived == archived:
                yield contact

    def add(
        self,
        properties: Mapping[str, str],
        actor: Actor,
        at: int,
        *,
        record_id: int | None = None,
        also: Sequence[str] = (),
        quietly: bool = False,
    ) -> Contact:
        """A new record. `quietly`: it was always there, and nobody is told."""
        record = record_id or (self.ids[-1] + 1 if self.ids else 1_001)
        kept = {name: value for name, value in properties.items() if value != ""}
        if "email" in kept:
            kept["email"] = kept["email"].strip().lower()
        contact = Contact(record, at, actor, kept)
        self.by_id[record] = contact
        if not self.ids or record > self.ids[-1]:
            self.ids.append(record)
        else:
            self.ids.insert(bisect_right(self.ids, record), record)
        self._take(contact, also)
        if not quietly:
            self._journal.add(Change(at, actor, "created", record=record, email=contact.email or None))
            self._journal.tell(Event("contact.creation", record, at, actor, more={"changeFlag": "NEW"}))
        return contact

    def set(self, contact: Contact, name: str, value: str, actor: Actor, at: int) -> bool:
        """Give a property a value; False where it had it. Nothing is looked at: `Definitions.faults` did."""
        before = contact.properties.get(name)
        if name == "email":
            value = value.strip().lower()
        if value == (before or "") or (name == "lifecyclestage" and _backwards(before, value)):
            return False
        if name not in contact.history:
            contact.history[name] = contact.past(name)
        change = Change(at, actor, "property", name, before, value, contact.id)
        contact.history[name].append(change)
        contact.properties[name] = value
        contact.modified = at
        self._journal.add(change)
        if name == "email":
            self._moved(contact, before)
        self._journal.tell(Event("contact.propertyChange", contact.id, at, actor, name, value))
        if self.after_set is not None:
            self.after_set(contact, name, actor, at)
        return True

    def delete(self, contact: Contact, actor: Actor, at: int) -> None:
        """It goes to where it can be restored from."""
        contact.archived, contact.archived_at, contact.modified = True, at, at
        self._leave(contact)
        self._journal.add(Change(at, actor, "deleted", record=contact.id))
        self._journal.tell(Event("contact.deletion", contact.id, at, actor, more={"changeFlag": "DELETED"}))

    def restore(self, contact: Contact, actor: Actor, at: int) -> None:
        """It comes back."""
        contact.archived, contact.modified = False, at
        self._take(contact, contact.also)
        self._journal.add(Change(at, actor, "restored", record=contact.id))
        self._journal.tell(Event("contact.restore", contact.id, at, actor, more={"changeFlag": "RESTORED"}))

    def erase(self, contact: Contact, actor: Actor, at: int) -> None:
        """Nothing of it is left but a line in the journal."""
        self._leave(contact)
        del self.by_id[contact.id]
        self._journal.add(Change(at, actor, "erased", record=contact.id))
        self._journal.tell(Event("contact.privacyDeletion", contact.id, at, actor))
        self._journal.tell(Event("contact.deletion", contact.id, at, actor, more={"changeFlag": "DELETED"}))

    def merge(self, kept: Contact, gone: Contact, actor: Actor, at: int) -> None:
        """Two become one: the values of the first win, the addresses of the second come along."""
        addresses = gone.addresses
        moved = 0
        for name, value in gone.properties.items():
            if name in (ALSO, MERGED, MERGED_AT, "email") or name.startswith("hs_email_optout"):
                continue
            if not kept.properties.get(name) and value:
                moved += self.set(kept, name, value, MERGE, at)
        del self.by_id[gone.id]
        self.merged[gone.id] = kept.id
        first = addresses[:1] if not kept.email else ()
        if first:
            self.set(kept, "email", first[0], MERGE, at)
        self._take(kept, [*kept.also, *addresses[len(first) :]])
        merged = [part for part in kept.properties.get(MERGED, "").split(";") if part]
        merged += [part for part in gone.properties.get(MERGED, "").split(";") if part]
        kept.properties[MERGED] = ";".join((*merged, str(gone.id)))
        times = [part for part in kept.properties.get(MERGED_AT, "").split(";") if part]
        kept.properties[MERGED_AT] = ";".join((*times, f"{gone.id}:{at}"))
        kept.modified = at
        self._journal.add(Change(at, actor, "merged", before=str(gone.id), after=str(kept.id), record=kept.id))
        more = {
            "primaryObjectId": kept.id,
            "mergedObjectIds": [gone.id],
            "newObjectId": kept.id,
            "numberOfPropertiesMoved": moved,
        }
        self._journal.tell(Event("contact.merge", kept.id, at, actor, more=more))

    def _moved(self, contact: Contact, before: str | None) -> None:
        if before and before not in contact.also:
            self.by_email.pop(before, None)
        if contact.email in contact.also:
            self._take(contact, [one for one in contact.also if one != contact.email])
        self._take(contact, contact.also)

    def _leave(self, contact: Contact) -> None:
        """Its addresses are free for another contact."""
        for email in contact.addresses:
            if self.by_email.get(email) == contact.id:
                del self.by_email[email]

    def _take(self, contact: Contact, also: Sequence[str]) -> None:
        contact.also = [email.strip().lower() for email in also if email.strip()]
        if contact.also:
            contact.properties[ALSO] = ";".join(contact.also)
        for email in contact.addresses:
            self.by_email.setdefault(email, contact.id)
            if self.by_id.get(self.by_email[email]) is None:
                self.by_email[email] = contact.id


def _backwards(before: str | None, after: str) -> bool:
    """A lifecycle stage goes forward only, unless it is cleared first."""
    return before in STAGES and after in STAGES and STAGES.index(after) < STAGES.index(before)
