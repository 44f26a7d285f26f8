"""Message headers of sendmsg, recvmsg and their plural forms."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.context import Number as Count
from pytracer.spec.plan import At, Fetch, From, Length, Phase, Planning
from pytracer.spec.pointer import Out
from pytracer.spec.scalar import FlagSet, Number
from pytracer.spec.type import Scope, Wrapper
from pytracer.spec.values import Address, Changed, Integer, Struct, Symbol, Value
from pytracer.tables.constants.network import AF_NETLINK, MSG_FLAGS
from pytracer.tables.netlink.buffer import SocketBuffer
from pytracer.tables.structs.cmsg import Control
from pytracer.tables.structs.iovec import Filled, Part
from pytracer.tables.structs.sockaddr import Sockaddr, sockaddr_at

MESSAGE_FLAGS = FlagSet(MSG_FLAGS)


class Room:
    """The key, in what a call keeps, of the room for an address that the caller had."""


class _Netlink:
    """The key, in what a call keeps, of whether a message's address is a netlink one."""


class Name(Sockaddr):
    """The address of a message, within the room that there was for it."""

    def bind(self, scope: Scope) -> Decode:
        number = scope.number(self.length)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            length = number(ctx, frame)
            value = sockaddr_at(ctx, raw, min(length, ctx.saved.get(Room, length)))
            family = value.fields[0][1] if isinstance(value, Struct) else None
            ctx.saved[_Netlink] = isinstance(family, Symbol) and family.value == AF_NETLINK
            return value

        return decode


class _Data(SocketBuffer):
    """A buffer of a message: netlink messages if that is what its address says."""

    def protocol(self, ctx: Context) -> int | None:
        return super().protocol(ctx) if ctx.saved.get(_Netlink) else None


class Arrived(_Data):
    """A buffer of a message that was received, as far as it was filled."""

    def count(self, scope: Scope) -> Count:
        return Part(self.length).count(scope)


class NameLength(Number):
    """The length of that address: the room that there was, and what was needed."""

    def __init__(self) -> None:
        super().__init__("int")

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            before = ctx.saved.get(Room, raw)
            return Integer(raw) if raw == before else Changed(Integer(before), Integer(raw))

        return decode


MSGHDR = StructOf(
    msg_name=Name("msg_namelen"),
    msg_namelen=Number("int"),
    msg_iov=ArrayOf(
        StructOf(iov_base=_Data(length="iov_len"), iov_len=Number("ulong")), "msg_iovlen"
    ),
    msg_iovlen=Number("ulong"),
    msg_control=Control("msg_controllen"),
    msg_controllen=Number("ulong"),
    msg_flags=MESSAGE_FLAGS,
)


def received(parts: Filled) -> StructOf:
    """The header of a message that arrived, ``parts`` being its buffers."""
    return StructOf(
        msg_name=Name("msg_namelen"),
        msg_namelen=NameLength(),
        msg_iov=parts,
        msg_iovlen=Number("ulong"),
        msg_control=Control("msg_controllen"),
        msg_controllen=Number("ulong"),
        msg_flags=MESSAGE_FLAGS,
    )


RECEIVED = received(Filled("msg_iovlen", part=Arrived(length="iov_len")))


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
                ctx.saved[Room] = room
                return LATER
            if ctx.failed:
                return Struct((("msg_namelen", Integer(ctx.saved[Room])),), raw)
            return decode_out(ctx, raw, frame)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        size = RECEIVED.measure(planning.abi)[0]
        before = Fetch(at, Phase.ENTRY, Length(From.CONST, size), size)
        return (before, *self.inner.fetches(at, planning))
