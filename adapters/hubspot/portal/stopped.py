"""Situations in which the person said no, and some file holds it."""

from __future__ import annotations

from datetime import datetime

from adapters.hubspot.demo import Cells
from adapters.hubspot.portal.desk import NEWSLETTER, SHOP, SPAM, UNSUBSCRIBED, WON, Desk
from adapters.hubspot.portal.granted import second_address, signed_up
from adapters.hubspot.portal.people import (
    CONSENT,
    CONTRACT,
    CUSTOMER,
    GERMANY,
    NEWS,
    OPTED_OUT,
    PROSPECT,
    TYPE_OPTED_OUT,
    Person,
)
from adapters.hubspot.portal.persona import UNRECORDED, Persona

_LETTERS = (
    "Bitte schicken Sie mir keine Werbung mehr.",
    "Called: wants no more mails, from any list.",
    "Hiermit widerspreche ich der Nutzung meiner Daten zu Werbezwecken.",
    "Asked at the counter to be taken off every list.",
)
_signed_up = signed_up(NEWSLETTER)


def member(desk: Desk, who: Person, joined: datetime, *, by_themselves: bool) -> Cells:
    """The columns that every member of the Mailchimp audience has. An admin's entry shows no opt-in."""
    address = f"192.0.2.{desk.random.randrange(1, 255)}" if by_themselves else ""
    return {
        "Email Address": who.email,
        "First Name": who.first,
        "Last Name": who.last,
        "MEMBER_RATING": "2",
        "OPTIN_TIME": f"{joined:%Y-%m-%d %H:%M:%S}" if by_themselves else "",
        "OPTIN_IP": address,
        "CONFIRM_TIME": f"{joined:%Y-%m-%d %H:%M:%S}",
        "CONFIRM_IP": address,
        "CC": "",
        "REGION": "",
        "LEID": str(300_000 + who.number),
        "EUID": f"{desk.random.getrandbits(40):010x}",
        "NOTES": "",
        "TAGS": '"Address book"' if not by_themselves else "",
    }


def _out_in_mailchimp(desk: Desk, who: Person) -> None:
    joined = desk.calendar.ago(desk.random, 1_600, 1_300)
    left = desk.calendar.ago(desk.random, 1_200, 900)
    cells = member(desk, who, joined, by_themselves=desk.random.random() < 0.5)
    cells |= {
        "UNSUB_TIME": f"{left:%Y-%m-%d %H:%M:%S}",
        "UNSUB_CAMPAIGN_TITLE": "Rundbrief",
        "UNSUB_CAMPAIGN_ID": "0a1b2c3d4e",
        "UNSUB_REASON": desk.random.choice(("NORMAL", "NO_LONGER_INTERESTED", "")),
        "UNSUB_REASON_OTHER": "",
    }
    desk.audience.unsubscribed.append(cells)


def _objected(desk: Desk, who: Person) -> None:
    desk.object(who, desk.calendar.ago(desk.random, 700, 6), desk.random.choice(_LETTERS))
    who.mailed = False


def _objected_after_sign_up(desk: Desk, who: Person) -> None:
    desk.sign_up(who, NEWSLETTER, desk.calendar.ago(desk.random, 500, 200))
    desk.object(who, desk.calendar.ago(desk.random, 190, 6), desk.random.choice(_LETTERS))


def _bought_then_objected(desk: Desk, who: Person) -> None:
    desk.deal(who, SHOP, WON, desk.calendar.ago(desk.random, 500, 200))
    desk.object(who, desk.calendar.ago(desk.random, 190, 6), desk.random.choice(_LETTERS))


def _opted_out(desk: Desk, who: Person) -> None:
    at = desk.calendar.ago(desk.random, 900, 6)
    desk.opt_out(who, at)
    who.cells[OPTED_OUT] = "Yes"
    who.mailed = False
    late = next((one for one in desk.campaigns if one.sent > at), None)
    if late is not None:
        desk.event(who.email, "DROPPED", late.sent, late, dropReason="PREVIOUSLY_UNSUBSCRIBED_PORTAL")


def _signed_up_then_out(desk: Desk, who: Person) -> None:
    desk.sign_up(who, NEWSLETTER, desk.calendar.ago(desk.random, 500, 200))
    desk.opt_out(who, desk.calendar.ago(desk.random, 190, 6))
    who.cells[OPTED_OUT] = "Yes"


def _complained(desk: Desk, who: Person) -> None:
    campaign = desk.random.choice(desk.campaigns[6:])
    at = desk.mail(who, campaign)
    desk.event(who.email, "SPAMREPORT", at, campaign)
    if desk.random.random() < 0.5:
        desk.enlist(who.email, who.record_id, at, SPAM, everything=True)
    who.mailed = False


def _quarantined_by_complaint(_: Desk, who: Person) -> None:
    who.cells["Email Address Quarantined"] = "Yes"
    who.cells["Email address automated quarantine reason"] = "RECIPIENT_COMPLAINT"
    who.mailed = False


def _erased(desk: Desk, who: Person) -> None:
    at = desk.calendar.ago(desk.random, 700, 300)
    desk.enlist(who.email, str(100_000_000 + who.number), at, UNSUBSCRIBED, everything=True)
    desk.object(who, at, "Bitte löschen Sie alle meine Daten.")
    who.cells["Marketing contact status source type"] = "CONTACT_IMPORT"
    who.cells["Marketing contact status source name"] = "Address book 2019"
    who.cells["Original Source"] = "Offline Sources"
    who.mailed = False


def _merged_out(desk: Desk, who: Person) -> None:
    second = second_address(who)
    who.cells["Additional email addresses"] = second
    _signed_up(desk, who)
    desk.enlist(second, who.record_id, desk.calendar.ago(desk.random, 4, 3), UNSUBSCRIBED, everything=True)


def _left_one_type(desk: Desk, who: Person) -> None:
    desk.leave_type(who, desk.calendar.ago(desk.random, 500), NEWS)
    who.cells[TYPE_OPTED_OUT + NEWS] = "Yes"


STOPPED = (
    Persona(
        name="opted_out_shown",
        weight=5,
        build=_opted_out,
        why="opted out, and HubSpot shows it",
        settles=False,
        claims=(CONSENT, PROSPECT, ""),
    ),
    Persona(
        name="signed_up_then_opted_out",
        weight=3,
        build=_signed_up_then_out,
        why="signed up and confirmed, and opted out later",
        settles=False,
        claims=UNRECORDED,
    ),
    Persona(
        name="opted_out_in_mailchimp",
        weight=3,
        build=_out_in_mailchimp,
        why="unsubscribed from the old Mailchimp audience; HubSpot never learned of it",
        settles=True,
        claims=(CONSENT, PROSPECT, ""),
    ),
    Persona(
        name="objected_by_letter",
        weight=1,
        build=_objected,
        why="objected by letter, phone or at the counter",
        settles=True,
        claims=(CONSENT, PROSPECT, ""),
    ),
    Persona(
        name="objected_after_sign_up",
        weight=1,
        build=_objected_after_sign_up,
        why="signed up and confirmed, and objected later by letter, phone or at the counter",
        settles=True,
        claims=UNRECORDED,
    ),
    Persona(
        name="customer_who_objected",
        weight=0.7,
        build=_bought_then_objected,
        why="bought in the online shop, and objected later",
        settles=True,
        claims=(CONTRACT, CUSTOMER),
    ),
    Persona(
        name="spam_complaint",
        weight=2,
        build=_complained,
        why="reported a campaign as spam: in the e-mail events, not in the contacts export",
        settles=True,
        claims=(CONSENT, PROSPECT, ""),
    ),
    Persona(
        name="quarantined_by_complaint",
        weight=0.7,
        build=_quarantined_by_complaint,
        why="quarantined by HubSpot after a complaint",
        settles=False,
        claims=(CONSENT, ""),
    ),
    Persona(
        name="erased_and_imported_again",
        weight=1,
        build=_erased,
        why="asked for erasure, was deleted, and came back with an import under another record id",
        settles=True,
        claims=("", PROSPECT),
    ),
    Persona(
        name="merged_opted_out",
        weight=0.7,
        build=_merged_out,
        why="a merged record: its second address opted out, which binds the person",
        settles=True,
        places=GERMANY,
        claims=UNRECORDED,
    ),
    Persona(
        name="one_type_left_nothing_else",
        weight=1,
        build=_left_one_type,
        why="left Product News; nothing shows consent to anything else",
        settles=False,
    ),
)
