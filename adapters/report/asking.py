"""Why one must not mail them all to ask: the question every such audit ends in, with its sources."""

from __future__ import annotations

from adapters.report import links
from adapters.report.markup import Html, bullets, join, link, paragraph, section, text

_REPORT = "Report of the decision"

_FINES = (
    (
        "Honda Motor Europe, fined £13,000 (2017).",
        "289,790 mails, “Would you like to hear from Honda?”, to addresses with neither an opt-in nor an opt-out "
        "on record. Honda called it a service mail.",
        links.HONDA_FLYBE,
    ),
    (
        "Flybe, fined £70,000 (2017).",
        "More than 3.3 million mails, “Are your details correct?”, to people who had opted out.",
        links.HONDA_FLYBE,
    ),
    (
        "Wm Morrison Supermarkets, fined £10,500 (2017).",
        "130,671 mails inviting people who had opted out to change their preferences.",
        links.MORRISONS,
    ),
)


def asking() -> Html:
    """The section, with the three decisions and the two statutes."""
    return section(
        "asking",
        "Why not mail them all and ask?",
        paragraph(
            text(
                "Because that mail is itself marketing, and needs the very permission it asks for. Not "
                "knowing what a person chose is no permission, and calling the mail a service message does "
                "not change what it is. The United Kingdom's regulator (ICO) has fined for exactly this:"
            )
        ),
        bullets(_fine(*fine) for fine in _FINES),
        Html(
            "<blockquote><p>&ldquo;Sending emails to determine whether people want to receive marketing "
            "without the right consent, is still marketing and it is against the law.&rdquo;</p>"
            "<footer>Steve Eckersley, head of enforcement, ICO, March 2017</footer></blockquote>"
        ),
        paragraph(text("The rules behind it:")),
        bullets(
            (
                join(
                    (
                        text("European Union: Directive 2002/58/EC, "),
                        link("Article 13", links.EPD_13),
                        text("; Germany: "),
                        link("UWG § 7", links.UWG_7),
                        text(": no advertising by e-mail without prior consent, or a sale with refusal offered."),
                    )
                ),
                join(
                    (
                        text("United Kingdom: Privacy and Electronic Communications Regulations 2003, "),
                        link("regulation 22", links.PECR_22),
                        text(": no direct marketing by e-mail without consent or the soft opt-in."),
                    )
                ),
                join(
                    (
                        text("Canada: Canada's anti-spam law, "),
                        link("section 1(3)", links.CASL_1),
                        text(
                            ": an electronic message that asks for consent to send commercial messages is "
                            "itself a commercial electronic message."
                        ),
                    )
                ),
            )
        ),
        paragraph(
            text(
                "What is left: ask when people come by themselves, in a form, at checkout, after a log-in, "
                "in a conversation they began, with a clear box that is not ticked beforehand. A line of "
                "advertising, or a request for consent, inside a service mail turns the whole mail into "
                "marketing."
            )
        ),
    )


def _fine(who: str, what: str, source: str) -> Html:
    return Html(f"<strong>{text(who)}</strong> {text(what)} {link(_REPORT, source)}.")
