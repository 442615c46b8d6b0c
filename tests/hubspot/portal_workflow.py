"""Marketing status: nothing that the API can write, so a workflow of the portal sets it by our own property."""

from __future__ import annotations

from tests.hubspot.contacts import Contact, Contacts
from tests.hubspot.definitions import MARKETABLE, REASON, REASON_ID, UNTIL_RENEWAL
from tests.hubspot.journal import Actor, Journal

WATCHED = "consent_ledger_verdict"
WORKFLOW = Actor("workflow", "AUTOMATION_PLATFORM", "workflowId:55010", "Marketing by the ledger's verdict")
RENEWAL = Actor("system", "CALCULATED", "", "Update of marketing contacts")


class Marketing:
    """To marketing at once, since that is billed at once; to non-marketing at the next update date.

    workflow  whether the recipe's workflow is switched on in the portal
    """

    def __init__(self, contacts: Contacts, journal: Journal) -> None:
        self._contacts, self._journal = contacts, journal
        self.workflow = True

    def count(self) -> int:
        """How many contacts are billed as marketing contacts."""
        return sum(
            contact.properties.get(MARKETABLE) == "true"
            for contact in self._contacts.by_id.values()
            if not contact.archived
        )

    def watch(self, contact: Contact, name: str, at: int) -> None:
        """The workflow sees a change of a property."""
        if not self.workflow or name != WATCHED:
            return
        verdict = contact.properties.get(WATCHED)
        if verdict:  # whatever is not marketing is to be none: undecided, and what waits for approval, too
            self.set(contact, verdict == "marketing", WORKFLOW, at, reason="WORKFLOW", reason_id="55010")

    def run(self) -> int:
        """Switched on for everybody who is in it already, as when a workflow is made; how many it changed."""
        before = len(self._journal.changes)
        for contact in list(self._contacts.by_id.values()):
            self.watch(contact, WATCHED, self._journal.now())
        return len(self._journal.changes) - before

    def set(self, contact: Contact, marketing: bool, actor: Actor, at: int, *, reason: str, reason_id: str) -> bool:
        """Somebody sets the status; False where it is so already."""
        billed = contact.properties.get(MARKETABLE) == "true"
        pending = contact.properties.get(UNTIL_RENEWAL) == "true"
        if marketing == (billed and not pending):
            return False
        write = self._contacts.set
        if marketing:
            write(contact, MARKETABLE, "true", actor, at)
            write(contact, UNTIL_RENEWAL, "", actor, at)
        else:
            write(contact, UNTIL_RENEWAL, "true", actor, at)
        write(contact, REASON, reason, actor, at)
        write(contact, REASON_ID, reason_id, actor, at)
        return True

    def update_date(self) -> int:
        """The update date has come: whoever waited for it is non-marketing; how many."""
        done = 0
        for contact in list(self._contacts.by_id.values()):
            if contact.properties.get(UNTIL_RENEWAL) == "true":
                at = self._journal.now()
                self._contacts.set(contact, MARKETABLE, "false", RENEWAL, at)
                self._contacts.set(contact, UNTIL_RENEWAL, "", RENEWAL, at)
                done += 1
        return done
