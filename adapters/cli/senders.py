"""The senders beside HubSpot that an environment sets up."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.receiving import Receiver
from adapters.settings import PREFIX, Settings, SettingsError
from adapters.wiring import now


def senders_of(settings: Settings) -> Iterator[Receiver]:
    """A receiver for each sender whose setting is there. Raises SettingsError, which quotes no value."""
    if settings.mailchimp_secret is not None:
        from adapters.mailchimp.webhooks import LEAST_SECRET, MailchimpReceiver

        try:
            yield MailchimpReceiver(_listed(settings.mailchimp_secret.get_secret_value()))
        except ValueError as error:
            raise SettingsError(f"{PREFIX}MAILCHIMP_SECRET: {LEAST_SECRET} characters or more are needed") from error
    if settings.postmark_secret is not None:
        from adapters.esp.postmark import PostmarkReceiver

        user, _, password = settings.postmark_secret.get_secret_value().partition(":")
        try:
            yield PostmarkReceiver(user, password)
        except ValueError as error:
            raise SettingsError(f"{PREFIX}POSTMARK_SECRET is not USER:PASSWORD") from error
    if settings.sendgrid_key is not None:
        from adapters.esp.sendgrid import SendGridReceiver

        try:
            yield SendGridReceiver(settings.sendgrid_key)
        except ValueError as error:
            raise SettingsError(f"{PREFIX}SENDGRID_KEY is no verification key as SendGrid shows it") from error
    if settings.ses_topics is not None:
        from adapters.esp.fetching import fetch
        from adapters.esp.ses import SesReceiver

        try:
            yield SesReceiver(_listed(settings.ses_topics), fetch, now)
        except ValueError as error:
            raise SettingsError(f"{PREFIX}SES_TOPICS names no topic") from error


def _listed(said: str) -> list[str]:
    return [one.strip() for one in said.split(",") if one.strip()]
