"""SG_IO: a command to a SCSI device, in the third or the fourth version of its structure.

Source: include/scsi/sg.h, include/uapi/linux/bsg.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import LATER, Context, Decode, Number
from pytracer.spec.exchange import Completed
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes, Pointee, read_buffer, unreadable
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Pointer, Scalar, UInt
from pytracer.spec.scalar import Number as Integer
from pytracer.spec.switch import Choice
from pytracer.spec.type import DecodeAt, Equals, Scope, Type, Wrapper
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Changed,
    Phrase,
    Struct,
    Symbol,
    Titled,
    Value,
)
from pytracer.spec.values import Integer as Plain
from pytracer.spec.wide import Wide
from pytracer.tables.constants.block import (
    BSG_FLAGS,
    BSG_PROTOCOLS,
    BSG_SUBPROTOCOLS,
    SG_DIRECTIONS,
    SG_FLAGS,
    SG_INFO,
)
from pytracer.tables.structs.iovec import Shared

_BYTE, _X8, _X16, _X64 = Integer("uchar"), Hex("uchar"), Hex("ushort"), Hex("u64")
_TO, _FROM, _BOTH = -2, -3, -4  # SG_DXFER_TO_DEV, SG_DXFER_FROM_DEV, SG_DXFER_TO_FROM_DEV


class _Letter(Scalar):
    """The version of the structure, a letter."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return Phrase(f"'{chr(number)}'", number)


def _came(scope: Scope, room: str, missing: str) -> Number:
    """Compile how many bytes have come, of those that there is room for."""
    whole, left = scope.number(room), scope.number(missing)

    def number(ctx: Context, frame: tuple[Any, ...]) -> int:
        most, absent = whole(ctx, frame), left(ctx, frame)
        return most - absent if 0 < absent <= most else most

    return number


class _Came(Bytes):
    """A buffer that the device has filled, but for ``missing`` bytes."""

    def __init__(self, room: str, missing: str) -> None:
        super().__init__(room, escaped=True)
        self.room = room
        self.missing = missing

    def bind_at(self, scope: Scope) -> DecodeAt:
        return read_buffer(_came(scope, self.room, self.missing), escaped=True)


class _CameApart(Shared):
    """The same, in several pieces."""

    def __init__(self, count: str, room: str, missing: str) -> None:
        super().__init__(count, room)
        self.missing = missing

    def filled(self, scope: Scope) -> Number:
        return _came(scope, self.total, self.missing)


class _Direction(Scalar):
    """Which way data goes: a negative number, shown without its sign where it has no name."""

    def __init__(self) -> None:
        super().__init__("int")

    def make(self, number: int) -> Value:
        return Symbol(
            number & 0xFFFFFFFF, SG_DIRECTIONS.name_of(number), SG_DIRECTIONS.unknown, Base.HEX
        )


class _Back(Wrapper):
    """What came; nothing of it where data went the other way, too, and none came back."""

    def bind(self, scope: Scope) -> Decode:
        decode_data = self.inner.bind(scope)
        direction = scope.number("dxfer_direction")
        number = _came(scope, "dxfer_len", "resid")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if direction(ctx, frame) == _BOTH and not number(ctx, frame):
                return None
            return decode_data(ctx, raw, frame)

        return decode


def _same(kind: Type) -> Type:
    return kind


def _given(count: str, length: str, pointer: Callable[[Type], Type] = _same) -> Type:
    whole, apart = Bytes(length, escaped=True), Shared(count, length)
    return Choice(count, {0: pointer(whole)}, pointer(apart))


def _got(count: str, room: str, missing: str, pointer: Callable[[Type], Type] = _same) -> Type:
    whole, apart = _Came(room, missing), _CameApart(count, room, missing)
    return Choice(count, {0: pointer(whole)}, pointer(apart))


def _third(data: Type, command: Type, sense: Type, *shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        interface_id=_Letter(),
        dxfer_direction=_Direction(),
        cmd_len=_BYTE,
        mx_sb_len=_BYTE,
        iovec_count=Integer("ushort"),
        dxfer_len=UInt(),
        dxferp=data,
        cmdp=command,
        sbp=sense,
        timeout=UInt(),
        flags=FlagSet(SG_FLAGS),
        pack_id=Int(),
        usr_ptr=Pointer(),
        status=_X8,
        masked_status=_X8,
        msg_status=_X8,
        sb_len_wr=_BYTE,
        host_status=_X16,
        driver_status=_X16,
        resid=Int(),
        duration=UInt(),
        info=FlagSet(SG_INFO),
    )


def _fourth(given: Type, response: Type, got: Type, *shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        guard=_Letter(),
        protocol=Enum(BSG_PROTOCOLS),
        subprotocol=Enum(BSG_SUBPROTOCOLS),
        request_len=UInt(),
        request=Wide(Bytes("request_len", escaped=True)) if given is not _NONE else _NONE,
        request_tag=_X64,
        request_attr=UInt(),
        request_priority=UInt(),
        request_extra=UInt(),
        max_response_len=UInt(),
        response=response,
        dout_iovec_count=UInt(),
        dout_xfer_len=UInt(),
        din_iovec_count=UInt(),
        din_xfer_len=UInt(),
        dout_xferp=given,
        din_xferp=got,
        timeout=UInt(),
        flags=FlagSet(BSG_FLAGS),
        usr_ptr=_X64,
        spare_in=Pad(4, 4),
        driver_status=Hex(),
        transport_status=Hex(),
        device_status=Hex(),
        retry_delay=UInt(),
        info=FlagSet(SG_INFO),
        duration=UInt(),
        response_len=UInt(),
        din_resid=Int(),
        dout_resid=Int(),
        generated_tag=_X64,
        spare_out=Pad(8, 4),
    )


_NONE = Integer("u64")
_TAKES = Equals("dxfer_direction", _TO, _BOTH)
_GIVES = Equals("dxfer_direction", _FROM, _BOTH)

THIRD = _third(
    _given("iovec_count", "dxfer_len").when(_TAKES),
    Bytes("cmd_len", escaped=True),
    Pointer(),
    *("interface_id", "dxfer_direction", "cmd_len", "cmdp", "mx_sb_len", "iovec_count"),
    *("dxfer_len", "timeout", "flags", "dxferp"),
)
THIRD_TOLD = _third(
    _Back(_got("iovec_count", "dxfer_len", "resid")).when(_GIVES),
    Pointer(),
    Bytes("sb_len_wr", escaped=True),
    *("dxferp", "status", "masked_status", "msg_status", "sb_len_wr", "sbp", "host_status"),
    *("driver_status", "resid", "duration", "info"),
)
FOURTH = _fourth(
    _given("dout_iovec_count", "dout_xfer_len", Wide),
    _NONE,
    _NONE,
    *("guard", "protocol", "subprotocol", "request_len", "request", "request_tag"),
    *("request_attr", "request_priority", "request_extra", "max_response_len"),
    *("dout_iovec_count", "dout_xfer_len", "din_iovec_count", "din_xfer_len", "dout_xferp"),
    *("timeout", "flags", "usr_ptr"),
)
FOURTH_TOLD = _fourth(
    _NONE,
    Wide(Bytes("response_len", escaped=True)),
    _got("din_iovec_count", "din_xfer_len", "din_resid", Wide),
    *("response_len", "response", "din_xferp", "driver_status", "transport_status"),
    *("device_status", "retry_delay", "info", "duration", "response_len", "din_resid"),
    *("dout_resid", "generated_tag"),
)


class _Version(Pointee):
    """The structure whose version its first field tells; for others, that field alone."""

    def __init__(self, third: StructOf, fourth: StructOf) -> None:
        self.versions = {ord("S"): third, ord("Q"): fourth}

    def bind_at(self, scope: Scope) -> DecodeAt:
        decoders = {letter: kind.bind_at(scope) for letter, kind in self.versions.items()}

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            data = ctx.memory.read(address, 4)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            version = int.from_bytes(data, "little")
            decode_one = decoders.get(version)
            if decode_one is None:
                return Array((Plain(version),), address)
            value: Value = decode_one(ctx, address, frame)
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        kinds = self.versions.values()
        return tuple(fetch for kind in kinds for fetch in kind.fetches_at(at, planning))


class _Command(Completed):
    """What is asked, and what has come of it, even if the call failed."""

    def bind(self, scope: Scope) -> Decode:
        decode_after = self.after.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            before: Value = ctx.saved.get(raw) or Address(raw)
            if not isinstance(before, Struct):
                return before
            return self.join(before, decode_after(ctx, raw, frame))

        return decode

    def join(self, before: Value, after: Value) -> Value:
        if not isinstance(before, Struct) or not isinstance(after, Struct):
            return before
        (name, given), (first, got) = before.fields[-1], after.fields[0]
        if name != first:
            return super().join(before, after)
        # Data went both ways.
        changed = Changed(given, Titled(name, got))
        return Struct((*before.fields[:-1], (name, changed), *after.fields[1:]), before.address)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        early = self.inner.fetches_at(at, planning.at_entry())
        return early + self.after.fetches_at(at, planning.at_exit(always=True))


REQUESTS: dict[str, Type] = {
    "SG_IO": _Command(_Version(THIRD, FOURTH), _Version(THIRD_TOLD, FOURTH_TOLD)),
}
