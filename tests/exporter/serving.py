"""A server in a thread of its own, and clients that know no manners."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytracer_exporter.buckets import evenly
from pytracer_exporter.collector import SourceCollector
from pytracer_exporter.connection import Limits
from pytracer_exporter.families import Form
from pytracer_exporter.pages import Answer, Pages
from pytracer_exporter.reading import Source
from pytracer_exporter.server import Protection, Server

LIMIT_S = 20
SHORT = Limits(head_s=0.3, idle_s=0.4, body_s=0.3, answer_s=0.5)


@dataclass(slots=True)
class Serving:
    """A running server's port."""

    port: int
    server: Server

    def connect(self) -> socket.socket:
        """Connect, without asking for anything."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)

    def raw(self, sent: bytes) -> bytes:
        """Send bytes and read until the server closes."""
        with self.connect() as client:
            client.sendall(sent)
            return read_all(client)

    def get(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """Ask as a well-behaved client does; the answer is closed by its reader."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, headers=names)
        return client.getresponse()


def read_all(client: socket.socket) -> bytes:
    """Read until the other side closes, or has had enough."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65536):
            found += data
    return found


@contextlib.contextmanager
def serving(
    source: Source,
    *,
    limits: Limits | None = None,
    most: int = 100,
    protection: Protection | None = None,
) -> Iterator[Serving]:
    """Serve what a source has counted."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    pages = Pages(SourceCollector(source, Form(evenly(28)), 100_000, ["web"]))
    started = threading.Event()
    found: list[Any] = []

    async def respond(method: str, path: str, headers: dict[str, str]) -> Answer:
        return pages.answer(
            method, path, headers.get("accept", ""), headers.get("accept-encoding", "")
        )

    async def run() -> None:
        ended = asyncio.Event()
        server = Server([listening], respond, protection=protection, limits=limits, most=most)
        server.start()
        found.extend((asyncio.get_running_loop(), ended, server))
        started.set()
        await ended.wait()
        await server.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(LIMIT_S)
    loop, ended, server = found
    try:
        yield Serving(port, server)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(LIMIT_S)
        assert not thread.is_alive(), "the server did not end"
