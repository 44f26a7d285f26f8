"""Netlink attributes: lists of typed values behind a message, some of them nested."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pytracer.spec.abi import X86_64
from pytracer.spec.context import Context
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Array, Base, Integer, Joined, Struct, Symbol, Text, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.netlink import NLA_F_NESTED, NLA_F_NET_BYTEORDER
from pytracer.tables.structs.netaddr import inet_addr, inet_pton

HEADER = 4  # NLA_HDRLEN, include/uapi/linux/netlink.h
_TYPE_MASK = 0x3FFF

# (call, the attribute's data, the message's address family) -> its meaning, None for plain bytes.
Payload: TypeAlias = Callable[[Context, bytes, int], Value | None]


def raw(ctx: Context, data: bytes) -> Text:
    """Bytes that nobody explains: in hexadecimal, as many as -s allows."""
    limit = ctx.string_bytes
    return Text(data[:limit], len(data) > limit, escaped=True)


def typed(kind: Type) -> Payload:
    """A value of one of the language's types; plain bytes when there are too few of them."""
    size, _, code = kind.measure(X86_64)
    unpack = struct.Struct("<" + code).unpack_from
    decode = kind.bind(Scope(X86_64, {}))

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        if len(data) < size:
            return None
        value: Value = decode(ctx, unpack(data)[0], ())
        return value

    return payload


def number(base: Base = Base.DEC, signed: bool = False, size: int = 8) -> Payload:
    """A number of up to eight bytes; of just ``size`` of them, at the start, when that is not 8."""

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        if len(data) > 8 if size == 8 else len(data) < size:
            return None
        return Integer(int.from_bytes(data[:size], "little", signed=signed), base)

    return payload


def cstr(ctx: Context, data: bytes, family: int) -> Value | None:
    """A string; its final NUL is expected, and its absence shown."""
    # Shown in hexadecimal, it is not known to have ended.
    return Text(data[: ctx.string_bytes], True, terminated=True)


def internet(ctx: Context, data: bytes, family: int) -> Value | None:
    """An address of the message's family."""
    if family == 2 and len(data) >= 4:
        return inet_addr(data[:4])
    if family == 10 and len(data) >= 16:
        return inet_pton(data[:16])
    return raw(ctx, data)


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes that may follow a message: their names and what their data means."""

    names: Xlat
    payloads: Mapping[int, Payload]

    def decode(self, ctx: Context, data: bytes, family: int) -> Value:
        """Decode a run of attributes: one by itself, several as an array."""
        items: list[Value] = []
        more = False
        while True:
            if len(data) < HEADER:
                items.append(raw(ctx, data))
                break
            if len(items) >= ctx.elements - 1:
                more = True
                break
            (length,) = struct.unpack_from("<H", data)
            items.append(self._one(ctx, data, family))
            step = length + 3 & ~3
            if length < HEADER or len(data) <= step:
                break
            data = data[step:]
        return items[0] if len(items) == 1 and not more else Array(tuple(items), more=more)

    def __call__(self, ctx: Context, data: bytes, family: int) -> Value | None:
        """Decode attributes nested in an attribute."""
        return self.decode(ctx, data, family)

    def _one(self, ctx: Context, data: bytes, family: int) -> Value:
        length, kind = struct.unpack_from("<HH", data)
        head = Struct((("nla_len", Integer(length)), ("nla_type", self._kind(kind))))
        body = data[HEADER : min(length, len(data))]
        if not body:
            return head
        payload = self.payloads.get(kind & _TYPE_MASK)
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
