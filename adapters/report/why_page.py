"""The page for counsel: the send, the answer, and everything it rests on, as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.report import why_details as details
from adapters.report import why_tables as tables
from adapters.report import wording
from adapters.report.why import Why, WhySend
from adapters.report.why_blocks import Block, Facts, Field, Page, Para, Section, Tone, line, stamp

NO_SEND = "No send on record; this answers whether one would have been allowed."
TONES: dict[str, Tone] = {
    wording.ALLOWED: "allowed",
    wording.NOT_ALLOWED: "not_allowed",
    wording.NOT_SHOWN: "not_shown",
}
SENDS_SHOWN = 3
UTC_NOTE = (
    "Times are UTC; numbers in brackets are positions in the ledger. “We” is this ledger: when the company itself "
    "received something is shown only where its source says since when it held it."
)


def counsel_page(why: Why) -> Page:
    """What a lawyer files: one sheet for the common case, an annex for what does not fit."""
    annex = tuple(_annex(why))
    return Page(
        kicker=question_of(why),
        title=line(why.email or why.email_masked, 120),
        meta=tuple(_meta(why)),
        first=first_lines(why),
        tone=TONES[why.verdict],
        verdict=sentence_case(why.verdict) + ".",
        answer=tuple(_answer(why)),
        sections=tuple(_sections(why, bool(annex))),
        annex=(*annex, _how_to_get(why)) if annex and why.not_looked_at else annex,
        footer=(wording.NOT_ADVICE,),
        dated=why.question.known_at,
    )


def question_of(why: Why) -> str:
    """What the page answers."""
    if why.sends:
        return "Why was this person written to?"
    return "Might this person have been written to?" if why.question.day else "May this person be written to?"


def sentence_case(text: str) -> str:
    """With a capital first."""
    return text[:1].upper() + text[1:]


def _meta(why: Why) -> Iterator[str]:
    asked = why.question
    about = f"asked about {wording.day(asked.day)}" if asked.day else f"asked about {wording.moment(asked.on)}"
    yield " · ".join(filter(None, (why.controller and line(why.controller, 120), f"reference {why.reference}", about)))
    law = f"law declared by {stamp(asked.law_at)[:10]}" if asked.law_at else "law as the rule set knows it"
    yield f"On what was recorded by {wording.moment(asked.known_at)}; {law}."


# --- the first line ------------------------------------------------------------------------------


def first_lines(why: Why) -> tuple[str, ...]:
    """The sends on record that day, or that there is none."""
    return (
        tuple(_send_line(send) for send in why.sends[:SENDS_SHOWN]) + _more(why.sends[SENDS_SHOWN:])
        if why.sends
        else (NO_SEND + (" Sends at other times are in the history below." if _sent_elsewhere(why) else ""),)
    )


def _sent_elsewhere(why: Why) -> bool:
    return any(row.kind == "send" for row in why.timeline)


def _more(sends: Sequence[WhySend]) -> tuple[str, ...]:
    return (f"and {wording.counted(len(sends), 'more send')} that day: see the annex",) if sends else ()


def _send_line(send: WhySend) -> str:
    purpose = f"purpose: {wording.purpose(send.purpose or '')}, classified {send.classified or 'by nobody named'}"
    if send.purpose is None:
        purpose = (
            f"purpose not classified ({send.classified})" if send.classified else "purpose not classified by anybody"
        )
    parts = (
        f"Sent {tables.sent_at(send)} UTC" + (f" [{send.position}]" if send.position else ""),
        f"subject “{line(send.subject, 160)}”" if send.subject else "subject not on record",
        f"message {line(send.message, 90)}" if send.message else "message id not on record",
        f"campaign {line(send.campaign, 80)}" if send.campaign else "campaign not on record",
        f"from {line(send.sender, 90)}" if send.sender else "sending entity not on record",
        f"list {line(send.list, 80)}" if send.list else "",
        f"workflow {line(send.workflow, 80)}" if send.workflow else "",
        "" if send.list or send.workflow else "list or workflow not on record",
        line(purpose, 200),
    )
    return "; ".join(filter(None, parts)) + "."


# --- the answer ----------------------------------------------------------------------------------


def _answer(why: Why) -> Iterator[str]:
    asked = why.question
    when = "at the moment of the send," if why.sends and asked.day else "at"
    yield why.sentence
    about = f"{wording.purpose(asked.purpose)}, by {wording.channel(asked.channel)}"
    yield f"Asked about: {about}, {when} {wording.moment(asked.on)}."
    if why.since is not None:
        end = f"until {why.changes_at.isoformat()}" if why.changes_at else "with no end set"
        yield f"Allowed since {stamp(why.since)} UTC, {end}."
    if why.known_then:
        yield why.known_then


def _sections(why: Why, annexed: bool) -> Iterator[Section]:
    if why.answers:
        yield Section("purposes", "Each marketing purpose", (tables.purposes(why),))
    facts = len(tables.told(why.timeline))
    if facts:
        drawn, table = tables.timeline(why)
        rest = facts - len(table.rows)
        note = f" {wording.counted(rest, 'further fact')} in the annex." if rest else ""
        blocks: tuple[Block, ...] = (drawn, table, Para(UTC_NOTE + note, small=True))
        yield Section("history", "What happened, on three clocks", blocks)
    else:
        yield Section("history", "What happened", (Para("Nothing on record."),))
    none = Para("No opt-out, objection or complaint is on record.")
    yield Section(
        "stops", "Opt-outs and objections, and what was sent after each", (tables.stops(why) if why.stops else none,)
    )
    yield Section("grounds", "What the answer rests on", (Facts(tuple(details.grounds(why))),))
    yield Section("around", "Other records, open requests, sources", (Facts(tuple(details.around(why, annexed))),))
    yield Section("note", "Note of counsel", (*details.notes(why), Field("Name, role, date, note")))


# --- the annex -----------------------------------------------------------------------------------


def _annex(why: Why) -> Iterator[Section]:
    """Only what did not fit on the page; then also what the page would say in fewer words."""
    if len(why.sends) > SENDS_SHOWN:
        rows = tuple((f"{n}", (_send_line(send),)) for n, send in enumerate(why.sends[SENDS_SHOWN:], SENDS_SHOWN + 1))
        yield Section("all-sends", "Further sends of that day", (Facts(rows),))
    if len(tables.told(why.timeline)) > tables.SHOWN:
        yield Section("all-history", "The whole history", (tables.whole_history(why),))
    sent = tuple(tables.sends_after(why))
    if sent:
        yield Section("all-after", "Sends after an opt-out or objection", sent)
    quoted = tuple(details.quotes(why))
    if quoted:
        yield Section("all-documents", "Kept documents", quoted)


def _how_to_get(why: Why) -> Section:
    rows = tuple((line(one.name, 80), (f"{one.settles}. {one.get}",)) for one in why.not_looked_at)
    return Section("all-sources", "Not looked at, and how to get it", (Facts(rows),))
