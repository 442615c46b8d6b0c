"""Which senders of webhooks are set up: those whose secret the environment holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pydantic import SecretStr

from adapters.cli.senders import senders_of
from adapters.receiving import Receiver
from adapters.settings import PREFIX, Settings, SettingsError

if TYPE_CHECKING:
    from adapters.hubspot.api.portal import Portal
    from adapters.wiring import House

ASK_SECONDS = 5.0
"""How long one question to HubSpot is tried while notices wait; then they are tried again, later."""


def receivers_of(settings: Settings, house: House, stack: ExitStack) -> list[Receiver]:
    """The receivers of an environment; `stack` closes what they hold open. Raises SettingsError."""
    return list(_receivers(settings, house, stack))


def _receivers(settings: Settings, house: House, stack: ExitStack) -> Iterator[Receiver]:
    if settings.hubspot_secret is not None:
        yield _hubspot(settings, settings.hubspot_secret, house, stack)
    yield from senders_of(settings)


def _hubspot(settings: Settings, secret: SecretStr, house: House, stack: ExitStack) -> Receiver:
    from importlib.util import find_spec

    if find_spec("httpx2") is None:
        raise SettingsError(f"{PREFIX}HUBSPOT_SECRET needs the package: pip install 'consent-ledger[hubspot]'")
    from adapters.hubspot.pull.ours import OurWrites
    from adapters.hubspot.sync.store import Book
    from adapters.hubspot.webhooks import HubSpotReceiver

    secrets = [one.strip() for one in secret.get_secret_value().split(",") if one.strip()]
    if settings.public_url is None or not secrets:
        raise SettingsError(
            f"{PREFIX}HUBSPOT_SECRET needs {PREFIX}PUBLIC_URL beside it: HubSpot signs the URL that it calls"
        )
    ours = OurWrites(settings.hubspot_app, stack.enter_context(Book.open(house)))
    portal, number = _portal(settings, stack), settings.hubspot_portal
    return HubSpotReceiver(secrets, settings.public_url, ours, portal, time.monotonic, number)


def _portal(settings: Settings, stack: ExitStack) -> Portal | None:
    """Whom to ask where a notice only hints; None without a token."""
    if settings.hubspot_token is None:
        return None
    from adapters.hubspot.api.opening import client_of
    from adapters.hubspot.api.portal import Portal

    return Portal(stack.enter_context(client_of(settings, patience=ASK_SECONDS)))
