"""Situations in which nothing carries marketing by e-mail: claimed, imported, flawed, lapsed, or not known."""

from __future__ import annotations

from datetime import date

from adapters.hubspot.demo import FIRST
from adapters.hubspot.portal.answered import imported, nothing, one, with_deal
from adapters.hubspot.portal.desk import (
    CHECKOUT,
    HARD,
    LANDING,
    NEWSLETTER,
    OPEN,
    SHOP,
    SOFT,
    WEBINAR,
    WHITEPAPER,
    Desk,
)
from adapters.hubspot.portal.granted import signed_up
from adapters.hubspot.portal.people import (
    CONFIRMATION,
    CONSENT,
    EVERYWHERE,
    NOT_APPLICABLE,
    NOWHERE,
    Person,
)
from adapters.hubspot.portal.persona import UNRECORDED
from adapters.hubspot.portal.stopped import member


def _by_ip(_: Desk, who: Person) -> None:
    who.nowhere()
    who.cells |= {"IP Country": "united states", "IP Country Code": "us"}


def _unticked(desk: Desk, who: Person) -> None:
    desk.submit(who, desk.random.choice((WHITEPAPER, WEBINAR, CHECKOUT)), desk.calendar.ago(desk.random, 530))


def _required(desk: Desk, who: Person) -> None:
    last = desk.calendar.optional_since
    desk.sign_up(who, WEBINAR, desk.calendar.within(desk.random, date(last.year - 1, 1, 1), last))


def _pre_ticked(desk: Desk, who: Person) -> None:
    last = desk.calendar.unticked_since
    desk.sign_up(who, CHECKOUT, desk.calendar.within(desk.random, date(last.year - 1, 1, 1), last))


def _unconfirmed(desk: Desk, who: Person) -> None:
    form = desk.random.choice((NEWSLETTER, WHITEPAPER))
    desk.sign_up(who, form, desk.calendar.ago(desk.random, 530, 30), confirmed=False)
    who.cells[CONFIRMATION] = desk.random.choice(("Confirmation Email Sent", "Confirmation Pending"))


def _asked_to_confirm(desk: Desk, who: Person) -> None:
    desk.request(who, desk.calendar.ago(desk.random, 5, 4), LANDING)
    who.cells[CONFIRMATION] = "Confirmation Email Sent"
    who.mailed = False


def _not_yet_confirmed(desk: Desk, who: Person) -> None:
    desk.submit(who, NEWSLETTER, desk.calendar.ago(desk.random, 5, 4))
    who.cells[CONFIRMATION] = "Confirmation Email Sent"
    who.mailed = False


def _minor(desk: Desk, who: Person) -> None:
    at = desk.calendar.ago(desk.random, 500, 30)
    desk.submit(who, WEBINAR, at, *WEBINAR.boxes)
    desk.confirm(who, at, WEBINAR)


def _lapsed(desk: Desk, who: Person) -> None:
    desk.sign_up(who, NEWSLETTER, desk.calendar.ago(desk.random, 915, 850))
    who.mailed = False


def _confirmed_in_crm(desk: Desk, who: Person) -> None:
    who.cells[CONFIRMATION] = desk.random.choice(("Confirmed", "User clicked confirmation"))


def _hard_bounced(desk: Desk, who: Person) -> None:
    who.cells["Email hard bounce reason"] = desk.random.choice(("UNKNOWN_USER", "POLICY", "OTHER"))
    desk.enlist(who.email, who.record_id, desk.calendar.ago(desk.random, 800), HARD)
    who.mailed = False


def _bounced(desk: Desk, who: Person) -> None:
    campaign = desk.random.choice(desk.campaigns[8:])
    desk.bounce(who, desk.mail(who, campaign), campaign)
    who.mailed = False


def _soft_bounced(desk: Desk, who: Person) -> None:
    desk.enlist(who.email, who.record_id, desk.calendar.ago(desk.random, 300), SOFT)


def _quarantined(desk: Desk, who: Person) -> None:
    who.cells["Email Address Quarantined"] = "Yes"
    who.cells["Email address automated quarantine reason"] = desk.random.choice(("ON_LIST_IMPORT", "OTHER"))
    who.mailed = False


def _no_address(_: Desk, who: Person) -> None:
    who.move("")
    who.mailed = False


def _shared(desk: Desk, who: Person) -> None:
    signed_up(NEWSLETTER)(desk, who)
    if who.twin is not None:
        who.twin.move(who.email)
        who.twin.cells["First Name"] = desk.random.choice([name for name in FIRST.split() if name != who.first])


def _cleaned(desk: Desk, who: Person) -> None:
    cells = member(desk, who, desk.calendar.ago(desk.random, 1_600, 1_300), by_themselves=False)
    cleaned = desk.calendar.ago(desk.random, 1_200, 900)
    cells |= {
        "CLEAN_TIME": f"{cleaned:%Y-%m-%d %H:%M:%S}",
        "CLEAN_CAMPAIGN_TITLE": "Rundbrief",
        "CLEAN_CAMPAIGN_ID": "0a1b2c3d4e",
    }
    desk.audience.cleaned.append(cells)


def _subscribed_in_mailchimp(desk: Desk, who: Person) -> None:
    joined = desk.calendar.ago(desk.random, 1_600, 1_300)
    cells = member(desk, who, joined, by_themselves=desk.random.random() < 0.5)
    cells["LAST_CHANGED"] = f"{joined:%Y-%m-%d %H:%M:%S}"
    desk.audience.subscribed.append(cells)


UNSHOWN = (
    one("consent_claimed", 6, nothing, "consent is claimed, and nothing shows it", settles=False, claims=(CONSENT,)),
    one(
        "confirmed_in_crm_only",
        1.5,
        _confirmed_in_crm,
        "HubSpot shows a confirmation, and nothing shows of what",
        settles=False,
    ),
    one(
        "not_applicable",
        2,
        nothing,
        "the legal basis reads “Not applicable”, and nothing else is known",
        settles=False,
        claims=(NOT_APPLICABLE,),
    ),
    one("nothing_known", 5, nothing, "nothing is known", settles=False, places=EVERYWHERE),
    one("soft_bounced", 0.7, _soft_bounced, "nothing is known but a soft bounce", settles=False),
    one("trade_fair", 4, imported, "imported from a trade fair's list; an import grants nothing", settles=False),
    one("american_by_ip", 0.7, _by_ip, "an American IP address declares no country", settles=False, places=NOWHERE),
    one("deal_open", 1, with_deal(SHOP, OPEN, 90), "a deal is open: no sale yet", settles=False),
    one(
        "box_left_unticked",
        3,
        _unticked,
        "sent in a form for something else and left its box unticked",
        settles=False,
        claims=UNRECORDED,
    ),
    one(
        "required_box",
        2,
        _required,
        "ticked the webinar's box while nobody could register without: not freely given",
        settles=False,
        claims=UNRECORDED,
    ),
    one(
        "pre_ticked_box",
        2,
        _pre_ticked,
        "left a box ticked that was ticked before: no act of theirs",
        settles=False,
        claims=UNRECORDED,
    ),
    one(
        "never_confirmed",
        2,
        _unconfirmed,
        "signed up and never confirmed, which German law asks for",
        settles=False,
        claims=UNRECORDED,
    ),
    one(
        "confirmation_pending_recorded",
        0.7,
        _asked_to_confirm,
        "signed up days ago; the mail that asks for confirmation is on record, and not answered",
        settles=False,
    ),
    one(
        "confirmation_pending_unrecorded",
        0.7,
        _not_yet_confirmed,
        "signed up days ago; no mail that asks for confirmation is on record",
        settles=False,
    ),
    one(
        "minor",
        0.5,
        _minor,
        "signed up and confirmed, and said to be under sixteen in the same form",
        settles=False,
    ),
    one(
        "old_sign_up_lapsed",
        1.5,
        _lapsed,
        "signed up and confirmed over two years ago, and neither was written to nor came back since",
        settles=False,
        claims=UNRECORDED,
    ),
    one(
        "subscribed_in_mailchimp",
        1.5,
        _subscribed_in_mailchimp,
        "stands in the old Mailchimp audience; nobody kept what its form showed",
        settles=False,
        claims=UNRECORDED,
    ),
    one(
        "hard_bounced",
        1.5,
        _hard_bounced,
        "the address takes no mail; consent is claimed",
        settles=False,
        claims=(CONSENT, ""),
    ),
    one(
        "bounced_in_events",
        1,
        _bounced,
        "the address takes no mail: in the e-mail events",
        settles=False,
        claims=(CONSENT, ""),
    ),
    one(
        "cleaned_in_mailchimp",
        0.7,
        _cleaned,
        "cleaned from the old Mailchimp audience",
        settles=False,
        claims=(CONSENT, ""),
    ),
    one(
        "quarantined",
        0.7,
        _quarantined,
        "quarantined by HubSpot, not by complaint",
        settles=False,
        claims=(CONSENT, ""),
    ),
    one("no_address", 0.7, _no_address, "the record has no address", settles=False),
    one(
        "shared_address",
        0.7,
        _shared,
        "two people, one address: whose sign-up it was is not known",
        settles=False,
        claims=(CONSENT,),
        records=2,
    ),
)
