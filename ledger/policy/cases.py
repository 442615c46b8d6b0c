"""Judged examples: read them, put each to `judge`, and say where the answer differs.

A case is a timeline, a question, and the answer an authority gave (or a statute gives). Pure: bytes in,
results out. docs/reference/case-format.md describes the format and its conventions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, fold
from ledger.policy.case_events import Placed, events_of, read
from ledger.policy.case_references import settle
from ledger.policy.case_table import TRAITS, country, flag, identity, moment, proved, word
from ledger.policy.judge import judge
from ledger.policy.question import Candidate, Decision, Message, Question
from ledger.policy.rules import Policy
from ledger.terms import BEGINNING, LEDGER_STREAM


class CaseError(ValueError):
    """Bytes that are no case file, and why."""


class Expected(msgspec.Struct, frozen=True):
    """The answer to be given. `rules_include`: rules it must rest on, where two laws differ in name only."""

    allowed: bool | None = None
    basis: str | None = None
    reason: str = ""
    rule: str | None = None
    flips: str | None = None
    rules_include: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """One judged example, as it stands in the file."""

    id: str
    timeline: tuple[dict[str, Any], ...]
    question: dict[str, Any]
    jurisdiction: str | tuple[str, ...] = "XX"
    expected: Expected = Expected()
    title: str = ""
    authority: str = ""
    date: str | None = None
    source: str | tuple[str, ...] = ()
    kind: str = ""
    confidence: str = ""
    tags: tuple[str, ...] = ()
    encoding_note: str = ""
    flips: str | None = None


class Prepared(NamedTuple):
    """A case in the ledger's terms. `problems`: what was not understood; it grants nothing, and the suite fails."""

    contacts: tuple[Contact, ...]
    question: Question
    catalogue: Catalogue
    problems: tuple[str, ...]


class CaseResult(NamedTuple):
    """A case, the decision, and what of the case was not understood."""

    case: Case
    decision: Decision
    problems: tuple[str, ...]

    @property
    def differences(self) -> tuple[str, ...]:
        """Where the decision is not the expected answer."""
        expected, decision, found = self.case.expected, self.decision, []
        if expected.allowed is None:
            return ()
        if expected.allowed != decision.allowed:
            found.append(f"allowed: expected {_said(expected.allowed)}, decided {_said(decision.allowed)}")
        if expected.basis != decision.basis:
            found.append(f"basis: expected {expected.basis or 'none'}, decided {decision.basis or 'none'}")
        missing = [rule for rule in expected.rules_include if rule not in decision.rules]
        if missing:
            rested = ", ".join(decision.rules) or "none"
            found.append(f"rules: expected {', '.join(missing)}, decided {rested}")
        return tuple(found)


class SuiteResult(NamedTuple):
    """The results of a suite, in its order."""

    results: tuple[CaseResult, ...]

    @property
    def mismatches(self) -> tuple[CaseResult, ...]:
        """Cases decided otherwise than expected."""
        return tuple(result for result in self.results if result.differences)

    @property
    def not_understood(self) -> tuple[str, ...]:
        """One line for each thing in a case that the format does not know: an error of the suite."""
        return tuple(
            f"not understood: {result.case.id}: {problem}" for result in self.results for problem in result.problems
        )

    def render(self) -> str:
        """What is not understood, and every mismatch with its grounds; the last line counts."""
        lines = [*self.not_understood, *(line for result in self.mismatches for line in _told(result))]
        wrong = sum(bool(result.problems) for result in self.results)
        errors = f", {wrong} not understood" if wrong else ""
        return "\n".join([*lines, f"{len(self.results)} cases, {len(self.mismatches)} mismatches{errors}"])

    @property
    def passes(self) -> bool:
        """Every case was understood whole and decided as expected."""
        return not (self.mismatches or self.not_understood)


def load(data: bytes) -> list[Case]:
    """Read a case file: a list of cases, or an object that holds one as `cases`. Raises CaseError."""
    try:
        raw = msgspec.json.decode(data)
        return msgspec.convert(raw["cases"] if isinstance(raw, dict) else raw, list[Case], strict=False)
    except KeyError as error:
        raise CaseError("not a case file: an object without `cases`") from error
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise CaseError(f"not a case file: {error}") from error


def run(cases: Sequence[Case], policy: Policy) -> SuiteResult:
    """Decide every case."""
    return SuiteResult(tuple(decide(case, policy) for case in cases))


def decide(case: Case, policy: Policy) -> CaseResult:
    """Put one case to the rule set. Raises CaseError only where there is no question to ask."""
    contacts, question, catalogue, problems = prepare(case)
    return CaseResult(case, judge(contacts, question, policy, catalogue), problems)


def prepare(case: Case) -> Prepared:
    """Translate a case: events in order, the folds of the group, the question."""
    problems: list[str] = []
    question, traits, sender = _question(case, problems)
    timeline = settle(case.timeline, question.known_at, problems)
    placed = [one for place, item in enumerate(timeline, 1) for one in events_of(item, place, problems)]
    if traits is not None:
        placed.append(Placed(0, "main", traits))
    entries = _in_order(placed, case.timeline, problems)
    return Prepared(_group(entries, question.known_at), question, _catalogue(sender), tuple(problems))


# --- the timeline ----------------------------------------------------------------------------------


def _in_order(
    placed: Sequence[Placed], timeline: Sequence[Mapping[str, Any]], problems: list[str]
) -> list[tuple[str, Entry]]:
    """Give positions: by the time of recording, stops first."""
    ordered = sorted(
        placed,
        key=lambda one: (one.event.recorded_at or BEGINNING, not isinstance(one.event, e.Stop), one.item),
    )
    positions: dict[int, int] = {}
    for position, one in enumerate(ordered, 1):
        positions.setdefault(one.item, position)
    versions: dict[str, int] = {}
    entries = []
    for position, (item, person, event) in enumerate(ordered, 1):
        if isinstance(event, e.Corrected):
            undone = _refers_to(timeline, item, problems)
            event = msgspec.structs.replace(event, undoes=positions.get(undone, 0))
        versions[person] = versions.get(person, 0) + 1
        entries.append((person, Entry(position, versions[person], event)))
    return entries


def _refers_to(timeline: Sequence[Mapping[str, Any]], item: int, problems: list[str]) -> int:
    """Which item (from 1) a correction takes back: by its `id`, or by its number in the timeline."""
    detail = dict(timeline[item - 1]) | dict(timeline[item - 1].get("detail") or {})
    meant = detail.get("undoes")
    for number, other in enumerate(timeline, 1):
        if meant is not None and meant in (number, other.get("id"), (other.get("detail") or {}).get("id")):
            return number
    problems.append(f"correction: undoes {meant!r} is no event of this timeline")
    return -1


def _group(entries: Sequence[tuple[str, Entry]], known_at: datetime | None) -> tuple[Contact, ...]:
    """The folds of the person asked about and of everybody linked with him, as known then."""
    streams: dict[str, list[Entry]] = {identity("main"): []}
    for _, entry in entries:
        recorded = entry.event.recorded_at
        if known_at is None or recorded is None or recorded <= known_at:
            streams.setdefault(entry.event.stream, []).append(entry)
    folds = {stream: fold(stream, held) for stream, held in streams.items()}
    group = [identity("main")]
    for stream in group:
        for other, contact in folds.items():
            if other not in group and (other in folds[stream].linked or stream in contact.linked):
                group.append(other)
    return tuple(folds[stream] for stream in group)


# --- the question ----------------------------------------------------------------------------------

MESSAGE: dict[str, tuple[str, bool]] = {
    "contains_marketing": ("contains_marketing", True),
    "unsubscribe_present": ("unsubscribe_present", True),
    "unsubscribe_clear": ("unsubscribe_present", True),
    "opt_out_offered": ("unsubscribe_present", True),
    "unsubscribe_works": ("unsubscribe_works", True),
    "unsubscribe_working": ("unsubscribe_works", True),
    "unsubscribe_broken": ("unsubscribe_works", False),
    "unsubscribe_free": ("unsubscribe_free", True),
    "unsubscribe_fee": ("unsubscribe_free", False),
    "unsubscribe_without_login": ("unsubscribe_without_login", True),
    "unsubscribe_requires_login": ("unsubscribe_without_login", False),
    "login_required": ("unsubscribe_without_login", False),
    "postal_address_present": ("postal_address_present", True),
    "postal_address": ("postal_address_present", True),
    "sender_identified": ("sender_identified", True),
    "sender_disguised": ("sender_identified", False),
    "identity_concealed": ("sender_identified", False),
    "subject_honest": ("subject_honest", True),
    "subject_misleading": ("subject_honest", False),
    "misleading_subject": ("subject_honest", False),
    "relevant_to_role": ("relevant_to_role", True),
}
"""Word for a fact of the message -> (field of Message, what `true` means there). A no outweighs a yes."""

_professional = {"professional": True, "corporate_subscriber": False}
RECIPIENTS: dict[str, dict[str, bool]] = {
    "professional": _professional,
    "professional_named": _professional,
    "business_named": _professional,
    "role": {"professional": True, "role_address": True},
    "generic": {"professional": True, "role_address": True},
    "role_address": {"professional": True, "role_address": True},
    "generic_address": {"professional": True, "role_address": True},
    "corporate_subscriber": {"professional": True, "corporate_subscriber": True},
    "legal_person": {"professional": True, "corporate_subscriber": True},
    "company": {"professional": True, "corporate_subscriber": True},
    "consumer": {"professional": False, "corporate_subscriber": False},
    "natural_person": {"professional": False, "corporate_subscriber": False},
    "individual": {"professional": False, "corporate_subscriber": False},
    "sole_trader": {"professional": False, "corporate_subscriber": False},
    "unknown": {},
}
"""`recipient.type` -> traits. Only a legal person is a corporate subscriber; a sole trader is not (PECR)."""


def _question(case: Case, problems: list[str]) -> tuple[Question, e.RecipientDescribed | None, dict[str, Any]]:
    asked = dict(case.question)
    message, traits = _message(asked.pop("message", None), asked, problems)
    recipient = dict(asked.pop("recipient", None) or {})
    sort = recipient.pop("type", "unknown")
    if sort not in RECIPIENTS:
        problems.append(f"recipient: type {sort!r}")
    traits = dict(RECIPIENTS.get(sort, {})) | traits | read(TRAITS, recipient, "recipient", problems)
    problems += [f"recipient: field {key!r}" for key in recipient if key not in TRAITS]
    sender = dict(asked.pop("sender", None) or {})
    where = asked.pop("jurisdictions", None) or case.jurisdiction
    try:
        question = Question(
            purpose=word(asked.pop("purpose", None)),
            channel=word(asked.pop("channel", "email")),
            at=moment(asked.pop("at", None)),
            address=identity(asked.pop("address")) if asked.get("address") else None,
            jurisdictions=tuple(_candidate(one) for one in ([where] if isinstance(where, str) else where)),
            message=message,
            known_at=_moment(asked.pop("known_at", None)),
            law_at=_moment(asked.pop("law_at", None)),
        )
    except ValueError as error:
        raise CaseError(f"{case.id}: the question cannot be asked: {error}") from error
    known = ("date_precision", "note", "address")
    problems += [f"question: field {key!r}" for key in asked if key not in known]
    described = e.RecipientDescribed(
        stream=identity("main"), source="case", recorded_at=BEGINNING, occurred_from=BEGINNING, **traits
    )
    return question, described if traits else None, sender


def _candidate(one: Any) -> Candidate:
    if isinstance(one, Mapping):
        return Candidate(country(one.get("code")), strong=flag(one.get("strong", True)))
    return Candidate(country(one))


def _moment(value: Any) -> datetime | None:
    return None if value is None else moment(value)


def _message(
    said: Mapping[str, Any] | None, asked: Mapping[str, Any], problems: list[str]
) -> tuple[Message | None, dict[str, Any]]:
    """The message, and what it tells of the recipient."""
    if said is None:
        return None, {}
    facts: dict[str, Any] = {}
    for name, value in said.items():
        if name in MESSAGE and isinstance(value, bool):
            field, yes = MESSAGE[name]
            facts[field] = facts.get(field, True) and value is yes
        elif value is not None and name not in ("marketing_purpose", "note", *TRAITS):
            problems.append(f"message: {name} {value!r}")
    if said.get("role_relevant") is not None:
        facts["relevant_to_role"] = proved(said["role_relevant"]) == "proved"
    hidden = said.get("marketing_purpose")
    labelled = str(asked.get("purpose")).startswith("marketing.")
    if facts.get("contains_marketing") and hidden is None and not labelled:
        hidden = "marketing.similar"  # a convention of the format; `judge` itself takes the stricter `other`
    return Message(**facts, marketing_purpose=hidden), read(TRAITS, said, "message", problems)


def _catalogue(sender: Mapping[str, Any]) -> Catalogue:
    """What is known of the sender: whether it is a charity."""
    if "charity" not in sender:
        return Catalogue()
    described = e.ControllerDescribed(stream=LEDGER_STREAM, source="case", charity=flag(sender["charity"]))
    return Catalogue(controller=Entry(0, 1, described))


# --- telling ---------------------------------------------------------------------------------------


def _said(allowed: bool) -> str:
    return "allowed" if allowed else "not allowed"


def _told(result: CaseResult) -> list[str]:
    case, decision = result.case, result.decision
    lines = [f"{case.id}: {case.title}" if case.title else case.id]
    lines += [f"  {difference}" for difference in result.differences]
    if case.expected.reason:
        lines.append(f"  the case says: {case.expected.reason}")
    lines.append(f"  decided: {decision.reason}; rules: {', '.join(decision.rules) or 'none'}")
    lines += [f"  against: {a.what} ({a.rule}), event {a.position or '-'}" for a in decision.against]
    lines += [f"  not understood: {problem}" for problem in result.problems]
    return lines
