"""What HubSpot shows beside what the ledger answers: every difference of some records. Pure: no call, no clock.

What is compared is what a sync compares, and a difference that a sync would mend is found here too. Beside those are
the differences that no sync may mend, since it turns nobody on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from adapters.hubspot.sync.desired import Answer, Held, Standing, WantedAddress, wanted_address, wanted_record
from adapters.hubspot.sync.plan import (
    ALL_OUT,
    AWAITING,
    BASIS,
    MARKETABLE,
    REASON,
    REFERENCE,
    UNTIL_UPDATE,
    VERDICT,
    RecordShown,
    Scene,
)
from ledger.terms import MARKETING_PURPOSES, Basis

Kind = Literal[
    "crm_on_ledger_stopped",
    "crm_opted_out_ledger_allows",
    "opted_in_later_elsewhere",
    "crm_on_without_basis",
    "marketing_mark_differs",
    "merged_in_crm",
    "record_gone",
    "property_differs",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The gravest first."""
PENDING, NEVER = "marketing until the next update", "never written"

GivenAt = Callable[[int], datetime | None]
"""When the fact at a position of the log happened, at the latest."""


class Difference(NamedTuple):
    """One thing on which the two differ.

    about     id of the subscription type; empty: all e-mail, or the record
    position  of the entry that the ledger's side rests on
    shown_at  since when HubSpot shows it, as far as the state itself says
    """

    kind: Kind
    contact: str
    record: str
    ledger: str
    crm: str
    position: int
    email: str | None = None
    about: str = ""
    shown_at: datetime | None = None
    source: str = ""
    pending: bool = False


def differences(scene: Scene, gone: Mapping[str, str], given_at: GivenAt) -> list[Difference]:
    """Everything that differs. `gone`: records that HubSpot does not hold -> the contact they are of."""
    found = [
        Difference("record_gone", contact, record, "holds the record", "does not hold it any more", 0)
        for record, contact in gone.items()
    ]
    seen: set[str] = set()
    for record in scene.records:
        found += _of_record(record, scene)
        for held in record.held:
            if held.email not in seen:
                seen.add(held.email)
                found += _of_address(record, held, scene, given_at)
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.contact, one.record, one.about))


# --- a record ------------------------------------------------------------------------------------


def _of_record(record: RecordShown, scene: Scene) -> Iterator[Difference]:
    wanted = wanted_record([scene.standings[one] for one in record.contacts], record.held)
    email = record.held[0].email if record.held else None
    about = (wanted.contact, record.id)
    if len(record.contacts) > 1:
        others = f"{len(record.contacts)} contacts of the ledger"
        yield Difference("merged_in_crm", *about, others, "one record", wanted.position, email)
    marketing = record.properties.get(MARKETABLE) == "true"
    pending = marketing and record.properties.get(UNTIL_UPDATE) == "true"
    if marketing != (wanted.verdict == "marketing"):
        shown = PENDING if pending else "marketing" if marketing else "non-marketing"
        answers = f"{wanted.verdict.replace('_', '-')} ({wanted.basis or wanted.reason})"
        yield Difference("marketing_mark_differs", *about, answers, shown, wanted.position, email, pending=pending)
    said: dict[str, str] = {
        VERDICT: wanted.verdict,
        BASIS: wanted.basis or "",
        REASON: wanted.reason,
        REFERENCE: wanted.reference,
    }
    if wanted.verdict == "marketing" and record.properties.get(VERDICT) == AWAITING:
        said[VERDICT] = AWAITING
    wrong = [name for name, value in said.items() if (record.properties.get(name) or "") != value]
    if wrong:
        names = ", ".join(f"{name} {said[name] or 'empty'}" for name in wrong)
        shows = ", ".join(f"{name} {record.properties.get(name) or 'empty'}" for name in wrong)
        shows = shows if record.properties.get(VERDICT) else NEVER
        yield Difference("property_differs", *about, names, shows, wanted.position, email)


# --- an address ----------------------------------------------------------------------------------


def _of_address(record: RecordShown, held: Held, scene: Scene, given_at: GivenAt) -> Iterator[Difference]:
    shown = scene.states.get(held.email)
    standing = scene.standings.get(held.contact or "")
    if shown is None or standing is None or held.address is None or held.address not in standing.addresses:
        return
    wanted = wanted_address(standing, held.address, scene.meant)
    person = _Person(record, held.email, standing, standing.addresses[held.address], wanted, scene, given_at)
    primary = bool(record.held) and record.held[0].email == held.email
    if shown.all_out or (primary and record.properties.get(ALL_OUT) == "true"):
        if wanted.all_out is None:
            yield person.left("", getattr(shown, "all_out_at", None), "opted out of all e-mail", person.every)
        return
    if wanted.all_out is not None:
        on = [one for one in shown.types if one.state == "subscribed"]
        latest = max((at for one in on if (at := getattr(one, "at", None)) is not None), default=None)
        words = f"subscribed to {len(on)} {'type' if len(on) == 1 else 'types'}" if on else "not opted out"
        yield person.on_though_stopped("", wanted.all_out, words, latest, "")
        return
    for one in shown.types:
        yield from person.of_type(one.type_id, one.state, getattr(one, "at", None), str(getattr(one, "source", "")))
    for kind, (state, answer) in wanted.types.items():
        if state == "unsubscribed" and kind not in {one.type_id for one in shown.types}:
            yield person.on_though_stopped(kind, answer, "not opted out", None, "")


class _Person(NamedTuple):
    """One address, and everything that is held against what HubSpot shows of it."""

    record: RecordShown
    email: str
    standing: Standing
    answers: Mapping[str, Answer]
    wanted: WantedAddress
    scene: Scene
    given_at: GivenAt

    @property
    def every(self) -> list[Answer]:
        """What is answered for each marketing purpose."""
        return [self.answers[name] for name in MARKETING_PURPOSES]

    def of_type(self, kind: str, state: str, at: datetime | None, source: str) -> Iterator[Difference]:
        """One subscription that HubSpot shows."""
        if kind not in self.scene.meant.types:
            return
        purposes = self.scene.meant.types[kind]
        answers = [self.answers[name] for name in (self.scene.meant.nameless if purposes is None else purposes)]
        wanted = self.wanted.types.get(kind)
        if state == "unsubscribed":
            if kind in self.wanted.unheard:
                yield self.left(kind, at, "opted out of this type", answers)
        elif wanted is not None and wanted.state == "unsubscribed":
            words = "subscribed" if state == "subscribed" else "not opted out"
            yield self.on_though_stopped(kind, wanted.answer, words, at, source)
        elif state == "subscribed" and answers and not any(one.allowed for one in answers):
            said = f"no basis ({answers[0].reason})" + ("; nobody declared the type" if purposes is None else "")
            yield self._of("crm_on_without_basis", kind, said, "subscribed", answers[0].position, at, source)

    def left(self, kind: str, at: datetime | None, words: str, answers: Sequence[Answer]) -> Difference:
        """HubSpot shows an opt-out that the ledger does not hold; or holds, and a later yes of the person."""
        allowed = [one for one in answers if one.allowed]
        later = [one for one in allowed if self._is_later(one, at)]
        if later:
            return self._of("opted_in_later_elsewhere", kind, "opted in later", words, later[0].position, at)
        said = "allows it" if allowed else "holds no stop of it"
        position = allowed[0].position if allowed else self.standing.first
        return self._of("crm_opted_out_ledger_allows", kind, said, words, position, at)

    def on_though_stopped(self, kind: str, answer: Answer, words: str, at: datetime | None, source: str) -> Difference:
        """HubSpot would send to somebody whom a stop of the ledger covers."""
        return self._of("crm_on_ledger_stopped", kind, f"stopped ({answer.reason})", words, answer.position, at, source)

    def _is_later(self, answer: Answer, at: datetime | None) -> bool:
        given = self.given_at(answer.position) if answer.basis == Basis.EXPLICIT_CONSENT else None
        return at is not None and given is not None and given > at

    def _of(
        self, kind: Kind, about: str, ledger: str, crm: str, position: int, at: datetime | None, source: str = ""
    ) -> Difference:
        return Difference(
            kind, self.standing.contact, self.record.id, ledger, crm, position, self.email, about, at, source
        )
