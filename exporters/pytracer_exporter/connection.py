"""One client's connection: requests are read, and answered, each within a bounded time.

What can be sent to us is bounded: 16 KiB of a request's head, 64 KiB of a body, which nobody
reads. Who is slower than the limits below is let go of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import h11

from pytracer_exporter.log import LOG
from pytracer_exporter.pages import Answer, plain

HEAD_BYTES: Final = 16 * 1024
BODY_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 4096
_CHUNK_BYTES: Final = 64 * 1024
_LINGER_S: Final = 1.0
_LINGER_BYTES: Final = 4 << 20

_ALWAYS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)

# Answers (method, path, headers by their name in small letters).
Responder: TypeAlias = Callable[[str, str, dict[str, str]], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds.

    ``head_s``: a request's head, and on a new connection the time before it; ``idle_s``: between
    two requests; ``body_s``: a request's body; ``answer_s``: reading an answer.
    """

    head_s: float = 10.0
    idle_s: float = 180.0
    body_s: float = 10.0
    answer_s: float = 20.0


@dataclass(slots=True)
class Connection:
    """A connection that is established, and protected where it shall be.

    ``headers``: of every answer. ``alive``: called for each request that was received.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    respond: Responder
    limits: Limits
    headers: tuple[tuple[str, str], ...] = ()
    alive: Callable[[], None] = lambda: None
    _http: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    )

    async def serve(self) -> None:
        """Answer requests until either side has enough. Errors: none raised."""
        # Nothing of an answer waits in our memory once it was written. Not 0: then asyncio's TLS
        # takes an empty buffer for a full one, and waits for ever.
        self.writer.transport.set_write_buffer_limits(high=1)
        wait_s = self.limits.head_s
        with suppress(OSError):  # of connections, their protection, and what took too long
            while await self._exchange(wait_s):
                self._http.start_next_cycle()
                wait_s = self.limits.idle_s
            await self._linger()

    async def _exchange(self, wait_s: float) -> bool:
        """Answer one request; whether there may be another."""
        bare = False  # whether an answer is to have no body
        try:
            request = await self._request(wait_s)
            if request is None:
                return False
            bare = request.method == b"HEAD"
            self.alive()
            if not await self._body():
                await self._send(plain(413, "The request is too large."), bare, close=True)
                return False
        except h11.RemoteProtocolError as error:
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                LOG.debug("a request was refused: %s", error)
                status = error.error_status_hint
                told = plain(status, "That is no request that is answered.")
                await self._send(told, bare, close=True)
            return False
        answer = await self._answer(request)
        await self._send(answer, bare)
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _request(self, wait_s: float) -> h11.Request | None:
        event = self._http.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(wait_s):
                self._http.receive_data(await self.reader.read(_READ_BYTES))
            async with asyncio.timeout(self.limits.head_s):
                while (event := self._http.next_event()) is h11.NEED_DATA:
                    self._http.receive_data(await self.reader.read(_READ_BYTES))
        return event if isinstance(event, h11.Request) else None

    async def _body(self) -> bool:
        """Read past the body of a request; whether it was not too large."""
        if self._http.they_are_waiting_for_100_continue:
            return True
        left = BODY_BYTES
        async with asyncio.timeout(self.limits.body_s):
            while left >= 0:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    self._http.receive_data(await self.reader.read(_READ_BYTES))
                elif isinstance(event, h11.Data):
                    left -= len(event.data)
                else:
                    return True
        return False

    async def _answer(self, request: h11.Request) -> Answer:
        headers: dict[str, str] = {}
        for name, value in request.headers:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        try:
            path = urlsplit(request.target.decode("latin-1")).path
        except ValueError:
            return plain(400, "That is no address.")
        return await self.respond(request.method.decode("latin-1"), path, headers)

    async def _send(self, answer: Answer, bare: bool, *, close: bool = False) -> None:
        headers = [
            *answer.headers,
            *_ALWAYS,
            *self.headers,
            ("Date", formatdate(usegmt=True)),
            ("Content-Length", str(len(answer.body))),
        ]
        if close:
            headers.append(("Connection", "close"))
        response = h11.Response(status_code=answer.status, headers=headers)
        self.writer.write(self._http.send(response) or b"")
        async with asyncio.timeout(self.limits.answer_s):
            if not bare:
                self._http.send_with_data_passthrough(h11.Data(data=answer.body))
                # Many may be served the same: it is never copied as a whole.
                body = memoryview(answer.body)
                for at in range(0, len(body), _CHUNK_BYTES):
                    self.writer.write(body[at : at + _CHUNK_BYTES])
                    await self.writer.drain()
            self._http.send(h11.EndOfMessage())
            await self.writer.drain()

    async def _linger(self) -> None:
        """Let the answer arrive: closed with something unread, the kernel would take it back."""
        if self._http.their_state is h11.CLOSED or self.reader.at_eof():
            return
        if self.writer.can_write_eof():
            self.writer.write_eof()
        left = _LINGER_BYTES
        async with asyncio.timeout(_LINGER_S):
            while left > 0 and (data := await self.reader.read(_READ_BYTES)):
                left -= len(data)
