"""Requests of descriptors that watch over processes: pidfds and seccomp's listeners.

Source: include/uapi/linux/{pidfd,seccomp}.h, Linux 6.18.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import FixedArray, Pad, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import In
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Int, Number, Pid, Scalar, Uid
from pytracer.spec.type import AnyBit, Scope, Type
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Changed,
    Flags,
    Struct,
    Symbol,
    Unavailable,
    Value,
)
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.process import (
    AUDIT_ARCH,
    PIDFD_COREDUMP,
    PIDFD_INFO,
    PIDFD_INFO_CGROUPID,
    PIDFD_INFO_COREDUMP,
    PIDFD_INFO_COREDUMP_CODE,
    PIDFD_INFO_COREDUMP_SIGNAL,
    PIDFD_INFO_CREDS,
    PIDFD_INFO_EXIT,
    PIDFD_INFO_PID,
    PIDFD_INFO_SUPPORTED_MASK,
    SECCOMP_ADDFD_FLAGS,
    SECCOMP_NOTIFY_FD_FLAGS,
    SECCOMP_RESPONSE_FLAGS,
)
from pytracer.tables.structs.openhow import FD_STATUS_FLAGS
from pytracer.tables.structs.siginfo import called
from pytracer.tables.structs.signal import SignalNumber
from pytracer.tables.structs.waitstatus import WaitStatus

WIDE = Hex("u64")


class _Call(Number):
    """The number of a system call, by name under the architecture beside it."""

    def __init__(self) -> None:
        super().__init__("uint")

    def bind(self, scope: Scope) -> Decode:
        arch = scope.number("arch")
        index = scope.abi.index
        return lambda ctx, raw, frame: called(raw, arch(ctx, frame), index)


class _Error(Scalar):
    """The negative of an error number."""

    def __init__(self) -> None:
        super().__init__("int")

    def make(self, number: int) -> Value:
        name = ERRNO.name_of(-number)
        return Symbol(number, None if name is None else f"-{name}", "", Base.DEC)


NOTIFICATION = StructOf(
    id=WIDE,
    pid=Pid(),
    flags=Hex(),
    data=StructOf(
        nr=_Call(),
        arch=Enum(AUDIT_ARCH),
        instruction_pointer=WIDE,
        args=FixedArray(WIDE, 6),
    ),
)


class _Notification(Exchange):
    """What a listener receives; what it handed in is shown as well, unless it was all zeros."""

    def __init__(self) -> None:
        super().__init__(NOTIFICATION, NOTIFICATION)

    def bind(self, scope: Scope) -> Decode:
        decode_after = self.after.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            before: Value = ctx.saved.get(raw) or Address(raw)
            if isinstance(before, Address | Unavailable):
                return before
            after: Value = Address(raw) if ctx.failed else decode_after(ctx, raw, frame)
            return after if _is_zero(before) else Changed(before, after)

        return decode


def _is_zero(value: Value) -> bool:
    match value:
        case Struct(fields=fields):
            return all(_is_zero(field) for _, field in fields)
        case Array(items=items):
            return all(map(_is_zero, items))
        case _:
            return not getattr(value, "value", 0)


RESPONSE = StructOf(
    id=WIDE, val=Number("s64"), error=_Error(), flags=FlagSet(SECCOMP_RESPONSE_FLAGS)
)
DESCRIPTOR = StructOf(
    id=WIDE,
    flags=FlagSet(SECCOMP_ADDFD_FLAGS),
    srcfd=Fd(),
    newfd=Int(),
    newfd_flags=FD_STATUS_FLAGS,
)


def _if(bits: int, kind: Type) -> Type:
    return kind.when(AnyBit("mask", bits))


class _Status(Type):
    """A wait status in brackets."""

    ctype = "int"

    def bind(self, scope: Scope) -> Decode:
        decode_status = WaitStatus().bind(scope)
        return lambda ctx, raw, frame: Array((decode_status(ctx, raw, frame),))


# struct pidfd_info has grown three times since Linux 6.13; its size is part of the request.
PIDFD_INFO_SIZES = (64, 72, 80, 88)
INFO = StructOf(
    mask=FlagSet(PIDFD_INFO, "u64"),
    cgroupid=_if(PIDFD_INFO_CGROUPID, Number("u64")),
    pid=_if(PIDFD_INFO_PID, Pid()),
    tgid=_if(PIDFD_INFO_PID, Pid()),
    ppid=_if(PIDFD_INFO_PID, Pid()),
    ruid=_if(PIDFD_INFO_CREDS, Uid()),
    rgid=_if(PIDFD_INFO_CREDS, Uid()),
    euid=_if(PIDFD_INFO_CREDS, Uid()),
    egid=_if(PIDFD_INFO_CREDS, Uid()),
    suid=_if(PIDFD_INFO_CREDS, Uid()),
    sgid=_if(PIDFD_INFO_CREDS, Uid()),
    fsuid=_if(PIDFD_INFO_CREDS, Uid()),
    fsgid=_if(PIDFD_INFO_CREDS, Uid()),
    exit_code=_if(PIDFD_INFO_EXIT, _Status()),
    coredump_mask=_if(PIDFD_INFO_COREDUMP, FlagSet(PIDFD_COREDUMP)),
    coredump_signal=_if(PIDFD_INFO_COREDUMP_SIGNAL, SignalNumber("uint")),
    supported_mask=_if(PIDFD_INFO_SUPPORTED_MASK, FlagSet(PIDFD_INFO, "u64")),
    coredump_code=_if(PIDFD_INFO_COREDUMP_CODE, Int()),
    coredump_pad=Pad(4),
)


class _Info(In):
    """What is asked of a process and what is told, in the first ``size`` bytes of the structure."""

    def __init__(self, size: int) -> None:
        super().__init__(INFO)
        self.size = size

    def bind(self, scope: Scope) -> Decode:
        decode_mask = FlagSet(PIDFD_INFO, "u64").bind(scope)
        decode_info = INFO.bind(scope)
        placed, whole, _ = INFO.place(scope.abi)
        ends = {field.name: field.offset + field.size for field in placed}
        size = self.size

        def read_mask(ctx: Context, address: int) -> Value:
            data = ctx.memory.read(address, 8) if address else None
            if not isinstance(data, bytes):
                return Address(address)
            value: Value = decode_mask(ctx, int.from_bytes(data, "little"), ())
            return value

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                asked = read_mask(ctx, raw)
                ctx.saved[_Info] = asked
                return asked if isinstance(asked, Address) else LATER
            asked = ctx.saved[_Info]
            data = None if ctx.failed else ctx.memory.read(raw, size)
            if not isinstance(data, bytes):
                return Struct((("mask", asked),), raw)
            told = decode_info(ctx, data.ljust(whole, b"\0"), frame)
            (_, got), *rest = told.fields
            assert isinstance(asked, Flags) and isinstance(got, Flags)
            mask = got if asked.value == got.value else Changed(asked, got)
            shown = tuple(field for field in rest if ends[field[0]] <= size)
            return Struct((("mask", mask), *shown), raw)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        early = Fetch(at, planning.at_entry().phase, Length(From.CONST, 8), 8)
        late = Fetch(at, planning.at_exit().phase, Length(From.CONST, self.size), self.size)
        return (early, late)


REQUESTS: dict[str, Type] = {
    "SECCOMP_IOCTL_NOTIF_RECV": _Notification(),
    "SECCOMP_IOCTL_NOTIF_SEND": In(RESPONSE),
    "SECCOMP_IOCTL_NOTIF_ID_VALID": In(WIDE),
    "SECCOMP_IOCTL_NOTIF_ADDFD": In(DESCRIPTOR),
    "SECCOMP_IOCTL_NOTIF_SET_FLAGS": FlagSet(SECCOMP_NOTIFY_FD_FLAGS, "kulong"),
}
# Requests by code: those that no table names.
CODES: dict[int, Type] = {
    0x80082102: In(WIDE),  # SECCOMP_IOCTL_NOTIF_ID_VALID with the direction of Linux 5.0
    **{0xC000FF0B | size << 16: _Info(size) for size in PIDFD_INFO_SIZES},
}
