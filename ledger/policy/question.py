"""What is asked, and what is answered: plain values, no rule here."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ledger.terms import Moment


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A jurisdiction that may apply. `strong`: declared, rather than hinted at by an IP or a domain."""

    code: str
    strong: bool = True
    evidence: tuple[int, ...] = ()


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Facts of the message. None: not known, so it is an obligation; no message at all: a compliant one."""

    contains_marketing: bool | None = None
    marketing_purpose: str | None = None
    unsubscribe_present: bool | None = None
    unsubscribe_works: bool | None = None
    unsubscribe_free: bool | None = None
    unsubscribe_without_login: bool | None = None
    postal_address_present: bool | None = None
    sender_identified: bool | None = None
    subject_honest: bool | None = None
    relevant_to_role: bool | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """May `controller` send this, to this address, at `at`?

    at        the moment in the world
    known_at  only what was recorded by then counts: whoever makes the folds cuts them there (see
              `projections.explain`); None: all that was given
    law_at    only law in force, and declared, by then counts; None: the law as known today
    """

    purpose: str
    channel: str
    at: Moment
    address: str | None = None
    jurisdictions: tuple[Candidate, ...] = ()
    message: Message | None = None
    known_at: Moment | None = None
    law_at: Moment | None = None


class Condition(msgspec.Struct, frozen=True, gc=False):
    """One need of a rule: met, not met, or (None) not known."""

    name: str
    met: bool | None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A rule tried on a fact, for the trace: when it would hold, and which needs it met."""

    jurisdiction: str
    rule: str
    evidence: tuple[int, ...]
    start: datetime
    until: datetime
    conditions: tuple[Condition, ...]
    blocked_by: tuple[int, ...] = ()


class Against(msgspec.Struct, frozen=True, gc=False):
    """What spoke against: a token, the rule that says so, and its position (None: the question itself)."""

    what: str
    rule: str
    position: int | None = None


class Claim(msgspec.Struct, frozen=True, gc=False):
    """The best claimed rule: all its needs met or unknown, none contradicted. `rule` None: no rule could."""

    rule: str | None
    basis: str | None
    evidence: tuple[int, ...]
    missing: tuple[str, ...]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer and its grounds.

    reason       `proven`, or the first thing that forbids it
    rules        ids of the rules it rests on, strictest jurisdiction first
    evidence     log positions
    uncertain    the outcome hangs on overlapping or unknown times
    changes_at   when the answer next changes by itself; None: never
    policy       hash of the rule set
    """

    allowed: bool
    reason: str
    basis: str | None = None
    jurisdiction: str | None = None
    rules: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()
    against: tuple[Against, ...] = ()
    claimed: Claim | None = None
    obligations: tuple[str, ...] = ()
    uncertain: bool = False
    changes_at: datetime | None = None
    policy: str = ""

    def same_answer(self, other: Decision) -> bool:
        """Whether a reader would be told the same, apart from when it changes next."""
        return (self.allowed, self.reason, self.basis, self.rules, self.uncertain) == (
            other.allowed,
            other.reason,
            other.basis,
            other.rules,
            other.uncertain,
        )
