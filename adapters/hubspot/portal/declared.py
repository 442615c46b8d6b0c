"""What the company says of its portal: the evidence map, what stands beside it as evidence, and the answers.

The documents stand for screenshots and contracts: each holds the words that were on the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from adapters.hubspot.demo import TYPES
from adapters.hubspot.portal.answered import fair
from adapters.hubspot.portal.calendar import Calendar
from adapters.hubspot.portal.desk import (
    CHECKOUT,
    NEWSLETTER,
    PARTNERS,
    POPUP,
    SHOP,
    WEBINAR,
    WHITEPAPER,
    Form,
    campaigns_of,
)
from adapters.hubspot.portal.files import write_json

OFFICER = "Dana Weiss"
ROLE = "data protection officer"
MEMO = "evidence/officers-memo.txt"
_PREFERENCES, _CAMPAIGNS, _FAIR = (
    "evidence/preferences-page.html",
    "evidence/campaigns.txt",
    "evidence/trade-fair-contract.txt",
)
_CONSENT = (
    "I would like to receive the newsletter of Nordlicht Geräte GmbH about its own products and about its events "
    "by e-mail. I can take this back at any time, by the link in every mail."
)
_REFUSAL = (
    "Nordlicht Geräte GmbH may write to you by e-mail about products like those you buy. If you do not want that, "
    "tick here, or tell us at any time; it costs nothing but the transmission at basic rates."
)
_OTHER_MARKETING = ["other", "third_party", "charitable", "political", "survey", "repermission"]

ANSWERS: dict[str, tuple[str, str]] = {
    "no_rule": ("stop", "No rule accepts these claims for e-mail. Set them non-marketing."),
    "contract": ("stop", "No sale was found that the law of their country still accepts."),
    "customer": ("stop", "No sale was found that the law of their country still accepts."),
    "deals": ("stop", "Sold when refusal was not offered yet."),
    "declared": ("stop", "The partners' contracts show nothing of what was offered. Nobody has a page of theirs."),
    "consent": ("hold", "The paper forms of the showroom are being looked for."),
    "confirmation": ("hold", "HubSpot support is asked what was confirmed."),
    "opt_ins": ("hold", "The confirmation mails are being looked for."),
    "other_claim": ("hold", "Sales is asked what they meant."),
    "same_record_twice": ("hold", "The portal's administrator is asked."),
    "stop_shown_lifted": ("stop", "Nobody can say who lifted these."),
    "shared_address": ("hold", "To be asked when they come by themselves."),
    "times_overlap": ("hold", "Times are being looked up."),
    "two_contacts": ("hold", "The portal's administrator is asked."),
    "under_review": ("hold", "Still open."),
}
"""What the officer answers to each question: outcome and words."""


def write_declared(folder: Path, calendar: Calendar, contacts: int) -> Iterator[Path]:
    """The evidence, the map that speaks of it, and the officer's answers."""
    for name, text in _documents(calendar).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        yield path
    path = folder / "audit.toml"
    path.write_text(_map(calendar, contacts), encoding="utf-8")
    yield path
    answers = {
        question: {
            "outcome": outcome,
            "words": words,
            "name": OFFICER,
            "role": ROLE,
            "date": calendar.signed.isoformat(),
            "evidence": MEMO,
        }
        for question, (outcome, words) in ANSWERS.items()
    }
    yield write_json(folder / "review-answers.json", answers)


# --- documents


def _documents(calendar: Calendar) -> dict[str, str]:
    memo = "\n".join(f"{question}: {outcome}. {words}" for question, (outcome, words) in ANSWERS.items())
    mailings = "\n".join(f"{one.name}: news about our own appliances" for one in campaigns_of(calendar))
    return {
        "evidence/newsletter-footer.html": _page("Newsletter", _CONSENT, "<input type='email'>", "Subscribe"),
        "evidence/newsletter-popup.html": _page("Newsletter", _CONSENT, _box(POPUP), "Subscribe"),
        "evidence/whitepaper-download.html": _page("White paper", _CONSENT, _box(WHITEPAPER), "Download"),
        "evidence/webinar-registration-required.html": _page(
            "Webinar", _CONSENT, _box(WEBINAR, "required "), "Register"
        ),
        "evidence/webinar-registration.html": _page("Webinar", _CONSENT, _box(WEBINAR), "Register"),
        "evidence/checkout-pre-ticked.html": _page("Checkout", _CONSENT, _box(CHECKOUT, "checked "), "Order"),
        "evidence/checkout-account.html": _page("Checkout", _CONSENT, _box(CHECKOUT), "Order"),
        "evidence/checkout-refusal.html": _page("Checkout", _REFUSAL, "<input type='checkbox'> No, thank you", "Order"),
        _PREFERENCES: _page(
            "Your preferences",
            "Product News: products like those you know. Marketing Information: everything else we do.",
            "<input type='checkbox'> Product News <input type='checkbox'> Marketing Information",
            "Save",
        ),
        _CAMPAIGNS: f"Mailings of Nordlicht Geräte GmbH\n\n{mailings}\n",
        _FAIR: f"{fair(calendar.today)}\n\nVisitors' badges were scanned at our stand. Nobody was asked about mails.\n",
        MEMO: f"{OFFICER}, {ROLE}, {calendar.signed}\n\n{memo}\n",
    }


def _box(form: Form, how: str = "") -> str:
    return f"<label><input type='checkbox' {how}name='newsletter'> {form.boxes[0]}</label>"


def _page(title: str, words: str, control: str, button: str) -> str:
    return (
        "<!doctype html>\n"
        f"<html lang='en'><head><meta charset='utf-8'><title>{title} | Nordlicht Geräte GmbH</title></head>\n"
        f"<body><h1>{title}</h1>\n<p>{words}</p>\n<p>{control}</p>\n<button>{button}</button></body></html>\n"
    )


# --- the map


def _map(calendar: Calendar, contacts: int) -> str:
    optional, unticked = calendar.optional_since, calendar.unticked_since
    webinar, checkout = WEBINAR.boxes[0], CHECKOUT.boxes[0]
    parts = [
        "# What the forms, sales, lists and mails of this portal were, and who answers for it.\n",
        _table("by", [("name", OFFICER), ("role", ROLE), ("on", calendar.signed)], many=False),
        _form("newsletter-footer", NEWSLETTER, "newsletter-footer", calendar.opened, sign_up_only=True),
        "# Deleted in HubSpot: which type it switched on for whom, the subscription timeline still shows.\n",
        _form("newsletter-popup", POPUP, "newsletter-popup", calendar.opened, switches_on=TYPES[1]),
        _form(
            "whitepaper-box",
            WHITEPAPER,
            "whitepaper-download",
            calendar.opened,
            box=WHITEPAPER.boxes[0],
        ),
        _form(
            "webinar-box-required",
            WEBINAR,
            "webinar-registration-required",
            calendar.opened,
            optional,
            box=webinar,
            required=True,
        ),
        _form("webinar-box", WEBINAR, "webinar-registration", optional, box=webinar),
        _table(
            "form", [("key", "webinar-age"), ("form", WEBINAR.name), ("box", WEBINAR.boxes[1]), ("says_minor", True)]
        ),
        _form(
            "checkout-box-ticked-before",
            CHECKOUT,
            "checkout-pre-ticked",
            date(unticked.year - 1, 1, 1),
            unticked,
            box=checkout,
            ticked_before=True,
        ),
        _form("checkout-box", CHECKOUT, "checkout-account", unticked, box=checkout),
        _table(
            "sale",
            [
                ("key", "online-shop"),
                ("pipeline", SHOP),
                ("kind", "purchase"),
                ("seller", "own"),
                ("collected_from_person", True),
                ("refusal_offered", True),
                ("refusals_recorded", True),
                ("shown_from", calendar.refusal_since),
                ("evidence", ["evidence/checkout-refusal.html"]),
            ],
        ),
        "# Nobody has a page or a contract of a partner that shows it: no evidence, so this proves nothing.\n",
        _table(
            "sale",
            [
                ("key", "partner-sales"),
                ("pipeline", PARTNERS),
                ("kind", "purchase"),
                ("seller", "own"),
                ("collected_from_person", True),
                ("refusal_offered", True),
                ("refusals_recorded", True),
            ],
        ),
        _type("product-news", TYPES[1], ["marketing.similar"]),
        _type("marketing-information", TYPES[0], [f"marketing.{name}" for name in _OTHER_MARKETING]),
        *(
            _table(
                "campaign",
                [
                    ("key", f"mailing-{one.number}"),
                    ("campaign", one.name),
                    ("purpose", "marketing.similar"),
                    ("evidence", [_CAMPAIGNS]),
                ],
            )
            for one in campaigns_of(calendar)
        ),
        _table("list", [("key", "trade-fair"), ("list", fair(calendar.today)), ("evidence", [_FAIR])]),
        _table("money", _money(calendar, contacts), many=False),
    ]
    return "\n".join(parts)


def _form(
    key: str,
    form: Form,
    page: str,
    shown_from: date,
    shown_to: date | None = None,
    *,
    sign_up_only: bool = False,
    box: str = "",
    switches_on: str = "",
    ticked_before: bool = False,
    required: bool = False,
) -> str:
    document = f"evidence/{page}.html"
    said: list[tuple[str, object]] = [("key", key), ("form", form.name)]
    if sign_up_only:
        said.append(("sign_up_only", True))
    else:
        said += [
            ("switches_on", switches_on) if switches_on else ("box", box),
            ("ticked_before", ticked_before),
            ("required", required),
        ]
    said.append(("shown_from", shown_from))
    if shown_to is not None:
        said.append(("shown_to", shown_to))
    return _table(
        "form",
        [
            *said,
            ("wording", document),
            ("purposes", ["marketing.similar", "marketing.other"]),
            ("channels", ["email"]),
            ("senders", ["own"]),
            ("evidence", [document]),
        ],
    )


def _type(key: str, name: str, purposes: list[str]) -> str:
    return _table("type", [("key", key), ("type", name), ("purposes", purposes), ("evidence", [_PREFERENCES])])


def _money(calendar: Calendar, contacts: int) -> list[tuple[str, object]]:
    tier = -(-contacts // 5_000) * 5_000
    return [
        ("tier", tier),
        ("price", tier * 46 / 1_000),
        ("currency", "EUR"),
        ("step", 5_000),
        ("renewal", calendar.renewal),
    ]


def _table(name: str, said: list[tuple[str, object]], *, many: bool = True) -> str:
    head = f"[[{name}]]" if many else f"[{name}]"
    return "\n".join([head, *(f"{field} = {_value(value)}" for field, value in said)]) + "\n"


def _value(value: object) -> str:
    """A TOML value: dates bare, the rest as JSON writes it."""
    return value.isoformat() if isinstance(value, date) else msgspec.json.encode(value).decode()
