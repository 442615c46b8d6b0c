"""Facts in the words of a sentence: what it was, and on which day."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.report import wording
from ledger import events as e
from ledger.policy.calendar import period
from ledger.terms import BEGINNING, END

NOUNS: dict[type[e.Event], str] = {
    e.OptedIn: "opt-in",
    e.OptInRequested: "request to confirm",
    e.DoubleOptInConfirmed: "confirmation",
    e.FormSubmitted: "form sent in",
    e.BoxAnswered: "ticked box",
    e.ContractStarted: "contract",
    e.ContractEnded: "end of a contract",
    e.DealWon: "won deal",
    e.Enquired: "enquiry",
    e.Donated: "support",
    e.AddressPublished: "published address",
    e.RecipientDescribed: "description of the recipient",
    e.CountryEvidenced: "sign of the country",
    e.EmailSent: "e-mail",
    e.CampaignMailSent: "e-mail",
    e.Clicked: "click",
    e.BasisClaimed: "claim of the CRM",
}


def noun(event: e.Event) -> str:
    """What a fact is called."""
    if isinstance(event, e.ContractStarted) and event.kind != "unknown":
        return {"purchase": "purchase", "free_account_service": "free account"}.get(
            event.kind, f"contract ({event.kind})"
        )
    return NOUNS.get(type(event), "record")


def day_of(moment: datetime | None) -> str:
    """The day of a moment."""
    return "an unknown day" if moment is None else wording.day(moment.astimezone(UTC))


def of_day(event: e.Event) -> str:
    """`of 1 May 2024`, `of a day between … and …`."""
    days = days_of(event)
    return f"of a day {days}" if days.startswith("between") else f"of {days}"


def on_day(event: e.Event) -> str:
    """`on 1 May 2024`, `between … and …`."""
    days = days_of(event)
    return days if days.startswith("between") else f"on {days}"


def days_of(event: e.Event) -> str:
    """When a fact happened, by the day: `1 May 2024`, `between … and …`, `an unknown day`."""
    first, last = event.earliest, event.latest
    if first == BEGINNING:
        known = event.occurred_to is not None and event.occurred_to < END
        return f"a day up to {wording.day(last.astimezone(UTC))}" if known else "an unknown day"
    one, other = wording.day(first.astimezone(UTC)), wording.day(last.astimezone(UTC))
    if event.precision == "day" or one == other:
        return one
    return f"between {one} and {other}"


def span_of(text: str) -> str:
    """An ISO period in words: `24 months`."""
    months, days, business = period(text)
    named = [f"{months} month{'s' if months != 1 else ''}"] if months else []
    named += [f"{days} {'business ' if business else ''}day{'s' if days != 1 else ''}"] if days else []
    return " and ".join(named)
