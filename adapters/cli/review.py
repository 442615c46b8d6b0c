"""`consent-ledger review`: the DPO's answers, shown first for what they change, then recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.review.answers import Review
    from adapters.review.deciding import Effect, Plan

app = typer.Typer(help="The review by the DPO: fill it in, take its answers in.", no_args_is_help=True)

_SHOWN = 50


@app.callback()
def review() -> None:
    """The review by the DPO: fill it in, take its answers in."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="the audit's review.xlsx, filled in")],
    yes: Annotated[bool, Flag("--yes", help="do it without asking")] = False,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Show whose answer a filled-in review changes, then record it.

    Without --yes it asks; where nobody can be asked it only shows, and ends with 3. A workbook with
    anything wrong in it is recorded not at all.
    """
    from adapters.review.answers import read_review

    found = read_review(file)
    if found.problems:
        raise typer.Exit(_refused(file, [str(problem) for problem in found.problems]))
    raise typer.Exit(_import(found, file, ledger, yes, json))


@app.command()
def fill(
    file: Annotated[Path, typer.Argument(help="the audit's review.xlsx")],
    answers: Annotated[Path, typer.Argument(help="JSON: question -> outcome, name, role, date, evidence, words")],
) -> None:
    """Write answers that exist as data into the workbook, for you to look at before you import it."""
    from adapters.review.filling import fill_review

    filled = fill_review(file, answers)
    show(f"{file.name}: filled in {', '.join(filled) or 'nothing'}")


def _import(found: Review, file: Path, ledger: Path | None, yes: bool, json: bool) -> int:
    from adapters.review.deciding import plan, record
    from adapters.wiring import now

    with open_house(ledger) as house:
        planned, problems = plan(house, found, now())
        if problems:
            return _refused(file, [str(problem) for problem in problems])
        if not json:
            for line in _lines(found, planned):
                typer.echo(line)
        agreed = not planned.facts or yes or (not json and _asked(len(planned.facts)))
        recorded = record(house, planned).recorded if agreed and planned.facts else 0
    if json:
        out(_as_json(found, planned, recorded))
    elif recorded:
        show(f"{recorded:,} decisions recorded; run the audit again to see what is left")
    elif planned.facts:
        show("nothing is recorded; --yes records it")
    return EXIT.OK if agreed else EXIT.FINDINGS


def _refused(file: Path, problems: list[str]) -> int:
    show(f"{file.name}: nothing is recorded, as {len(problems)} of its cells cannot be used:")
    for problem in problems[:_SHOWN]:
        show(f"  {problem}")
    if len(problems) > _SHOWN:
        show(f"  and {len(problems) - _SHOWN} more")
    return EXIT.UNREADABLE


def _asked(decisions: int) -> bool:
    return sys.stdin.isatty() and typer.confirm(f"record {decisions:,} decisions?", err=True)


def _lines(found: Review, planned: Plan) -> Iterator[str]:
    """The preview: each answer with whose answer it changes; then the questions that stay open."""
    from adapters.report.masking import printable
    from adapters.report.wording import counted

    for effect in planned.effects:
        yield f"{effect.question}: {_effect(effect)}"
        yield f"    answered by {printable(effect.name)}, {printable(effect.role)}, on {effect.on}"
        for name in effect.evidence:
            yield f"    evidence: {printable(name)}"
    for question in found.unsigned:
        yield f"{question}: answered beforehand, not signed, so not recorded ({_people(found, question)})"
    for question in found.open:
        yield f"{question}: not answered ({_people(found, question)})"
    if not found.members:
        yield "no question stands in this workbook"
    elif planned.effects and not planned.facts:
        yield f"{counted(len(planned.effects), 'answer')}: everything is on record already"


def _people(found: Review, question: str) -> str:
    from adapters.report.wording import counted

    return counted(len(found.members[question]), "contact")


def _effect(effect: Effect) -> str:
    from adapters.report.wording import counted

    said = (
        f"{effect.outcome.replace('_', ' ')}: {counted(effect.contacts, 'contact')}. "
        f"{effect.lose:,} were allowed and are no longer; {effect.gain:,} become allowed again; "
        f"{effect.not_allowed:,} were not allowed before either; {effect.allowed:,} stay allowed."
    )
    if effect.outcome == "stop":
        by_review = effect.contacts - effect.said_no
        said += (
            f" The audit will count {by_review:,} as stopped by your review, {effect.said_no:,} as people who said no."
        )
    if effect.known:
        said += f" {effect.known:,} answers are on record already."
    return said + (
        f" {effect.left:,} are not released: they are not on hold, or were put on hold again." if effect.left else ""
    )


def _as_json(found: Review, planned: Plan, recorded: int) -> bytes:
    import msgspec

    told = {
        "answers": planned.effects,
        "open": found.open,
        "unsigned": found.unsigned,
        "decisions": len(planned.facts),
        "recorded": recorded,
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2)
