"""Which law may apply: the sender's, and that of every country the recipient may be in.

Source: none of law; the cautious reading of LAW of several countries at once. All candidates must allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Entry
from ledger.policy.question import Candidate

UNKNOWN = "XX"


def candidates(countries: Iterable[Entry], catalogue: Catalogue) -> tuple[Candidate, ...]:
    """Candidate jurisdictions with the evidence for each: declared ones first, unknown (XX) last.

    XX, the strictest, joins when the sender's country is not described, and when nothing says where
    the recipient is but hints (an IP, a phone prefix, a language, a domain).
    """
    countries = tuple(countries)
    if len(countries) == 1:
        position, _, event = countries[0]
        if isinstance(event, e.CountryEvidenced) and len(event.hints) == 1 and event.hints[0].strong:
            return _declared(event.hints[0].country, position, catalogue.country)
    strong: dict[str, set[int]] = {}
    weak: dict[str, set[int]] = {}
    for position, _, event in countries:
        if isinstance(event, e.CountryEvidenced):
            for hint in event.hints:
                (strong if hint.strong else weak).setdefault(hint.country, set()).add(position)
    declared = bool(strong)
    if not declared and not weak and catalogue.assumed_country is not None:
        weak[catalogue.assumed_country] = set()
        unknown = catalogue.country is None
    else:
        unknown = not declared or catalogue.country is None
    found = [Candidate(code, True, tuple(sorted(strong[code]))) for code in sorted(strong)]
    found += [Candidate(code, False, tuple(sorted(weak[code]))) for code in sorted(weak) if code not in strong]
    if catalogue.country is not None and catalogue.country not in strong | weak:
        # The sender's own law is declared, but only a declared recipient makes both ends known.
        found.insert(len(strong), Candidate(catalogue.country, strong=declared))
    if unknown:
        found.append(Candidate(UNKNOWN, strong=False))
    return tuple(found)


def _declared(country: str, position: int, sender: str | None) -> tuple[Candidate, ...]:
    """The commonest case at once: one declared country, and the sender's."""
    recipient = Candidate(country, True, (position,))
    if sender is None:
        return (recipient, _beside(UNKNOWN, strong=False))
    return (recipient,) if sender == country else (recipient, _beside(sender, strong=True))


@cache
def _beside(code: str, strong: bool) -> Candidate:
    return Candidate(code, strong=strong)
