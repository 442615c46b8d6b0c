"""The network that fails does so as told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.proxy import Proxy
from tests.services.kafka import free_port
from tests.waiting import BUDGET


@pytest.fixture
def line() -> Iterator[tuple[Proxy, socket.socket]]:
    """A proxy, and a connection through it to somebody who says everything again."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            with suppress(OSError), server.accept()[0] as end:
                while data := end.recv(1_000):
                    end.sendall(data)

        threading.Thread(target=echo, daemon=True).start()
        with (
            Proxy(free_port(), server.getsockname()[1]) as proxy,
            socket.create_connection(("127.0.0.1", proxy.port), timeout=BUDGET) as client,
        ):
            yield proxy, client


def test_it_passes_on_and_slows_down(line: tuple[Proxy, socket.socket]) -> None:
    """Slowly or not, everything arrives."""
    proxy, client = line
    for seconds in (0.0, 0.05):
        proxy.slow(seconds)
        client.sendall(b"whole")
        assert client.recv(1_000) == b"whole"


def test_stalled_it_holds_everything_back(line: tuple[Proxy, socket.socket]) -> None:
    """Until it moves again."""
    proxy, client = line
    client.sendall(b"first")
    assert client.recv(1_000) == b"first"
    proxy.stall()
    client.sendall(b"second")
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv(1_000)
    client.settimeout(10)
    proxy.move()
    assert client.recv(1_000) == b"second"


def test_cut_it_breaks_in_the_middle(line: tuple[Proxy, socket.socket]) -> None:
    """The connection ends, and not all of what it carried arrives."""
    proxy, client = line
    client.sendall(b"before")
    assert client.recv(1_000) == b"before"
    proxy.cut()
    client.sendall(b"12345678")
    heard = b""
    with suppress(ConnectionError):
        while data := client.recv(1_000):
            heard += data
    assert len(heard) < 8
    assert proxy.cuts >= 1


def test_while_nobody_listens_behind_it_refuses(line: tuple[Proxy, socket.socket]) -> None:
    """As a port would whose broker is away."""
    with (
        Proxy(free_port(), free_port()) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=BUDGET) as client,
        suppress(ConnectionError),
    ):
        assert client.recv(10) == b""
