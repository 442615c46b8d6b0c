"""`consent-ledger dlq`: the records that could not be taken. Nothing about a letter is ever silent or forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import Flag, JsonOut, LedgerDir, open_house, out, show
from adapters.cli.streams import broker_settings, kafka_told

if TYPE_CHECKING:
    from adapters.kafka.dead_letter_desk import Desk
    from adapters.kafka.dead_letters import Letter
    from adapters.wiring import House

app = typer.Typer(help="Dead letters: records from Kafka that could not be taken.", no_args_is_help=True)

Places = Annotated[list[str], typer.Argument(metavar="PLACE...", help="topic/partition/offset, from `dlq list`")]


@contextmanager
def _desk() -> Iterator[Desk]:
    settings, servers = broker_settings()
    with kafka_told(servers):
        from adapters.kafka.dead_letter_desk import Desk

        yield Desk(servers, settings.topic_prefix)


@app.command("list")
def list_(
    everything: Annotated[bool, Flag("--all", help="those retried and dropped as well")] = False,
    json: JsonOut = False,
) -> None:
    """List the letters that are open: where the record stood, since when, and why it failed."""
    import msgspec

    with _desk() as desk:
        found = [one for one in desk.letters().values() if everything or one.state == "open"]
    found.sort(key=lambda letter: (letter.at, letter.place))
    if json:
        out(msgspec.json.format(msgspec.json.encode([_row(letter) for letter in found]), indent=2))
        return
    for letter in found:
        why = letter.error + (f"; dropped: {letter.reason}" if letter.reason else "")
        tried = f"{letter.state}, tried {letter.attempts}, {letter.at:%Y-%m-%d %H:%M}"
        out(f"{letter.place}  {tried}\n    {why}\n".encode())
    show(f"{len(found)} letter{'' if len(found) == 1 else 's'}")


@app.command("show")
def show_letter(
    place: Annotated[str, typer.Argument(help="topic/partition/offset, from `dlq list`")],
    opened: Annotated[bool, Flag("--open", help="the record as well; it may hold personal data")] = False,
    ledger: LedgerDir = None,
) -> None:
    """Show one letter, as JSON."""
    import msgspec

    from adapters.kafka import dead_letters

    with _desk() as desk, ExitStack() as stack:
        (letter,) = desk.find([place])
        row = _row(letter)
        if opened:
            row["record"] = dead_letters.opened(letter, _unseal(stack, ledger))
    out(msgspec.json.format(msgspec.json.encode(row), indent=2))


@app.command()
def retry(places: Places, ledger: LedgerDir = None) -> None:
    """Send records to their topics again, to the byte. One that fails again becomes a letter of its own."""
    with _desk() as desk, ExitStack() as stack:
        unseal = _unseal(stack, ledger)
        for letter in desk.find(places):
            desk.retry(letter, unseal)
            show(f"sent again: {letter.place}")


@app.command()
def drop(places: Places, reason: Annotated[str, typer.Option(help="why; it is kept with the letter")]) -> None:
    """Give records up, for a reason. The letter says so from then on."""
    with _desk() as desk:
        for letter in desk.find(places):
            desk.drop(letter, reason)
            show(f"dropped: {letter.place}")


def _unseal(stack: ExitStack, ledger: Path | None) -> Callable[[bytes, bytes], object]:
    """Opens what the ledger sealed; the ledger itself is opened only when there is something sealed."""

    @cache
    def house() -> House:
        return stack.enter_context(open_house(ledger))

    def unseal(sealed: bytes, about: bytes) -> object:
        return house().ledger.unseal(sealed, about)

    return unseal


def _row(letter: Letter) -> dict[str, object]:
    """A letter without the record."""
    return {
        "place": letter.place,
        "at": letter.at,
        "error": letter.error,
        "attempts": letter.attempts,
        "state": letter.state,
        "reason": letter.reason,
    }
