"""What the review's workbook says, for the one who writes it and the one who reads it back."""

from __future__ import annotations

from typing import Literal

from ledger.terms import Basis

SCHEMA = "consent-ledger/review/2"
UNSEALED = "consent-ledger/review/1"
"""The workbooks made before: anybody could make their seal, so none of them is taken in."""
META = "_meta"
MEMBERS = "_contacts"
README = "Read me first"

Outcome = Literal["stop", "hold", "attach_evidence", "release_hold"]

ANSWERS: dict[Outcome, str] = {
    "stop": "set non-marketing (stop)",
    "hold": "hold until answered",
    "attach_evidence": "evidence attached",
    "release_hold": "release hold",
}
"""Every answer, as the list in the workbook offers it; the mildest last."""

EFFECTS: dict[Outcome, str] = {
    "stop": "No marketing to these contacts from the day of the answer on. Only a later opt-in of the person counts.",
    "hold": "No marketing until somebody releases the hold.",
    "attach_evidence": "The files are kept beside the log, under their hashes. They allow nothing by themselves: "
    "declare what they show in the evidence map, and audit again.",
    "release_hold": "A hold from before this workbook ends. What stood before the hold holds again, and nothing more.",
}
"""What each answer does."""

LEAVE = "leave as it is"
"""An own answer that takes one contact out of the answer of its group."""

SPELLINGS: dict[str, Outcome] = {
    **{label: outcome for outcome, label in ANSWERS.items()},
    "stop": "stop",
    "set non-marketing": "stop",
    "non-marketing": "stop",
    "hold": "hold",
    "evidence": "attach_evidence",
    "release": "release_hold",
}
"""What people may write instead of choosing from the list."""

# The cells of an answer: labels in the first column, by which they are found again.
QUESTION, ANSWER, NAME, ROLE, DATE, EVIDENCE, NOTE = (
    "Question", "Answer", "Name", "Role", "Date", "Evidence", "Note",
)  # fmt: skip
NOT_FOR_PEOPLE = "(the program's name for this question; leave it as it is)"
REFERENCE, OWN_ANSWER, OWN_EVIDENCE = "Reference", "Own answer", "Own evidence"
COLUMNS = (REFERENCE, "Record ID", "Address", "What is claimed", "Country")

HINTS: dict[str, str] = {
    ANSWER: "Choose from the list. Blank: the question stays open.",
    NAME: "Who answers: first and last name.",
    ROLE: "In which role, e.g. data protection officer.",
    DATE: "The day of the answer, e.g. 2026-11-24.",
    EVIDENCE: "File or files that show it, relative to this workbook; several with ; between them.",
    NOTE: "What else should be known. Kept with the decision.",
}

LEADS: dict[str, str] = {
    "consent": "where the CRM says “Freely given consent from contact”, without the records that would prove it",
    "confirmation": "where the CRM shows a double opt-in as confirmed",
    "contract": "where the CRM says “Performance of a contract”",
    "customer": "where the CRM says “Legitimate interest: existing customer”",
    "deals": "with a won deal that is not shown to be a sale with a refusal offered",
    "opt_ins": "with an opt-in on record that lacks something",
    "declared": "that rest on a declaration without evidence",
    "other_claim": "where the CRM names another legal basis",
    "no_rule": "with a legal basis in the CRM",
    "same_record_twice": "whose record stands twice in one export",
    "stop_shown_lifted": "whose opt-out the CRM shows no more",
    "shared_address": "whose address stands on records of several people",
    "times_overlap": "with an opt-in and an opt-out of overlapping times",
    "two_contacts": "whose record id and address belong to two people in the ledger",
    "under_review": "that are held: by a review, or because a row that may be their stop could not be read",
}
"""Whom each question is about; with a number in front it is the beginning of a sentence."""

_SALE = (Basis.SOFT_OPT_IN, Basis.IMPLIED_CONSENT, Basis.INFERRED_CONSENT)
FAMILIES: dict[str, tuple[Basis, ...]] = {
    "consent": (Basis.EXPLICIT_CONSENT,),
    "confirmation": (Basis.EXPLICIT_CONSENT,),
    "contract": _SALE,
    "customer": _SALE,
    "deals": _SALE,
    "opt_ins": (Basis.EXPLICIT_CONSENT,),
}
"""Which bases a question is about, beside those that the claims themselves name."""


def sheet_name(question: str) -> str:
    """The sheet of a question: `same_record_twice` as `Same record twice`."""
    return question.replace("_", " ").capitalize()
