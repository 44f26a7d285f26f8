"""Message headers of sendmsg, recvmsg and their plural forms."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Phase, Planning
from pytracer.spec.pointer import Out
from pytracer.spec.scalar import FlagSet, Number
from pytracer.spec.type import Scope, Wrapper
from pytracer.spec.values import Address, Changed, Integer, Struct, Value
from pytracer.tables.constants.network import MSG_FLAGS
from pytracer.tables.structs.cmsg import Control
from pytracer.tables.structs.iovec import Filled, Vector
from pytracer.tables.structs.sockaddr import Sockaddr, sockaddr_at

MESSAGE_FLAGS = FlagSet(MSG_FLAGS)

MSGHDR = StructOf(
    msg_name=Sockaddr("msg_namelen"),
    msg_namelen=Number("int"),
    msg_iov=Vector("msg_iovlen"),
    msg_iovlen=Number("ulong"),
    msg_control=Control("msg_controllen"),
    msg_controllen=Number("ulong"),
    msg_flags=MESSAGE_FLAGS,
)


class _Room:
    """The key, in what a call keeps, of the room for an address that the caller had."""


class _Name(Sockaddr):
    """The address that a message came from, within the room that there was for it."""

    def bind(self, scope: Scope) -> Decode:
        number = scope.number(self.length)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            length = number(ctx, frame)
            return sockaddr_at(ctx, raw, min(length, ctx.saved.get(_Room, length)))

        return decode


class _NameLength(Number):
    """The length of that address: the room that there was, and what was needed."""

    def __init__(self) -> None:
        super().__init__("int")

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            before = ctx.saved.get(_Room, raw)
            return Integer(raw) if raw == before else Changed(Integer(before), Integer(raw))

        return decode


RECEIVED = StructOf(
    msg_name=_Name("msg_namelen"),
    msg_namelen=_NameLength(),
    msg_iov=Filled("msg_iovlen"),
    msg_iovlen=Number("ulong"),
    msg_control=Control("msg_controllen"),
    msg_controllen=Number("ulong"),
    msg_flags=MESSAGE_FLAGS,
)


class Received(Wrapper):
    """A pointer to the header of a message that recvmsg fills in.

    A call that failed shows the room for the address alone; a header that cannot be read is
    shown as its address, before the call runs.
    """

    def __init__(self) -> None:
        super().__init__(Out(RECEIVED))

    def bind(self, scope: Scope) -> Decode:
        decode_out = self.inner.bind(scope)
        size = RECEIVED.measure(scope.abi)[0]
        place = scope.abi.word

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                data = ctx.memory.read(raw, size)
                if not isinstance(data, bytes):
                    return Address(raw)
                room = int.from_bytes(data[place : place + 4], "little", signed=True)
                ctx.saved[_Room] = room
                return LATER
            if ctx.failed:
                return Struct((("msg_namelen", Integer(ctx.saved[_Room])),), raw)
            return decode_out(ctx, raw, frame)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        size = RECEIVED.measure(planning.abi)[0]
        before = Fetch(at, Phase.ENTRY, Length(From.CONST, size), size)
        return (before, *self.inner.fetches(at, planning))
