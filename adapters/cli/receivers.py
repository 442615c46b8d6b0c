"""Which senders of webhooks are set up: those whose secret the environment holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pydantic import SecretStr

from adapters.receiving import Receiver
from adapters.settings import PREFIX, Settings, SettingsError
from adapters.wiring import now

if TYPE_CHECKING:
    from adapters.hubspot.api.portal import Portal

ASK_SECONDS = 5.0
"""How long one question to HubSpot is tried while notices wait; then they are tried again, later."""


def receivers_of(settings: Settings, stack: ExitStack) -> list[Receiver]:
    """The receivers of an environment; `stack` closes what they hold open. Raises SettingsError."""
    return list(_receivers(settings, stack))


def _receivers(settings: Settings, stack: ExitStack) -> Iterator[Receiver]:
    if settings.hubspot_secret is not None:
        yield _hubspot(settings, settings.hubspot_secret, stack)
    if settings.mailchimp_secret is not None:
        yield _made("MAILCHIMP_SECRET", _mailchimp, settings.mailchimp_secret.get_secret_value())
    if settings.postmark_secret is not None:
        yield _made("POSTMARK_SECRET", _postmark, settings.postmark_secret.get_secret_value())
    if settings.sendgrid_key is not None:
        yield _made("SENDGRID_KEY", _sendgrid, settings.sendgrid_key)
    if settings.ses_topics is not None:
        yield _made("SES_TOPICS", _ses, settings.ses_topics)


def _made(name: str, make: Callable[[str], Receiver], text: str) -> Receiver:
    """SettingsError where the text cannot be meant; it may be a secret, and is not quoted."""
    try:
        return make(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{name} is not understood: {error}") from None


def _parts(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _mailchimp(text: str) -> Receiver:
    from adapters.mailchimp.webhooks import MailchimpReceiver

    return MailchimpReceiver(_parts(text))


def _postmark(text: str) -> Receiver:
    from adapters.esp.postmark import PostmarkReceiver

    user, _, password = text.partition(":")
    return PostmarkReceiver(user, password)


def _sendgrid(text: str) -> Receiver:
    from adapters.esp.sendgrid import SendGridReceiver

    return SendGridReceiver(text)


def _ses(text: str) -> Receiver:
    from adapters.esp.fetching import fetch
    from adapters.esp.ses import SesReceiver

    return SesReceiver(_parts(text), fetch, now)


def _hubspot(settings: Settings, secret: SecretStr, stack: ExitStack) -> Receiver:
    from adapters.hubspot.webhooks import HubSpotReceiver

    secrets = _parts(secret.get_secret_value())
    if settings.public_url is None or not secrets:
        raise SettingsError(
            f"{PREFIX}HUBSPOT_SECRET needs {PREFIX}PUBLIC_URL beside it: HubSpot signs the URL that it calls"
        )
    return HubSpotReceiver(secrets, settings.public_url, settings.hubspot_app, _portal(settings, stack), time.monotonic)


def _portal(settings: Settings, stack: ExitStack) -> Portal | None:
    """Whom to ask where a notice only hints; None without a token."""
    if settings.hubspot_token is None:
        return None
    from adapters.hubspot.api.opening import client_of
    from adapters.hubspot.api.portal import Portal

    return Portal(stack.enter_context(client_of(settings, patience=ASK_SECONDS)))
