"""Control blocks and events of io_submit.

Source: include/uapi/linux/aio_abi.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number, UInt
from pytracer.spec.type import Equals, NonZero, Scope, Type
from pytracer.spec.values import Base, Integer, Value
from pytracer.tables.constants.files import RWF_FLAGS
from pytracer.tables.constants.io_uring import (
    AIO_COMMANDS,
    AIO_FLAGS,
    IOCB_CMD_POLL,
    IOCB_CMD_PREAD,
    IOCB_CMD_PREADV,
    IOCB_CMD_PWRITE,
    IOCB_CMD_PWRITEV,
    IOCB_FLAG_IOPRIO,
    IOCB_FLAG_RESFD,
)
from pytracer.tables.constants.poll import POLL_EVENTS
from pytracer.tables.structs.ioprio import io_priority
from pytracer.tables.structs.iovec import IOVEC, IOVEC_PLACE

_VECTORS = (IOCB_CMD_PREADV, IOCB_CMD_PWRITEV)
_BUFFERS = (IOCB_CMD_PREAD, IOCB_CMD_PWRITE)
_LARGEST = (1 << 63) - 1


class _Priority(Type):
    """A priority of input and output where the flags say so, else a number that should be zero."""

    ctype = "short"

    def bind(self, scope: Scope) -> Decode:
        flags = scope.number("aio_flags")

        def decode_priority(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            value = io_priority(raw)
            value.raw = Integer(raw, Base.HEX)
            return value

        decode_number = NonZero(Number("short")).bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            chosen = decode_priority if flags(ctx, frame) & IOCB_FLAG_IOPRIO else decode_number
            value: Value | None = chosen(ctx, raw, frame)
            return value

        return decode


class _Buffer(Type):
    """What is read or written, or waited for: the operation decides."""

    ctype = "u64"

    def bind(self, scope: Scope) -> Decode:
        operation = scope.number("aio_lio_opcode")
        count = scope.number("aio_nbytes")
        place = Hex("u64").bind(scope)
        known = {
            IOCB_CMD_PWRITE: Bytes("aio_nbytes").bind(scope),
            IOCB_CMD_PREADV: ArrayOf(IOVEC_PLACE, "aio_nbytes").bind(scope),
            IOCB_CMD_PWRITEV: ArrayOf(IOVEC, "aio_nbytes").bind(scope),
        }
        events = FlagSet(POLL_EVENTS, "u64").bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            op = operation(ctx, frame)
            if op == IOCB_CMD_POLL:
                chosen = events
            elif op in _BUFFERS or op in _VECTORS:
                valid = count(ctx, frame) <= _LARGEST
                chosen = known.get(op, place) if valid else place
            else:
                return None
            value: Value = chosen(ctx, raw, frame)
            return value

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        # Which of the two it is cannot be told before.
        vector = ArrayOf(IOVEC, "aio_nbytes", limit=8)
        return Bytes("aio_nbytes").fetches(at, planning) + vector.fetches(at, planning)


class _Count(Number):
    """The bytes of a buffer; the buffers of a vector are shown instead of their number."""

    def __init__(self) -> None:
        super().__init__("u64")

    def bind(self, scope: Scope) -> Decode:
        operation = scope.number("aio_lio_opcode")
        decode_number = super().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            op = operation(ctx, frame)
            if op in _BUFFERS or (op in _VECTORS and raw > _LARGEST):
                value: Value = decode_number(ctx, raw, frame)
                return value
            return None

        return decode


class _Notified(Type):
    """The eventfd to be told of the end, where the flags say so."""

    ctype = "uint"

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return planning.describe(at)

    def bind(self, scope: Scope) -> Decode:
        flags = scope.number("aio_flags")
        decode_fd = Fd().bind(scope)
        decode_number = NonZero(Hex()).bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value | None:
            chosen = decode_fd if flags(ctx, frame) & IOCB_FLAG_RESFD else decode_number
            value: Value | None = chosen(ctx, raw, frame)
            return value

        return decode


_HEADER: dict[str, Any] = {
    "aio_data": Hex("u64"),
    "aio_key": NonZero(UInt()),
    "aio_rw_flags": NonZero(FlagSet(RWF_FLAGS)),
    "aio_lio_opcode": Enum(AIO_COMMANDS, "ushort", Base.DEC),
    "aio_reqprio": _Priority(),
    "aio_fildes": Fd(),
}
_FULL = (*_BUFFERS, *_VECTORS, IOCB_CMD_POLL)
IOCB_HEADER = StructOf(
    order=tuple(_HEADER),
    **_HEADER,
    rest=Pad(32),
    aio_flags=UInt(),
    resfd=Pad(4),
)
IOCB = StructOf(
    **_HEADER,
    aio_buf=_Buffer(),
    aio_nbytes=_Count(),
    aio_offset=Number("s64").when(Equals("aio_lio_opcode", *_BUFFERS, *_VECTORS)),
    reserved=Pad(8),
    aio_flags=NonZero(FlagSet(AIO_FLAGS)).when(Equals("aio_lio_opcode", *_FULL)),
    aio_resfd=_Notified().when(Equals("aio_lio_opcode", *_FULL)),
)
IO_EVENT = StructOf(data=Hex("u64"), obj=Hex("u64"), res=Number("s64"), res2=Number("s64"))
