"""What to do next, in seven steps: the same words for `NEXT-STEPS.md` and for the report's second page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from adapters.report import changes, figures, lost, origins, permission, prose, resting, sources, wording
from adapters.report.prose import Block, Grid, Points, said
from adapters.report.tally import Tally
from projections.verdicts import QUESTIONS, Audit, Count, Speaker, Undeclared


class Step(NamedTuple):
    """One step. `short` says it in a line, and is empty where there is nothing to do."""

    title: str
    short: str
    blocks: tuple[Block, ...]


def steps(
    audit: Audit, tally: Tally, rows: Mapping[str, int], besides: figures.Besides = figures.NO_MORE
) -> tuple[Step, ...]:
    """The seven steps, in order. `rows`: of each CSV; `besides`: those of `do-not-send.csv` that are no record's."""
    return (
        _today(audit, tally, rows, besides),
        _missing_files(audit),
        _evidence_map(audit),
        _sheet(audit),
        _asking(audit, tally, rows),
        _rest(audit, tally),
        _prevention(audit),
    )


def _whose(audit: Audit) -> str:
    named = wording.company(audit.controller)
    return f"{named}: {wording.NAME_IT}" if named == wording.NOT_NAMED else f"Audit of {said(named)}"


def next_steps(audit: Audit, todo: tuple[Step, ...]) -> str:
    """`NEXT-STEPS.md`."""
    opening: list[Block] = [
        f"{_whose(audit)}, {wording.moment(audit.at)}, ledger position {audit.ledger_position}.",
    ]
    if audit.before:
        opening += [f"What changed {changes.since(audit)}:", Points(tuple(changes.changed(audit)))]
    if unread := lost.sentences(audit.lost_stops):
        opening = ["Opt-outs may be missing. This comes first:", Points(unread), *opening]
    parts = ["# Next steps", prose.markdown(opening)]
    for number, step in enumerate(todo, start=1):
        parts += [f"## {number}. {step.title}", prose.markdown(step.blocks)]
    return "\n\n".join((*parts, wording.NOT_ADVICE)) + "\n"


def _today(audit: Audit, tally: Tally, rows: Mapping[str, int], besides: figures.Besides) -> Step:
    opt_outs, hold, off = (rows[name] for name in ("opt-out-list.csv", "do-not-send.csv", "set-non-marketing.csv"))
    counts = (figures.of_staying(audit), figures.of_the_bill(audit), figures.of_sending(audit, besides))
    if not (opt_outs or hold or off):
        return Step("Today: opt-outs, do-not-send, off the bill", "", ("Nothing to do: the three lists are empty.",))
    return Step(
        "Today: opt-outs, do-not-send, off the bill",
        f"Import {wording.counted(opt_outs, 'opt-out')}, hold {hold:,} out of every send, "
        f"take {off:,} off the marketing bill.",
        (
            "Do this in the order given. `IMPORT-ORDER.md` has the clicks, with how to check and how to undo them.",
            Points(
                (
                    f"First `opt-out-list.csv` ({opt_outs:,}): import it as an opt-out list. An opt-out from all "
                    "marketing is on record for these, and HubSpot does not show it." + _stopped_by_review(audit),
                    f"Then `do-not-send.csv` ({hold:,}): keep it out of every send, until a later audit says "
                    "otherwise.",
                    f"Then `set-non-marketing.csv` ({off:,}): take them off the marketing bill, wave by wave.",
                )
            ),
            *filter(None, (" ".join(filter(None, counts)),)),
            "Take them off in three waves:",
            Points(
                tuple(f"wave {wave} ({tally.waves[str(wave)]:,}): {words}" for wave, words in wording.WAVES.items())
            ),
            "Look before you take wave 3: a customer, a deal or a form hints at a relationship. If you find its "
            "record, bring it and audit again; if you do not, take the contact off as well. Meanwhile "
            "`do-not-send.csv` keeps them out of every send.",
        ),
    )


def _stopped_by_review(audit: Audit) -> str:
    number = audit.stopped_by.get(Speaker.REVIEW, Count()).contacts
    if not number:
        return ""
    return (
        f" {wording.counted(number, 'contact')} that your review stopped, and that did not opt out themselves, "
        "are not on it: the next two lists hold them."
    )


def _missing_files(audit: Audit) -> Step:
    asked, others = sources.missing(audit)
    blocks: list[Block] = []
    if asked:
        blocks.append(
            Grid(
                "Files not looked at, by the contacts they could settle",
                ("File", "Contacts it could change", "What it can show", "How to get it"),
                tuple((sources.name(one), one.could_change, sources.settles(one), sources.get(one)) for one in asked),
                (1,),
            )
        )
        blocks.append("Give them to the next run beside the contacts export: `consent-ledger audit EXPORT FILE FILE`.")
    if others:
        names = wording.listed([sources.name(one) for one in others])
        blocks.append(f"You can also bring other files: {names}. No contact waits for them now.")
    if not blocks:
        blocks.append("Nothing to do: every kind of file has been looked at.")
    short = ""
    if asked:
        first = asked[0]
        short = f"Bring the {sources.name(first)}, which could change {wording.counted(first.could_change, 'contact')}."
    return Step("Bring the missing files", short, tuple(blocks))


_SUBJECTS = {"form": "form", "sale": "sales of the pipeline"}


def _to_declare(audit: Audit) -> list[Block]:
    """What nobody has declared yet, in the order of the contacts that it could settle."""
    if not audit.undeclared:
        return []
    waiting = sum(one.contacts for one in audit.undeclared)
    rows = tuple((_subject(one), one.contacts, one.marketing) for one in audit.undeclared)
    return [
        f"{wording.counted(waiting, 'contact')} sent in a form or bought something, and nobody has declared yet what "
        "the form showed or what was sold. Until then they are “claimed, not shown”. Declare first what could settle "
        "most:",
        Grid("To be declared", ("Declare", "Contacts it could settle", "Of them marketing"), rows, (1, 2)),
    ]


def _subject(one: Undeclared) -> str:
    if not one.token:
        return "sales without a pipeline"
    return f"{_SUBJECTS[one.section]} {said(one.name)}"


def _evidence_map(audit: Audit) -> Step:
    waiting = audit.reasons.get("declared_not_evidenced", 0)
    blocks = _to_declare(audit)
    if waiting:
        blocks.append(
            f"{wording.counted(waiting, 'contact waits', 'contacts wait')} for the file behind a declaration: "
            "somebody said what was shown or sold, and put nothing beside it."
        )
    blocks.append(
        "`audit.toml` is the evidence map: what each form, checkout and import showed, its boxes, wording and dates. "
        "Fill in what you know, with your name, role and date, and name a file as evidence: a screenshot, the page, "
        "the contract. Without the file its contacts stay “claimed, not shown”."
    )
    for title, evidenced in (
        ("Without a file: to be shown", False),
        ("With a file: evidence on file rests on it", True),
    ):
        rows = tuple(
            (said(one.key), resting.declared_by(one), said(one.declared_on), one.contacts, one.marketing)
            for one in audit.declarations
            if one.evidenced is evidenced
        )
        if rows:
            headings = ("Declaration", "By", "On", "Contacts", "Of them marketing")
            blocks.append(Grid(title, headings, rows, (3, 4)))
    short = ""
    if audit.undeclared:
        first = audit.undeclared[0]
        short = f"Declare {_subject(first)}, which could settle {wording.counted(first.contacts, 'contact')}. "
    if waiting:
        short += f"Put evidence beside the declarations that {wording.counted(waiting, 'contact')} rest on."
    short = short.strip()
    return Step("Fill in the map, with evidence", short, tuple(blocks))


def _sheet(audit: Audit) -> Step:
    waiting = sum(audit.questions.values())
    if not waiting:
        return Step("The data protection officer's sheet", "", ("Nothing to do: there is no open question.",))
    questions = wording.counted(len(audit.questions), "question")
    contacts = wording.counted(waiting, "contact")
    return Step(
        "The data protection officer's sheet",
        f"Have {questions} answered in `review.xlsx`, for {contacts}.",
        (
            f"`review.xlsx` asks {questions} for {contacts}. Each has room for an answer, with name, role, date and "
            "evidence. Import the answers with `consent-ledger review import review.xlsx`. Answers can stop contacts, "
            "put them on hold or add evidence. They cannot allow anybody, and cannot undo an opt-out.",
            Grid(
                "Open questions",
                ("Question", "Contacts", "Sheet"),
                tuple(
                    (QUESTIONS.get(name, name), number, f"`{name}`")
                    for name, number in sorted(audit.questions.items(), key=lambda item: (-item[1], item[0]))
                ),
                (1,),
            ),
        ),
    )


def _asking(audit: Audit, tally: Tally, rows: Mapping[str, int]) -> Step:
    allowed = rows["may-be-asked.csv"]
    blocks: list[Block] = []
    if allowed:
        blocks.append(
            Grid(
                "Contacts in may-be-asked.csv, who may be asked by e-mail now",
                ("Route", "Contacts", "Earliest last day"),
                tuple(
                    (route, number, tally.ask_until[route].isoformat() if route in tally.ask_until else "–")
                    for route, number in sorted(tally.routes.items(), key=lambda item: (-item[1], item[0]))
                ),
                (1,),
            )
        )
        blocks.append(
            "Nobody else may be sent such a mail: it is marketing itself, and needs the permission it asks for."
        )
    else:
        blocks.append(
            "Nobody may be asked by e-mail: that mail is marketing itself, and needs the permission it asks for."
        )
    waiting = audit.next_steps.get("ask_at_next_own_act", 0)
    blocks += permission.own_routes(audit.controller)
    if waiting:
        blocks.append(f"For {wording.counted(waiting, 'contact')} this is the next step.")
    short = f"Ask the {allowed:,} of `may-be-asked.csv`, and nobody else." if allowed else ""
    return Step("Who may be asked", short, tuple(blocks))


def _rest(audit: Audit, tally: Tally) -> Step:
    waiting = audit.next_steps.get("delete_after", 0)
    if not waiting:
        return Step("The rest: delete on schedule", "", ("Nothing to do: no contact is left to delete.",))
    due = sum(number for last, number in tally.delete_after.items() if last < audit.at.date().isoformat())
    return Step(
        "The rest: delete on schedule",
        f"Delete {wording.counted(waiting, 'contact')} on schedule; {due:,} are due.",
        (
            f"{wording.counted(waiting, 'contact has', 'contacts have')} nothing on record and no lead. Each has a day "
            f"in `verdicts.csv`, column `next_step`: three years after the last sign of the person, else after the "
            f"record was made. {due:,} are past it today.",
            Points(
                (
                    "Three years is a choice of ours, after what the French regulator takes for prospects; put "
                    "your own retention period in its place if it is shorter.",
                    "Look first whether a contract, an invoice or a claim asks you to keep the record.",
                    "Opt-outs come first: the ledger keeps them, so that an address imported again stays out "
                    "of every send.",
                )
            ),
        ),
    )


def _prevention(audit: Audit) -> Step:
    table = origins.grid(audit)
    top = origins.ranked(audit)
    blocks: list[Block] = []
    if table:
        blocks.append(table)
    else:
        blocks.append(
            "The export does not say where contacts come from. Export with all properties, among them “Marketing "
            "contact status source type” and “source name”, “Original source” and “Create date”."
        )
    blocks += ["From now on:", Points(origins.TIPS)]
    short = f"Close the ways in: the first brings {wording.counted(top[0].contacts, 'contact')}." if top else ""
    return Step("Where they come from, and how to stop it", short, tuple(blocks))
