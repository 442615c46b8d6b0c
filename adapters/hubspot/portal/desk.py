"""What the portal holds beside its contacts, collected persona by persona and written by `files`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from adapters.hubspot.demo import TYPES, Cells
from adapters.hubspot.portal.calendar import Calendar, local, stamp
from adapters.hubspot.portal.people import NEWS, Person

PORTAL = 26_100_100
SENDER = "Nordlicht Geräte <post@nordlicht.example>"
SITE = "https://www.nordlicht.example"
SUBSCRIPTIONS = {name: 1_001 + place for place, name in enumerate(TYPES)}
"""The portal's subscription types and their ids."""
SHOP, PARTNERS = "Online shop", "Partner sales"
WON, LOST, OPEN = "Closed won", "Closed lost", "Appointment scheduled"
UNSUBSCRIBED, HARD, SOFT, SPAM = "Unsubscribed", "Hard bounce", "Soft bounce", "Spam report"


class Form(NamedTuple):
    """A form of the site: its file, its name in HubSpot, its yes/no boxes, the page it stands on."""

    file: str
    name: str
    boxes: tuple[str, ...]
    page: str
    guid: str


NEWSLETTER = Form("newsletter-footer", "Newsletter footer", (), f"{SITE}/", "5b0c6f2e-0000-4000-8000-000000000001")
WHITEPAPER = Form(
    "whitepaper-download",
    "Whitepaper download",
    ("I would like to receive the newsletter",),
    f"{SITE}/whitepaper",
    "5b0c6f2e-0000-4000-8000-000000000002",
)
WEBINAR = Form(
    "webinar-registration",
    "Webinar registration",
    ("Keep me informed about products by email", "I am under 16"),
    f"{SITE}/webinar",
    "5b0c6f2e-0000-4000-8000-000000000003",
)
CHECKOUT = Form(
    "checkout-account",
    "Checkout account",
    ("Send me news and offers by email",),
    f"{SITE}/checkout",
    "5b0c6f2e-0000-4000-8000-000000000004",
)
FORMS = (NEWSLETTER, WHITEPAPER, WEBINAR, CHECKOUT)
POPUP = Form(
    "newsletter-popup",
    "Newsletter popup",
    ("I would like to receive the newsletter",),
    f"{SITE}/",
    "5b0c6f2e-0000-4000-8000-000000000005",
)
"""Deleted in HubSpot, and its submissions with it: only the subscription timeline still names it."""
LANDING = Form("landing-page", "Landing page", (), f"{SITE}/winter", "5b0c6f2e-0000-4000-8000-000000000006")
"""So new that nobody exported its submissions yet, nor said in the map what it shows."""


class Campaign(NamedTuple):
    """A mailing of the portal."""

    number: int
    name: str
    subject: str
    sent: datetime


def campaigns_of(calendar: Calendar) -> tuple[Campaign, ...]:
    """One every three months of the last three years, the oldest first."""
    found = []
    for place in range(12):
        sent = calendar.exported - timedelta(days=90 * (12 - place) - 20, hours=-9)
        name = f"Product letter {sent:%Y-%m}"
        found.append(Campaign(90_001 + place, name, f"What is new at Nordlicht, {sent:%B %Y}", sent))
    return tuple(found)


@dataclass(slots=True)
class Audience:
    """Members of the old Mailchimp audience, as dictionaries of its columns."""

    subscribed: list[Cells] = field(default_factory=list)
    unsubscribed: list[Cells] = field(default_factory=list)
    cleaned: list[Cells] = field(default_factory=list)


@dataclass(slots=True)
class Desk:
    """Rows of every file of the portal but its contacts."""

    random: Random
    calendar: Calendar
    campaigns: tuple[Campaign, ...]
    submissions: dict[str, list[tuple[datetime, list[str]]]] = field(
        default_factory=lambda: {form.file: [] for form in FORMS}
    )
    unsubscribes: list[tuple[datetime, list[str]]] = field(default_factory=list)
    deals: list[list[str]] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    objections: list[list[str]] = field(default_factory=list)
    audience: Audience = field(default_factory=Audience)

    # --- forms and subscriptions

    def submit(self, who: Person, form: Form, at: datetime, *ticked: str) -> None:
        """They send a form in, with these boxes ticked."""
        answers = ["Yes" if box in ticked else "No" for box in form.boxes]
        email = who.email.capitalize() if self.random.random() < 0.1 else who.email
        row = [local(at), self._uuid(), form.name, email, who.first, *answers, form.page]
        self.submissions[form.file].append((at, row))
        who.cells["Number of Form Submissions"] = str(int(who.cells["Number of Form Submissions"]) + 1)

    def sign_up(self, who: Person, form: Form, at: datetime, *, confirmed: bool = True) -> None:
        """They ask for the newsletter by a form, with its first box ticked, and follow the link in the mail."""
        self.submit(who, form, at, *form.boxes[:1])
        self.subscribe(who, form, at, confirmed=confirmed)

    def subscribe(self, who: Person, form: Form, at: datetime, *, confirmed: bool = True) -> None:
        """A form switches a subscription type on for them."""
        self._change(who.email, at, "SUBSCRIBED", "SUBSCRIPTION_STATUS", kind=NEWS, form=form)
        if confirmed:
            self.confirm(who, at + timedelta(minutes=self.random.randrange(2, 900)), form)

    def request(self, who: Person, at: datetime, form: Form) -> None:
        """The mail that asks for confirmation went out."""
        self._change(who.email, at, "CONFIRMATION_REQUESTED", "SUBSCRIPTION_STATUS", kind=NEWS, form=form)

    def confirm(self, who: Person, at: datetime, form: Form) -> None:
        """They followed the link in the confirmation mail."""
        self._change(who.email, at, "CONFIRMED", "SUBSCRIPTION_STATUS", kind=NEWS, form=form)

    # --- stops

    def opt_out(self, who: Person, at: datetime, *, listed: bool = True, email: str | None = None) -> None:
        """They unsubscribe from all e-mail. `listed`: the export of unsubscribes still shows it."""
        email = email or who.email
        self._change(email, at, "UNSUBSCRIBED", "PORTAL_STATUS")
        self.event(email, "STATUSCHANGE", at, portalSubscriptionStatus="UNSUBSCRIBED", source="SOURCE_RECIPIENT")
        if listed:
            self.enlist(email, who.record_id, at, UNSUBSCRIBED, everything=True)

    def leave_type(self, who: Person, at: datetime, kind: str) -> None:
        """They leave one subscription type."""
        self._change(who.email, at, "UNSUBSCRIBED", "SUBSCRIPTION_STATUS", kind=kind)
        self.enlist(who.email, who.record_id, at, UNSUBSCRIBED, kind=kind)

    def enlist(
        self, email: str, record_id: str, at: datetime, reason: str, *, kind: str = "", everything: bool = False
    ) -> None:
        """A row of the export of unsubscribes and bounces."""
        row = [email, record_id, "Yes" if everything else "No", kind, reason, local(at)]
        self.unsubscribes.append((at, row))

    def object(self, who: Person, at: datetime, words: str) -> None:
        """They write a letter, call, or ask at the shop."""
        self.objections.append([who.email, f"{at:%Y-%m-%d}", words])

    # --- mails

    def mail(self, who: Person, campaign: Campaign) -> datetime:
        """A campaign's mail goes out to them; when."""
        at = campaign.sent + timedelta(seconds=self.random.randrange(3_600))
        self.event(who.email, "SENT", at, campaign)
        return at

    def event(self, email: str, kind: str, at: datetime, campaign: Campaign | None = None, **more: str) -> None:
        """An e-mail event as HubSpot's API gives it."""
        event: dict[str, Any] = {
            "appId": 113,
            "created": stamp(at),
            "id": self._uuid(),
            "portalId": PORTAL,
            "recipient": email,
            "type": kind,
        }
        if campaign is not None:
            event |= {
                "appName": "Batch",
                "campaignName": campaign.name,
                "emailCampaignId": campaign.number,
                "from": SENDER,
                "subject": campaign.subject,
            }
        self.events.append(event | more)

    def bounce(self, who: Person, at: datetime, campaign: Campaign) -> None:
        """A mail comes back: nobody of that name."""
        self.event(
            who.email, "BOUNCE", at, campaign, category="UNKNOWN_USER", response="550 5.1.1 unknown", status="5.1.1"
        )
        self.enlist(who.email, who.record_id, at, HARD)

    # --- sales

    def deal(self, who: Person, pipeline: str, stage: str, closed: datetime) -> None:
        """A deal with them."""
        number = 700_001 + len(self.deals)
        amount = f"{self.random.randrange(19, 900)}.{self.random.randrange(100):02}"
        name = f"{'Order' if pipeline == SHOP else 'Offer'} {number}"
        date = "" if stage == OPEN else local(closed)
        self.deals.append([str(number), name, stage, pipeline, date, amount, who.record_id])
        if stage == WON:
            who.cells["Lifecycle Stage"] = "Customer"
            who.cells["Recent Deal Close Date"] = local(closed)

    def _change(
        self, email: str, at: datetime, change: str, about: str, *, kind: str = "", form: Form | None = None
    ) -> None:
        created = stamp(at)
        found: dict[str, Any] = {
            "causedByEvent": {"created": created, "id": self._uuid()},
            "change": change,
            "changeType": about,
            "portalId": PORTAL,
            "source": "SOURCE_HUBSPOT_CUSTOMER" if change == "CONFIRMATION_REQUESTED" else "SOURCE_RECIPIENT",
            "timestamp": created,
        }
        if kind:
            found |= {"subscriptionId": SUBSCRIPTIONS[kind], "subscriptionName": kind}
        if form is not None:
            found |= {"formId": form.guid, "formName": form.name}
        self.timeline.append({"changes": [found], "portalId": PORTAL, "recipient": email, "timestamp": created})

    def _uuid(self) -> str:
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
