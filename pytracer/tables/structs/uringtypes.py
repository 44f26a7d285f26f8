"""Types of io_uring that are more than structures of numbers.

Source: include/uapi/linux/io_uring.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number, Scalar
from pytracer.spec.type import DecodeAt, NonZero, Scope, Type
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Changed,
    Descriptor,
    Integer,
    Joined,
    Noted,
    Phrase,
    Struct,
    Symbol,
    Value,
)
from pytracer.tables.constants import io_uring as u

_U8, _U32 = Number("uchar"), Number("uint")
_X8, _X32 = Hex("uchar"), Hex()
OPCODE = Enum(u.IORING_OPS, "uchar", Base.DEC)


class UpdateFd(Fd):
    """A descriptor to register, or a word that leaves its place alone."""

    def bind(self, scope: Scope) -> Decode:
        plain = super().bind(scope)
        names = Enum(u.IORING_FILES_UPDATE_FDS, "int", Base.DEC)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            value: Value = plain(ctx, raw, frame)
            if isinstance(value, Descriptor) and value.value < -1:
                return names.make(value.value)
            return value

        return decode


class WideFd(Fd):
    """A descriptor in a field of 64 bits."""

    ctype = "u64"

    def bind(self, scope: Scope) -> Decode:
        plain = Fd().bind(scope)
        return lambda ctx, raw, frame: plain(ctx, raw & 0xFFFFFFFF, frame)


class Offset(Scalar):
    """A place in a table; -1 stands for the first free one."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return Integer(-1 if number == 0xFFFFFFFF else number)


_RESTRICTED: dict[int, tuple[str, Scalar]] = {
    u.IORING_RESTRICTION_REGISTER_OP: ("register_op", Enum(u.IORING_REGISTER_OPS, "uchar")),
    u.IORING_RESTRICTION_SQE_OP: ("sqe_op", Enum(u.IORING_OPS, "uchar")),
    u.IORING_RESTRICTION_SQE_FLAGS_ALLOWED: ("sqe_flags", FlagSet(u.IOSQE_FLAGS, "uchar")),
    u.IORING_RESTRICTION_SQE_FLAGS_REQUIRED: ("sqe_flags", FlagSet(u.IOSQE_FLAGS, "uchar")),
}


class Restriction(StructOf):
    """struct io_uring_restriction: what is restricted decides what its second field is."""

    def __init__(self) -> None:
        super().__init__(
            None,
            None,
            opcode=Enum(u.IORING_RESTRICTIONS, "ushort"),
            operand=_U8,
            resv=NonZero(_X8),
            resv2=Reserved(3),
        )

    def bind(self, scope: Scope) -> Decode:
        decode_plain = super().bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            value: Struct = decode_plain(ctx, raw, frame)
            opcode, operand = value.fields[0][1], raw[2]
            known = _RESTRICTED.get(int.from_bytes(raw[:2], "little"))
            fields = [("opcode", opcode), *value.fields[2:]]
            if known is not None:
                fields.insert(1, (known[0], known[1].make(operand)))
            else:
                fields[0] = "opcode", Noted(opcode, f"op: {operand:#x}")
            return Struct(tuple(fields))

        return decode


class Flush(Type):
    """What is to be flushed, of which nothing can be said yet; only for that operation."""

    def measure(self, abi: Any) -> tuple[int, int, str]:
        return 48, 8, "48s"

    def bind(self, scope: Scope) -> Decode:
        number = scope.number("op")
        return lambda ctx, raw, frame: None if number(ctx, frame) else Struct(())


class WorkerLimits(ArrayOf):
    """How many workers of each kind there may be."""

    def __init__(self) -> None:
        super().__init__(_U32, "nr_args")

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_array = super().bind_at(scope)
        names = u.IORING_WORKER_TYPES

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = decode_array(ctx, address, frame)
            if isinstance(value, Array):
                value.items = tuple(
                    Joined(
                        (
                            Phrase("["),
                            Symbol(kind, names.name_of(kind), names.unknown, Base.DEC),
                            Phrase("]="),
                            item,
                        ),
                        "",
                    )
                    for kind, item in enumerate(value.items)
                )
            return value

        return decode_at


class Workers(Exchange):
    """The limits on workers before and after; nothing comes after none."""

    def __init__(self) -> None:
        super().__init__(WorkerLimits(), WorkerLimits(), always=True)

    def bind(self, scope: Scope) -> Decode:
        decode_both = super().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            before = ctx.saved.get(raw)
            if not ctx.exiting or not isinstance(before, Array) or before.items:
                return decode_both(ctx, raw, frame)
            return before

        return decode


_OPERATION = StructOf(
    op=OPCODE, resv=NonZero(_X8), flags=FlagSet(u.IORING_OP_FLAGS, "ushort"), resv2=NonZero(_X32)
)
_PROBE = StructOf(last_op=OPCODE, ops_len=_U8, resv=NonZero(Hex("ushort")), resv2=Reserved(3))
_PROBE_MOST = 256


class Probe(Pointee):
    """struct io_uring_probe: which operations there are. What goes in is shown if it is not zero.

    ``count`` names how many operations there is room for.
    """

    def __init__(self, count: str) -> None:
        self.count = count

    def bind(self, scope: Scope) -> Decode:
        number = scope.number(self.count)
        decode_head = _PROBE.bind(scope)
        decode_one = _OPERATION.bind(scope)
        head, each = _PROBE.measure(scope.abi)[0], _OPERATION.measure(scope.abi)[0]

        def show(ctx: Context, raw: int, data: bytes, count: int, more: bool) -> Value:
            value: Struct = decode_head(ctx, data[:head], ())
            starts = range(head, head + count * each, each)
            items = tuple(decode_one(ctx, data[at : at + each], ()) for at in starts)
            ops = Array(items, more=more, brief=ctx.string_bytes)
            return Struct((*value.fields, ("ops", ops)), raw)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            count = number(ctx, frame)
            if count > _PROBE_MOST:
                return Address(raw)
            size = head + count * each
            data = ctx.memory.read(raw, size)
            if not ctx.exiting:
                if not isinstance(data, bytes):
                    return unreadable(raw, data)
                ctx.saved[Probe] = show(ctx, raw, data, count, False) if any(data) else None
                return LATER
            before: Value | None = ctx.saved[Probe]
            if ctx.failed:
                return before or Address(raw)
            if not isinstance(data, bytes):
                after = unreadable(raw, data)
            else:
                length = data[1]
                after = show(ctx, raw, data, min(length, count), count < length)
            return Changed(before, after) if before is not None else after

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        head = _PROBE.measure(planning.abi)[0]
        limit = head + _PROBE_MOST * _OPERATION.measure(planning.abi)[0]
        length = Length(From.CONST, limit)
        early, late = planning.at_entry(), planning.at_exit()
        return (Fetch(at, early.phase, length, limit), Fetch(at, late.phase, length, limit))
