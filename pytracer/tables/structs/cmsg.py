"""Control messages: what travels beside the data of sendmsg and recvmsg."""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path as File
from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Numbers, Planning
from pytracer.spec.pointer import Pointee, unreadable
from pytracer.spec.scalar import Enum, Fd, Number, Pid, Uid
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import Address, Array, Base, Integer, Phrase, Struct, Symbol, Text, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.network import (
    IP_CHECKSUM,
    IP_CMSG_TYPES,
    IP_ORIGDSTADDR,
    IP_PKTINFO,
    IP_PROTOCOL,
    IP_RECVERR,
    IP_RECVOPTS,
    IP_RETOPTS,
    IP_TOS,
    IP_TTL,
    IPPROTO,
    SCM_CREDENTIALS,
    SCM_PIDFD,
    SCM_RIGHTS,
    SCM_SECURITY,
    SCM_SOCKET,
    SO_TIMESTAMP_NEW,
    SO_TIMESTAMP_OLD,
    SO_TIMESTAMPING_NEW,
    SO_TIMESTAMPING_OLD,
    SO_TIMESTAMPNS_NEW,
    SO_TIMESTAMPNS_OLD,
    SOL_IP,
    SOL_LEVELS,
    SOL_SOCKET,
)
from pytracer.tables.structs.netaddr import Inet4, Interface
from pytracer.tables.structs.sockaddr import sockaddr
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64, TIMEVAL, TIMEVAL64

# What a capture brings of the control messages of one header.
CAPTURED = 1024
_FALLBACK_OPTMEM = 8 * (2 * 1024 + 512)


class Payload:
    """The data of a control message: as many elements of ``element`` as fit, or one of them.

    ``least``: in bytes; shorter data is not shown. ``array``: in brackets, so many at most when not
    0.
    """

    def __init__(self, element: Type, least: int, array: bool = False, count: int = 0) -> None:
        self.element = element
        self.least = least
        self.array = array
        self.count = count

    def decode(self, ctx: Context, data: bytes) -> Value:
        """Decode data that is long enough."""
        size, _, code = self.element.measure(ctx.abi)
        decode = self.element.bind(Scope(ctx.abi, {}))
        if not self.array:
            if len(data) < size:
                return Phrase("???")
            (raw,) = struct.unpack_from("<" + code, data)
            value: Value = decode(ctx, raw, ())
            return value
        number = len(data) // size
        if self.count:
            if number < self.count:
                return Phrase("???")
            number = self.count
        raws = struct.iter_unpack("<" + code, data[: number * size])
        items = tuple(decode(ctx, raw, ()) for (raw,) in raws)
        return Array(items, brief=ctx.string_bytes)


class Quoted(Payload):
    """Data that is a string."""

    def __init__(self) -> None:
        super().__init__(Number("uchar"), 1)

    def decode(self, ctx: Context, data: bytes) -> Value:
        return Text(data, path=True)


class SocketAddress(Payload):
    """Data that is a socket address."""

    def __init__(self) -> None:
        super().__init__(Number("uchar"), 16)

    def decode(self, ctx: Context, data: bytes) -> Value:
        return sockaddr(ctx, data[:128])


class _Offender(Type):
    """The address of the host that an error came from, as part of a structure."""

    def measure(self, abi: Any) -> tuple[int, int, str]:
        return 16, 4, "16s"

    def bind(self, scope: Scope) -> Any:
        return lambda ctx, raw, frame: sockaddr(ctx, raw)


UCRED = StructOf(pid=Pid(), uid=Uid(), gid=Uid())
_PKTINFO = StructOf(ipi_ifindex=Interface("int"), ipi_spec_dst=Inet4(), ipi_addr=Inet4())
_RECVERR = StructOf(
    order=("ee_errno", "ee_origin", "ee_type", "ee_code", "ee_info", "ee_data", "offender"),
    ee_errno=Number("uint"),
    ee_origin=Number("uchar"),
    ee_type=Number("uchar"),
    ee_code=Number("uchar"),
    ee_pad=Number("uchar"),
    ee_info=Number("uint"),
    ee_data=Number("uint"),
    offender=_Offender(),
)
_BYTES = Payload(Number("uchar", Base.HEX), 1, array=True)
_UINTS = Payload(Number("uint"), 4, array=True)

_SOCKET = {
    SCM_RIGHTS: Payload(Fd(), 4, array=True),
    SCM_PIDFD: Payload(Fd(), 4),
    SCM_CREDENTIALS: Payload(UCRED, 12),
    SCM_SECURITY: Quoted(),
    SO_TIMESTAMP_OLD: Payload(TIMEVAL, 1),
    SO_TIMESTAMPNS_OLD: Payload(TIMESPEC, 1),
    SO_TIMESTAMPING_OLD: Payload(TIMESPEC, 1, array=True, count=3),
    SO_TIMESTAMP_NEW: Payload(TIMEVAL64, 1),
    SO_TIMESTAMPNS_NEW: Payload(TIMESPEC64, 1),
    SO_TIMESTAMPING_NEW: Payload(TIMESPEC64, 1, array=True, count=3),
}
_IP = {
    IP_PKTINFO: Payload(_PKTINFO, 12),
    IP_TTL: _UINTS,
    IP_TOS: _BYTES,
    IP_RECVOPTS: _BYTES,
    IP_RETOPTS: _BYTES,
    IP_RECVERR: Payload(_RECVERR, 32),
    IP_ORIGDSTADDR: SocketAddress(),
    IP_CHECKSUM: _UINTS,
    IP_PROTOCOL: Payload(Enum(IPPROTO), 4, array=True),
    SCM_SECURITY: Quoted(),
}
_IP_TYPES = Xlat(IP_CMSG_TYPES.unknown, (*IP_CMSG_TYPES.entries, (IP_PROTOCOL, "IP_PROTOCOL")))
_LEVELS = {
    SOL_SOCKET: (Enum(SCM_SOCKET, "int"), _SOCKET),
    SOL_IP: (Enum(_IP_TYPES, "int"), _IP),
}


@lru_cache(maxsize=1)
def optmem_max() -> int:
    """The most bytes of control messages that the kernel takes, rounded up to 8."""
    try:
        number = int(File("/proc/sys/net/core/optmem_max").read_text())
    except (OSError, ValueError):
        return _FALLBACK_OPTMEM
    return number + 7 & ~7 if number > 0 else _FALLBACK_OPTMEM


def _message(ctx: Context, data: bytes, head: int) -> tuple[Struct, int]:
    """One control message at the start of ``data``, and the length it claims."""
    word = ctx.abi.word
    length = int.from_bytes(data[:word], "little")
    level = int.from_bytes(data[word : word + 4], "little", signed=True)
    kind = int.from_bytes(data[word + 4 : word + 8], "little", signed=True)
    fields: list[tuple[str, Value]] = [
        ("cmsg_len", Integer(length)),
        ("cmsg_level", Symbol(level & 0xFFFFFFFF, SOL_LEVELS.name_of(level), SOL_LEVELS.unknown)),
    ]
    known = _LEVELS.get(level)
    payload = None
    if known is None:
        fields.append(("cmsg_type", Integer(kind & 0xFFFFFFFF, Base.HEX)))
    else:
        names, payloads = known
        fields.append(("cmsg_type", names.make(kind)))
        payload = payloads.get(kind)
    body = data[head : min(length, len(data))]
    if payload is not None and len(body) >= payload.least:
        fields.append(("cmsg_data", payload.decode(ctx, body)))
    elif body:
        fields.append(("cmsg_data", Text(body, escaped=True)))
    return Struct(tuple(fields)), length


class Control(Pointee):
    """The control messages of a header, ``length`` bytes of them; not shown when there are none."""

    def __init__(self, length: str) -> None:
        self.length = length

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.length)
        word = scope.abi.word
        head = word + 8

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Any:
            length = number(ctx, frame)
            if not length:
                return None
            taken = min(length, optmem_max())
            if taken < head or not address:
                return Address(address)
            data = ctx.memory.read(address, taken)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            items: list[Value] = []
            at = 0
            while taken - at >= head:
                item, claimed = _message(ctx, data[at:], head)
                items.append(item)
                if min(claimed, taken - at) < head:
                    at += head
                    break
                at = min(at + (claimed + word - 1 & -word), taken)
            broken = address + at if at < taken else 0
            return Array(tuple(items), address, taken < length and not broken, broken)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        length = planning.length(self.length) or Length(From.CONST, CAPTURED)
        passed = planning.describe(AtOffset(0), Numbers.PASSED)
        return (Fetch(at, planning.phase, length, CAPTURED, False, planning.always, passed),)
