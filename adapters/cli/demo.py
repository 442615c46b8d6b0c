"""The demo's other records: what a company keeps beside its CRM, told by hand, so that every bucket fills."""

from __future__ import annotations

from typing import Any

from adapters.cli.facts import Told, record_fact
from adapters.wiring import House

_CONSENT: dict[str, Any] = {
    "act": "unticked_box",
    "purposes": ("marketing.similar", "marketing.other"),
    "channels": ("email",),
    "to": ("own",),
    "informed": True,
    "specific": True,
    "proof": "individual",
}
_SALE: dict[str, Any] = {
    "kind": "purchase",
    "seller": "own",
    "category": "goods",
    "refusal_offered": True,
    "refused": False,
    "collected_from_person": True,
}

OTHER_RECORDS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    # newsletter sign-ups with the double opt-in mail confirmed
    ("juergen.costa461@nordlicht.example", "opt-in", "2026-02-11", _CONSENT),
    ("juergen.costa461@nordlicht.example", "confirmation", "2026-02-12", {"verifies_channel": "email"}),
    ("oskar.huber402@example.net", "opt-in", "2025-12-08", _CONSENT),
    ("oskar.huber402@example.net", "confirmation", "2025-12-08", {"verifies_channel": "email"}),
    ("paula.urban408@nordlicht.example", "opt-in", "2026-06-30", _CONSENT),
    ("paula.urban408@nordlicht.example", "confirmation", "2026-07-01", {"verifies_channel": "email"}),
    ("ivo.taylor429@nordlicht.example", "opt-in", "2026-09-17", _CONSENT),
    ("ivo.taylor429@nordlicht.example", "confirmation", "2026-09-17", {"verifies_channel": "email"}),
    # a sign-up whose confirmation link nobody followed
    ("soren.brandt960@atelier-bleu.example", "opt-in", "2026-08-03", _CONSENT),
    # sales: refusal offered at the till, not offered, and one under a rule of twelve months
    ("wim.quinn905@nordlicht.example", "contract", "2025-11-19", _SALE),
    ("aoife.lefevre421@example.com", "contract", "2026-01-23", _SALE),
    ("lukasz.garcia433@example.net", "contract", "2024-03-14", _SALE),
    ("fatima.lefevre446@example.com", "contract", "2026-10-02", _SALE),
    ("ximena.quinn434@atelier-bleu.example", "contract", "2026-05-20", _SALE),
    ("maelle.odegard413@example.com", "contract", "2026-04-09", _SALE | {"refusal_offered": False}),
    # a sale to somebody whose address takes no mail any more
    ("zoe.eriksson927@example.net", "contract", "2026-01-23", _SALE),
    # an opt-in of which nobody knows whether the opt-out in the CRM came before or after it
    ("rosa.garcia919@example.org", "opt-in", "2026-03-05", _CONSENT),
    ("rosa.garcia919@example.org", "confirmation", "2026-03-05", {"verifies_channel": "email"}),
    # stops that reached the company by other doors
    ("katarzyna.vidal911@atelier-bleu.example", "objection", "2026-10-28", {}),
    ("niamh.garcia957@example.net", "erasure-request", "2026-11-02", {}),
)
"""(address, kind of fact, day, fields), in the words of `consent-ledger record`."""


def record_other_records(house: House) -> int:
    """Record them, each once however often the demo runs; how many were new."""
    new = 0
    for place, (email, kind, day, fields) in enumerate(OTHER_RECORDS):
        via = "letter" if kind == "objection" else None
        by = "unknown" if kind == "contract-ended" else "data_subject"
        told = Told(email, day, by, via, None, None, f"demo-{place}")
        new += record_fact(house, kind, told, dict(fields)).status == "recorded"
    return new
