"""Situations in which marketing by e-mail is allowed, once every file is looked at."""

from __future__ import annotations

from adapters.hubspot.portal.desk import CHECKOUT, NEWSLETTER, POPUP, SHOP, WEBINAR, WHITEPAPER, WON, Desk, Form
from adapters.hubspot.portal.people import (
    CONFIRMATION,
    CONSENT,
    CONTRACT,
    CUSTOMER,
    DECLARED,
    EVERYWHERE,
    GERMANY,
    LASTING,
    NEWS,
    NOWHERE,
    SHOPPING,
    STATUS,
    TYPE_OPTED_OUT,
    Person,
)
from adapters.hubspot.portal.persona import EXPLICIT, SOFT, UNRECORDED, Build, Persona

RECENT = 530
"""Days: within eighteen months, so that no law takes a consent for stale."""
SALE = (CONTRACT, CUSTOMER, "")


def signed_up(form: Form) -> Build:
    """They signed up by this form within eighteen months, and confirmed."""

    def build(desk: Desk, who: Person) -> None:
        desk.sign_up(who, form, desk.calendar.ago(desk.random, RECENT, 6))
        who.cells[CONFIRMATION] = desk.random.choice(("User clicked confirmation", "Confirmed due to form", "", ""))

    return build


_by_newsletter = signed_up(NEWSLETTER)


def bought(desk: Desk, who: Person) -> None:
    """They bought in the online shop, where refusal was offered."""
    desk.deal(who, SHOP, WON, desk.calendar.ago(desk.random, RECENT, 10))


def bought_long_ago(desk: Desk, who: Person) -> None:
    """They bought more than three years ago, when refusal was offered already."""
    desk.deal(who, SHOP, WON, desk.calendar.ago(desk.random, 1_400, 1_140))


def _kept_alive(desk: Desk, who: Person) -> None:
    desk.sign_up(who, NEWSLETTER, desk.calendar.ago(desk.random, 915, 850))
    for campaign in (desk.campaigns[4], desk.campaigns[7], desk.campaigns[10]):
        desk.mail(who, campaign)
    who.mailed = False


def _by_deleted_form(desk: Desk, who: Person) -> None:
    desk.subscribe(who, POPUP, desk.calendar.ago(desk.random, RECENT, 6))


def _revived(desk: Desk, who: Person) -> None:
    desk.opt_out(who, desk.calendar.ago(desk.random, 800, 500), listed=False)
    desk.sign_up(who, NEWSLETTER, desk.calendar.ago(desk.random, 400, 6))


def _not_billed(desk: Desk, who: Person) -> None:
    _by_newsletter(desk, who)
    who.cells[STATUS] = "Non-marketing contact"


def _left_one_type(desk: Desk, who: Person) -> None:
    _by_newsletter(desk, who)
    desk.leave_type(who, desk.calendar.ago(desk.random, 60), NEWS)
    who.cells[TYPE_OPTED_OUT + NEWS] = "Yes"


def _twice(desk: Desk, who: Person) -> None:
    _by_newsletter(desk, who)
    if who.twin is not None:
        who.twin.cells |= {name: who.cells[name] for name in ("First Name", "Last Name", "Country/Region")}
        who.twin.move(who.email)
        for label in ("State/Region", "IP Country", "IP Country Code", "Phone Number", "Preferred language"):
            who.twin.cells[label] = ""


def _under(domain: str) -> Build:
    def build(desk: Desk, who: Person) -> None:
        who.nowhere()
        who.move(f"{who.email.partition('@')[0]}@{domain}")
        _by_newsletter(desk, who)

    return build


def _merged(desk: Desk, who: Person) -> None:
    _by_newsletter(desk, who)
    who.cells["Additional email addresses"] = second_address(who)


def second_address(who: Person) -> str:
    """Where else they are written to."""
    return f"{who.first[0].lower() if who.first[0].isascii() else 'x'}.second{who.record_id}@example.net"


def role(who: Person, name: str) -> None:
    """Give them the address of a function instead of their own."""
    who.move(f"{name}@haus-{who.record_id}.example")


def _role_bought(desk: Desk, who: Person) -> None:
    role(who, desk.random.choice(("info", "office", "kontakt")))
    bought(desk, who)


_CONFIRMED = "asked for the newsletter by {}, and confirmed by the link in the mail"
GRANTED = (
    Persona(
        name="newsletter_confirmed",
        weight=17,
        build=_by_newsletter,
        basis=EXPLICIT,
        why=_CONFIRMED.format("a form that serves no other purpose"),
        settles=True,
        places=EVERYWHERE,
        claims=UNRECORDED,
    ),
    Persona(
        name="whitepaper_ticked_confirmed",
        weight=8,
        build=signed_up(WHITEPAPER),
        basis=EXPLICIT,
        why=_CONFIRMED.format("an optional box, unticked before"),
        settles=True,
        places=EVERYWHERE,
        claims=UNRECORDED,
    ),
    Persona(
        name="webinar_optional_confirmed",
        weight=5,
        build=signed_up(WEBINAR),
        basis=EXPLICIT,
        why=_CONFIRMED.format("the webinar's box, after it had become optional"),
        settles=True,
        claims=UNRECORDED,
    ),
    Persona(
        name="checkout_unticked_confirmed",
        weight=4,
        build=signed_up(CHECKOUT),
        basis=EXPLICIT,
        why=_CONFIRMED.format("the checkout's box, after it was no longer ticked before"),
        settles=True,
        claims=(CONTRACT, CONSENT, ""),
    ),
    Persona(
        name="subscribed_by_deleted_form",
        weight=3,
        build=_by_deleted_form,
        basis=EXPLICIT,
        why=_CONFIRMED.format("the box of a form deleted since, as the subscription timeline shows"),
        settles=True,
        claims=UNRECORDED,
    ),
    Persona(
        name="shop_customer",
        weight=14,
        build=bought,
        basis=SOFT,
        why="bought in the online shop, where refusal was offered and refusals are recorded; no refusal is",
        settles=True,
        places=SHOPPING,
        claims=SALE,
    ),
    Persona(
        name="shop_customer_long_ago",
        weight=2,
        build=bought_long_ago,
        basis=SOFT,
        why="bought more than three years ago, refusal offered; the law of this country sets no end to it",
        settles=True,
        places=LASTING,
        claims=SALE,
    ),
    Persona(
        name="role_address_customer",
        weight=0.7,
        build=_role_bought,
        basis=SOFT,
        why="a role's address that bought in the online shop, refusal offered",
        settles=True,
        places=GERMANY,
        claims=SALE,
    ),
    Persona(
        name="old_sign_up_mailed_since",
        weight=2,
        build=_kept_alive,
        basis=EXPLICIT,
        why="signed up and confirmed over two years ago; campaigns went out since, never two years apart",
        settles=True,
        places=DECLARED,
        claims=UNRECORDED,
    ),
    Persona(
        name="opted_out_then_signed_up_again",
        weight=2,
        build=_revived,
        basis=EXPLICIT,
        why="opted out, and later signed up again by themselves and confirmed: that consent counts alone",
        settles=True,
        claims=UNRECORDED,
    ),
    Persona(
        name="non_marketing_with_evidence",
        weight=2,
        build=_not_billed,
        basis=EXPLICIT,
        why="signed up and confirmed, and yet no marketing contact in HubSpot",
        settles=True,
    ),
    Persona(
        name="one_type_left_others_remain",
        weight=2,
        build=_left_one_type,
        basis=EXPLICIT,
        why="left Product News alone; the newsletter's consent goes on for other marketing",
        settles=False,
        claims=UNRECORDED,
    ),
    Persona(
        name="same_person_twice",
        weight=1,
        build=_twice,
        basis=EXPLICIT,
        why="two records of one person with one address, signed up and confirmed",
        settles=True,
        records=2,
        claims=UNRECORDED,
    ),
    Persona(
        name="unknown_country_de",
        weight=1,
        build=_under("example.de"),
        basis=EXPLICIT,
        why="nothing but a .de address says where; signed up and confirmed, which the strictest law accepts",
        settles=True,
        places=NOWHERE,
        claims=UNRECORDED,
    ),
    Persona(
        name="unknown_country_io",
        weight=1,
        build=_under("example.io"),
        basis=EXPLICIT,
        why="an .io address says nothing of a country; signed up and confirmed, which the strictest law accepts",
        settles=True,
        places=NOWHERE,
        claims=UNRECORDED,
    ),
    Persona(
        name="merged_confirmed",
        weight=0.7,
        build=_merged,
        basis=EXPLICIT,
        why="a merged record; its first address signed up and confirmed, no address of it opted out",
        settles=True,
        claims=UNRECORDED,
    ),
)
