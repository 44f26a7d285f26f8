"""File handles, and the flags of swapon.

Source: include/linux/fs.h (struct file_handle), include/linux/exportfs.h, include/linux/swap.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes, In
from pytracer.spec.scalar import Int, Scalar, UInt
from pytracer.spec.trailing import Trailing
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import (
    Address,
    Changed,
    Flags,
    Integer,
    Joined,
    Phrase,
    Struct,
    Text,
    Unavailable,
    Value,
)
from pytracer.tables.constants.errno import EOVERFLOW
from pytracer.tables.constants.files import SWAP_FLAGS

MAX_HANDLE_SZ = 128
SWAP_FLAG_PRIO_MASK = 0x7FFF


class _Handle(Bytes):
    """The bytes of a handle, shown whole."""

    def __init__(self) -> None:
        super().__init__("handle_bytes")

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.length)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            length = number(ctx, frame)
            shown = min(length, MAX_HANDLE_SZ)
            data = ctx.memory.read(address, shown) if shown else b""
            if not isinstance(data, bytes):
                return Phrase("???")
            return Text(data, shown < length, address, escaped=True)

        return decode_at


FILE_HANDLE = Trailing(
    StructOf(handle_bytes=UInt(), handle_type=Int()),
    "f_handle",
    _Handle(),
    limit=8 + MAX_HANDLE_SZ,
)
_ROOM = StructOf(handle_bytes=UInt(), handle_type=Pad(4))


class FilledHandle(In):
    """The handle that name_to_handle_at makes, and how much room there was for it."""

    def __init__(self) -> None:
        super().__init__(_ROOM)

    def bind(self, scope: Scope) -> Decode:
        decode_handle = FILE_HANDLE.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                room = decode_room(ctx, raw, frame)
                if isinstance(room, Address | Unavailable):
                    return room
                ctx.saved[raw] = room
                return LATER
            before: Struct = ctx.saved[raw]
            if ctx.failed and ctx.ret != -EOVERFLOW:
                return before
            after = decode_handle(ctx, raw, frame)
            if not isinstance(after, Struct):
                return before
            (_, had), (_, has) = before.fields[0], after.fields[0]
            assert isinstance(had, Integer) and isinstance(has, Integer)
            size: Value = had if had.value == has.value else Changed(had, has)
            rest = () if ctx.failed else after.fields[1:]
            return Struct((("handle_bytes", size), *rest), raw)

        decode_room = _ROOM.bind_at(scope)
        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        early = _ROOM.fetches_at(at, planning.at_entry())
        return early + FILE_HANDLE.fetches_at(at, planning.at_exit(always=True))


class SwapFlags(Scalar):
    """The flags of swapon, and the priority that they hold."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        priority = Integer(number & SWAP_FLAG_PRIO_MASK)
        flags = number & ~SWAP_FLAG_PRIO_MASK
        if not flags:
            return priority
        names, rest = SWAP_FLAGS.names_in(flags)
        return Joined((Flags(flags, names, rest, SWAP_FLAGS.unknown), priority))
