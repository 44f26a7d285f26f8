"""What futex calls wait for, and restartable sequences."""

from __future__ import annotations

from typing import Any, Final

from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, named_length, unreadable
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Scalar
from pytracer.spec.type import DecodeAt, Differs, Scope, Type
from pytracer.spec.values import Address, Base, Integer, Joined, Noted, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.futex import (
    FUTEX2_FLAGS,
    FUTEX2_SIZES,
    FUTEX_WAKE_CMPS,
    FUTEX_WAKE_OPS,
)
from pytracer.tables.constants.process import RSEQ_CPU_IDS, RSEQ_CS_FLAGS

_FUTEX_WAITV_MAX: Final = 128  # include/uapi/linux/futex.h
_SIZE_MASK: Final = 3  # FUTEX2_SIZE_MASK, there too
_OPARG_SHIFT: Final = 8  # FUTEX_OP_OPARG_SHIFT, there too

FUTEX2 = FlagSet(FUTEX2_FLAGS, low=_SIZE_MASK, choices=FUTEX2_SIZES)


class WideAddress(Scalar):
    """An address in a field of 64 bits, whatever the ABI."""

    def __init__(self) -> None:
        super().__init__("u64")

    def make(self, number: int) -> Value:
        return Address(number)


def unless_zero(inner: Type, name: str) -> Type:
    """A field that is shown only when it is set."""
    return inner.when(Differs(name, 0))


WAITER = StructOf(
    val=Number("u64", Base.HEX),
    uaddr=WideAddress(),
    flags=FUTEX2,
    __reserved=unless_zero(Hex(), "__reserved"),
)


def Waiters(count: str | int) -> ArrayOf:
    """Several futexes to wait for."""
    return ArrayOf(WAITER, count, limit=_FUTEX_WAITV_MAX)


class WakeOperation(Scalar):
    """What FUTEX_WAKE_OP does to the second futex, and on which of its values it wakes.

    Source: the layout of FUTEX_OP, include/uapi/linux/futex.h.
    """

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        op, cmp = number >> 28 & 7, number >> 24 & 0xF
        parts: list[Value] = []
        if number >> 28 & _OPARG_SHIFT:
            parts.append(_shifted(Symbol(_OPARG_SHIFT, "FUTEX_OP_OPARG_SHIFT"), 28))
        parts.append(_operation(FUTEX_WAKE_OPS, op, 28))
        parts.append(_shifted(Integer(number >> 12 & 0xFFF, Base.HEX), 12))
        parts.append(_operation(FUTEX_WAKE_CMPS, cmp, 24))
        parts.append(Integer(number & 0xFFF, Base.HEX))
        return Joined(tuple(parts))


def _operation(xlat: Xlat, number: int, by: int) -> Value:
    """An operation, with the remark that it has no name, where none is shown."""
    name = xlat.name_of(number)
    shifted = _shifted(Symbol(number, name), by)
    return Noted(shifted, xlat.unknown, only_raw=name is not None)


def _shifted(value: Value, by: int) -> Value:
    return Joined((value, Integer(by)), "<<")


_SLICE_CTRL: Final = StructOf(
    request=Number("uchar"),
    granted=Number("uchar"),
    __reserved=Number("ushort", Base.HEX),
)
# struct rseq, include/uapi/linux/rseq.h, Linux 7.0
_RSEQ: Final = StructOf(
    cpu_id_start=Number("uint"),
    cpu_id=Enum(RSEQ_CPU_IDS, base=Base.DEC),
    rseq_cs=WideAddress(),
    flags=FlagSet(RSEQ_CS_FLAGS),
    node_id=Number("uint"),
    mm_cid=Number("uint"),
    slice_ctrl=_SLICE_CTRL,
    __reserved=Number("uchar", Base.HEX),
)
_RSEQ_LEAST: Final = 32  # what the kernel has always asked for
_RSEQ_USED: Final = 33  # the last field is one byte long


class RseqArea(Pointee):
    """The memory that a thread shares with the kernel; what the caller's area lacks is zero.

    ``size``: the sibling that holds its length.
    """

    def __init__(self, size: str) -> None:
        self.size = size

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode: Decode = _RSEQ.bind(scope)
        number = scope.number(self.size)
        whole, _, _ = _RSEQ.measure(scope.abi)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            size = number(ctx, frame)
            if not address or size < _RSEQ_LEAST:
                return Address(address)
            data = ctx.memory.read(address, min(size, _RSEQ_USED))
            if not isinstance(data, bytes):
                return unreadable(address, data)
            value: Value = decode(ctx, data.ljust(whole, b"\0"), frame)
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = named_length(self.size, planning) or Length(From.CONST, _RSEQ_USED)
        return (Fetch(at, planning.phase, length, _RSEQ_USED, False, planning.always),)
