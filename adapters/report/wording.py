"""Every sentence a report uses more than once, and how numbers and days are written.

The three decisions are *allowed by the rules applied*, *not allowed by the rules applied* and
*cannot be shown*. No report says that something is or was within the law: that is for a court.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from adapters.report.cells import reading_cell
from adapters.report.masking import printable
from projections.verdicts import NEXT_STEPS, QUESTIONS, REASONS, UNNAMED, Action, Audit, Bucket, Count, Speaker

NOT_NAMED = "Company not named"
NAME_IT = "give --controller NAME"

ALLOWED = "allowed by the rules applied"
NOT_ALLOWED = "not allowed by the rules applied"
NOT_SHOWN = "cannot be shown"

PURPOSES: dict[str, str] = {
    "marketing.similar": "advertising for similar products of our own",
    "marketing.other": "other advertising of our own",
    "marketing.third_party": "advertising for others",
    "marketing.charitable": "appeals of a charity",
    "marketing.political": "political messages",
    "marketing.survey": "surveys",
    "marketing.repermission": "asking whether we may write",
}
"""Each marketing purpose in plain words."""

BASES: dict[str, str] = {
    "explicit_consent": "consent",
    "soft_opt_in": "customer exception (soft opt-in)",
    "charity_soft_opt_in": "supporter exception of a charity",
    "implied_consent": "implied consent",
    "inferred_consent": "inferred consent",
    "legitimate_interest_b2b": "legitimate interest, business contact",
    "opt_out_regime": "no prior consent needed",
    "contract": "contract",
    "not_marketing": "not marketing",
}
"""Each legal basis in plain words."""

CHANNELS: dict[str, str] = {"email": "e-mail", "sms": "text message", "phone": "telephone", "post": "letter"}
"""Each channel in plain words, where its name is not its word."""

SYSTEMS: dict[str, str] = {"hubspot": "HubSpot", "mailchimp": "Mailchimp", "cli": "recorded by hand", "http": "HTTP"}
"""Each system that facts come from, as it is written."""

SHOWN_ORDER = (Bucket.BASIS_PROVEN, Bucket.BASIS_CLAIMED, Bucket.NO_BASIS, Bucket.STOPPED, Bucket.CONFLICT)
"""From what may be used to what needs a person."""

BUCKETS: dict[Bucket, tuple[str, str, str]] = {
    Bucket.BASIS_PROVEN: (
        "Evidence on file",
        "A rule allows it, and every fact that the rule needs is on record.",
        ALLOWED,
    ),
    Bucket.BASIS_CLAIMED: (
        "Claimed, not shown",
        "The CRM claims a legal basis, but the records that would prove it are missing. "
        "Send no mail until they are there.",
        NOT_SHOWN,
    ),
    Bucket.NO_BASIS: (
        "Nothing on record",
        "Nothing on record could be a legal basis.",
        NOT_ALLOWED,
    ),
    Bucket.STOPPED: (
        "Stopped",
        "They opted out themselves, or your review or somebody else stopped them. A stop beats every opt-in before it.",
        NOT_ALLOWED,
    ),
    Bucket.CONFLICT: (
        "Records contradict",
        "Their records contradict one another. A person must look. Send no mail until then.",
        NOT_SHOWN,
    ),
}
"""Name, meaning and ledger answer of each bucket."""

SPEAKERS: dict[Speaker, tuple[str, str]] = {
    Speaker.PERSON: (
        "Opted out or complained",
        "They opted out, objected, complained or asked to be erased. A stop beats every opt-in before it.",
    ),
    Speaker.REVIEW: (
        "Stopped by your review",
        "Your review stopped them. They did not opt out of all marketing themselves, and are not counted as if they "
        "had.",
    ),
    Speaker.OTHERS: (
        "Taken off by others",
        "Your staff, a service or a system took them off. Nothing shows that the person asked for it.",
    ),
}
"""Name and meaning of each part of the bucket `stopped`, by who decided it."""

BUCKET_STEPS: dict[Bucket, str] = {
    Bucket.BASIS_PROVEN: "may stay marketing",
    Bucket.BASIS_CLAIMED: "review",
    Bucket.NO_BASIS: "take off the marketing bill",
    Bucket.STOPPED: "off the bill",
    Bucket.CONFLICT: "review",
}
"""The usual next step for marketing contacts of a bucket; the exact one of each record is in verdicts.csv."""

OPT_OUT_LIST = "opt-out list, off the bill"
"""The usual next step where an opt-out is on record."""


class Line(NamedTuple):
    """A line of the table of buckets: a bucket, or the part of the stopped that one speaker decided."""

    bucket: Bucket
    speaker: Speaker | None
    name: str
    meaning: str
    records: Count

    @property
    def answer(self) -> str:
        """What the ledger says of them."""
        return BUCKETS[self.bucket][2]

    @property
    def step(self) -> str:
        """The usual next step."""
        by_opt_out = self.speaker in (Speaker.PERSON, Speaker.OTHERS)
        return OPT_OUT_LIST if by_opt_out else BUCKET_STEPS[self.bucket]


def lines(audit: Audit) -> list[Line]:
    """Where the contacts stand. The stopped are told apart by who decided it: no line says no for anybody else."""
    found = []
    for bucket in SHOWN_ORDER:
        if bucket is Bucket.STOPPED:
            for speaker, (name, meaning) in SPEAKERS.items():
                count = audit.stopped_by.get(speaker, Count())
                if count.contacts or speaker is Speaker.PERSON:
                    found.append(Line(bucket, speaker, name, meaning, count))
        else:
            name, meaning, _ = BUCKETS[bucket]
            found.append(Line(bucket, None, name, meaning, audit.buckets.get(bucket, Count())))
    return found


STILL_MARKETING: dict[Speaker, str] = {
    Speaker.PERSON: "opted out or complained, and are still marked as marketing",
    Speaker.REVIEW: "were stopped by your review and are still marketing",
    Speaker.OTHERS: "were taken off by others and are still marketing",
}
"""What is said of stopped contacts that the CRM still marks as marketing contacts, by who stopped them."""

ACTIONS: dict[Action, tuple[str, str, str]] = {
    Action.KEEP: (
        "May stay marketing",
        "There is evidence on file. Write within its purpose, and only until it ends.",
        "verdicts.csv",
    ),
    Action.REVIEW: (
        "Review",
        "A person decides on the evidence. Send no mail until then.",
        "do-not-send.csv",
    ),
    Action.SET_NON_MARKETING: (
        "Take off the marketing bill",
        "You pay for it as a marketing contact, but no rule allows marketing to it, or its address takes no mail.",
        "set-non-marketing.csv",
    ),
    Action.NONE: (
        "Nothing to do",
        "Nothing in the CRM needs to change. It is not a permission to write.",
        "verdicts.csv",
    ),
}
"""Name, meaning and file of each action."""

FILES: dict[str, str] = {
    "report.html": "This report: one file, nothing loaded from elsewhere.",
    "audit.json": "The same figures for machines.",
    "NEXT-STEPS.md": "The seven next steps, as on the second page of the report.",
    "NEXT-STEPS.html": "The same, for a browser.",
    "verdicts.csv": "One row for each record: bucket, action, legal basis, rule, reason, reference and next step, "
    "for a machine and in words.",
    "opt-out-list.csv": "Addresses with an opt-out from all marketing that HubSpot does not show.",
    "do-not-send.csv": "Who must not be mailed now: use it as a suppression list on every send.",
    "set-non-marketing.csv": "Marketing contacts to take off the marketing bill, in three waves.",
    "may-be-asked.csv": "The few who may be asked for permission by e-mail: route, last day.",
    "review.xlsx": "The questions for the data protection officer: one sheet each, with room for the answer.",
    "rejected.csv": "Input rows that could not be read, and why.",
    "IMPORT-ORDER.md": "The clicks in HubSpot, in order; how to check; how to undo.",
    "IMPORT-ORDER.html": "The same, for a browser.",
    "manifest.json": "SHA-256 of every file written and of every input.",
}

WAVES: dict[int, str] = {
    1: "stopped or undeliverable",
    2: "nothing known",
    3: "has a hint of a relationship",
}
"""The order in which records are taken off the marketing bill."""

MADE_BESIDE = frozenset({"review.xlsx"})
"""Files that are not written by every run."""

NOTHING_LEFT = "No data left this machine."
NOT_ADVICE = (
    "This is not legal advice. It states what the named rules say about the records it was given; "
    "it does not see what is not in them. A lawyer decides."
)

# Not strftime: a report reads the same on every machine.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def percent(part: int, whole: int) -> str:
    """A share, never rounded up to all or down to none."""
    if whole <= 0:
        return "–"
    if 0 < part * 100 < whole:
        return "<1 %"
    if 0 < (whole - part) * 100 < whole:
        return ">99 %"
    return f"{round(part * 100 / whole)} %"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 contact`, `2,000 contacts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def verb(number: int, one: str, many: str) -> str:
    """`is` or `are`, as the number asks."""
    return one if number == 1 else many


def listed(names: Sequence[str], most: int | None = None) -> str:
    """`a`, `a and b`, `a, b and 3 more conditions`: words for a sentence. `most`: how many stand in it at most."""
    if most is not None and len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more conditions"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def moment(at: datetime) -> str:
    """A moment in words, with its zone."""
    utc = at.astimezone(UTC)
    return f"{day(utc)}, {utc:%H:%M} UTC"


def day(at: date) -> str:
    """A day in words."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def month(token: str) -> str:
    """`2027-01` as `January 2027`; anything else as it stands."""
    year, _, number = token.partition("-")
    if year.isdigit() and number.isdigit() and 1 <= int(number) <= 12:
        return f"{_MONTHS[int(number) - 1]} {year}"
    return token


def purpose(token: str) -> str:
    """A purpose in plain words."""
    if token.startswith("service."):
        return f"service messages ({token.removeprefix('service.').replace('_', ' ')})"
    return PURPOSES.get(token, token.rpartition(".")[2].replace("_", " "))


def basis(token: str) -> str:
    """A legal basis in plain words."""
    return BASES.get(token, token.replace("_", " "))


def channel(token: str) -> str:
    """A channel in plain words."""
    return CHANNELS.get(token, token.replace("_", " "))


def source(token: str) -> str:
    """Where a fact comes from: `HubSpot export`."""
    system, _, part = token.partition(".")
    return " ".join(filter(None, (SYSTEMS.get(system, system), part.replace("_", " "))))


def reason_sentence(token: str) -> str:
    """The sentence of a reason; a token nobody has worded is shown as it is."""
    sentence = REASONS.get(token)
    return sentence[:1].upper() + sentence[1:] if sentence else token


def bucket(name: Bucket) -> str:
    """A bucket in plain words."""
    return BUCKETS[name][0]


def next_step_sentence(token: str) -> str:
    """A next step in plain words, with the day, question, form or pipeline that it names."""
    step, _, named = token.partition(":")
    sentence = NEXT_STEPS.get(step, step)
    if step == "dpo_question" and named in QUESTIONS:
        named = QUESTIONS[named]
    words = f"{sentence}: {printable(named, 200)}" if named else sentence
    return reading_cell(words[:1].upper() + words[1:])


def outcome(audit: Audit) -> str:
    """The whole audit in one or two sentences."""
    marketing = audit.totals.get("marketing", 0)
    if not audit.totals.get("contacts", 0):
        return "No records were read."
    if not marketing:
        return "No record is shown as a marketing contact."
    proven = audit.buckets[Bucket.BASIS_PROVEN].marketing if Bucket.BASIS_PROVEN in audit.buckets else 0
    said = f"Of {counted(marketing, 'marketing contact')}, {proven:,} ({percent(proven, marketing)}) have"
    if marketing == 1:
        said = f"Of 1 marketing contact, {proven} has"
    rest = marketing - proven
    tail = f" For the other {rest:,} there is none that allows it." if rest else ""
    return f"{said} evidence on file that allows marketing to them.{tail}"


def flags_unknown(audit: Audit) -> str:
    """What is said of records whose flag the export does not show; empty when there are none."""
    unknown = audit.totals.get("marketing_unknown", 0)
    if not unknown:
        return ""
    who = "1 record has" if unknown == 1 else f"{unknown:,} records have"
    return f"{who} no readable HubSpot flag. They are in no figure of what is paid for."


def company(name: str) -> str:
    """The company's name; that it has none, where nobody gave it."""
    return NOT_NAMED if name == UNNAMED else name


def company_or_blank(name: str) -> str:
    """The company's name in a text that others are to read; a blank to fill in, where nobody gave it."""
    return "[name of the company]" if name == UNNAMED else name
