"""Is an export of the portal that this ledger knows? A ledger belongs to one company and its portal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from adapters.encodings import UnreadableInput
from adapters.intake import SOURCE, Portion
from adapters.wiring import House
from ledger import events as e

OTHER_PORTAL = 0.05
"""A larger share of known record ids that stand with another address: another portal."""
FEW = 3
"""So many people change their address, or are new, without that being a sign of anything."""
SIGNS = "signs"
"""The name under which an import keeps the signs of its portal, as keyed hashes."""

Confirm = Callable[[str], bool]
"""Asks a person a question; what they answer."""


class Insisted(NamedTuple):
    """That an export is of the company of this ledger: said beforehand, or to be asked of a person, if there is one."""

    said: bool = False
    confirm: Confirm | None = None


def signs_of(house: House, signs: Iterable[tuple[str, str]]) -> list[str]:
    """The signs of a portal as they are kept: kinds as words, what they say as keyed hashes."""
    return sorted({f"{kind}:{house.ledger.sid(SOURCE, f'{kind}:{word}').hex()}" for kind, word in signs})


def refuse_other_portal(house: House, portions: Sequence[Portion], signs: Sequence[str], insisted: Insisted) -> None:
    """Raise UnreadableInput for an export of another portal, and for one of which nobody says that it is the same.

    To be called when the rows have gone by, and before any of them is recorded.
    """
    rows, known, contradicting, familiar = (
        sum(part) for part in zip(*((p.rows, p.known, p.contradicting, p.familiar) for p in portions), strict=True)
    )
    before = _exports(house)
    kept = _kept(house, before)
    if _of_kind("portal", signs) & _of_kind("portal", kept):
        return
    if contradicting >= FEW and contradicting > OTHER_PORTAL * known:
        raise UnreadableInput(
            "another_portal",
            f"{contradicting} of {known} known record ids stand here with another address.",
            "Is this another portal's export? A ledger belongs to one controller and portal: "
            "use --ledger with another directory.",
        )
    strangers = rows >= FEW and familiar <= OTHER_PORTAL * rows
    if not before or max(one.rows for one in before) < FEW or not strangers or set(signs) & set(kept):
        return
    said = (
        f"Of the {rows:,} rows of this contacts export, {familiar:,} are of people whom the exports before have shown."
    )
    if insisted.said or (insisted.confirm and insisted.confirm(f"{said} Is it an export of the same company?")):
        return
    raise UnreadableInput(
        "another_company",
        f"{said} It may be another company's or portal's, and a ledger belongs to one.",
        "If it is the same company, say so with --same-company (or give its name with --controller); "
        "if not, use --ledger with another directory.",
    )


def _exports(house: House) -> list[e.ImportFinished]:
    found = (entry.event for entry in house.catalogue.imports)
    return [one for one in found if isinstance(one, e.ImportFinished) and one.source == SOURCE and one.rows]


def _kept(house: House, imports: Iterable[e.ImportFinished]) -> list[str]:
    return [str(sign) for one in imports for sign in _list(house.payload(one).get(SIGNS))]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _of_kind(kind: str, signs: Iterable[str]) -> set[str]:
    return {sign for sign in signs if sign.startswith(f"{kind}:")}
