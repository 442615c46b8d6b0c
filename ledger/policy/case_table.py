"""The words of a case file and what each becomes in the ledger: one table, nothing left over in silence.

How it is applied is in `ledger.policy.case_events`; docs/reference/case-format.md is the page for people.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, get_args, get_type_hints

from ledger import events as e
from ledger.terms import OWN, Act, Party, Proof, Proved

Reader = Callable[[Any], Any]

SPACE = uuid.UUID("6b1f5c1e-8a0f-4f3c-9d0e-0c0a5e5c0a5e")
"""Names in a case (`address: a`, `person: b`) become ids in this space."""
UNSPECIFIED = "marketing.unspecified"
"""A sending whose purpose a case leaves open: marketing, of no known kind."""


def identity(name: str) -> str:
    """The random-looking id that stands for a name in a case."""
    return str(uuid.uuid5(SPACE, name))


# --- readers: a value of the file to a value of an event; ValueError means "not understood" --------


def flag(value: Any) -> bool:
    """A plain yes or no."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither true nor false")


def denied(value: Any) -> bool:
    """A yes or no whose field says the opposite of ours."""
    return not flag(value)


def word(value: Any) -> str:
    """One token."""
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"{value!r} is not a word")


def words(value: Any) -> tuple[str, ...]:
    """One token or a list of them."""
    return tuple(word(item) for item in value) if isinstance(value, list) else (word(value),)


def reach(value: Any) -> tuple[str, ...]:
    """What a stop reaches: `all` and `marketing` are the families they name."""
    return tuple({"all": "*", "marketing": "marketing.*"}.get(name, name) for name in words(value))


def whole(value: Any) -> int:
    """A number without fraction."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not a whole number")


def one_of(literal: Any, also: Mapping[str, str] | None = None) -> Reader:
    """One of the words of a Literal, or another word for one of them."""
    known = {name: name for name in get_args(literal)} | dict(also or {})

    def read(value: Any) -> str:
        if isinstance(value, str) and value in known:
            return str(known[value])
        raise ValueError(f"{value!r} is none of {', '.join(sorted(known))}")

    return read


def seller(value: Any) -> str:
    """Who sold: `own` is the sender of this ledger."""
    return OWN if value in (True, "sender", "self") else word(value)


def proved(value: Any) -> str:
    """`proved` only if proved: a bare true is the editor's word that it was."""
    if isinstance(value, bool):
        return "proved" if value else "not_proved"
    return str(one_of(Proved)(value))


def moment(value: Any) -> datetime:
    """A point in time; a bare date is its midnight in UTC."""
    read = value if isinstance(value, datetime) else datetime.fromisoformat(word(value))
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def country(value: Any) -> str:
    """ISO 3166-1 alpha-2."""
    code = word(value).upper()
    return {"UK": "GB", "EL": "GR"}.get(code, code)


def hints(value: Any) -> tuple[e.CountryHint, ...]:
    """Signs of a country: a code, or a list of {country, kind}."""
    if isinstance(value, str):
        return (e.CountryHint(country(value), "declared"),)
    kind = one_of(CountryKind)
    return tuple(e.CountryHint(country(one["country"]), kind(one.get("kind", "declared"))) for one in value)


CountryKind = get_type_hints(e.CountryHint)["kind"]
_party = one_of(
    Party,
    {
        "person": "data_subject",
        "recipient": "data_subject",
        "customer": "data_subject",
        "parent": "guardian",
        "employee": "agent",
        "call_centre": "agent",
        "sender": "system",
        "import": "system",
        "vendor": "third_party",
        "partner": "third_party",
    },
)
_act = one_of(Act, {"ticked_box": "unticked_box", "checkbox": "unticked_box", "terms": "terms_click"})
_proof = one_of(Proof, {"warranty": "vendor_warranty", "template": "sample_form"})
_bounce = one_of(get_type_hints(e.Bounced)["kind"], {"permanent": "hard", "temporary": "soft"})
_outcome = one_of(get_type_hints(e.ReviewDecided)["outcome"])


# --- the table -------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """One event type of the format: the event it becomes, its fields, and what the format takes for granted.

    fields     name in the file -> (field of the event, reader)
    granted    fields the format takes as given unless the case says otherwise
    also       name in the file -> an event of its own, where the field is true
    elsewhere  names in the file that are read for another field, or for another event of the case
    """

    event: type[e.Event] | None
    fields: Mapping[str, tuple[str, Reader]] = {}
    granted: Mapping[str, Any] = {}
    also: Mapping[str, type[e.Event]] = {}
    elsewhere: frozenset[str] = frozenset()


def _same(reader: Reader, *names: str) -> dict[str, tuple[str, Reader]]:
    return {name: (name, reader) for name in names}


FORM_SAYS: dict[str, tuple[str, ...]] = {
    "informed": ("informed",),
    "opt_out_offered": ("opt_out_offered", "refusal_offered"),
}
"""What a form says of the facts that came by it: field -> the names it goes by."""

SPOILT: dict[str, tuple[bool, str]] = {
    "pre_ticked": (True, "pre_ticked"),
    "freely_given": (False, "required_box"),
    "conditional": (True, "required_box"),
    "separate": (False, "bundled"),
}
"""What turns any act of consent into one that is none: field -> (the value that does, the act it then is)."""

_form = _same(word, "form", "form_version", "wording") | {"wording_version": ("wording", word)}
SCOPE = _same(reach, "purposes", "channels") | _same(words, "except_purposes") | _same(flag, "address_only")
_collection = {
    "opt_out_offered": ("refusal_offered", flag),
    "refusal_offered": ("refusal_offered", flag),
    "refused": ("refused", flag),
    "opted_out_at_collection": ("refused", flag),
    "collected_from_person": ("collected_from_person", flag),
    "seller": ("seller", seller),
    "category": ("category", word),
}
_sale = _collection | {
    "kind": ("kind", word),
    "cem_exchanged": ("messages_exchanged", flag),
    "messages_exchanged": ("messages_exchanged", flag),
    "contract": ("contract", word),
}
_sold = {"seller": OWN, "refused": False, "collected_from_person": True}
_support = {
    "opt_out_offered": ("refusal_offered", flag),
    "refusal_offered": ("refusal_offered", flag),
    "refused": ("refused", flag),
    "opted_out_at_collection": ("refused", flag),
    "charity": ("charity", flag),
    "collected_directly": ("collected_directly", flag),
    "collected_from_person": ("collected_directly", flag),
}
_message = {"purpose": ("purpose", word), "message": ("message", word)}
_confirmed = _same(flag, "address_verified") | _same(word, "wording") | {"verifies_channel": ("verifies_channel", word)}
_consent = (
    _form
    | _confirmed
    | _same(words, "purposes", "channels")
    | _same(flag, "informed", "specific")
    | {"act": ("act", _act), "to": ("to", words), "proof": ("proof", _proof)}
    | {"valid_until": ("valid_until", moment), "expires": ("valid_until", moment)}
)
_other = {name: ("other", lambda value: identity(word(value))) for name in ("other", "with", "into")}
_ended = {"kind": ("kind", word), "contract": ("contract", word)}
_place = {"country": ("hints", hints), "hints": ("hints", hints)}


def _given(kind: str) -> Kind:
    return Kind(e.Donated, _support, {"kind": kind, "refused": False})


TABLE: dict[str, Kind] = {
    # what may be a grant
    "opt_in": Kind(e.OptedIn, _consent, elsewhere=frozenset(SPOILT)),
    "doi_request_sent": Kind(e.OptInRequested, _form | _same(words, "purposes", "channels")),
    "double_opt_in_confirmation": Kind(
        e.DoubleOptInConfirmed, _confirmed, {"address_verified": True, "verifies_channel": "email"}
    ),
    "address_verified": Kind(e.AddressVerified),
    "form_submission": Kind(
        e.FormSubmitted,
        _same(word, "form", "form_version"),
        elsewhere=frozenset(name for names in FORM_SAYS.values() for name in names),
    ),
    # stops
    "opt_out": Kind(e.OptedOut, SCOPE),
    "consent_withdrawn": Kind(e.OptedOut, SCOPE),
    "objection": Kind(e.Objected, SCOPE),
    "opt_out_attempt": Kind(e.OptOutObstructed, SCOPE | _same(flag, "completed")),
    "complaint": Kind(e.Complained, SCOPE),
    "erasure_request": Kind(e.ErasureRequested, SCOPE),
    "erasure_completed": Kind(e.ErasureCompleted),
    # the relationship
    "contract_started": Kind(e.ContractStarted, _sale, _sold, also={"address_verified": e.AddressVerified}),
    "contract_ended": Kind(e.ContractEnded, _ended),
    "contract_cancelled": Kind(e.ContractEnded, _ended),
    "enquiry": Kind(e.Enquired, _collection, _sold),
    "donation": _given("donation"),
    "volunteering": _given("volunteering"),
    "membership": _given("membership"),
    "interest_in_cause": _given("interest_in_cause"),
    "address_published": Kind(
        e.AddressPublished, _same(flag, "no_ads_statement") | {"role_relevant": ("role_relevant", proved)}
    ),
    # messages, and what became of them
    "email_sent": Kind(e.EmailSent, _message, {"purpose": UNSPECIFIED}, elsewhere=frozenset({"contains_marketing"})),
    "repermission_mail": Kind(
        e.EmailSent, _message, {"purpose": "marketing.repermission"}, elsewhere=frozenset({"contains_marketing"})
    ),
    "letter_sent": Kind(e.LetterSent, {"purpose": ("purpose", word)}),
    "click": Kind(e.Clicked, {"message": ("message", word)}),
    "open": Kind(e.Opened, {"message": ("message", word)}),
    "bounce": Kind(e.Bounced, {"kind": ("kind", _bounce), "reason": ("reason", word)}),
    # what a system says
    "marked_marketing_contact": Kind(
        e.MarketingStatusObserved,
        _same(flag, "marketing", "until_next_update") | _same(word, "reason", "lifecycle"),
        {"marketing": True},
    ),
    "basis_claimed": Kind(e.BasisClaimed, {"claims": ("claims", words), "basis": ("claims", words)}),
    "import": Kind(e.ImportFinished, {"proof": ("proof", _proof), "rows": ("rows", whole)}),
    "purchased_list": Kind(
        e.ImportFinished, {"proof": ("proof", _proof), "rows": ("rows", whole)}, {"proof": "vendor_warranty"}
    ),
    "system_migration": Kind(e.SystemMigrated),
    "merge": Kind(e.ContactsLinked, _other, {"other": identity("another")}),
    "unmerge": Kind(e.ContactsUnlinked, _other, {"other": identity("another")}),
    "correction": Kind(e.Corrected, {}, {"undoes": 0}),
    "review": Kind(e.ReviewDecided, {"outcome": ("outcome", _outcome)}, {"outcome": "hold"}),
    # the person
    "recipient_described": Kind(e.RecipientDescribed),
    "age_stated": Kind(e.RecipientDescribed),
    "minor_identified": Kind(e.RecipientDescribed, {}, {"minor": True}),
    "country_evidence": Kind(e.CountryEvidenced, _place),
    # facts of no weight here, but for the traits of the recipient, which are read like those of any event
    "note": Kind(None),
    "notice_given": Kind(None),
    "phone_call": Kind(None),
    "sms_sent": Kind(None),
    "access_request": Kind(None),
}

ALIASES = {
    "unsubscribe": "opt_out",
    "withdrawal": "consent_withdrawn",
    "spam_complaint": "complaint",
    "opt_in_requested": "doi_request_sent",
    "double_opt_in_request": "doi_request_sent",
    "doi_confirmed": "double_opt_in_confirmation",
    "inquiry": "enquiry",
    "sale_enquiry": "enquiry",
    "negotiation": "enquiry",
    "quote_requested": "enquiry",
    "application": "enquiry",
    "purchase": "contract_started",
    "migration": "system_migration",
    "list_purchased": "purchased_list",
    "marketing_contact_flag": "marked_marketing_contact",
    "crm_flag": "marked_marketing_contact",
    "opened": "open",
    "clicked": "click",
    "bounced": "bounce",
    "hard_bounce": "bounce",
    "soft_bounce": "bounce",
    "corrected": "correction",
    "unlinked": "unmerge",
    "minor_detected": "minor_identified",
    "date_of_birth_given": "age_stated",
    "country_declared": "country_evidence",
    "call": "phone_call",
    "notice": "notice_given",
}
BY_ALIAS: dict[str, dict[str, Any]] = {"purchase": {"kind": "purchase"}, "soft_bounce": {"kind": "soft"}}
"""What an alias says beyond its name."""

TRAITS: dict[str, tuple[str, Reader]] = {
    "role_relevant": ("role_relevant", proved),
    "informed_of_right_to_object": ("informed_of_objection", flag),
    "right_to_object_stated": ("informed_of_objection", flag),
    "minor": ("minor", flag),
    "age": ("age", whole),
    "professional": ("professional", flag),
    "corporate_subscriber": ("corporate_subscriber", flag),
    "role_address": ("role_address", flag),
}
"""Traits of the recipient, read from the recipient, the message, or the detail of any event."""

COMMON: dict[str, tuple[str, Reader]] = {
    "by": ("by", _party),
    "actor": ("by", _party),
    "received_via": ("via", word),
    "via": ("via", word),
    "captured_at": ("captured_at", moment),
    "captured_by": ("captured_by", word),
    "recorded_at": ("recorded_at", moment),
    "address": ("address", lambda value: identity(word(value))),
    "record": ("record", lambda value: identity(word(value))),
}
"""Fields any event may have."""

NOTED = frozenset(
    {
        *("id", "person", "date_precision", "until", "undoes", "scope"),
        *("note", "comment", "source", "url", "title", "text", "subject", "language", "campaign", "count"),
        *("amount", "price", "consideration", "currency", "product", "incentive"),
        *("ip", "user_agent", "session", "token_hash", "screenshot"),
    }
)
"""Fields that are read elsewhere (the first line), or tell the reader something and the rules nothing."""
