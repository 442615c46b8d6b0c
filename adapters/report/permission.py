"""Who may be asked for permission, by which route; and how everybody else is asked when they come by themselves."""

from __future__ import annotations

from adapters.report import wording
from adapters.report.prose import Block, Points, Quoted, said

ROUTES: dict[str, str] = {
    "explicit_consent": "consent on file covers it",
    "soft_opt_in": "existing customer who was offered refusal",
    "charity_soft_opt_in": "supporter who was offered refusal",
    "implied_consent": "CASL implied consent, ask before it lapses",
    "inferred_consent": "inferred consent, ask while it lasts",
    "legitimate_interest_b2b": "business contact, legitimate interest",
    "opt_out_regime": "allowed without consent",
}
"""Basis of the request -> the route in plain words; a closed list, as it stands in an import file."""
OTHER_ROUTE = "allowed by the rules applied"


def route(basis: str | None) -> str:
    """The route's words."""
    return ROUTES.get(basis or "", OTHER_ROUTE)


def own_routes(controller: str) -> tuple[Block, ...]:
    """The routes a person starts, and the box, the refusal and the confirmation that go with them."""
    blank = wording.company_or_blank(controller)
    who = said(controller) if blank == controller else blank
    return (
        "People are asked only when they come by themselves:",
        Points(
            (
                "the next form they send in, of whatever kind;",
                "the checkout;",
                "the first page after they log in;",
                "a support conversation that they began, once their question is answered.",
            )
        ),
        "This box is ready to use there. Fill in what stands in brackets, and keep the wording with its date:",
        Quoted(
            f"☐ Yes, {who} may send me e-mails about [its products, offers and events]. I can withdraw this at any "
            "time, by the link in every e-mail or by writing to [address]."
        ),
        Points(
            (
                "The box is not ticked beforehand, and nothing depends on it: the form goes through without it.",
                "It stands by itself, apart from terms and from other boxes: a box for each purpose and each channel.",
                "It names who sends, what about, by which channel, and how to withdraw; the privacy notice is "
                "linked beside it.",
                "Then a double opt-in: one mail that asks to confirm and holds no advertising. Without a click "
                "within 7 days (a number of ours) it counts as nothing, and no second mail is sent.",
                "For each answer, keep the wording and its version, the box, the time, the form and the confirmation.",
            )
        ),
        "At a checkout, offer refusal as well, where the address is taken; it is what a soft opt-in needs:",
        Quoted(
            f"{who} may write to me by e-mail about products like those I buy. ☐ I do not want that. I can say so "
            "at any time, at [address], at no more than the basic cost of the message."
        ),
    )
