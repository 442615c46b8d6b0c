"""Signs of the portal that an export is from: its number, the owners of its contacts, its own subscription types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from adapters.hubspot.labels import Columns, fold

_PORTAL = frozenset(map(fold, ("Portal ID", "Hub ID", "HubSpot portal ID", "hs_portal_id", "HubSpot account ID")))
_OWNER = frozenset(
    map(
        fold,
        (
            "Contact owner", "HubSpot owner", "hubspot_owner_id", "Kontakt-Inhaber", "Zuständiger Mitarbeiter",
            "Für Kontakt zuständiger Mitarbeiter", "Propriétaire du contact", "Propietario del contacto",
            "Proprietario del contatto", "Proprietário do contato", "Contacteigenaar",
        ),
    )
)  # fmt: skip
_OF_EVERY_PORTAL = frozenset(
    map(
        fold,
        (
            "Marketing Information", "Customer Service Communication", "One to One", "One-to-One", "Sales",
            "Marketing-Informationen", "Marketinginformationen", "Kundenservice-Kommunikation",
            "Kommunikation mit dem Kundenservice", "Eins-zu-eins", "Persönliche Kommunikation",
            "Informations marketing", "Communication du service client", "Communication individuelle", "Un à un",
            "Información de marketing", "Comunicación de servicio al cliente", "Uno a uno",
        ),
    )
)  # fmt: skip
"""Subscription types that HubSpot makes in every portal: they tell nothing."""
_MOST = 500


class Provenance:
    """The signs in the rows of one table. Names are compared, and kept nowhere as they are written."""

    def __init__(self, header: Sequence[str], columns: Columns) -> None:
        self._portal = [index for index, label in enumerate(header) if fold(label) in _PORTAL]
        self._owner = [index for index, label in enumerate(header) if fold(label) in _OWNER]
        self._types = [name for _, name in columns.types if fold(name) and fold(name) not in _OF_EVERY_PORTAL]
        self._seen: Counter[tuple[str, str]] = Counter()

    def see(self, cells: Sequence[str]) -> None:
        """Note what a row says."""
        for kind, places in (("portal", self._portal), ("owner", self._owner)):
            for place in places:
                if word := fold(cells[place]):
                    self._seen[kind, word] += 1

    def signs(self) -> Iterator[tuple[str, str]]:
        """Each sign once, as kind and word; of owners, those with the most contacts."""
        yield from (one for one, _ in self._seen.most_common(_MOST))
        yield from (("type", fold(name)) for name in self._types)
