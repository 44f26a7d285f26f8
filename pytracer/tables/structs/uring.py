"""Structures of io_uring.

Source: include/uapi/linux/io_uring.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, Pad, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number, Scalar
from pytracer.spec.type import AnyBit, DecodeAt, NonZero, Scope, Type
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
from pytracer.spec.versioned import Versioned
from pytracer.spec.wide import Wide
from pytracer.tables.constants import io_uring as u
from pytracer.tables.constants.times import CLOCKS
from pytracer.tables.structs.futex import WideAddress
from pytracer.tables.structs.iovec import Places
from pytracer.tables.structs.signal import SigSetAt
from pytracer.tables.structs.time import TIMESPEC64

U8, U16, U32 = Number("uchar"), Number("ushort"), Number("uint")
X8, X32, X64 = Hex("uchar"), Hex(), Hex("u64")
OPCODE = Enum(u.IORING_OPS, "uchar", Base.DEC)
_PARAMS_REST = 80

PARAMS_GIVEN = StructOf(
    None,
    ("flags", "sq_thread_cpu", "sq_thread_idle", "wq_fd", "resv"),
    entries=Pad(8),
    flags=FlagSet(u.IORING_SETUP),
    sq_thread_cpu=X32,
    sq_thread_idle=U32,
    features=Pad(4),
    wq_fd=Fd().when(AnyBit("flags", u.IORING_SETUP_ATTACH_WQ)),
    resv=Reserved(3),
    offsets=Pad(_PARAMS_REST),
)
_SQ_OFFSETS = StructOf(
    head=U32,
    tail=U32,
    ring_mask=U32,
    ring_entries=U32,
    flags=U32,
    dropped=U32,
    array=U32,
    resv1=NonZero(X32),
    user_addr=X64,
)
_CQ_OFFSETS = StructOf(
    head=U32,
    tail=U32,
    ring_mask=U32,
    ring_entries=U32,
    overflow=U32,
    cqes=U32,
    flags=U32,
    resv1=NonZero(X32),
    user_addr=X64,
)
PARAMS_MADE = StructOf(
    sq_entries=U32,
    cq_entries=U32,
    given=Pad(12),
    features=FlagSet(u.IORING_FEATURES),
    more=Pad(16),
    sq_off=_SQ_OFFSETS,
    cq_off=_CQ_OFFSETS,
)
GETEVENTS = StructOf(
    sigmask=Wide(SigSetAt("sigmask_sz")),
    sigmask_sz=U32,
    min_wait_usec=U32,
    ts=Wide(TIMESPEC64),
)


class _UpdateFd(Fd):
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


class _WideFd(Fd):
    """A descriptor in a field of 64 bits."""

    ctype = "u64"

    def bind(self, scope: Scope) -> Decode:
        plain = Fd().bind(scope)
        return lambda ctx, raw, frame: plain(ctx, raw & 0xFFFFFFFF, frame)


class _Offset(Scalar):
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


class _Restriction(StructOf):
    """struct io_uring_restriction: what is restricted decides what its second field is."""

    def __init__(self) -> None:
        super().__init__(
            None,
            None,
            opcode=Enum(u.IORING_RESTRICTIONS, "ushort"),
            operand=U8,
            resv=NonZero(X8),
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


_TAGS = Wide(ArrayOf(X64, "nr"))


def resources(data: Type) -> Versioned:
    """struct io_uring_rsrc_register with such data."""
    layout = StructOf(
        nr=U32,
        flags=FlagSet(u.IORING_RSRC_FLAGS),
        resv2=NonZero(X64),
        data=Wide(data),
        tags=_TAGS,
    )
    return Versioned(layout, size="nr_args", least=32)


def updates(data: Type) -> Versioned:
    """struct io_uring_rsrc_update2 with such data."""
    layout = StructOf(
        offset=U32,
        resv=NonZero(X32),
        data=Wide(data),
        tags=_TAGS,
        nr=U32,
        resv2=NonZero(X32),
    )
    return Versioned(layout, size="nr_args", least=32)


UPDATED_FDS = ArrayOf(_UpdateFd(), "nr")
FILES_UPDATE = StructOf(offset=U32, resv=NonZero(X32), fds=Wide(ArrayOf(_UpdateFd(), "nr_args")))
RING_FD = StructOf(offset=_Offset(), resv=NonZero(X32), data=_WideFd())
RING_FD_GONE = StructOf(offset=U32, resv=NonZero(X32), data=NonZero(X64))
FILES2 = resources(ArrayOf(Fd(), "nr"))
BUFFERS2 = resources(Places("nr"))
FILES_UPDATE2 = updates(UPDATED_FDS)
BUFFERS_UPDATE = updates(Places("nr"))
RESTRICTIONS = ArrayOf(_Restriction(), "nr_args")
BUFFER_RING = StructOf(
    ring_addr=WideAddress(),
    ring_entries=U32,
    bgid=U16,
    flags=Hex("ushort"),
    min_left=U32,
    resv=Reserved(5),
)
SYNC_CANCEL = StructOf(
    addr=X64,
    fd=Fd(),
    flags=FlagSet(u.IORING_ASYNC_CANCEL),
    timeout=TIMESPEC64,
    opcode=OPCODE,
    pad=Reserved(7, "uchar"),
    pad2=Reserved(3, "u64"),
)
ALLOC_RANGE = StructOf(off=U32, len=U32, resv=NonZero(X64))


NAPI = StructOf(
    busy_poll_to=X32,
    prefer_busy_poll=X8,
    opcode=Enum(u.IORING_NAPI_OPS, "uchar"),
    pad=Reserved(2, "uchar"),
    op_param=Enum(u.IORING_NAPI_TRACKING),
    resv=NonZero(X32),
)
CLOCK = StructOf(clockid=Enum(CLOCKS), resv=Reserved(3))
CLONE_BUFFERS = StructOf(
    src_fd=Fd(),
    flags=FlagSet(u.IORING_CLONE_FLAGS),
    src_off=U32,
    dst_off=U32,
    nr=U32,
    pad=Reserved(3),
)
SEND_MESSAGE = StructOf(
    opcode=OPCODE,
    flags=FlagSet(u.IOSQE_FLAGS, "uchar"),
    ioprio=U16,
    fd=Fd(),
    off=X64,
    addr=X64,
    len=U32,
    msg_ring_flags=FlagSet(u.IORING_MSG_RING_FLAGS),
    user_data=X64,
    buf_index=U16,
    personality=U16,
    file_index=U32,
    optval=X64,
    pad=Pad(8),
)
ZCRX_IFQ = StructOf(
    if_idx=U32,
    if_rxq=U32,
    rq_entries=U32,
    flags=FlagSet(u.ZCRX_REG_FLAGS),
    area_ptr=WideAddress(),
    region_ptr=WideAddress(),
    offsets=StructOf(head=U32, tail=U32, rqes=U32, __resv2=NonZero(X32), __resv=Reserved(2, "u64")),
    zcrx_id=U32,
    rx_buf_len=U32,
    event_desc=WideAddress(),
    __resv=Reserved(2, "u64"),
)
RESIZE = StructOf(sq_entries=U32, cq_entries=U32, flags=FlagSet(u.IORING_SETUP))
MEM_REGION = StructOf(
    region_uptr=WideAddress(),
    flags=FlagSet(u.IORING_MEM_REGION_FLAGS, "u64"),
    __resv=Reserved(2, "u64"),
)
QUERY = StructOf(
    None,
    ("query_data", "query_op", "size", "result", "__resv", "next_entry"),
    next_entry=WideAddress(),
    query_data=WideAddress(),
    query_op=Enum(u.IORING_QUERY_OPS),
    size=U32,
    result=Number("int"),
    __resv=Reserved(3),
)


class _Flush(Type):
    """What is to be flushed, of which nothing can be said yet; only for that operation."""

    def measure(self, abi: Any) -> tuple[int, int, str]:
        return 48, 8, "48s"

    def bind(self, scope: Scope) -> Decode:
        number = scope.number("op")
        return lambda ctx, raw, frame: None if number(ctx, frame) else Struct(())


ZCRX_CONTROL = StructOf(
    zcrx_id=U32, op=Enum(u.ZCRX_CTRL_OPS), __resv=Reserved(2, "u64"), zc_flush=_Flush()
)


class WorkerLimits(ArrayOf):
    """How many workers of each kind there may be."""

    def __init__(self) -> None:
        super().__init__(U32, "nr_args")

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
    op=OPCODE, resv=NonZero(X8), flags=FlagSet(u.IORING_OP_FLAGS, "ushort"), resv2=NonZero(X32)
)
_PROBE = StructOf(last_op=OPCODE, ops_len=U8, resv=NonZero(Hex("ushort")), resv2=Reserved(3))
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
