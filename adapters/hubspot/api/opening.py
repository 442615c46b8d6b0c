"""From the settings to a client: the only place where HubSpot's clock, sleep and chance are the real ones."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from adapters.hubspot.api.client import PATIENCE, Answer, Call, Client
from adapters.hubspot.api.connection import Connection
from adapters.settings import PREFIX, Settings, SettingsError


def client_of(
    settings: Settings,
    *,
    patience: float = PATIENCE,
    told: Callable[[Call, Answer | Exception], None] = lambda _, __: None,
) -> Client:
    """A client of the portal that the settings name. Raises SettingsError where they name none."""
    if settings.hubspot_token is None:
        raise SettingsError(
            f"no access to HubSpot is set: give {PREFIX}HUBSPOT_TOKEN the token of a private app or service key"
        )
    connection = Connection(settings.hubspot_url, settings.hubspot_token, settings.hubspot_api)
    return Client(connection, time.monotonic, time.sleep, random.random, patience=patience, told=told)
