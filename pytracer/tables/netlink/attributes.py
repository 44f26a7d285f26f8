"""Netlink attributes: lists of typed values behind a message, some of them nested."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytracer.spec.abi import X86_64, Layout
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Fd, Uid
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import (
    Array,
    Base,
    Flags,
    Function,
    Integer,
    Joined,
    Phrase,
    Struct,
    Symbol,
    Text,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.netlink import NLA_F_NESTED, NLA_F_NET_BYTEORDER
from pytracer.tables.constants.network import ETH_P, IPPROTO
from pytracer.tables.structs.indexed import index_array
from pytracer.tables.structs.netaddr import (
    Interface,
    hardware_address,
    inet_addr,
    inet_pton,
)
from pytracer.tables.structs.ticks import ticks

HEADER = 4  # NLA_HDRLEN, include/uapi/linux/netlink.h
_TYPE_MASK = 0x3FFF
_MAX_ADDR_LEN = 32  # include/linux/netdevice.h
_AF_INET, _AF_INET6 = 2, 10

# (call, the attribute's data, the message's address family) -> its meaning, None for plain bytes.
Payload: TypeAlias = Callable[[Context, bytes, int], Value | None]


def raw(ctx: Context, data: bytes) -> Text:
    """Bytes that nobody explains: in hexadecimal, as many as -s allows."""
    limit = ctx.string_bytes
    return Text(data[:limit], len(data) > limit, escaped=True)


class Buffer:
    """The key, in what a call keeps, of its buffer: address, bytes, how far was looked."""


def address_of(ctx: Context, data: bytes) -> int:
    """Where in the buffer that is decoded some bytes stand. To be asked in their order."""
    buffer = ctx.saved.get(Buffer)
    if buffer is None:
        return 0
    address, whole, start = buffer
    place = whole.find(data, start)
    if place < 0:
        return 0
    ctx.saved[Buffer] = address, whole, place + len(data)
    found: int = address + place
    return found


def rest_of(ctx: Context, data: bytes, family: int) -> Value:
    """Bytes behind a structure that nobody explains."""
    return raw(ctx, data)


def typed(kind: Type, rest: Payload | None = None, abi: Layout = X86_64) -> Payload:
    """A value of one of the language's types; plain bytes when there are too few of them.

    ``rest`` is what may follow it. With the ABI of i386, 64-bit numbers do not make a structure
    longer than its fields are.
    """
    size, _, code = kind.measure(abi)
    unpack = struct.Struct("<" + code).unpack_from
    decode = kind.bind(Scope(abi, {}))

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        if len(data) < size:
            return None
        value: Value = decode(ctx, unpack(data)[0], ())
        if rest is None or len(data) == size:
            return value
        more = rest(ctx, data[size:], family)
        return Joined((value, more), ", ") if more is not None else value

    return payload


def growing(kind: StructOf, *shorter: StructOf) -> Payload:
    """A structure that has grown with the kernel: whole, or exactly as long as it once was."""
    whole = typed(kind)
    by_size = {old.measure(X86_64)[0]: typed(old) for old in shorter}

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        value = whole(ctx, data, family)
        if value is None and len(data) in by_size:
            value = by_size[len(data)](ctx, data, family)
        return value

    return payload


def number(base: Base = Base.DEC, signed: bool = False, size: int = 8) -> Payload:
    """A number of up to eight bytes; of just ``size`` of them, at the start, when that is not 8."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        if len(data) > 8 if size == 8 else len(data) < size:
            return None
        return Integer(int.from_bytes(data[:size], "little", signed=signed), base)

    return payload


def wide(base: Base = Base.DEC, signed: bool = False) -> Payload:
    """A number of eight bytes."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        if len(data) < 8:
            return None
        return Integer(int.from_bytes(data[:8], "little", signed=signed), base)

    return payload


U8, U16, U32, U64 = number(size=1), number(size=2), number(size=4), wide()
S32 = number(signed=True, size=4)
X16, X32, X64 = number(Base.HEX, size=2), number(Base.HEX, size=4), wide(Base.HEX)
INDEX = typed(Interface())
DESCRIPTOR = typed(Fd())
ID = typed(Uid())


def _small(data: bytes, size: int) -> int | None:
    """A number of ``size`` bytes, of up to eight when that is 0, among no more than eight."""
    if len(data) > 8 or len(data) < size:
        return None
    return int.from_bytes(data[: size or 8], "little")


def named(names: Xlat, size: int = 0) -> Payload:
    """One constant of a table."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        value = _small(data, size)
        return None if value is None else Symbol(value, names.name_of(value), names.unknown)

    return payload


def flags(names: Xlat, size: int = 0) -> Payload:
    """A combination of a table's bits."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        value = _small(data, size)
        return None if value is None else Flags(value, *names.names_in(value), names.unknown)

    return payload


PROTOCOL = named(IPPROTO)


def clock(ctx: Context, data: bytes, family: int) -> Value | None:
    """A time in clock ticks."""
    value = _small(data, 0)
    return None if value is None else ticks(value)


def swapped(size: int, function: str) -> Payload:
    """A number in network byte order: htons(1)."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        if len(data) < size:
            return None
        return Function(function, (Integer(int.from_bytes(data[:size], "big")),))

    return payload


# As an attribute it has a comment of its own.
_ETHERNET = Xlat("ETHER_P_???", ETH_P.entries)


def ethernet_protocol(ctx: Context, data: bytes, family: int) -> Value | None:
    """A protocol on a link, in network byte order."""
    if len(data) > 8 or len(data) < 2:
        return None
    value = int.from_bytes(data[:2], "big")
    symbol = Symbol(value, _ETHERNET.name_of(value), _ETHERNET.unknown)
    return Function("htons", (symbol,))


def cstr(ctx: Context, data: bytes, family: int) -> Value | None:
    """A string; its final NUL is expected, and its absence shown."""
    # Shown in hexadecimal, it is not known to have ended.
    return Text(data[: ctx.string_bytes], True, terminated=True)


def until_nul(ctx: Context, data: bytes, family: int) -> Value | None:
    """A string up to its first NUL, the absence of which is shown."""
    most = ctx.string_bytes
    end = data.find(b"\0", 0, most + 1)
    return Text(data[:most] if end < 0 else data[:end], end < 0)


def plain(ctx: Context, data: bytes, family: int) -> Value | None:
    """Bytes that may be text."""
    limit = ctx.string_bytes
    return Text(data[:limit], len(data) > limit)


def inet4(ctx: Context, data: bytes, family: int) -> Value | None:
    """An IPv4 address."""
    return inet_addr(data[:4]) if len(data) >= 4 else None


def inet6(ctx: Context, data: bytes, family: int) -> Value | None:
    """An IPv6 address."""
    return inet_pton(data[:16]) if len(data) >= 16 else None


def internet(ctx: Context, data: bytes, family: int) -> Value | None:
    """An address of the message's family."""
    if family == _AF_INET and len(data) >= 4:
        return inet_addr(data[:4])
    if family == _AF_INET6 and len(data) >= 16:
        return inet_pton(data[:16])
    return raw(ctx, data)


def hardware(ctx: Context, data: bytes, family: int) -> Value | None:
    """A link-layer address."""
    return hardware_address(data) if len(data) <= _MAX_ADDR_LEN else None


def numbered(names: Xlat, size: int, signed: bool = False) -> Payload:
    """Numbers, each with the name of its place: [[SK_MEMINFO_RCVBUF]=212992]."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        return index_array(ctx, data, names, size, signed) if len(data) >= size else None

    return payload


def array(element: Type) -> Payload:
    """As many elements as there is room for."""
    size, _, code = element.measure(X86_64)
    decode = element.bind(Scope(X86_64, {}))

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        count = len(data) // size
        if not count:
            return None
        raws = struct.iter_unpack("<" + code, data[: count * size])
        return Array(tuple(decode(ctx, item, ()) for (item,) in raws), brief=ctx.string_bytes)

    return payload


class HexBytes(Type):
    """Bytes in a structure, in hexadecimal. ``optional``: left out when all are zero."""

    def __init__(self, size: int, optional: bool = False) -> None:
        self.size = size
        self.optional = optional

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.size, 1, f"{self.size}s"

    def bind(self, scope: Scope) -> Decode:
        optional = self.optional

        def decode(ctx: Context, data: bytes, frame: tuple[Any, ...]) -> Value | None:
            return None if optional and not any(data) else Text(data, escaped=True)

        return decode


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes that may follow a message: their names and what their data means.

    ``exact``: an attribute is known by its type with the bits that say how it is stored.
    """

    names: Xlat
    payloads: Mapping[int, Payload]
    exact: bool = False

    def decode(self, ctx: Context, data: bytes, family: int) -> Value:
        """Decode a run of attributes: one by itself, several as an array."""
        items: list[Value] = []
        more = False
        several = False
        while True:
            if len(data) < HEADER:
                items.append(raw(ctx, data))
                break
            if len(items) >= ctx.elements - 1:
                if not items:
                    return Phrase("...")
                more = True
                break
            (length,) = struct.unpack_from("<H", data)
            items.append(self._one(ctx, data, family))
            step = length + 3 & ~3
            if length < HEADER or len(data) <= step:
                break
            several = True
            data = data[step:]
        return Array(tuple(items), more=more) if several or more else items[0]

    def __call__(self, ctx: Context, data: bytes, family: int) -> Value | None:
        """Decode attributes nested in an attribute."""
        return self.decode(ctx, data, family)

    def _one(self, ctx: Context, data: bytes, family: int) -> Value:
        length, kind = struct.unpack_from("<HH", data)
        head = Struct((("nla_len", Integer(length)), ("nla_type", self._kind(kind))))
        body = data[HEADER : min(length, len(data))]
        if not body:
            return head
        payload = self.payloads.get(kind if self.exact else kind & _TYPE_MASK)
        value = payload(ctx, body, family) if payload is not None else None
        return Array((head, value if value is not None else raw(ctx, body)))

    def _kind(self, kind: int) -> Value:
        low = kind & _TYPE_MASK
        symbol = Symbol(low, self.names.name_of(low), self.names.unknown)
        marks = [
            Symbol(bit, name)
            for bit, name in (
                (NLA_F_NESTED, "NLA_F_NESTED"),
                (NLA_F_NET_BYTEORDER, "NLA_F_NET_BYTEORDER"),
            )
            if kind & bit
        ]
        return Joined((*marks, symbol)) if marks else symbol


def of_family(specs: Mapping[int, Attributes]) -> Payload:
    """Attributes that depend on the message's address family."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        spec = specs.get(family)
        return raw(ctx, data) if spec is None else spec.decode(ctx, data, family)

    return payload


def by_family(names: Xlat, specs: Mapping[int, Attributes]) -> Attributes:
    """A list of families, each with attributes of its own."""
    return Attributes(names, _ByType(specs))


class _ByType(dict[int, Payload]):
    """Attributes of the families whose number is the low byte of a type."""

    def get(self, key: int, default: object = None) -> Payload:
        return super().get(key & 0xFF, rest_of)
