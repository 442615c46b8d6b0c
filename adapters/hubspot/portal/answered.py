"""Situations that the officer's answers settle: claims no rule accepts, and sales nobody can show."""

from __future__ import annotations

from datetime import date

from adapters.hubspot.portal.desk import LOST, OPEN, PARTNERS, SHOP, WON, Desk
from adapters.hubspot.portal.granted import bought, bought_long_ago, role
from adapters.hubspot.portal.people import (
    AMERICA,
    CONTRACT,
    CUSTOMER,
    EVERYWHERE,
    INTEREST,
    LAPSING,
    NOWHERE,
    PROSPECT,
    SHOPPING,
    Person,
)
from adapters.hubspot.portal.persona import Build, Persona

_SALE = (CONTRACT, CUSTOMER)


def one(
    name: str,
    weight: float,
    build: Build,
    why: str,
    *,
    settles: bool,
    claims: tuple[str, ...] = ("",),
    places: tuple[str, ...] = SHOPPING,
    records: int = 1,
) -> Persona:
    """A persona of whom nothing allows it."""
    return Persona(
        name=name,
        weight=weight,
        build=build,
        why=why,
        settles=settles,
        claims=claims,
        places=places,
        records=records,
    )


def nothing(_: Desk, __: Person) -> None:
    """The contacts export says all there is."""


def imported(desk: Desk, who: Person) -> None:
    """They came with the trade fair's list."""
    who.cells["Marketing contact status source type"] = "CONTACT_IMPORT"
    who.cells["Marketing contact status source name"] = fair(desk.calendar.today)
    who.cells["Original Source"] = "Offline Sources"


def fair(today: date) -> str:
    """The list of the trade fair, four years back."""
    return f"Trade fair {today.year - 4}"


def with_deal(pipeline: str, stage: str, farthest: int = 700) -> Build:
    """There is a deal with them."""

    def build(desk: Desk, who: Person) -> None:
        desk.deal(who, pipeline, stage, desk.calendar.ago(desk.random, farthest, 10))
        if stage == OPEN:
            who.cells["Lifecycle Stage"] = "Opportunity"

    return build


def _role(desk: Desk, who: Person) -> None:
    role(who, desk.random.choice(("info", "sales", "kontakt", "buchhaltung", "office")))


def _bought_before_offer(desk: Desk, who: Person) -> None:
    since = desk.calendar.refusal_since
    desk.deal(who, SHOP, WON, desk.calendar.within(desk.random, date(since.year - 2, 1, 1), since))


def _bought_nowhere(desk: Desk, who: Person) -> None:
    who.nowhere()
    who.move(f"{who.email.partition('@')[0]}@example.de")
    bought(desk, who)


ANSWERED = (
    # no rule of German law accepts these; one signature stops them all
    one(
        "legitimate_interest",
        10,
        nothing,
        "a legitimate interest is claimed: the sender's law has no rule that accepts it for e-mail",
        settles=True,
        claims=(PROSPECT, PROSPECT, INTEREST),
        places=EVERYWHERE,
    ),
    one(
        "role_address",
        1.5,
        _role,
        "a role's address with a claimed legitimate interest: German law protects businesses alike",
        settles=True,
        claims=(PROSPECT, INTEREST),
    ),
    one(
        "trade_fair_claimed",
        3,
        imported,
        "imported from a trade fair's list; an import grants nothing, nor does the claimed interest",
        settles=True,
        claims=(PROSPECT,),
    ),
    one(
        "american_declared",
        2,
        nothing,
        "American law asks for no consent, but the German sender's law does; the claimed interest is none",
        settles=True,
        claims=(PROSPECT,),
        places=AMERICA,
    ),
    one(
        "customer_of_unknown_country",
        0.7,
        _bought_nowhere,
        "bought in the online shop, but nothing shows the country: the strictest law has no soft opt-in",
        settles=True,
        claims=_SALE,
        places=NOWHERE,
    ),
    # the officer's answer to a question about sales
    one(
        "contract_without_deal",
        3,
        nothing,
        "a contract is claimed, and there is no deal: the officer found no sale",
        settles=True,
        claims=(CONTRACT,),
    ),
    one(
        "partner_customer",
        4,
        with_deal(PARTNERS, WON),
        "bought through a partner: nothing shows who sold, nor that refusal was offered",
        settles=True,
        claims=_SALE,
    ),
    one(
        "shop_customer_before_refusal_offered",
        2,
        _bought_before_offer,
        "bought in the online shop before refusal was offered there",
        settles=True,
        claims=_SALE,
    ),
    one(
        "shop_customer_lapsed",
        1,
        bought_long_ago,
        "bought more than three years ago: the law of this country no longer carries it",
        settles=True,
        claims=_SALE,
        places=LAPSING,
    ),
    one("deal_lost", 0.7, with_deal(SHOP, LOST), "a deal was lost: no sale", settles=True, claims=(CONTRACT,)),
)
