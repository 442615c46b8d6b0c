"""Every event, one frozen class each, and the closed registry of topics. Only ever added to.

A class's `tag` is its topic and is written into every entry. A new meaning is a new class with a new
topic, and an upcast in `ledger.codec`; no class here is edited once entries of it exist.
No field may hold personal data: strings are tokens (see `ledger.codec.check`), people and
addresses are random ids, and whatever is personal travels beside the event as a payload into the vault.

`None` means *unknown* everywhere; it is left out of the entry, and policy never rounds it up to yes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from ledger.terms import (
    BEGINNING,
    END,
    IMPOSSIBLE,
    Act,
    Moment,
    Party,
    Precision,
    Proof,
    Proved,
)


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="type",
    gc=False,
):
    """What every fact carries.

    stream         contact id (UUID text), or `terms.LEDGER_STREAM`
    occurred_from  when it happened in the world, earliest; None: unknown
    occurred_to    latest; None: the same as `occurred_from`
    captured_at    when the source system says it recorded it; `captured_by` is what backs that
    recorded_at    when this ledger knew: set by the log under its write lock, never by a caller
    recorded_clock what the log's clock showed, where that lay before the last `recorded_at`; else None
    source, sid    the system it came from; keyed hash of (source, source event id), 32 hex digits
    address        address id (UUID text) the fact is about; None: no address, or the whole contact
    record         record id (UUID text) of the CRM row it was seen on
    by, via        who acted; by which door it reached us (`reply`, `dpo_email`, `rfc8058`, ...)
    commitment     hiding commitment to the payload in the vault, 64 hex digits
    evidence       SHA-256 (hex) of documents kept beside the log
    """

    stream: str
    source: str
    occurred_from: Moment | None = None
    occurred_to: Moment | None = None
    precision: Precision = "exact"
    captured_at: Moment | None = None
    captured_by: str | None = None
    recorded_at: Moment | None = None
    recorded_clock: Moment | None = None
    sid: str | None = None
    address: str | None = None
    record: str | None = None
    by: Party = "unknown"
    via: str | None = None
    commitment: str | None = None
    evidence: tuple[str, ...] = ()

    @property
    def earliest(self) -> datetime:
        """The first moment it may have happened: a stop counts from here."""
        if self.occurred_from is None and self.precision == "recorded":
            return self.recorded_at or BEGINNING
        return self.occurred_from or BEGINNING

    @property
    def latest(self) -> datetime:
        """The last moment it may have happened: a grant counts from here."""
        return self.occurred_to or self.occurred_from or self.captured_at or self.recorded_at or END

    @property
    def is_impossible(self) -> bool:
        """Whether the claimed time could not be, as `ledger.plausibility` judged it: a grant then cannot be shown."""
        return self.precision == IMPOSSIBLE


# --- grants, and what looks like one -------------------------------------------------------------


class OptedIn(Event, frozen=True, tag="contact.opted_in.v1"):
    """Somebody said yes, by some act. What it is worth, policy says."""

    act: Act = "unknown"
    purposes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    informed: bool | None = None
    specific: bool | None = None
    proof: Proof = "none"
    address_verified: bool | None = None
    verifies_channel: str | None = None
    wording: str | None = None
    form: str | None = None
    form_version: str | None = None
    valid_until: Moment | None = None


class OptInRequested(Event, frozen=True, tag="contact.opt_in_requested.v1"):
    """A double opt-in confirmation mail was sent."""

    purposes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    form: str | None = None
    wording: str | None = None


class DoubleOptInConfirmed(Event, frozen=True, tag="contact.double_opt_in_confirmed.v1"):
    """The link in the confirmation mail was followed. Proves the mailbox, nothing else (BGH I ZR 164/09)."""

    address_verified: bool | None = True
    verifies_channel: str | None = None
    wording: str | None = None


class FormSubmitted(Event, frozen=True, tag="contact.form_submitted.v1"):
    """A form was sent in. Consent only if its answers say so, which is another event."""

    form: str | None = None
    form_version: str | None = None


class BoxAnswered(Event, frozen=True, tag="contact.box_answered.v1"):
    """One box of a form, as this person left it. What a ticked box meant, a declaration of the form says.

    `box` may be `type.X`: the subscription type X that this form switched on for the person.
    """

    form: str
    box: str
    ticked: bool = True


# --- stops ---------------------------------------------------------------------------------------


class Stop(Event, frozen=True):
    """What every stop carries. An empty scope is the widest: all marketing, every channel."""

    purposes: tuple[str, ...] = ("marketing.*",)
    channels: tuple[str, ...] = ("*",)
    except_purposes: tuple[str, ...] = ()
    address_only: bool = False


class OptedOut(Stop, frozen=True, tag="contact.opted_out.v1"):
    """Unsubscribed: withdrawal and objection for its scope (P4)."""


class TypeOptedOut(Stop, frozen=True, kw_only=True, tag="contact.type_opted_out.v1"):
    """Left one subscription type of a CRM: all marketing, until a declaration says which purposes it means."""

    subscription_type: str


class Objected(Stop, frozen=True, tag="contact.objected.v1"):
    """Objection to direct marketing, in any words, by any door (GDPR 21(2), 21(3))."""


class OptOutObstructed(Stop, frozen=True, tag="contact.opt_out_obstructed.v1"):
    """An attempt to opt out that did not get through. It counts (P1, P13)."""

    completed: bool = False


class Complained(Stop, frozen=True, tag="contact.complained.v1"):
    """Reported as spam: a global e-mail objection (P5)."""

    channels: tuple[str, ...] = ("email",)


class ErasureRequested(Stop, frozen=True, tag="contact.erasure_requested.v1"):
    """GDPR Art 17 request. Stops at once; the erasing itself is another event."""


class ErasureCompleted(Event, frozen=True, tag="contact.erasure_completed.v1"):
    """Key and rows of the contact are destroyed."""

    rows: int = 0


class AccessRequested(Event, frozen=True, tag="contact.access_requested.v1"):
    """GDPR Art 15 request: to be answered within a month (Art 12(3))."""


class AccessAnswered(Event, frozen=True, tag="contact.access_answered.v1"):
    """What is held was handed over."""


class NoteAdded(Event, frozen=True, tag="contact.note_added.v1"):
    """Counsel's or an officer's note on this person, in the payload. Decides nothing."""


# --- the relationship ----------------------------------------------------------------------------


class ContractStarted(Event, frozen=True, tag="contact.contract_started.v1"):
    """A sale, subscription or account. `refusal_offered`: at collection, as ePD 13(2) asks."""

    kind: str = "unknown"
    seller: str | None = None
    category: str | None = None
    refusal_offered: bool | None = None
    refused: bool | None = None
    collected_from_person: bool | None = None
    messages_exchanged: bool | None = None
    contract: str | None = None


class ContractEnded(Event, frozen=True, tag="contact.contract_ended.v1"):
    """The contract ended; without a `contract` reference, every running one of its kind."""

    kind: str = "unknown"
    contract: str | None = None


class Enquired(Event, frozen=True, tag="contact.enquired.v1"):
    """Asked about goods or services, or negotiated for a sale."""

    category: str | None = None
    seller: str | None = None
    refusal_offered: bool | None = None
    refused: bool | None = None
    collected_from_person: bool | None = None


class Donated(Event, frozen=True, tag="contact.donated.v1"):
    """Support of a non-business body: a gift, volunteering, membership, or interest shown in its cause."""

    kind: Literal["donation", "volunteering", "membership", "interest_in_cause"] = "donation"
    charity: bool | None = None
    refusal_offered: bool | None = None
    refused: bool | None = None
    collected_directly: bool | None = None


class AddressPublished(Event, frozen=True, tag="contact.address_published.v1"):
    """The address was found published. `no_ads_statement`: whether a refusal of advertising stood there."""

    no_ads_statement: bool | None = None
    role_relevant: Proved | None = None


# --- messages ------------------------------------------------------------------------------------


class EmailSent(Event, frozen=True, tag="contact.email_sent.v1"):
    """An e-mail went out. Only one known to be marketing counts as use of an address."""

    purpose: str | None = None
    message: str | None = None


class CampaignMailSent(EmailSent, frozen=True, tag="contact.campaign_mail_sent.v1"):
    """An e-mail of a campaign went out. `purpose`: as a declaration of the campaign classifies it, else unknown."""

    campaign: str | None = None


class LetterSent(Event, frozen=True, tag="contact.letter_sent.v1"):
    """A letter went out."""

    purpose: str | None = None


class Clicked(Event, frozen=True, tag="contact.clicked.v1"):
    """A link was followed. Activity, never consent."""

    message: str | None = None


class Opened(Event, frozen=True, tag="contact.opened.v1"):
    """An open was reported. Not even activity (CNIL)."""

    message: str | None = None


class Bounced(Event, frozen=True, tag="contact.bounced.v1"):
    """The address did not take mail. A suspension of the address, not a legal fact (P5)."""

    kind: Literal["hard", "soft", "quarantined", "invalid", "cleared"] = "hard"
    reason: str | None = None


# --- what a CRM says -----------------------------------------------------------------------------


class MarketingStatusObserved(Event, frozen=True, tag="crm.marketing_status_observed.v1"):
    """The CRM's own billing mark. An effect, never a cause. `marketing` None: the export did not say.

    `answered`: what else the same row answered, be it with nothing, so that an older row is known for one.
    `opt_outs_on`: the day of the file, where a column of it says who opted out; the row may have been modified earlier.
    """

    marketing: bool | None = None
    until_next_update: bool | None = None
    reason: str | None = None
    lifecycle: str | None = None
    answered: tuple[str, ...] = ()
    opt_outs_on: Moment | None = None


class BasisClaimed(Event, frozen=True, tag="crm.basis_claimed.v1"):
    """The CRM asserts a basis. Replaces what that field of that record said before; empty: cleared."""

    field: Literal["legal_basis", "double_opt_in"] = "legal_basis"
    claims: tuple[str, ...] = ()


class OptOutShown(Event, frozen=True, tag="crm.opt_out_shown.v1"):
    """Whether the CRM shows this record opted out of all e-mail. Shown lifted, it lifts nothing here."""

    opted_out: bool = False


class SubscriptionShown(Event, frozen=True, kw_only=True, tag="crm.subscription_shown.v1"):
    """What the CRM shows of an address and a subscription type; `via` names what set it. Grants and stops nothing.

    An opt-out that a person made is a stop, and recorded as one. This says what else the CRM holds: what we wrote
    there ourselves, or that somebody switched on what a person had switched off.
    """

    subscription_type: str
    state: Literal["subscribed", "unsubscribed", "not_specified"]


class DealWon(Event, frozen=True, tag="crm.deal_won.v1"):
    """The CRM shows a deal as won. A sale with its conditions only if a declaration of the pipeline says so."""

    pipeline: str | None = None
    deal: str | None = None


class CountryHint(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One sign of a country: ISO 3166-1 alpha-2, what it was read from, and how much that says."""

    country: str
    kind: Literal["declared", "billing", "delivery", "region", "state", "ip", "phone", "language", "domain", "assumed"]

    @property
    def strong(self) -> bool:
        """Whether it says where the person is, rather than hinting at it.

        A `region` is written out and lies in one country alone; a `state` may be a code, or lie in several.
        """
        return self.kind in ("declared", "billing", "delivery", "region", "assumed")


class CountryEvidenced(Event, frozen=True, tag="contact.country_evidenced.v1"):
    """Signs of where the person is. Replaces what the same record showed before."""

    hints: tuple[CountryHint, ...] = ()


class RecipientDescribed(Event, frozen=True, tag="contact.recipient_described.v1"):
    """What is known of the recipient: a business or a consumer, a role address, a minor."""

    professional: bool | None = None
    corporate_subscriber: bool | None = None
    role_address: bool | None = None
    role_relevant: Proved | None = None
    informed_of_objection: bool | None = None
    minor: bool | None = None
    age: int | None = None


# --- people and addresses ------------------------------------------------------------------------


class AddressLinked(Event, frozen=True, tag="contact.address_linked.v1"):
    """The address belongs to this contact. One contact at a time."""


class AddressUnlinked(Event, frozen=True, tag="contact.address_unlinked.v1"):
    """The address no longer belongs to this contact."""


class AddressVerified(Event, frozen=True, tag="contact.address_verified.v1"):
    """Somebody showed control of the address outside a double opt-in (log-in, reply)."""


class ContactsLinked(Event, frozen=True, tag="contact.linked.v1"):
    """Merge: this contact and `other` are one person. Moves nothing."""

    other: str


class ContactsUnlinked(Event, frozen=True, tag="contact.unlinked.v1"):
    """Unmerge: takes the link away again."""

    other: str


class StopsLinked(Event, frozen=True, tag="contact.stops_linked.v1"):
    """This contact and `other` may be one person: what forbids to write to one forbids it to both; nothing else passes.

    Recorded on both. `record` and `address` met: the record is one contact's, the address the other's. Or `address`
    and `alike` are written alike, one on each contact, or both on this one.
    """

    other: str
    alike: str | None = None


class StopsUnlinked(Event, frozen=True, tag="contact.stops_unlinked.v1"):
    """That link (the same `record`, `address` and `alike`) links nobody, for good: too many contacts met there."""

    other: str
    alike: str | None = None


class SystemMigrated(Event, frozen=True, tag="contact.system_migrated.v1"):
    """The record moved to another system. Resets nothing."""


class ReviewDecided(Event, frozen=True, tag="contact.review_decided.v1"):
    """A person answered a review. It may stop or hold, or attach evidence; it never makes a yes."""

    outcome: Literal["stop", "hold", "release_hold", "attach_evidence"]
    question: str | None = None


class Corrected(Event, frozen=True, tag="contact.corrected.v1"):
    """A stop recorded by mistake does not count: named actor, reason and evidence are in the payload."""

    undoes: int


# --- ledger-wide ---------------------------------------------------------------------------------


class ImportFinished(Event, frozen=True, tag="ledger.import_finished.v1"):
    """A file was taken in. Grants nothing. `stops_hash`: SHA-256 over the sorted sids of its stops (P21).

    lost   rows that may be somebody's stop, could not be read, and name nobody
    named  keyed hash of what the file calls itself, by which a mended one is known: see `ledger.lost_stops`
    hidden rows of contacts of which no column of the file says whether they opted out
    """

    file: str | None = None
    rows: int = 0
    added: int = 0
    unchanged: int = 0
    rejected: int = 0
    stops: int = 0
    stops_hash: str | None = None
    proof: Proof = "none"
    lost: int = 0
    named: str | None = None
    hidden: int = 0


class LostStopsAccepted(Event, frozen=True, kw_only=True, tag="ledger.lost_stops_accepted.v1"):
    """Somebody, named in the payload, answers for going on without the rows of a file that name nobody, or hide stops.

    file  SHA-256 of the file, to whose rows alone this goes; `lost` how many
    """

    file: str
    lost: int


class ControllerDescribed(Event, frozen=True, tag="ledger.controller_described.v1"):
    """The legal entity that sends. Its name is public and stands in the described document.

    `assumed_country`: what the controller assumes of recipients nothing is known of.
    """

    document: str | None = None
    country: str | None = None
    assumed_country: str | None = None
    charity: bool | None = None


class NoticePublished(Event, frozen=True, tag="ledger.notice_published.v1"):
    """A privacy notice came into use."""

    notice: str
    document: str


class FormDescribed(Event, frozen=True, tag="ledger.form_described.v1"):
    """What a form showed from some moment on."""

    form: str
    version: str
    document: str


class EvidenceMapAdopted(Event, frozen=True, tag="ledger.evidence_map_adopted.v1"):
    """Somebody declared what forms, imports and sales showed. Named in the payload."""

    document: str


class PolicyAdopted(Event, frozen=True, tag="ledger.policy_adopted.v1"):
    """A rule set was adopted by a named person (in the payload)."""

    policy: str
    document: str | None = None


class Declaration(Event, frozen=True, kw_only=True):
    """What somebody answers for: name, role and words are in the payload, what shows it is `evidence`.

    key          the declaration's name; a later one under the same key takes its place
    withdrawn    it counts no more
    shown_from, shown_to  when that was so in the world; None: without a limit
    """

    key: str
    withdrawn: bool = False
    shown_from: Moment | None = None
    shown_to: Moment | None = None


class FormDeclared(Declaration, frozen=True, kw_only=True, tag="ledger.form_declared.v1"):
    """What a form showed. `box` None: it had no other purpose than signing up, so sending it in was the act.

    ticked_before, required  how the box stood; unknown stays unknown
    wording                  SHA-256 of the words shown, kept as a document
    """

    form: str
    box: str | None = None
    ticked_before: bool | None = None
    required: bool | None = None
    purposes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    wording: str | None = None


class MinorDeclared(Declaration, frozen=True, kw_only=True, tag="ledger.minor_declared.v1"):
    """A box of a form by which people said that they are minors. Only ever forbids, so it needs no evidence."""

    form: str
    box: str


class SaleDeclared(Declaration, frozen=True, kw_only=True, tag="ledger.sale_declared.v1"):
    """What a won deal of a pipeline (None: of any) was, and what was offered when the address was taken.

    `refusals_recorded`: whoever refused then stands in the ledger with a stop, so the others did not.
    """

    pipeline: str | None = None
    kind: str = "unknown"
    seller: str | None = None
    collected_from_person: bool | None = None
    refusal_offered: bool | None = None
    refusals_recorded: bool | None = None


class TypeDeclared(Declaration, frozen=True, kw_only=True, tag="ledger.subscription_type_declared.v1"):
    """Which purposes leaving a subscription type stops."""

    subscription_type: str
    purposes: tuple[str, ...] = ()


class TypeNamed(Event, frozen=True, kw_only=True, tag="ledger.subscription_type_named.v1"):
    """A CRM calls the subscription type of this number by this name: leaving either leaves both."""

    number: str
    name: str


class DomainStopped(Event, frozen=True, kw_only=True, tag="ledger.domain_stopped.v1"):
    """Everybody at a domain said no. Whoever was known there has a stop of their own, and so has whoever arrives.

    `domain`: a keyed hash, by which the vault knows it; `reached`: how many contacts were stopped at once
    """

    domain: str
    reached: int = 0


class CampaignDeclared(Declaration, frozen=True, kw_only=True, tag="ledger.campaign_declared.v1"):
    """Which purpose the mails of a campaign had."""

    campaign: str
    purpose: str


class ImportDeclared(Declaration, frozen=True, kw_only=True, tag="ledger.import_declared.v1"):
    """Where a list came from. Grants nothing by itself."""

    list: str


AnyEvent = (
    OptedIn
    | OptInRequested
    | DoubleOptInConfirmed
    | FormSubmitted
    | BoxAnswered
    | OptedOut
    | TypeOptedOut
    | Objected
    | OptOutObstructed
    | Complained
    | ErasureRequested
    | ErasureCompleted
    | AccessRequested
    | AccessAnswered
    | NoteAdded
    | ContractStarted
    | ContractEnded
    | Enquired
    | Donated
    | AddressPublished
    | EmailSent
    | CampaignMailSent
    | LetterSent
    | Clicked
    | Opened
    | Bounced
    | MarketingStatusObserved
    | BasisClaimed
    | OptOutShown
    | SubscriptionShown
    | DealWon
    | CountryEvidenced
    | RecipientDescribed
    | AddressLinked
    | AddressUnlinked
    | AddressVerified
    | ContactsLinked
    | ContactsUnlinked
    | StopsLinked
    | StopsUnlinked
    | SystemMigrated
    | ReviewDecided
    | Corrected
    | ImportFinished
    | LostStopsAccepted
    | ControllerDescribed
    | NoticePublished
    | FormDescribed
    | EvidenceMapAdopted
    | PolicyAdopted
    | FormDeclared
    | MinorDeclared
    | SaleDeclared
    | TypeDeclared
    | CampaignDeclared
    | ImportDeclared
    | TypeNamed
    | DomainStopped
)

TOPICS: dict[str, type[Event]] = {str(cls.__struct_config__.tag): cls for cls in AnyEvent.__args__}
"""The closed registry: a topic that is not here is an error, never an import."""
