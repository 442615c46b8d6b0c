"""Two servers in one process for `bench_gate`: the service, and a constant of the same framework."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from adapters.logs import Lines
from adapters.submitting import Submission, take
from adapters.web.app import UNTOLD, make_app
from adapters.web.keys import KeyFile
from adapters.wiring import House, now
from tests.ledgers import open_house

CONSTANT = {"allowed": False, "reason": "opted_out", "basis": None}


def constant() -> FastAPI:
    """What the framework can do: an application made as ours is, and one ordinary route that answers a constant."""
    app = FastAPI(openapi_url=None, redirect_slashes=False, telemetry=UNTOLD)

    async def answer() -> dict[str, Any]:
        return CONSTANT

    app.add_api_route("/constant", answer, methods=["POST"])
    return app


def _use(house: House) -> None:
    """Take one fact of somebody new: a service that runs has its databases written, and SQLite reads those its way."""
    data = {"person": {"email": f"new{os.getpid()}@example.org"}, "by": "data_subject"}
    fact = Submission("bench", str(os.getpid()), "contact.opted_out.v1", None, json.dumps(data).encode())
    (answer,) = take(house, [fact])
    assert answer.status == "recorded", answer


async def serve(home: Path) -> None:
    """Serve both until SIGTERM; prints a key and the two ports."""
    with open_house(home, {}) as house, Path(os.devnull).open("w") as nowhere:
        keys = KeyFile(home)
        _use(house)
        secret = keys.add(f"bench-{os.getpid()}", "reader", now(), os.urandom)
        app = make_app(house, keys, now, Lines(nowhere, now), CollectorRegistry(), os.urandom)
        pairs = []
        for one in (app, constant()):
            config = uvicorn.Config(
                one, port=0, http="httptools", log_config=None, access_log=False, server_header=False
            )
            pairs.append((uvicorn.Server(config), config.bind_socket()))
            pairs[-1][1].listen()  # whoever comes before the server runs is kept waiting, not refused
        gc.freeze()  # as `serve` does
        print(secret, *(listening.getsockname()[1] for _, listening in pairs), flush=True)
        await asyncio.gather(*(one.serve([listening]) for one, listening in pairs))


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Path(sys.argv[1])))
