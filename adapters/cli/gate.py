"""`consent-ledger gate FILE`: may these addresses be written to now? The answers for a campaign, address by address."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from adapters.cli.completion import channels, purposes
from adapters.cli.options import EXIT, JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.tabular import Rejected

_AT_ONCE = 10_000
_SHOWN = 20


def gate(
    file: Annotated[Path, typer.Argument(help="a file with the addresses: one a line, or a column of a CSV or XLSX")],
    purpose: Annotated[
        str, typer.Option(help="the purpose of the campaign, e.g. marketing.similar", autocompletion=purposes)
    ],
    channel: Annotated[str, typer.Option(help="email, sms, phone or post", autocompletion=channels)] = "email",
    encoding: Annotated[str | None, typer.Option(help="read the file in this encoding")] = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Say for each address of a file whether a campaign may be sent to it now: yes or no, why, and until when.

    Whoever is not allowed is left out by taking the lines with `yes`. Ends with 3 where an address cannot be read.
    """
    raise typer.Exit(run_gate(file, purpose, channel, encoding, ledger, json=json))


def run_gate(file: Path, purpose: str, channel: str, encoding: str | None, ledger: Path | None, *, json: bool) -> int:
    """Answer for every address of a file; the exit code."""
    from adapters.campaigns import gate_answers
    from adapters.cli.people import refuse_unknown
    from adapters.report import wording
    from adapters.web.shapes import GateQuestions, GateVerdict
    from adapters.wiring import now

    refuse_unknown(purpose, channel)
    unread: list[Rejected] = []
    emails = list(_emails(file, encoding, unread.append))
    answers: list[tuple[str, GateVerdict]] = []
    with open_house(ledger) as house:
        rest = iter(emails)
        while chunk := list(islice(rest, _AT_ONCE)):
            asked = GateQuestions(emails=chunk, purpose=purpose, channel=channel)
            answers += zip(chunk, gate_answers(house, asked, now()).answers, strict=True)
    if json:
        out(msgspec.json.encode([{"email": email} | msgspec.to_builtins(answer) for email, answer in answers]))
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("email", "allowed", "reason", "until"))
        for email, answer in answers:
            until = answer.valid_until.date().isoformat() if answer.valid_until else ""
            writer.writerow((email, "yes" if answer.allowed else "no", answer.reason.replace("_", " "), until))
    allowed = sum(answer.allowed for _, answer in answers)
    addresses = "1 address" if len(answers) == 1 else f"{len(answers):,} addresses"
    show(f"{addresses}: {allowed} may be written to for {wording.purpose(purpose)}, {len(answers) - allowed} not")
    for row in unread[:_SHOWN]:
        show(f"{row.file}, row {row.row}: {row.reason}")
    if len(unread) > _SHOWN:
        show(f"and {len(unread) - _SHOWN} more rows")
    return EXIT.FINDINGS if unread else EXIT.OK


def _emails(file: Path, encoding: str | None, reject: Callable[[Rejected], None]) -> Iterator[str]:
    """Every address of a file, in whatever column, with a header or without; a row without one goes to `reject`."""
    from adapters.stops import stops_of
    from adapters.tabular import Rejected, open_tables
    from adapters.times import TimeReader
    from adapters.wiring import now

    for table in open_tables(file, encoding=encoding, may_be_empty=True):
        people = stops_of(table, now(), TimeReader(None))
        for row, cells in people.every_row(reject):
            emails = people.addresses(cells)
            yield from emails
            if not emails:
                reject(Rejected(table.name, row, None, "no e-mail address in this row"))
