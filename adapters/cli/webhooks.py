"""`consent-ledger webhooks`: what senders delivered that waits, and what nothing could be made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import Flag, JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.inbox import Inbox, Row

app = typer.Typer(
    help="Show deliveries of webhooks that wait, and those that could not be understood.", no_args_is_help=True
)

Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER...", help="from `webhooks list`")]


@contextmanager
def _inbox(ledger: Path | None) -> Iterator[Inbox]:
    from adapters.inbox import Inbox

    with open_house(ledger) as house, closing(Inbox.open(house)) as inbox:
        yield inbox


@app.command("list")
def list_(
    everything: Annotated[
        bool, Flag("--all", help="those done and dropped as well, as long as they are known")
    ] = False,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """List the deliveries that wait or are dead, the oldest first: from whom, since when, and why."""
    import msgspec

    with _inbox(ledger) as inbox:
        found = inbox.rows(("waiting", "dead", "done") if everything else ("waiting", "dead"))
    if json:
        out(msgspec.json.format(msgspec.json.encode([one._asdict() for one in found]), indent=2))
        return
    for one in found:
        tried = f"{one.receiver}, {one.state}, tried {one.attempts}, {one.occurred_at[:16]}"
        out(f"{one.id}  {tried}\n".encode() + (f"    {one.problem}\n".encode() if one.problem else b""))
    show(f"{len(found)} deliver{'y' if len(found) == 1 else 'ies'}")


@app.command("show")
def show_one(
    number: Annotated[int, typer.Argument(help="from `webhooks list`")],
    opened: Annotated[bool, Flag("--open", help="what was sent as well; it may hold personal data")] = False,
    ledger: LedgerDir = None,
) -> None:
    """Show one delivery, as JSON."""
    import msgspec

    with _inbox(ledger) as inbox:
        row: dict[str, object] = _found(inbox, number)._asdict()
        if opened:
            body = inbox.body(number)
            row["body"] = None if body is None else body.decode("utf-8", "replace")
    out(msgspec.json.format(msgspec.json.encode(row), indent=2))


@app.command()
def retry(numbers: Numbers, ledger: LedgerDir = None) -> None:
    """Let dead ones wait again; a service that runs takes them within a second."""
    from adapters.wiring import now

    with _inbox(ledger) as inbox:
        for number in numbers:
            _done(inbox.retry(number, now()), "dead", number)
            show(f"waits again: {number}")


@app.command()
def drop(
    numbers: Numbers,
    reason: Annotated[str, typer.Option(help="why; it is kept with the number")],
    ledger: LedgerDir = None,
) -> None:
    """Give up what is dead, or waits for a sender that is set up no more, for a reason. What was sent is gone then."""
    from adapters.wiring import now

    with _inbox(ledger) as inbox:
        for number in numbers:
            _done(inbox.drop(number, reason, now()), "left", number)
            show(f"dropped: {number}")


def _found(inbox: Inbox, number: int) -> Row:
    row = inbox.row(number)
    if row is None:
        raise LookupError(f"there is no delivery {number}: `consent-ledger webhooks list` names them")
    return row


def _done(done: bool, which: str, number: int) -> None:
    if not done:
        raise LookupError(f"no delivery that is {which} has the number {number}: see `consent-ledger webhooks list`")
