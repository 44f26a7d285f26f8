"""What poll and epoll wait for, and what they say when they return."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import AtRegister, Fetch, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Fd, FlagSet, Number
from pytracer.spec.type import Scope
from pytracer.spec.values import Array, Base, Flags, Integer, Joined, Phrase, Struct, Value
from pytracer.tables.constants.poll import EPOLL_EVENTS, POLL_EVENTS

POLLFD_BYTES = 8
NFDS_MAX = 1024 * 1024  # more are not looked at, whatever the limit on open files
# Characters of a remark after which strace lists no more descriptors.
REMARK_LIMIT = 997


class _Events(FlagSet):
    """What is waited for; a descriptor below zero is passed over with its events."""

    def __init__(self) -> None:
        super().__init__(POLL_EVENTS, "ushort")

    def bind(self, scope: Scope) -> Decode:
        fd = scope.number("fd")
        decode_flags = super().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            return None if fd(ctx, frame) < 0 else decode_flags(ctx, raw, frame)

        return decode


POLLFDS = ArrayOf(StructOf(fd=Fd(), events=_Events(), revents=Pad(2, 2)), "nfds")


class Polled(Returns):
    """How many descriptors are ready, which ones for what, and how much of ``timeout`` is left."""

    def __init__(self, timeout: StructOf | None = None) -> None:
        self.timeout = timeout

    def bind(self, scope: Scope) -> Result:
        address = scope.number("fds")
        count = scope.number("nfds")
        timeout = scope.number("tmo_p") if self.timeout else None
        decode_time = self.timeout.bind_at(scope) if self.timeout else None

        def result(ctx: Context) -> tuple[Value, Value | None]:
            if not ctx.ret:
                return Integer(0), Phrase("Timeout")
            at, nfds = address(ctx, ctx.args), count(ctx, ctx.args)
            if not at or not nfds:
                return Integer(ctx.ret), None
            found = _ready(ctx, at, nfds)
            parts: list[Value] = [] if found is None else [found]
            limit = timeout(ctx, ctx.args) if timeout else 0
            if limit and decode_time:
                parts.append(Joined((Phrase("left"), decode_time(ctx, limit, ctx.args)), " "))
            return Integer(ctx.ret), Joined(tuple(parts), ", ", decoded=True) if parts else None

        return result

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        length = planning.length("nfds", POLLFD_BYTES)
        assert isinstance(length, Length)
        found: tuple[Fetch, ...] = (Fetch(AtRegister(0), planning.phase, length, CAPTURE_LIMIT),)
        if self.timeout is not None:
            found += self.timeout.fetches_at(AtRegister(2), planning)
        return found


def _ready(ctx: Context, address: int, nfds: int) -> Value | None:
    """Those of the descriptors with something to report; None where there are none."""
    data = ctx.memory.read_some(address, min(nfds, NFDS_MAX) * POLLFD_BYTES)
    readable = data if isinstance(data, bytes) else b""
    items: list[Value] = []
    length = 0
    most = ctx.elements - 1
    more = False
    for at in range(0, len(readable) - POLLFD_BYTES + 1, POLLFD_BYTES):
        revents = int.from_bytes(readable[at + 6 : at + 8], "little")
        if not revents:
            continue
        fd = int.from_bytes(readable[at : at + 4], "little", signed=True)
        names, rest = POLL_EVENTS.names_in(revents)
        # As short as it may be written: an output looks at what it does write.
        length += len(f"{revents:#x}") + len(str(fd)) + len("{fd=, revents=}, ")
        if len(items) >= most or length >= REMARK_LIMIT:
            more = True
            break
        events = Flags(revents, names, rest)
        items.append(Struct((("fd", Integer(fd)), ("revents", events))))
    broken = len(readable) // POLLFD_BYTES
    if broken < nfds and not more:
        items.append(Integer(address + broken * POLLFD_BYTES, Base.HEX))
    return Array(tuple(items), more=more, room=REMARK_LIMIT) if items or more else None


class _Data(Number):
    """The user's 64 bits, which x86_64 packs and i386 aligns to 32 bits."""

    def __init__(self) -> None:
        super().__init__("u64", Base.HEX)

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 8, 4, "Q"


EPOLL_EVENT = StructOf(events=FlagSet(EPOLL_EVENTS), data=_Data())
