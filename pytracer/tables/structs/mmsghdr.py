"""Vectors of messages: sendmmsg and recvmmsg."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.context import Number as Count
from pytracer.spec.plan import At, AtRegister, Fetch, Phase, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT, named_length
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Number
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Integer, Joined, Phrase, Struct, Value
from pytracer.tables.structs.iovec import IOV_MAX, Filled
from pytracer.tables.structs.msghdr import MSGHDR, Arrived, Room, received


class _Next:
    """The key, in what a call keeps, of the number of the message that is next."""


class _Length:
    """The key, in what a call keeps, of the bytes of the message that is decoded."""


class _Rooms:
    """The key, in what a call keeps, of the room for an address that each message had."""


class _Parts(Filled):
    """The buffers of a message of a vector."""

    def filled(self, scope: Scope) -> Count:
        return lambda ctx, frame: ctx.saved[_Length]


class _Message(StructOf):
    """struct mmsghdr, include/linux/socket.h: its length where the call has told it."""

    def __init__(self, header: StructOf) -> None:
        super().__init__(None, None, msg_hdr=header, msg_len=Number("uint"))

    def bind(self, scope: Scope) -> Decode:
        place = self.place(scope.abi)[0][1].offset
        header = self.fields["msg_hdr"]
        size = header.measure(scope.abi)[0]
        decode_header = header.bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            index = ctx.saved.get(_Next, 0)
            ctx.saved[_Next] = index + 1
            length = int.from_bytes(raw[place : place + 4], "little")
            ctx.saved[_Length] = length
            rooms = ctx.saved.get(_Rooms, ())
            ctx.saved.pop(Room, None)
            if index < len(rooms):
                ctx.saved[Room] = rooms[index]
            fields: tuple[tuple[str, Value], ...] = (
                ("msg_hdr", decode_header(ctx, raw[:size], frame)),
            )
            if not ctx.failed and index < ctx.ret:
                fields += (("msg_len", Integer(length)),)
            return Struct(fields)

        return decode


SENT_MESSAGE = _Message(MSGHDR)
RECEIVED_MESSAGE = _Message(
    received(_Parts("msg_iovlen", total="", part=Arrived(length="iov_len")))
)


class Sent(ArrayOf):
    """The messages that sendmmsg was given, and the lengths of those that it has sent."""

    def __init__(self, count: str) -> None:
        super().__init__(SENT_MESSAGE, count, limit=IOV_MAX)

    def bind(self, scope: Scope) -> Decode:
        decode_at = self.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            return decode_at(ctx, raw, frame) if ctx.exiting else LATER

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return super().fetches(at, planning.at_exit(always=True))


class Arriving(ArrayOf):
    """The messages that recvmmsg has received. ``room``: the argument that tells the most."""

    def __init__(self, room: str) -> None:
        super().__init__(RECEIVED_MESSAGE, "ret", limit=IOV_MAX)
        self.room = room

    def bind(self, scope: Scope) -> Decode:
        decode_at: DecodeAt = self.bind_at(scope)
        number = scope.number(self.room)
        size = self.element.measure(scope.abi)[0]
        place = scope.abi.word

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if ctx.exiting:
                return Address(raw) if ctx.failed else decode_at(ctx, raw, frame)
            count = min(number(ctx, frame), IOV_MAX)
            data = ctx.memory.read_some(raw, count * size) if raw and count else b""
            found = data if isinstance(data, bytes) else b""
            ctx.saved[_Rooms] = [
                int.from_bytes(found[at : at + 4], "little", signed=True)
                for at in range(place, len(found) - size + place + 1, size)
            ]
            return LATER

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        size = self.element.measure(planning.abi)[0]
        length = named_length(self.room, planning, size)
        assert length is not None
        before = Fetch(at, Phase.ENTRY, length, min(IOV_MAX * size, CAPTURE_LIMIT))
        return (before, *super().fetches(at, planning.at_exit()))


class Left(Returns):
    """How many messages arrived, and how much time was left; ``timeout``'s type tells its form."""

    def __init__(self, timeout: StructOf) -> None:
        self.timeout = timeout

    def bind(self, scope: Scope) -> Result:
        place = scope.number("timeout")
        decode_time = self.timeout.bind_at(scope)

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if not ctx.ret:
                return Integer(0), Phrase("Timeout")
            at = place(ctx, ctx.args)
            if not at:
                return Integer(ctx.ret), None
            left = decode_time(ctx, at, ctx.args)
            return Integer(ctx.ret), Joined((Phrase("left"), left), " ", decoded=True)

        return result

    def fetches(self, planning: Planning) -> tuple[Fetch, ...]:
        return self.timeout.fetches_at(AtRegister(4), planning)
