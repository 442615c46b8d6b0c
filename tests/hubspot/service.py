"""The fake as a running service: in a thread of the test's own process, on a port of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from tests.hubspot.app import make_app
from tests.hubspot.state import APP, OTHER_TOKEN, TOKEN, State
from tests.hubspot.webhooks import WebhookSender
from tests.waiting import join, until

SECRET = "fake-client-secret"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Fake:
    """What a test is handed. `secret` signs the webhooks; `other_token` is that of somebody else's app."""

    url: str
    state: State
    token: str = TOKEN
    other_token: str = OTHER_TOKEN
    secret: str = SECRET
    app_id: int = APP

    def webhooks(
        self, target_url: str, *, public_url: str | None = None, seed: int = 1, calm: bool = False
    ) -> WebhookSender:
        """A sender of this portal's webhooks; see `WebhookSender`."""
        return WebhookSender(self.state, target_url, self.secret, public_url=public_url, seed=seed, calm=calm)


@contextmanager
def fake(portal: State | None = None, *, port: int = 0, rate: int | None = 190) -> Iterator[Fake]:
    """Run it: it answers when this yields. Without a portal, an empty one with this rate.

    Run again with the same portal and port, it is as HubSpot that was away.
    """
    state = portal if portal is not None else State(rate=rate)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(256)
    config = uvicorn.Config(
        make_app(state), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="fake-hubspot", daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), lambda: "the fake HubSpot does not start", pause=0.005)
        if not server.started:
            raise RuntimeError("the fake HubSpot ended at once")
        yield Fake(f"http://127.0.0.1:{listening.getsockname()[1]}", state)
    finally:
        server.should_exit = True
        join(thread)
        listening.close()
