"""`consent-ledger map ...`: check an evidence map, adopt it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.evidence_map.reading import EvidenceMap

app = typer.Typer(help="The evidence map: what forms, sales and lists were, and who says so.", no_args_is_help=True)

MapFile = Annotated[Path, typer.Argument(metavar="FILE", help="the evidence map, audit.toml")]


@app.command()
def check(file: MapFile, json: JsonOut = False) -> None:
    """Read the map and say what it declares. Nothing is recorded."""
    from adapters.evidence_map.reading import read_map

    evidence_map = read_map(file)
    bare = _without_evidence(evidence_map)
    if json:
        import msgspec

        keys = [stanza.key for stanza in evidence_map.stanzas]
        out(msgspec.json.encode({"declarations": keys, "without_evidence": bare}))
        return
    show(f"{file}: {_counted(len(evidence_map.stanzas))}, {len(evidence_map.files)} files that they name")
    for stanza in evidence_map.stanzas:
        by = evidence_map.signed(stanza)
        lacking = ": no evidence, so it counts as unknown" if stanza.key in bare else ""
        show(f"  {stanza.key}, by {by.name}, {by.role}, {by.on}{lacking}")


@app.command()
def adopt(
    file: MapFile,
    yes: Annotated[bool, Flag("--yes", help="do it without asking, although the map lifts stops")] = False,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record what the map declares, as far as the ledger does not hold it yet; withdraw what it declares no more.

    A map that lifts stops, since a subscription type means less than before, is shown first; where nobody can be
    asked it is only shown, and the command ends with 3.
    """
    import sys

    from adapters.evidence_map.adopting import adopt_map
    from adapters.evidence_map.narrowing import narrowed_by
    from adapters.evidence_map.reading import read_map
    from adapters.wiring import now

    evidence_map = read_map(file)
    with open_house(ledger) as house:
        narrowed = narrowed_by(house, evidence_map)
        if narrowed is not None:
            show(narrowed.as_text())
            if not (yes or (sys.stdin.isatty() and typer.confirm("adopt it?", err=True))):
                show("nothing is adopted; --yes adopts it, in the name of whoever the map names")
                raise typer.Exit(EXIT.FINDINGS)
        adopted = adopt_map(house, evidence_map, now())
    if json:
        import msgspec

        out(msgspec.json.encode(adopted._asdict()))
        return
    show(
        f"{_counted(adopted.recorded)} recorded, {adopted.withdrawn} withdrawn, {adopted.unchanged} as before; "
        f"{len(_without_evidence(evidence_map))} without evidence"
    )


def _without_evidence(evidence_map: EvidenceMap) -> list[str]:
    """What counts as unknown for want of evidence; who says to be a minor is believed without."""
    from adapters.evidence_map.shape import Form

    return [
        stanza.key
        for stanza in evidence_map.stanzas
        if not stanza.evidence and not (isinstance(stanza, Form) and stanza.says_minor)
    ]


def _counted(number: int) -> str:
    return f"{number} declaration{'' if number == 1 else 's'}"
