"""A network that fails when told to: TCP passed on to a port, cut amid what it carries, slow, or stalled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.waiting import join

_CHUNK = 65_536


class Proxy:
    """Passes on what comes to `port`, in a thread of its own. For the loopback address."""

    def __init__(self, port: int, to: int) -> None:
        self.port = port
        self.cuts = 0
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._delay = 0.0
        self._moving = asyncio.Event()
        self._moving.set()
        self._cut_before = 0
        self._connections = 0
        self._ends: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end)
        join(self._thread)
        self._loop.close()

    def cut(self) -> None:
        """Break every connection of now, at the next bytes it carries: half of them arrive. New ones may be made."""

        def cut() -> None:
            self._cut_before = self._connections

        self._do(cut)

    def slow(self, seconds: float) -> None:
        """From now on, let every chunk wait so long; 0: as fast as can be."""

        def slow() -> None:
            self._delay = seconds

        self._do(slow)

    def stall(self) -> None:
        """From now on nothing moves, and nobody is told."""
        self._do(self._moving.clear)

    def move(self) -> None:
        """Let what was stalled go on."""
        self._do(self._moving.set)

    def _do(self, what: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(what)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    def _end(self) -> None:
        self._server.close()
        self._moving.set()
        for end in self._ends:
            end.transport.abort()
        self._loop.call_later(0.5, self._loop.stop)

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        number = self._connections = self._connections + 1
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:  # the broker is away: so are we
            to_client.transport.abort()
            return
        self._ends |= {to_client, to_server}
        pumps = [
            asyncio.create_task(self._pump(number, client, to_server)),
            asyncio.create_task(self._pump(number, server, to_client)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (to_client, to_server):
                end.transport.abort()
                self._ends.discard(end)

    async def _pump(self, number: int, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(_CHUNK):
                await self._moving.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                if number <= self._cut_before:
                    self.cuts += 1
                    sink.write(data[: len(data) // 2])
                    await sink.drain()
                    return
                sink.write(data)
                await sink.drain()
