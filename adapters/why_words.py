"""Events, conditions and signs in words: what a person reads where the ledger holds a token. Tables, mostly."""

from __future__ import annotations

from adapters.report import wording
from adapters.why_needs import obligation_in_words
from ledger import events as e
from ledger.commands import is_suppressing
from ledger.policy.judge import OF_OTHERS, stop_reason
from ledger.terms import BY_DOMAIN, BY_OUR_WRITE, UNREAD_ROW, Party, stopped_channels, stopped_purposes

WHAT: dict[type[e.Event], str] = {
    e.OptedIn: "opted in",
    e.OptInRequested: "double opt-in mail sent",
    e.DoubleOptInConfirmed: "double opt-in confirmed",
    e.FormSubmitted: "form submitted",
    e.BoxAnswered: "answered a box of a form",
    e.OptedOut: "opted out",
    e.TypeOptedOut: "left a subscription type",
    e.Objected: "objected to marketing",
    e.OptOutObstructed: "tried to opt out, did not get through",
    e.Complained: "reported as spam",
    e.ErasureRequested: "asked to be erased",
    e.ErasureCompleted: "erased",
    e.AccessRequested: "asked what is held",
    e.AccessAnswered: "was told what is held",
    e.NoteAdded: "note added",
    e.ContractStarted: "contract began",
    e.ContractEnded: "contract ended",
    e.Enquired: "enquired",
    e.Donated: "supported the cause",
    e.AddressPublished: "address found published",
    e.EmailSent: "e-mail sent",
    e.CampaignMailSent: "campaign e-mail sent",
    e.LetterSent: "letter sent",
    e.Clicked: "clicked a link",
    e.Opened: "opened an e-mail",
    e.Bounced: "address did not take mail",
    e.MarketingStatusObserved: "CRM marketing mark",
    e.BasisClaimed: "CRM claims a basis",
    e.OptOutShown: "CRM shows opted out of all",
    e.SubscriptionShown: "CRM shows a subscription",
    e.DealWon: "CRM shows a deal won",
    e.CountryEvidenced: "signs of the country",
    e.RecipientDescribed: "recipient described",
    e.AddressLinked: "address linked",
    e.AddressUnlinked: "address unlinked",
    e.AddressVerified: "address verified",
    e.ContactsLinked: "merged with another contact",
    e.ContactsUnlinked: "merge taken back",
    e.StopsLinked: "its stops and another contact's hold for both",
    e.StopsUnlinked: "its stops no longer hold for another contact",
    e.SystemMigrated: "moved to another system",
    e.ReviewDecided: "reviewed",
    e.Corrected: "a stop taken back",
    e.ImportFinished: "imported",
}

PERSON_WHAT: dict[type[e.Event], str] = {
    e.OptInRequested: "We sent you a mail to confirm your sign-up",
    e.DoubleOptInConfirmed: "The link in our confirmation mail was followed",
    e.AccessAnswered: "We told you what we hold about you",
    e.ContractStarted: "A contract with you began",
    e.ContractEnded: "A contract with you ended",
    e.EmailSent: "We sent you an e-mail",
    e.CampaignMailSent: "We sent you an e-mail",
    e.LetterSent: "We sent you a letter",
    e.AddressVerified: "Your address was verified",
}
"""What is told to the person beside acts (`why_acts`); what is neither is not."""

_DETAILS = (
    "act",
    "form",
    "box",
    "ticked",
    "subscription_type",
    "pipeline",
    "campaign",
    "purposes",
    "kind",
    "marketing",
    "claims",
    "field",
    "opted_out",
    "outcome",
    "via",
)

SIGNS: dict[str, str] = {
    "declared": "declared on the record",
    "billing": "billing address",
    "delivery": "delivery address",
    "region": "state or region on the record, written out, of one country alone",
    "state": "state or region on the record, a hint",
    "ip": "IP address, a hint",
    "phone": "phone prefix, a hint",
    "language": "language, a hint",
    "domain": "top-level domain of the address, a hint",
    "assumed": "assumed on the record",
}

REASONS: dict[str, str] = {
    "proven": "everything that the rule requires is on record",
    "claimed": "claimed, without the records that would prove it",
    "no_basis": "nothing on record could be a legal basis",
    "opted_out": "opted out",
    "objected": "objected to marketing",
    "obstructed": "tried to opt out and did not get through",
    "complained": "reported as spam",
    "erasure_requested": "asked to be erased",
    "erased": "the data of this contact is erased",
    "review_stop": "stopped by a review",
    "stopped_by_others": "taken off by somebody else than the person",
    "stop_time_unknown": "an opt-out that may have come before this moment or after it",
    "under_review": "on hold until a review is answered",
    "minor": "a minor, without a guardian's consent",
    "address_unlinked": "the address no longer belongs to this contact",
    "unknown_purpose": "a purpose that no rule knows",
    "unknown_channel": "a channel that no rule knows",
}


CAUSES: dict[str, str] = {
    "proven": "everything required is on record",
    "overlap": "an opt-out and an opt-in overlap in time",
    "withdrawn_declaration": "a declaration it rests on no longer counts",
    "recorded_later": "on record only later",
    "begins_later": "it began later",
    "not_in_force": "the rule was not in force yet",
    "no_longer_in_force": "the rule is not in force any more",
    "lapsed": "lapsed",
    "unmet": "what is on record does not meet the rule",
    "missing": "evidence is missing",
    "claimed": "the CRM claims it, the records are missing",
    "not_accepted": "not all rules that count accept what is on record",
    "nothing": "nothing on record could be a legal basis",
    "address_may_be_reassigned": "the address may belong to somebody else since",
}
"""What decides, in a few words, where a reason of the ledger does not say it."""


CLAIMS: dict[str, str] = {
    "consent": "consent",
    "confirmation": "a confirmed double opt-in",
    "interest_customer": "a legitimate interest in a customer",
    "interest_prospect": "a legitimate interest in a prospect",
    "interest_other": "a legitimate interest",
    "contract": "a contract",
}
"""What a CRM claims, in words."""


def reason_in_words(token: str) -> str:
    """A reason of the ledger in words."""
    return REASONS.get(token, token.replace("_", " "))


def against_in_words(token: str) -> str:
    """What counted against an answer, in words."""
    return REASONS.get(token) or CAUSES.get(token) or obligation_in_words(token)


SUPPRESSED = "suppressed: its address was erased, or its erasing was asked for"
"""A stop that the ledger itself records: the person did nothing of the kind at that moment."""
PERSON_SUPPRESSED = "Your address was put on our list of those who get no marketing"


TAKEN_OFF = "taken off by somebody else than the person"
"""A stop that staff, a service or a system made."""
SHOWN_AGAIN = "shown as opted out in the CRM, where this ledger had written it"
DOMAIN_STOPPED = "stopped with everybody at its domain"


def is_by_others(event: e.Event) -> bool:
    """Whether a stop was made by somebody else than the person, so that nobody may say that they opted out."""
    return isinstance(event, e.Stop) and stop_reason(event) in OF_OTHERS


def stopped_by_others(event: e.Event, *, person: bool) -> str | None:
    """A sentence on a stop that is not of the person's own making, for counsel or for them; None: any other fact."""
    if event.via == BY_OUR_WRITE:
        crm, who = ("Our", "we") if person else ("The", "this ledger")
        return f"{crm} CRM shows an opt-out that {who} had written there"
    if is_by_others(event):
        off = "you took you off our" if person else "the person took this contact off the"
        return f"Somebody else than {off} mailings"
    if event.via == BY_DOMAIN:
        address, off = ("your", "our") if person else ("this", "the")
        return f"Everybody at the domain of {address} address was taken off {off} mailings"
    return None


def describe(event: e.Event) -> str:
    """A fact's kind in words."""
    if is_suppressing(event):
        return SUPPRESSED
    if event.via == BY_OUR_WRITE:
        return SHOWN_AGAIN
    if is_by_others(event):
        return TAKEN_OFF
    if event.via == BY_DOMAIN:
        return DOMAIN_STOPPED
    if isinstance(event, e.ReviewDecided) and event.question == UNREAD_ROW:
        return "held: a row that may be a stop could not be read"
    return WHAT[type(event)] + (f" (position {event.undoes})" if isinstance(event, e.Corrected) else "")


def said(event: e.Event) -> str:
    """One fact in words, with what it names."""
    details = [_ACTED[event.by]] if event.by in _ACTED and isinstance(event, e.Stop | e.OptedIn) else []
    for name in _DETAILS:
        if name == "via" and (is_suppressing(event) or event.via == BY_OUR_WRITE):
            continue
        value = getattr(event, name, None)
        if name == "purposes" and isinstance(event, e.Stop):
            details.append(scope_of(event))
        elif value is not None and value != ():
            details.append(_detail(name, value))
    if isinstance(event, e.CountryEvidenced):
        details += [f"{hint.country}: {SIGNS[hint.kind]}" for hint in event.hints]
    return describe(event) + (f" ({'; '.join(details)})" if details else "")


_ACTED: dict[Party, str] = {
    "guardian": "by a guardian",
    "agent": "by somebody on behalf of the person",
    "unknown": "by whom is not on record",
}


def _named(purposes: tuple[str, ...]) -> str:
    return ", ".join(wording.purpose(one) if one in wording.PURPOSES else one for one in purposes)


def _detail(name: str, value: object) -> str:
    values = value if isinstance(value, tuple) else (value,)
    if name == "purposes":
        return ", ".join(wording.purpose(str(one)) for one in values)
    if name == "claims":
        return wording.listed([CLAIMS.get(str(one), str(one).replace("_", " ")) for one in values])
    if isinstance(value, bool):
        return f"{name.replace('_', ' ')}: {'yes' if value else 'no'}"
    written = name in ("act", "kind", "via", "claims", "field", "outcome")  # tokens of ours; the rest is others' words
    return ", ".join(str(one).replace("_", " ") if written else str(one) for one in values)


def scope_of(stop: e.Event) -> str:
    """What a stop covers."""
    if not isinstance(stop, e.Stop):
        return "all marketing, by every channel"
    # "*" is no wider: service mail is never stopped, whatever a stop says
    purposes = "all marketing" if stop.purposes in ((), ("marketing.*",), ("*",)) else _named(stop.purposes)
    if stop.purposes and stopped_purposes(stop.purposes) != stop.purposes:
        purposes = f"all marketing (no rule knows {purposes})"
    if stop.except_purposes:
        purposes += f", except {_named(stop.except_purposes)}"
    channels = "every channel" if stop.channels in ((), ("*",)) else ", ".join(map(wording.channel, stop.channels))
    if stop.channels and stopped_channels(stop.channels) != stop.channels:
        channels = f"every channel (no rule knows {channels})"
    return f"{purposes}, by {channels}" + (", this address only" if stop.address_only else "")
