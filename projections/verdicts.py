"""The shape of an audit's answer: one verdict for each CRM record, and the sums over them.

How a verdict is reached is `projections.audit`; how it is shown is `adapters.report`.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Bucket(StrEnum):
    """Where a record falls; the first that matches, in this order."""

    CONFLICT = "conflict"
    STOPPED = "stopped"
    BASIS_PROVEN = "basis_proven"
    BASIS_CLAIMED = "basis_claimed"
    NO_BASIS = "no_basis"


class Action(StrEnum):
    """What to do with the record in the CRM. `review` means no mail until answered."""

    KEEP = "keep"
    REVIEW = "review"
    SET_NON_MARKETING = "set_non_marketing"
    NONE = "none"


class Origin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a record comes from, as its CRM says: tokens, free text of the CRM, and `YYYY-MM`. None: not exported."""

    flag_source: str | None = None
    flag_source_name: str | None = None
    source: str | None = None
    created_month: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record's answer.

    record_id      the CRM's own id, as text; None where the export had none
    email          the address as written; shown masked, written only into the import files
    marketing      the HubSpot flag: True, False, None unknown
    allowed        whether any marketing purpose by e-mail is allowed at `Audit.at`
    reason         a token of `REASONS`
    reference      contact id and log position the answer rests on, for `why`
    stopped_all    stops cover every marketing purpose by e-mail
    shown_stopped  the CRM itself shows the record opted out of all e-mail (None: not in the export)
    declaration    log position of the declaration the answer rests on, or would, had it evidence; None: the
                   person's own record alone
    platform_shown whether the CRM's own terms are met as well; None: nothing is allowed
    may_be_asked   whether a request for consent (`marketing.repermission`) is allowed, and until which day
    next_step      a token of `NEXT_STEPS`; `dpo_question:ID`, `delete_after:DATE`, `declare_form:FORM` and
                   `declare_sale:PIPELINE` carry their value
    wave           in which order to take the record off the bill, 1 to 3; None: it stays
    question       id of the DPO's question (`QUESTIONS`) that would settle it
    origin         where the marketing flag and the record come from
    stopped_by     who decided it, of a record in the bucket `stopped`
    others         of a record that is kept out, the other addresses to be kept out with it: of the same contact and of
                   those that share its stops
    """

    record_id: str | None
    email: str | None
    bucket: Bucket
    action: Action
    reason: str
    reference: str
    basis: str | None = None
    rule: str | None = None
    allowed: bool = False
    marketing: bool | None = None
    scheduled: bool = False
    undeliverable: bool = False
    stopped_all: bool = False
    shown_stopped: bool | None = None
    jurisdictions: tuple[str, ...] = ()
    expires_at: date | None = None
    rule_confidence: str | None = None
    declaration: int | None = None
    platform_shown: bool | None = None
    may_be_asked: bool = False
    ask_basis: str | None = None
    ask_until: date | None = None
    next_step: str = "none"
    wave: int | None = None
    question: str | None = None
    origin: Origin | None = None
    stopped_by: Speaker | None = None
    others: tuple[str, ...] = ()

    @property
    def kept_out(self) -> bool:
        """Whether it must not be mailed now: a flag that is not known may well put it into the next send."""
        return self.marketing is not False and (not self.allowed or self.action is Action.REVIEW)


REASONS: dict[str, str] = {
    "proven": "everything that the rule requires is on record",
    "claimed_consent": "the CRM claims consent; the records that would prove it are missing",
    "claimed_sale": "the CRM claims a contract or a customer; the records of a sale are missing",
    "claimed_interest": "the CRM claims a legitimate interest; not all the rules that count here accept that alone",
    "claimed_confirmation": "the CRM claims a confirmed double opt-in; the records of what was confirmed are missing",
    "claimed_evidence": "there is an opt-in or a sale, but some of its details are missing",
    "confirmed_by_machine": "confirmed by a machine? The confirmation came at once, or as those of most of its file",
    "declared_not_evidenced": "somebody declared what was shown or sold, without evidence",
    "under_review": "a review holds this record until it is answered",
    "row_unread": "a row that names this person could not be read and may be an opt-out; somebody has to look",
    "stops_lost": "rows or a file that may hold anybody's opt-out could not be read; that has to be settled first",
    "opt_outs_hidden": "no column of an export says who opted out, and nothing newer shows it of this record",
    "confirmation_pending": "a double opt-in mail was sent within the last days and is not confirmed",
    "minor": "the person is below the age of consent, and no guardian's consent is on record",
    "nothing_known": "nothing on record could be a legal basis",
    "no_address": "the record has no e-mail address",
    "opted_out": "opted out of all marketing",
    "objected": "objected to direct marketing",
    "complained": "reported a message as spam",
    "obstructed": "tried to opt out and did not get through",
    "erasure_requested": "asked to be erased",
    "erased": "the data of this contact is erased",
    "suppressed": "asked to be left alone before, under an earlier record",
    "review_stop": "stopped by a review",
    "stopped_by_others": "taken off by somebody else than the person: staff, a service or a system",
    "same_record_twice": "one record id stands twice in the export, with different consent columns",
    "stop_shown_lifted": "the CRM shows an opt-out as lifted, without an opt-in by the person",
    "shared_address": "one address stands on records of different people, one of them with evidence on file",
    "times_overlap": "there is an opt-out and an opt-in, and nothing shows which came last",
    "two_contacts": "the record's id and its address belong to different contacts in the ledger",
    "undeliverable": "the address does not take mail",
    "already_scheduled": "the CRM already turns it non-marketing at its next update",
}
"""Every reason a verdict may give, with the sentence a report shows for it."""


class Speaker(StrEnum):
    """Who decided that a contact is stopped."""

    PERSON = "person"
    REVIEW = "review"
    OTHERS = "others"


def speaker_of(reason: str) -> Speaker:
    """Who decided a stop, by the reason that a decision or a verdict in the bucket `stopped` gives."""
    return _NOT_THE_PERSON.get(reason, Speaker.PERSON)


_NOT_THE_PERSON = {"review_stop": Speaker.REVIEW, "stopped_by_others": Speaker.OTHERS}


NEXT_STEPS: dict[str, str] = {
    "bring_form_record": "bring the form's submissions",
    "bring_sale_record": "bring the deals with their contacts",
    "bring_confirmation": "bring the record of the confirmation",
    "declare_form": "declare what this form showed, in the evidence map",
    "declare_sale": "declare what was sold by this pipeline, in the evidence map",
    "dpo_question": "answered by a question of the review sheet",
    "ask_at_next_own_act": "ask when the person comes by themselves: form, checkout, log-in, support",
    "delete_after": "delete on schedule after that day",
    "mend_file": "mend or replace the file of which rows, or all of it, could not be read and may be opt-outs",
    "bring_opt_outs": "export the contacts again with the columns that say who opted out",
    "none": "nothing to do",
}
"""Every next step a verdict may name."""

QUESTIONS: dict[str, str] = {
    "consent": "Which form or list did these people sign up with? Show what it showed, and their own records.",
    "confirmation": "What did these people confirm? Show the form before the confirmation mail, and the mail.",
    "contract": "Was there a sale by us? Was refusal offered when the address was taken? Show it.",
    "customer": "Are these customers of ours? Was refusal offered when the address was taken? Show it.",
    "deals": "What was sold in these won deals, by which company, and was refusal offered then? Show it.",
    "opt_ins": "These opt-ins lack something: what was shown, to whom, who confirmed? Show it.",
    "declared": "What was declared for these has no evidence beside it. Where is the screenshot, page or contract?",
    "other_claim": "What does this legal basis in the CRM mean, and what shows it?",
    "no_rule": "Not all the rules that count for these people accept what the CRM claims. Set them non-marketing?",
    "same_record_twice": "One record id stands twice with differing consent columns. Which is right?",
    "stop_shown_lifted": "Who lifted these opt-outs in the CRM, and on whose wish? Only the person's own act counts.",
    "shared_address": "Several people share one address. Whose is it?",
    "times_overlap": "Which came last here, the opt-in or the opt-out? Show the times.",
    "two_contacts": "The record id and the address belong to two contacts. Are they one person?",
    "under_review": "A review holds these. What came of it?",
}
"""Every question a review sheet may ask: never more than these, however many records there are."""


class FileRead(msgspec.Struct, frozen=True, kw_only=True):
    """One input file: what was read from it, and what was not."""

    name: str
    sha256: str
    encoding: str
    delimiter: str
    language: str
    rows: int
    records: int
    without_address: int
    rejected: int
    encoding_assumed: bool = False
    columns_used: tuple[str, ...] = ()
    columns_left_out: tuple[str, ...] = ()
    columns_missing: tuple[str, ...] = ()


class Count(msgspec.Struct, kw_only=True):
    """Records of one kind, and how many of them the CRM marks (True) as marketing contacts."""

    contacts: int = 0
    marketing: int = 0


class Expiring(msgspec.Struct, frozen=True, kw_only=True):
    """How many proven records lose their basis in a month (`YYYY-MM`), by rule; `law`: the law it is made of."""

    month: str
    rule: str
    contacts: int
    law: str = ""


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """The policy applied. `adopted_by` None: adopted by nobody."""

    hash: str
    adopted_by: str | None
    resting_on_medium: int
    resting_on_policy: int
    rules_unchecked: int
    rules: int = 0


class CorrectionListed(msgspec.Struct, frozen=True, kw_only=True):
    """A stop undone as a mistake: listed in every report."""

    position: int
    undoes: int
    recorded_at: datetime
    actor: str
    reason: str
    reference: str


class DeclarationRests(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration that records rest on: its position, who answers for it, and how many rest on it.

    evidenced  a file shows it; else its records are claimed, not shown
    """

    position: int
    key: str
    name: str
    role: str
    declared_on: str
    contacts: int
    marketing: int
    evidenced: bool = True


class Undeclared(msgspec.Struct, frozen=True, kw_only=True):
    """A form or pipeline of which nobody has declared anything, and how many records a declaration could settle.

    section  of the evidence map: `form` or `sale`; `token` as `verdicts.csv` names it, `name` as the source writes it
    """

    section: str
    token: str
    name: str
    contacts: int
    marketing: int


class OriginCount(msgspec.Struct, frozen=True, kw_only=True):
    """No-basis and stopped marketing contacts that came one way. `by`: a field of `Origin`."""

    by: str
    value: str
    contacts: int


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of source: looked at, or not and then how to get it and how many records it could change.

    kind           a token of `adapters.kinds.KINDS`
    taken_on       when it was taken from its system; `first`, `last`: what period its facts speak of
    could_change   records whose next step asks for it
    """

    kind: str
    looked_at: bool
    files: int = 0
    facts: int = 0
    taken_on: datetime | None = None
    first: date | None = None
    last: date | None = None
    could_change: int = 0


class LostStops(msgspec.Struct, frozen=True, kw_only=True):
    """A file of which rows could not be read that may be somebody's stop, or that does not show who opted out.

    lost         how many of these rows name nobody; `rows` where they stand, as a spreadsheet counts
    unread       the file was come across and was not read at all: `lost` is 1, and stands for it
    hidden       of an export of contacts: rows of which no column says whether they opted out
    in_part      of such an export: one that is no older shows it of some records, and these are held no more
    held_rows    where the others stand; `held` how many addresses and record ids they name, all of them held
    stands       nobody may stay because of the lost rows: the file is a source of stops, and is neither mended nor
                 accepted as it is
    earlier      it was read by an earlier run, and was not given to this one
    accepted_by  who answers for going on without the lost rows
    """

    file: str
    sha256: str
    lost: int
    rows: list[int]
    hidden: int = 0
    in_part: bool = False
    unread: bool = False
    held: int = 0
    held_rows: list[int] = []
    stands: bool = False
    earlier: bool = False
    accepted_by: str | None = None


UNNAMED = "this controller"
"""Stands for the company whose ledger it is, where nobody has named it."""


class FileSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was come across, and what became of it.

    unread    it was not read, and may hold what somebody said
    may_stop  by its name or its columns it holds opt-outs: see `Audit.lost_stops`
    """

    name: str
    became: str
    unread: bool = False
    may_stop: bool = False


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """What avoidable marketing contacts cost, from what the user gave; nothing here is invented.

    tier      contacts the plan includes now; `price` what is paid a month in `currency` for them
    step      by how many contacts a tier of the plan grows
    renewal   when the contract is renewed: tiers fall only then
    """

    tier: int | None = None
    price: float | None = None
    currency: str | None = None
    step: int | None = None
    renewal: date | None = None


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """The audit before this one, for what changed: bucket -> records; `stopped_by`: `Speaker` -> records.

    `stopped_by` None: that audit did not tell them apart.
    """

    at: datetime
    buckets: dict[str, int]
    stopped_by: dict[str, int] | None = None


class Audit(msgspec.Struct, kw_only=True):
    """The sums of one audit. `audit.json` is this, under `schema`.

    totals        {contacts, marketing, rejected, marketing_unknown}
    buckets       every `Bucket` -> Count
    actions       every `Action` -> number of records
    actions_by_bucket  the same for each `Bucket`: how the two partitions meet; actions of no record left out
    jurisdictions every candidate code -> Count (a record with two candidates counts under each; XX: unknown)
    avoidable_marketing  marketing contacts that no rule allows to write to, to be set non-marketing now
    stopped_by    the bucket `stopped` by who decided it: every `Speaker` -> Count
    next_steps, questions, waves  records by token (of `NEXT_STEPS` without a value, of `QUESTIONS`, 1 to 3)
    without_consent  proven records that rest on an opt-out regime: allowed without consent
    with_others   of the records that must not be mailed, those of which other addresses are listed too
    lost_stops    files of which rows that may be stops could not be read: said before all else
    files_seen    every file of the folders and archives given, and what became of it; empty where each was named
    undeclared    what is to be declared next, most records first
    warnings      what a person has to know of the files that were read, in sentences; they stand on the screen too
    platform_not_shown  of the allowed ones, those whose permission the CRM's terms would not take as shown
    """

    schema: str = "consent-ledger/audit/1"
    at: datetime
    controller: str
    sender_country: str | None
    assumed_country: str | None
    timezone: str | None
    purpose: str | None
    files: list[FileRead]
    totals: dict[str, int]
    buckets: dict[str, Count]
    actions: dict[str, int]
    reasons: dict[str, int]
    jurisdictions: dict[str, Count]
    expiring: list[Expiring]
    avoidable_marketing: int
    do_not_send: int
    stopped_still_marketing: int
    undeliverable_marketing: int
    scheduled: int
    rule_set: RuleSet
    corrections: list[CorrectionListed]
    notes: list[str]
    ledger_position: int
    stopped_by: dict[str, Count] = {}
    actions_by_bucket: dict[str, dict[str, int]] = {}
    next_steps: dict[str, int] = {}
    questions: dict[str, int] = {}
    waves: dict[str, int] = {}
    declarations: list[DeclarationRests] = []
    undeclared: list[Undeclared] = []
    proven_own_record: int = 0
    proven_declared: int = 0
    without_consent: int = 0
    platform_not_shown: int = 0
    may_be_asked: int = 0
    origins: list[OriginCount] = []
    looked_at: list[Looked] = []
    with_others: int = 0
    lost_stops: list[LostStops] = []
    warnings: list[str] = []
    files_seen: list[FileSeen] = []
    money: Money | None = None
    before: Before | None = None
