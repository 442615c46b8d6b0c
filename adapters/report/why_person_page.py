"""The page for the person who asked: the same answer in plain words, fit to be sent."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.report import wording
from adapters.report.why import Why, WhyRow, WhySend
from adapters.report.why_blocks import Block, Drawing, Facts, Page, Para, Quote, Section, Table, happened, line, lines
from adapters.report.why_drawing import LEGEND, caption, drawing
from adapters.report.why_page import NO_SEND, TONES, sentence_case
from adapters.report.why_tables import in_time

BASES: dict[str, str] = {
    "explicit_consent": "your consent",
    "soft_opt_in": "you are a customer and did not refuse when asked",
    "charity_soft_opt_in": "you supported the cause and did not refuse when asked",
    "implied_consent": "a recent purchase or enquiry of yours",
    "inferred_consent": "a relationship with you",
    "legitimate_interest_b2b": "your published business role",
    "opt_out_regime": "the law there asks for no consent",
    "contract": "a contract with you",
    "not_marketing": "it is not marketing",
}
RIGHTS = (
    "You can object to marketing at any time, in any words and at no cost; we then stop. You can ask what we hold "
    "about you, have it corrected, and ask to be erased. You can complain to the data "
    "protection authority where you live."
)
_SHOWN = 14
_ASKS = " and what the rule named here asks for"
_MET = {True: "on record", False: "contradicted by what is on record", None: "not on record"}


def person_page(why: Why) -> Page:
    """What is told to the person: nothing of anybody else, no id, no position."""
    return Page(
        kicker="What our records say about e-mail to" if why.email else "What our records say about messages to",
        title=line(why.email or "you: no e-mail address is on record", 120),
        meta=tuple(_meta(why)),
        first=tuple(_send(send) for send in why.sends) or (NO_SEND,),
        tone=TONES[why.verdict],
        verdict=sentence_case(why.verdict) + ".",
        answer=tuple(_answer(why)),
        sections=tuple(_sections(why)),
        footer=(f"This says what our records hold{_ASKS if why.rule else ''}. It is not legal advice.",),
        dated=why.question.known_at,
    )


def _meta(why: Why) -> Iterator[str]:
    about = wording.day(why.question.day) if why.question.day else wording.moment(why.question.on)
    yield " · ".join(filter(None, (why.controller and line(why.controller, 120), f"about {about}")))
    yield f"On what was on record by {wording.moment(why.question.known_at)}."


def _send(send: WhySend) -> str:
    subject = f", “{line(send.subject, 160)}”" if send.subject else ""
    purpose = f" It counts as: {wording.purpose(send.purpose)}." if send.purpose else ""
    return f"We wrote to you on {happened(send.at, None, send.precision)} UTC{subject}.{purpose}"


def _answer(why: Why) -> Iterator[str]:
    yield f"This is about {wording.purpose(why.question.purpose)}, by {wording.channel(why.question.channel)}."
    yield why.sentence


def _sections(why: Why) -> Iterator[Section]:
    rows = in_time(why.timeline)[-_SHOWN:]
    if rows:
        older = len(why.timeline) - len(rows)
        note = f" {wording.counted(older, 'older entry', 'older entries')} not shown." if older else ""
        table = Table(
            "",
            ("", "what", "when", "in our source since", "in our records since"),
            tuple(_row(number, row) for number, row in enumerate(rows, 1)),
            (4, 40, 20, 18, 18),
        )
        drawn = Drawing(drawing(rows, why.question.on), caption(rows), LEGEND)
        yield Section(
            "history", "What is on record about you", (drawn, table, Para(f"Times are UTC.{note}", small=True))
        )
    else:
        yield Section(
            "history", "What is on record about you", (Para("No opt-in, contract, opt-out or message is on record."),)
        )
    shown = [one for one in why.documents if one.text]
    if shown:
        quoted: list[Block] = [Quote(lines(one.text or "", 1200), "the words that were shown") for one in shown]
        yield Section("words", "What was shown", tuple(quoted))
    yield Section("rule", "The rule applied" if why.rule else "Whose rules were applied", (Facts(tuple(_rule(why))),))
    if why.answers:
        yield Section("purposes", "By kind of message", (_purposes(why),))
    yield Section("rights", "What you can do", (Para(RIGHTS), *_requests(why)))


def _purposes(why: Why) -> Table:
    """The answer of each purpose; and because of what it is allowed, where any is."""
    answers = [(wording.purpose(one.purpose), one.verdict) for one in why.answers]
    if not any(one.basis for one in why.answers):
        return Table("", ("for", "answer"), tuple(answers), (50, 50))
    bases = [BASES.get(one.basis or "", "") for one in why.answers]
    rows = tuple((*answer, basis) for answer, basis in zip(answers, bases, strict=True))
    return Table("", ("for", "answer", "because of"), rows, (34, 32, 34))


def _row(number: int, row: WhyRow) -> tuple[str, ...]:
    held = f"{row.held_since:%Y-%m-%d}" if row.held_since else "not shown"
    when = happened(row.happened_from, row.happened_to, row.precision)
    return (str(number), line(row.what, 200), when, held, f"{row.recorded_at:%Y-%m-%d}")


def _rule(why: Why) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "Countries", ("; ".join(one.name or one.code for one in why.jurisdictions) or "not known",)
    if why.basis:
        yield "Because of", (BASES.get(why.basis, why.basis.replace("_", " ")),)
    if why.rule:
        yield "Rule", (why.rule.text,)
        yield "Source", (why.rule.source,)
    for met, word in _MET.items():
        names = [one.name for one in why.conditions if one.met is met]
        if names:
            yield sentence_case(word), ("; ".join(names),)


def _requests(why: Why) -> Iterator[Para]:
    for one in why.requests:
        what = "be erased" if one.kind == "erasure" else "be told what we hold"
        yield Para(f"Your request of {one.received} to {what} is open; it is to be answered by {one.due}.")
