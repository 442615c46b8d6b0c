"""What an evidence map may say, field by field. A field's `description` is what an error tells the reader to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from adapters.tokens import token_of
from ledger.terms import CHANNELS, MARKETING_PURPOSES, OWN

Problem = tuple[str, str]
"""(field, what is wrong with it and what to write)."""

ALL_MARKETING = "marketing.*"
_service = re.compile(r"service\.[a-z0-9_]{1,60}\Z").match


def _said(text: str) -> str:
    if not text.split():
        raise ValueError("is empty")
    return text


def _purpose(text: str) -> str:
    if text in MARKETING_PURPOSES or _service(text):
        return text
    raise ValueError("is not a purpose")


def _purpose_or_all(text: str) -> str:
    return text if text == ALL_MARKETING else _purpose(text)


def _channel(text: str) -> str:
    if text not in CHANNELS:
        raise ValueError("is not a channel")
    return text


def _company(text: str) -> str:
    if text != OWN and token_of(_said(text)) == OWN:
        raise ValueError(f"is read as a company of that name; the sender itself is written {OWN!r}")
    return text


Text = Annotated[str, AfterValidator(_said)]
Purpose = Annotated[str, AfterValidator(_purpose)]
PurposeOrAll = Annotated[str, AfterValidator(_purpose_or_all)]
Channel = Annotated[str, AfterValidator(_channel)]
Company = Annotated[str, AfterValidator(_company)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,95}$")]

_PURPOSES = f'a list of purposes, e.g. ["marketing.similar"]; there are {", ".join(MARKETING_PURPOSES)}'
_FILES = 'a list of files beside this one, e.g. ["evidence/newsletter-footer.html"]'
_YES_NO = "true or false, or leave it out where nobody knows"
_COMPANY = f'"{OWN}" for the sender itself, or the name of the other company'


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class By(_Strict):
    """Who answers for a declaration, and since when."""

    name: Text = Field(description='the name of the person who answers for it, e.g. "Dana Weiss"')
    role: Text = Field(description='that person\'s role, e.g. "data protection officer"')
    on: date = Field(description="the day it was declared, without quotes: 2026-11-20")


class Stanza(_Strict):
    """What every declaration has."""

    key: Key = Field(description='a name of its own that stays the same, without spaces, e.g. "newsletter-footer-2021"')
    by: By | None = Field(None, description='{ name = "...", role = "...", on = 2026-11-20 }')
    note: str | None = Field(None, description="a sentence in quotes")
    evidence: list[Text] = Field([], description=_FILES)

    def problems(self) -> Iterator[Problem]:
        """What its fields do not say together."""
        yield from ()


class Spanning(Stanza):
    """A declaration of something that began one day, and ended another."""

    shown_from: date | None = Field(None, description="the first day, without quotes: 2021-01-01")
    shown_to: date | None = Field(None, description="the first day on which it was so no more, without quotes")

    def problems(self) -> Iterator[Problem]:
        """A span has days in it."""
        if self.shown_from and self.shown_to and self.shown_from >= self.shown_to:
            yield "shown_to", f"{self.shown_to} does not come after shown_from, {self.shown_from}"


class Form(Spanning):
    """What a form showed. Exactly one of `sign_up_only`, `box` and `switches_on`."""

    form: Text = Field(description="the form's name, as the CRM writes it")
    sign_up_only: Literal[True] | None = Field(None, description="true, if signing up was all the form was for")
    box: Text | None = Field(None, description="the words beside the box, as the form's export writes them")
    switches_on: Text | None = Field(None, description="the subscription type that sending in the form switches on")
    says_minor: Literal[True] | None = Field(
        None, description="true, if whoever ticks the box says that they are a minor"
    )
    ticked_before: bool | None = Field(None, description=_YES_NO)
    required: bool | None = Field(None, description=_YES_NO)
    wording: Text | None = Field(None, description="a file beside this one that holds the exact words shown")
    purposes: list[PurposeOrAll] = Field([], description=_PURPOSES)
    channels: list[Channel] = Field([], description=f"a list of channels: {', '.join(CHANNELS)}")
    senders: list[Company] = Field([], description=f"a list of who was named as sender: {_COMPANY}")

    @property
    def form_token(self) -> str:
        """The form, as facts name it."""
        return token_of(self.form)

    @property
    def box_token(self) -> str | None:
        """The box, as facts name it; None: sending the form in was the act."""
        if self.switches_on is not None:
            return f"type.{token_of(self.switches_on)}"
        return None if self.box is None else token_of(self.box)

    def problems(self) -> Iterator[Problem]:
        """One act, and no box where there was none."""
        yield from super().problems()
        if [self.sign_up_only, self.box, self.switches_on].count(None) != 2:
            yield (
                "box",
                "write exactly one of `box`, `switches_on` and `sign_up_only = true`: which act is meant?",
            )
        if self.says_minor and (self.box is None or self.purposes or self.senders or self.wording):
            yield "says_minor", "needs `box`, and says nothing of consent: leave purposes, senders and wording out"
        for name in ("ticked_before", "required"):
            if self.sign_up_only and getattr(self, name) is not None:
                yield name, "a form for nothing but signing up has no box to say this of; leave it out"


class Sale(Spanning):
    """What a won deal was, and what was offered when the address was taken."""

    pipeline: Text | None = Field(None, description="the pipeline's name, as the CRM writes it")
    kind: (
        Literal[
            "purchase",
            "subscription",
            "free_account_service",
            "membership",
            "service",
            "lease",
            "barter",
            "insurance",
            "loan",
            "contract",
        ]
        | None
    ) = Field(
        None,
        description="purchase, subscription, free_account_service, membership, service, lease, barter, insurance, "
        "loan or contract",
    )
    seller: Company | None = Field(None, description=_COMPANY)
    collected_from_person: bool | None = Field(None, description=_YES_NO)
    refusal_offered: bool | None = Field(None, description=_YES_NO)
    refusals_recorded: bool | None = Field(None, description=_YES_NO)

    @property
    def pipeline_token(self) -> str | None:
        """The pipeline, as facts name it; None: every one."""
        return None if self.pipeline is None else token_of(self.pipeline)


class Type(Stanza):
    """Which purposes leaving a subscription type stops."""

    type: Text = Field(description="the subscription type's name, as the CRM writes it")
    purposes: list[PurposeOrAll] = Field(min_length=1, description=_PURPOSES)


class Campaign(Stanza):
    """Which purpose the mails of a campaign had."""

    campaign: Text = Field(description="the campaign's name, as the CRM writes it")
    purpose: Purpose = Field(
        description=f'one purpose: {", ".join(MARKETING_PURPOSES)}, or a service purpose such as "service.invoice"'
    )


class Imported(Stanza):
    """Where a list came from."""

    list: Text = Field(description="the list's name, as the CRM writes it")


class Price(_Strict):
    """What marketing contacts cost, from the contract with the CRM."""

    tier: int | None = Field(None, ge=0, description="how many marketing contacts are paid for, e.g. 50000")
    price: float | None = Field(None, ge=0, description="what is paid for them a month, e.g. 2300.0")
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description='three letters, e.g. "EUR"')
    step: int | None = Field(None, gt=0, description="how many contacts lie between two tiers, e.g. 5000")
    renewal: date | None = Field(None, description="the day the contract is renewed, without quotes: 2027-03-01")


SECTIONS: dict[str, type[Stanza]] = {
    "form": Form,
    "sale": Sale,
    "type": Type,
    "campaign": Campaign,
    "list": Imported,
}
"""Header of a `[[...]]` -> what stands under it."""
