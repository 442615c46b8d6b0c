"""Commands about one person: why, status, history, correct, merge; and the replay of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.table import Table

from adapters.cli.effect import Effect
from adapters.cli.options import EXIT, console, moment, open_house, out, show
from adapters.effects import allowed_now
from adapters.files import check_file, write_whole
from adapters.identification import Person, reference_of
from adapters.report import wording
from adapters.report.masking import mask_email
from adapters.report.why import why_json
from adapters.report.why_text import render_why
from adapters.sent_mail import mail_called
from adapters.vocabulary import unknown_in_question
from adapters.why_history import held_since
from adapters.why_person import for_person
from adapters.why_words import WHAT, describe, reason_in_words
from adapters.whys import Asked, answer
from adapters.wiring import House, keep_files, now
from ledger import events as e
from ledger.codec import topic_of
from ledger.commands import Merge, Signature, Unmerge


def run_why(
    email: str | None,
    ledger: Path | None,
    asked: Asked,
    *,
    message_id: str | None = None,
    person: bool = False,
    html: Path | None = None,
    pdf: Path | None = None,
    json: bool = False,
) -> int:
    """Explain one answer, on the screen and as files; the exit code."""
    for wanted in (html, pdf):
        if wanted is not None:
            check_file(wanted)
    with open_house(ledger) as house:
        if message_id is not None:
            mail = mail_called(house, message_id)
            email = reference_of(mail.event.stream, mail.position)
        assert email is not None  # noqa: S101 - one of the two is asked about, see `main.why`
        why = answer(house, email, asked)
        if person:
            why = for_person(house, email, asked, why)
    if html is not None:
        from adapters.report.why_html import why_html

        _write(html, why_html(why).encode())
    if pdf is not None:
        from adapters.report.why_pdf import why_pdf

        _write(pdf, why_pdf(why))
    if json:
        out(why_json(why))
    elif html is None and pdf is None:
        render_why(why, console())
    return EXIT.OK


def _write(path: Path, content: bytes) -> None:
    """One file about one person: for its owner alone, and whole or not at all."""
    write_whole(path, content)
    show(f"wrote {path}")


def asked_of(
    on: str | None, purpose: str | None, channel: str, known_at: datetime | None, law_at: datetime | None
) -> Asked:
    """What the options ask: without a time of day, the whole day. What will be recorded, nobody knows yet."""
    refuse_unknown(purpose, channel)
    at = moment(on)
    known_at = known_at and min(known_at, now())
    day = at.date() if at is not None and on is not None and len(on) == len("2026-11-23") else None
    return Asked(at or now(), purpose, channel, known_at, law_at, day, open=at is None)


def refuse_unknown(purpose: str | None, channel: str) -> None:
    """Raise BadParameter for a purpose or a channel that no rule knows."""
    unknown = unknown_in_question(purpose, channel)
    if unknown:
        raise typer.BadParameter("; ".join(f"--{reason.field} {reason.problem}" for reason in unknown))


def run_status(whom: str, ledger: Path | None, json: bool) -> int:
    """What is allowed now, purpose by purpose; the exit code."""
    with open_house(ledger) as house:
        person = house.whom(whom)
        rows = _status(house, person, now())
    shown = named(person, whom)
    if json:
        out(msgspec.json.format(msgspec.json.encode({"email": shown, "status": rows}), indent=2))
        return EXIT.OK
    table = Table("for", "by", "answer", "legal basis or reason", "until", box=None, pad_edge=False)
    for row in rows:
        word = "allowed" if row["allowed"] else "not allowed"
        why = wording.basis(row["basis"]) if row["basis"] else reason_in_words(row["reason"])
        purpose, channel = wording.purpose(row["purpose"]), wording.channel(row["channel"])
        table.add_row(purpose, channel, word, why, row["changes_at"] or "")
    screen = console()
    screen.print(f"{shown}, now, by the rules applied", style="bold")
    screen.print(table)
    return EXIT.OK


def named(person: Person, text: str) -> str:
    """A person as a screen may name one: the masked address, else the reference or record that was given."""
    return text if person.email is None else mask_email(person.email)


def _status(house: House, person: Person, at: datetime) -> list[dict[str, Any]]:
    """The rows of the address, never staler than its last fact; the answer that holds at a moment."""
    contact, address, *_ = person
    rows = []
    for row in house.runner.current(contact):
        decision = row.at(at)
        if row.address not in (None, address) or decision is None:
            continue
        later = next((segment.start for segment in row.segments if segment.start > at), None)
        rows.append(
            {
                "purpose": row.purpose,
                "channel": row.channel,
                "allowed": decision.allowed,
                "basis": decision.basis,
                "reason": decision.reason,
                "rules": decision.rules,
                "evidence": decision.evidence,
                "changes_at": later.date().isoformat() if later else None,
            }
        )
    return rows


def run_history(whom: str, ledger: Path | None, json: bool) -> int:
    """Every fact about the contact of an address; the exit code."""
    with open_house(ledger) as house:
        person = house.whom(whom)
        entries = house.entries(person.contact)
        if json:
            facts = [
                {"position": n.position, "version": n.version, "topic": topic_of(n.event)}
                | {"entry": msgspec.to_builtins(n.event), "payload": dict(house.payload(n.event))}
                for n in entries
            ]
            out(msgspec.json.format(msgspec.json.encode(facts), indent=2))
            return EXIT.OK
    table = Table("pos", "happened", "held since", "recorded", "what", box=None, pad_edge=False)
    for entry in entries:
        event = entry.event
        table.add_row(
            str(entry.position),
            happened(event),
            _day(held_since(event)) or "not shown",
            _day(event.recorded_at),
            describe(event) if type(event) in WHAT else topic_of(event),
        )
    screen = console()
    screen.print(f"{named(person, whom)}, contact {person.contact}", style="bold")
    screen.print(f"reference of a fact: CL-{person.contact[:8]}-POSITION")
    screen.print(table)
    return EXIT.OK


def happened(event: e.Event) -> str:
    """The day or days of a fact, for a person."""
    if event.is_impossible:
        return "unknown (impossible time)"
    if event.occurred_from is None:
        return f"before {_day(event.occurred_to)}" if event.occurred_to else "unknown"
    if event.occurred_to and _day(event.occurred_to) != _day(event.occurred_from):
        return f"{_day(event.occurred_from)}..{_day(event.occurred_to)}"
    return _day(event.occurred_from)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""


def run_link(
    first: str,
    second: str,
    ledger: Path | None,
    by: str,
    role: str,
    reason: str,
    evidence: Sequence[Path],
    *,
    undo: bool,
) -> int:
    """Merge two contacts, or unmerge them, and say what that changed of each; the exit code."""
    with open_house(ledger) as house:
        people = [house.whom(text) for text in (first, second)]
        ids = [person.contact for person in people]
        before = [allowed_now(house, (person.contact, person.address), now()) for person in people]
        folds = house.contacts(ids)
        signed = Signature(name=by, role=role, reason=reason, evidence=keep_files(house.ledger, evidence))
        command = Unmerge(signed=signed) if undo else Merge(signed=signed)
        positions = house.carry_out(command, [folds[name] for name in ids])
        after = [allowed_now(house, (person.contact, person.address), now()) for person in people]
    show(f"The two are {'separate again' if undo else 'merged'} (positions {', '.join(map(str, positions))}).")
    for person, was, is_now in zip(people, before, after, strict=True):
        show(f"{Effect(was, is_now).as_text(person.email)}.")
    return EXIT.OK


def run_replay(ledger: Path | None, compare: bool, json: bool) -> int:
    """Rebuild every answer from the log alone; with `compare`, against those followed live."""
    with open_house(ledger) as house:
        runner = house.runner
        if not compare:
            position = runner.rebuild()
            show(f"rebuilt the status of every contact, up to position {position}")
            return EXIT.OK
        runner.follow(once=True)
        found = runner.replay()
    listed = [{"what": d.what, "contact": d.contact, "purpose": d.purpose, "channel": d.channel} for d in found.listed]
    if json:
        out(
            msgspec.json.encode(
                {
                    "position": found.position,
                    "rows": found.rows,
                    "differences": found.differing,
                    "altered": found.altered,
                    "fault": found.fault,
                    "same_setting": found.same_setting,
                    "listed": listed,
                }
            )
        )
    else:
        show(f"{found.rows} answers at position {found.position}: {found.differing} differences")
        if found.altered:
            show(f"{found.altered} of them are not as this ledger wrote them")
        if found.fault:
            show(found.fault)
        for difference in listed[:20]:
            show("  " + ", ".join(str(value) for value in difference.values()))
    return EXIT.OK if found.equal else EXIT.VERIFICATION
