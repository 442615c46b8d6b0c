"""What must hold once everything is at rest, by what the harness itself saw: who said what, and what HubSpot shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import msgspec

from adapters.hubspot import notices
from adapters.hubspot.changes import SOURCE as HUBSPOT
from adapters.inbox_schema import PART, PRAGMAS, metadata
from adapters.kafka.topics import STATUS_DLQ
from ledger import codec
from ledger.database import open_database
from ledger.events import Complained
from projections.contact_status import ContactStatus
from tests.adapters.kafka.publishing_world import projection
from tests.faults.crm_acts import ALL, MEANS, SOURCE, Crowd, Own
from tests.faults.crm_stage import CrmStage
from tests.hubspot.contacts import Contact
from tests.hubspot.definitions import MARKETABLE, OPTOUT, UNTIL_RENEWAL
from tests.hubspot.journal import Change, Flip
from tests.hubspot.state import APP, MARKETING_INFORMATION, PRODUCT_NEWS, State

VERDICT, BASIS, REASON = "consent_ledger_verdict", "consent_ledger_basis", "consent_ledger_reason"
ELSEWHERE = frozenset({"opted_in_later_elsewhere", "crm_opted_out_ledger_allows"})
ON_THOUGH_STOPPED = "crm_on_ledger_stopped"


Answer = tuple[bool, str | None, str | None]


class Drifted(NamedTuple):
    """A difference that the program names, of one address."""

    kind: str
    email: str
    record: str
    about: int | None
    flipped: bool


def _none(found: Sequence[object]) -> None:
    assert not found, "\n".join(map(str, found))


# --- no stop is undone ----------------------------------------------------------------------------


def nobody_was_turned_on_by_us(state: State) -> None:
    """Of all flips from off to on, none is our app's."""
    _none([flip for flip in state.turned_on() if _is_ours(flip)])


def _is_ours(one: Flip | Change) -> bool:
    return one.actor.id == str(APP)


def stops_are_kept(state: State, crowd: Crowd) -> int:
    """Whoever's last own word was a stop is out, on every record that there still is; how many they are."""
    broken: list[str] = []
    stopped = 0
    for email in _held(state):
        address = state.address(email)
        for kind, last in _last_words(crowd.own[email]):
            if last.what == "stop":
                stopped += 1
                if not address.out(kind):
                    broken.append(f"{email}, type {kind}: {last}")
    _none(broken)
    return stopped


def _held(state: State) -> list[str]:
    """Addresses of the records that are neither deleted nor part of another."""
    live = [contact for contact in state.contacts.by_id.values() if not contact.archived]
    return [email for contact in live for email in contact.addresses]


def _last_words(own: Sequence[Own]) -> Iterator[tuple[int, Own]]:
    """The last thing said about each declared type; about every other one, only if it was said of all mail."""
    for kind in MEANS:
        said = [one for one in own if kind in one.types]
        if said:
            yield kind, said[-1]
    if own and own[-1].types == ALL:
        yield from ((kind, own[-1]) for kind in ALL - MEANS.keys())


# --- HubSpot is as the ledger answers -------------------------------------------------------------


def drift(stage: CrmStage, crowd: Crowd) -> list[Drifted]:
    """What the program names."""
    asked = stage.run("drift", "--json")
    assert asked.returncode == 0, asked.stderr
    whose = {stage.house.find(email)[0][:8]: email for email in crowd.people}
    return [
        Drifted(
            row["kind"],
            whose[row["reference"].split("-")[1]],
            row["record_id"],
            int(row["subscription_type"]) if row["subscription_type"] else None,
            row["flipped"],
        )
        for row in json.loads(asked.stdout)["differences"]
    ]


def differences_are_explained(found: Iterable[Drifted], state: State, crowd: Crowd) -> None:
    """Each is one that no write may end, and came about as that kind does."""
    _none([one for one in found if not _explained(one, state, crowd)])


def _explained(one: Drifted, state: State, crowd: Crowd) -> bool:
    record = state.contacts.by_id.get(int(one.record))
    if one.kind == "record_gone":
        return record is None or record.archived
    if record is None:
        return False
    if one.kind == "merged_in_crm":
        return any(kept in record.addresses for kept in crowd.joined.values())
    if one.kind in ELSEWHERE:  # out there, and the person's own later yes is here: only a person may turn it on
        return _said_yes_here(crowd.own[one.email], one.about)
    if one.kind == "crm_on_without_basis":  # never asked about here, and somebody else turned it on
        return not _is_ours(_last_change(state, one.email, str(one.about)))
    if one.kind == "marketing_mark_differs":  # the workflow takes nobody whose answer is open; or HubSpot waits
        verdict, waits = record.properties.get(VERDICT), record.properties.get(UNTIL_RENEWAL) == "true"
        marketing = record.properties.get(MARKETABLE) == "true"
        return marketing and (verdict == "undecided" or (verdict == "non_marketing" and waits))
    return False


def _said_yes_here(own: Sequence[Own], about: int | None) -> bool:
    """Whether, since the last stop of all that, the person said yes at the ledger's own door."""
    kinds = ALL if about is None else frozenset({about})
    return any(
        one.what == "yes" and one.where == "ledger" and one.types & kinds
        and not any(later.what == "stop" and later.types >= one.types & kinds for later in own[place + 1 :])
        for place, one in enumerate(own)
    )  # fmt: skip


def _last_change(state: State, email: str, kind: str) -> Change:
    return [one for one in state.changes() if one.email == email and one.what == "type" and one.name == kind][-1]


def properties_are_the_status_rows(stage: CrmStage, crowd: Crowd) -> int:
    """On every record that there is: marketing where all who are on it allow it, with a basis or reason of theirs.

    A row has the purposes that facts name: of who said yes to all, and then no to some, HubSpot is told of the rest.
    """
    told = projection(stage.house)
    whose = {email: told[stage.house.find(email)[0]] for email in crowd.people}
    wrong: list[str] = []
    records = [one for one in stage.state.contacts.by_id.values() if not one.archived]
    for record in records:
        answers = [_answers(whose[email], crowd.own[email]) for email in record.addresses if email in whose]
        wrong += _wrong(record, answers)
    _none(wrong)
    return len(records)


def _answers(row: ContactStatus, own: Sequence[Own]) -> set[Answer]:
    """What may be shown of one contact: (allowed, basis, reason)."""
    cells = [cell for cell in row.cells if cell.channel == "email"]
    allowed: set[Answer] = {(True, cell.basis, cell.reason) for cell in cells if cell.allowed}
    if not allowed and _said_yes_here(own, MARKETING_INFORMATION):
        return {(True, "explicit_consent", "proven")}
    return allowed or {(False, None, cell.reason) for cell in cells}


def _wrong(record: Contact, answers: Sequence[set[Answer]]) -> Iterator[str]:
    """One that allows nothing is stricter than any that does."""
    shown = record.properties
    held = (shown.get(VERDICT) == "marketing", shown.get(BASIS) or None, shown.get(REASON))
    refusing = [one for one in answers if not any(allowed for allowed, _, _ in one)]
    if held not in set().union(*(refusing or answers)):
        yield f"{record.id}: {held}, not one of {refusing or answers}"


# --- nothing is lost ------------------------------------------------------------------------------


def webhooks_are_heard(stage: CrmStage) -> tuple[int, int]:
    """Every one that was answered with yes: its fact is in the log, or it is dead and says why; (all, dead)."""
    house, taken = stage.house, {}
    for one in stage.sender.sent:
        notice = notices.read(msgspec.json.encode(one))
        assert isinstance(notice, notices.Notice)
        taken[notice.key] = notice
    ends = _ends(stage)
    marks = {key: house.ledger.sid("webhook:hubspot", key) for key in taken}
    _none([key for key, mark in marks.items() if mark not in ends])
    dead = {key for key, mark in marks.items() if ends[mark][0] == "dead"}
    assert all(ends[marks[key]][1] for key in dead)
    missing = [one for key, one in taken.items() if key not in dead and _is_stop(one) and not _is_logged(stage, one)]
    _none(missing)
    return len(taken), len(dead)


def _ends(stage: CrmStage) -> dict[bytes, tuple[str, str | None]]:
    with (
        closing(open_database(stage.house.location(PART), PART, metadata, PRAGMAS)) as box,
        box.reading() as driver,
    ):
        rows = driver.execute("SELECT mark, state, problem FROM delivery").fetchall()
    assert {state for _, state, _ in rows} <= {"done", "dead"}
    return {bytes(mark): (state, problem) for mark, state, problem in rows}


def _is_stop(one: notices.Notice) -> bool:
    return (one.property_name or "").startswith(OPTOUT)


def _is_logged(stage: CrmStage, one: notices.Notice) -> bool:
    key = f"{one.object_id}:{one.property_name}:{one.property_value}:{codec.instant(one.at)}"
    ledger = stage.house.ledger
    return bool(ledger.log.find({ledger.sid(HUBSPOT, key), ledger.sid(HUBSPOT, f"{key}:record")}))


def facts_are_recorded_once(stage: CrmStage, crowd: Crowd) -> None:
    """Those of the service's own door at the position that was told; complaints of the other sender each once."""
    ledger = stage.house.ledger
    found = ledger.log.find({ledger.sid(SOURCE, one) for one in crowd.acknowledged})
    assert sorted(one.position for one in found.values()) == sorted(crowd.acknowledged.values())
    held = [codec.decode(state) for _, _, state in ledger.log.read(0, 10**6)]
    assert sum(one.source == SOURCE for one in held) == len(crowd.acknowledged)
    assert len(crowd.acknowledged) == crowd.told
    assert sum(one.source == "postmark" and isinstance(one, Complained) for one in held) == len(crowd.complained)


def letters(stage: CrmStage) -> list[Any]:
    """Answers that could not be written."""
    return stage.read(STATUS_DLQ)


# --- what others do behind our back ---------------------------------------------------------------


def flipped_behind_our_back(stage: CrmStage, crowd: Crowd, most: int = 3) -> list[str]:
    """Another app turns some on whose last word was a stop of everything; nobody tells us of it."""
    stage.sender.held = True
    done: list[str] = []
    for email in crowd.people:
        own = crowd.own[email]
        if len(done) < most and own and own[-1].what == "stop" and own[-1].types == ALL and crowd.reachable(email):
            stage.state.app_sets_status(email, True, PRODUCT_NEWS)
            done.append(email)
    return done


def drift_names_the_flips(found: Iterable[Drifted], flipped: Sequence[str]) -> None:
    """All of them, as flips, and nobody else."""
    named = [one for one in found if one.kind == ON_THOUGH_STOPPED]
    assert sorted({one.email for one in named if one.flipped}) == sorted(flipped), named
    assert all(one.flipped for one in named), named
