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

    One strong sign says where the recipient is, and so do two weak ones of different kinds that agree (an IP, a phone
    prefix, a language, a domain, the code of a state). Signs of other countries add their laws. XX, the strictest,
    joins when the sender's country is not described, and when nothing says where the recipient is.

    `Candidate.strong` tells the strong signs alone: what rests on a declared country does not rest on two guesses.
    """
    countries = tuple(countries)
    if len(countries) == 1:
        position, _, event = countries[0]
        if isinstance(event, e.CountryEvidenced) and len(event.hints) == 1 and event.hints[0].strong:
            return _declared(event.hints[0].country, position, catalogue.country)
    strong, weak, agreed = _signs(countries)
    declared, known = bool(strong), bool(strong or agreed)
    if not declared and not weak and catalogue.assumed_country is not None:
        weak[catalogue.assumed_country] = set()
        unknown = catalogue.country is None
    else:
        unknown = not known or catalogue.country is None
    found = [Candidate(code, True, tuple(sorted(strong[code]))) for code in sorted(strong)]
    found += [Candidate(code, False, tuple(sorted(weak[code]))) for code in sorted(weak) if code not in strong]
    if catalogue.country is not None and catalogue.country not in strong | weak:
        # The sender's own law is declared, but only a declared recipient makes both ends known.
        found.insert(len(strong), Candidate(catalogue.country, strong=declared))
    if unknown:
        found.append(Candidate(UNKNOWN, strong=False))
    return tuple(found)


def is_known(countries: Iterable[Entry]) -> bool:
    """Whether the signs say where somebody is, rather than hinting at it."""
    strong, _, agreed = _signs(countries)
    return bool(strong or agreed)


def _signs(countries: Iterable[Entry]) -> tuple[dict[str, set[int]], dict[str, set[int]], set[str]]:
    """The countries that signs point to, with the positions of these: strongly, weakly; and those that two agree on."""
    strong: dict[str, set[int]] = {}
    weak: dict[str, set[int]] = {}
    kinds: dict[str, set[str]] = {}
    for position, _, event in countries:
        if isinstance(event, e.CountryEvidenced):
            for hint in event.hints:
                (strong if hint.strong else weak).setdefault(hint.country, set()).add(position)
                kinds.setdefault(hint.country, set()).add(hint.kind)
    return strong, weak, {country for country in weak if len(kinds[country]) > 1}


def _declared(country: str, position: int, sender: str | None) -> tuple[Candidate, ...]:
    """The commonest case at once: one declared country, and the sender's."""
    recipient = Candidate(country, True, (position,))
    if sender is None:
        return (recipient, _beside(UNKNOWN, strong=False))
    return (recipient,) if sender == country else (recipient, _beside(sender, strong=True))


@cache
def _beside(code: str, strong: bool) -> Candidate:
    return Candidate(code, strong=strong)
