"""The server: takes connections, as many as it can serve, and lets go of the idlest for a new one.

One thread does everything; nothing that a client does can keep it waiting.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pytracer_exporter.connection import HEAD_BYTES, Connection, Limits, Responder
from pytracer_exporter.log import LOG

MOST_CONNECTIONS: Final = 512
# A protected one takes 300 kB, of which asyncio's buffer is the most.
MOST_PROTECTED: Final = 64
# Descriptors for anything but connections.
_SPARE: Final = 64
_ACCEPTS: Final = 64
_BACKLOG: Final = 1024
_HANDSHAKE_S: Final = 10.0
_GOODBYE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Protection:
    """How connections are protected. ``admits``: whether a client may go on, by what its
    certificate says.
    """

    context: ssl.SSLContext
    admits: Callable[[Any], bool] = lambda certificate: True


class Server:
    """Answers on listening sockets, within a running event loop.

    ``respond``, ``protection``, ``headers`` may be changed at any time, for connections to come.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        respond: Responder,
        *,
        protection: Protection | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        limits: Limits | None = None,
        most: int = MOST_CONNECTIONS,
    ) -> None:
        self.respond = respond
        self.protection = protection
        self.headers = headers
        self._sockets = sockets
        self._limits = limits or Limits()
        self._most = min(most, _descriptors())
        # Those that have asked for something last are at the end.
        self._connections: OrderedDict[asyncio.Task[None], None] = OrderedDict()
        self._crowded = False

    def connections(self) -> int:
        """How many there are now."""
        return len(self._connections)

    def start(self) -> None:
        """Begin to take connections."""
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            each.setblocking(False)
            each.listen(_BACKLOG)
            loop.add_reader(each, self._accept, each)

    async def close(self) -> None:
        """Take no more connections, and let go of those that there are."""
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            loop.remove_reader(each)
            each.close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GOODBYE_S)

    def _accept(self, listening: socket.socket) -> None:
        # A few at a time: who is connected has a turn, too.
        for _ in range(_ACCEPTS):
            most = self._most if self.protection is None else min(self._most, MOST_PROTECTED)
            while len(self._connections) >= most:
                self._make_room()
            try:
                client, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    raise
                LOG.warning("a connection cannot be taken: %s", error)
                self._make_room()
                return
            client.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._serve(client))
            self._connections[task] = None
            task.add_done_callback(self._gone)

    def _make_room(self) -> None:
        """Let go of the connection that has been idle for longest."""
        if not self._crowded:
            LOG.warning(
                "%d connections are open: those that are idle for longest are closed for new ones",
                len(self._connections),
            )
        self._crowded = True
        if self._connections:
            task, _ = self._connections.popitem(last=False)
            task.cancel()

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task, None)
        self._crowded = self._crowded and len(self._connections) > self._most // 2
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("internal error: %s: %s", type(error).__name__, error)

    async def _serve(self, client: socket.socket) -> None:
        protection = self.protection
        reader = asyncio.StreamReader(limit=HEAD_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                client,
                ssl=protection.context if protection else None,
                ssl_handshake_timeout=_HANDSHAKE_S if protection else None,
                ssl_shutdown_timeout=_GOODBYE_S if protection else None,
            )
        except (OSError, ssl.SSLError) as error:
            LOG.debug("a client could not be made a protected connection with: %s", error)
            client.close()
            return
        except asyncio.CancelledError:
            client.close()
            raise
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            certificate = writer.get_extra_info("peercert")
            if protection is not None and not protection.admits(certificate):
                LOG.debug("a client's certificate is none that is allowed")
                return
            await Connection(
                reader, writer, self._respond, self._limits, self.headers, self._alive
            ).serve()
        except asyncio.CancelledError:
            if not transport.is_closing():
                transport.abort()
            raise
        finally:
            await _closed(writer)

    async def _respond(self, method: str, path: str, headers: dict[str, str]) -> Any:
        return await self.respond(method, path, headers)

    def _alive(self) -> None:
        task = asyncio.current_task()
        if task is not None and task in self._connections:
            self._connections.move_to_end(task)


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, politely at first."""
    writer.close()
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()
    except (OSError, ssl.SSLError) as error:
        LOG.debug("a connection was over before it was closed: %s", error)


def _descriptors() -> int:
    """How many connections there can be, with as many descriptors as the system lets us have."""
    try:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError:  # a seccomp filter may forbid to ask
        return MOST_CONNECTIONS
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, soft - _SPARE)


def raise_limit() -> None:
    """Have as many descriptors as all connections need, where the system allows it."""
    wanted = MOST_CONNECTIONS + _SPARE
    with suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
