"""Forms with their consent texts, what was sent in by them, and what a submission does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.hubspot.calls import invalid
from tests.hubspot.contacts import Contact
from tests.hubspot.definitions import CONFIRMATION, LEGAL_BASIS
from tests.hubspot.journal import Actor, by_form, iso

if TYPE_CHECKING:
    from tests.hubspot.state import State

MONTH = 30 * 86_400_000
MOST_FIELDS = 1_000
KINDS = frozenset({"none", "implicit_consent_to_process", "explicit_consent_to_process", "legitimate_interest"})
_INTERESTS = {"CUSTOMER": "LEGITIMATE_INTEREST_CLIENT", "LEAD": "LEGITIMATE_INTEREST_PQL"}


@dataclass(slots=True)
class Form:
    """One form.

    consent    `legalConsentOptions` as the API gives them
    marketing  whether whoever sends it in becomes a marketing contact, as HubSpot's forms do unless changed
    """

    id: str
    name: str
    created: int
    updated: int
    consent: dict[str, Any]
    marketing: bool = True
    archived: bool = False
    submissions: list[dict[str, Any]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "id": self.id,
            "formType": "hubspot",
            "name": self.name,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "archived": self.archived,
            "fieldGroups": [{"fields": [{"objectTypeId": "0-1", "name": "email", "label": "Email", "required": True}]}],
            "legalConsentOptions": self.consent,
        }

    @property
    def boxes(self) -> Sequence[Mapping[str, Any]]:
        """The boxes for subscription types."""
        found: Sequence[Mapping[str, Any]] = self.consent.get("communicationsCheckboxes", ())
        return found


def consent(
    *boxes: tuple[int, str, bool],
    kind: str = "implicit_consent_to_process",
    text: str = "Tick what you want to hear from us about.",
    privacy: str = "You can unsubscribe at any time.",
) -> dict[str, Any]:
    """Consent options; a box is (type, label, required)."""
    if kind not in KINDS:
        raise ValueError(kind)
    made: dict[str, Any] = {"type": kind}
    if kind == "none":
        return made
    made["privacyText"] = privacy
    if kind == "legitimate_interest":
        return made | {"lawfulBasis": "lead", "subscriptionTypeIds": [box[0] for box in boxes]}
    made["communicationConsentText"] = text
    made["communicationsCheckboxes"] = [
        {"required": required, "subscriptionTypeId": type_id, "label": label} for type_id, label, required in boxes
    ]
    made["consentToProcessText"] = "By sending this you let us store what you wrote."
    if kind == "explicit_consent_to_process":
        made |= {"consentToProcessCheckboxLabel": "I agree to that.", "consentToProcessFooterText": ""}
    return made


class Forms:
    """All of them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.all: dict[str, Form] = {}

    def add(
        self,
        name: str,
        options: dict[str, Any] | None = None,
        *,
        guid: str | None = None,
        created: int | None = None,
        marketing: bool = True,
    ) -> str:
        """A new form; its id."""
        with self._state.lock:
            identifier = guid or self._state.mail.identifier()
            at = created if created is not None else self._state.journal.now()
            self.all[identifier] = Form(identifier, name, at, at, options or consent(), marketing)
            return identifier

    def change(self, guid: str, options: dict[str, Any]) -> None:
        """Somebody changes what the form says: it is another version since now."""
        with self._state.lock:
            form = self.all[guid]
            form.consent, form.updated = options, self._state.journal.now()

    def submit_yes(self, guid: str, email: str, type_id: int) -> None:
        """The person sends the form in with the box of this type ticked, and others that must be."""
        boxes = self.all[guid].boxes
        ticked = [
            {"value": True, "subscriptionTypeId": box["subscriptionTypeId"], "text": box["label"]}
            for box in boxes
            if box["subscriptionTypeId"] == type_id or box["required"]
        ]
        ticked = ticked or [{"value": True, "subscriptionTypeId": type_id, "text": "I want to hear from you."}]
        agreed = {"consentToProcess": True, "text": "I agree.", "communications": ticked}
        sent = {
            "fields": [{"objectTypeId": "0-1", "name": "email", "value": email}],
            "legalConsentOptions": {"consent": agreed},
        }
        self.submit(guid, sent)

    def submit(self, guid: str, sent: Mapping[str, Any]) -> str:
        """A submission, as the public endpoint gets it; its id. Raises RefusedError where it is none."""
        state, form = self._state, self.all[guid]
        at = state.journal.now()
        given = _values(sent)
        said = sent.get("legalConsentOptions") or {}
        submitted = _submitted(sent, at)
        yes = _ticked(form, said)
        unknown = [type_id for type_id in yes if type_id not in state.addresses.types]
        if unknown:
            raise invalid(f"Error in 'legalConsentOptions'. There is no subscription type {unknown[0]}")
        conversion = state.mail.identifier()
        page = str((sent.get("context") or {}).get("pageUri", ""))
        values = [{"name": name, "value": value, "objectTypeId": "0-1"} for name, value in given.items()]
        form.submissions.append(
            {"conversionId": conversion, "submittedAt": submitted, "pageUrl": page, "values": values}
        )
        person = by_form(form.id, form.name)
        contact = self._contact(form, given, person, at)
        # the states first: what the contact shows follows them, and so do its webhooks
        for type_id, basis, text, own in _wanted(said):
            self._turn_on(contact.email, type_id, person, at, (basis, text), own=own)
        if (said.get("consent") or {}).get("consentToProcess"):
            state.contacts.set(contact, LEGAL_BASIS, "Freely given consent from contact", person, at)
        if yes and state.double_opt_in:
            state.contacts.set(contact, CONFIRMATION, "Confirmation Email Sent", person, at)
        return conversion

    def confirm(self, email: str) -> None:
        """The person follows the link of the confirmation mail."""
        state = self._state
        with state.lock:
            contact = state.contact(email)
            person = Actor("person", "EMAIL")
            state.contacts.set(contact, CONFIRMATION, "User clicked confirmation", person, state.journal.now())

    def _contact(self, form: Form, given: Mapping[str, str], person: Actor, at: int) -> Contact:
        state = self._state
        known = {name: value for name, value in given.items() if state.definitions.known(name)}
        contact = state.contacts.find(given["email"])
        if contact is None or contact.archived:
            contact = state.contacts.add(known, person, at)
        else:
            for name, value in known.items():
                if name != "email":
                    state.contacts.set(contact, name, value, person, at)
        count = str(int(contact.properties.get("num_conversion_events") or 0) + 1)
        for name, value in (
            ("num_conversion_events", count),
            ("recent_conversion_date", iso(at)),
            ("recent_conversion_event_name", form.name),
        ):
            state.contacts.set(contact, name, value, person, at)
        if form.marketing:
            state.marketing.set(contact, True, person, at, reason="FORM_SUBMISSION", reason_id=form.id)
        return contact

    def _turn_on(self, email: str, type_id: int, person: Actor, at: int, legal: tuple[str, str], *, own: bool) -> None:
        addresses = self._state.addresses
        if not own and (addresses.of(email).out(type_id) or type_id in addresses.of(email).types):
            return  # an interest that is claimed for somebody turns nothing on that they turned off
        basis, text = legal
        addresses.set_type(
            email, type_id, "SUBSCRIBED", person, at, source="Form", legal_basis=basis, explanation=text or None
        )


def _values(sent: Mapping[str, Any]) -> dict[str, str]:
    fields = sent.get("fields")
    if not isinstance(fields, list) or not fields:
        raise invalid("Error in 'fields'. Required field 'fields' is missing")
    if len(fields) > MOST_FIELDS:
        raise invalid(f"Error in 'fields'. At most {MOST_FIELDS} fields are taken")
    given = {str(one.get("name")): str(one.get("value", "")) for one in fields}
    if "@" not in given.get("email", ""):
        raise invalid("Error in 'fields.email'. Invalid email address")
    return given


def _submitted(sent: Mapping[str, Any], at: int) -> int:
    submitted = int(sent.get("submittedAt") or at)
    if submitted < at - MONTH:
        raise invalid("Error in 'submittedAt'. It is more than a month ago")
    return submitted


def _ticked(form: Form, said: Mapping[str, Any]) -> list[int]:
    agreed = said.get("consent") or {}
    yes = [int(one["subscriptionTypeId"]) for one in agreed.get("communications") or () if one.get("value") is True]
    if said and any(box["required"] and box["subscriptionTypeId"] not in yes for box in form.boxes):
        raise invalid("Error in 'legalConsentOptions'. A required box is not ticked")
    return yes


def _wanted(said: Mapping[str, Any]) -> list[tuple[int, str, str, bool]]:
    """(type, legal basis, text, whether it is the person's own yes)."""
    agreed = said.get("consent") or {}
    found = [
        (int(one["subscriptionTypeId"]), "CONSENT_WITH_NOTICE", str(one.get("text", "")), True)
        for one in agreed.get("communications") or ()
        if one.get("value") is True
    ]
    interest = said.get("legitimateInterest")
    if interest and interest.get("value") is True:
        basis = _INTERESTS.get(str(interest.get("legalBasis")), "LEGITIMATE_INTEREST_OTHER")
        found.append((int(interest["subscriptionTypeId"]), basis, str(interest.get("text", "")), False))
    return found
