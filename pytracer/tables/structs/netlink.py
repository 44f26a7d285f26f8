"""Netlink messages: their headers, and what of their contents is known by protocol."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from pytracer.spec.context import Context, Number
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes, read_buffer, unreadable
from pytracer.spec.scalar import FlagSet
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import (
    Address,
    Array,
    Integer,
    ProcessId,
    Struct,
    Symbol,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.netfamilies import (
    AUDIT_MESSAGES,
    CRYPTO_MESSAGES,
    SELINUX_MESSAGES,
    XFRM_MESSAGES,
)
from pytracer.tables.constants.netlink import (
    NLM_F_CAPPED,
    NLM_FLAGS,
    NLM_FLAGS_ACK,
    NLM_FLAGS_DELETE,
    NLM_FLAGS_GET,
    NLM_FLAGS_NEW,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_MIN_TYPE,
    NLMSG_TYPES,
    NLMSGERR_ATTRIBUTES,
    RTM_DELACTION,
    RTM_TYPES,
)
from pytracer.tables.constants.network import (
    NETLINK_AUDIT,
    NETLINK_CRYPTO,
    NETLINK_GENERIC,
    NETLINK_KOBJECT_UEVENT,
    NETLINK_NETFILTER,
    NETLINK_ROUTE,
    NETLINK_SELINUX,
    NETLINK_SOCK_DIAG,
    NETLINK_XFRM,
)
from pytracer.tables.constants.sockdiag import SOCK_DIAG_MESSAGES
from pytracer.tables.structs.genetlink import CONTROLLER, families, generic_message
from pytracer.tables.structs.netfilter import netfilter_kind, netfilter_message, selinux_message
from pytracer.tables.structs.nlattr import Attributes, cstr, number, raw
from pytracer.tables.structs.rtnetlink import route_message
from pytracer.tables.structs.sockdiag import diagnosis

HEADER = 16  # NLMSG_HDRLEN, include/uapi/linux/netlink.h
# How much of a buffer is captured in case that its socket is a netlink one: the kernel program
# does not know.
CAPTURED = 1024

_ERROR_ATTRIBUTES = Attributes(NLMSGERR_ATTRIBUTES, {1: cstr, 2: number(size=4)})

# (call, message type, flags, data) -> parts that stand beside the header
Contents: TypeAlias = Callable[[Context, int, int, bytes], list[Value]]
_TYPES: dict[int, Xlat] = {
    NETLINK_ROUTE: RTM_TYPES,
    NETLINK_SOCK_DIAG: SOCK_DIAG_MESSAGES,
    NETLINK_AUDIT: AUDIT_MESSAGES,
    NETLINK_CRYPTO: CRYPTO_MESSAGES,
    NETLINK_SELINUX: SELINUX_MESSAGES,
    NETLINK_XFRM: XFRM_MESSAGES,
}
_CONTENTS: dict[int, Contents] = {
    NETLINK_ROUTE: lambda ctx, kind, flags, data: route_message(ctx, kind, data),
    NETLINK_SOCK_DIAG: diagnosis,
    NETLINK_GENERIC: generic_message,
    NETLINK_NETFILTER: netfilter_message,
    NETLINK_SELINUX: selinux_message,
}


def _route_flags(kind: int) -> Xlat | None:
    if kind == RTM_DELACTION:
        return NLM_FLAGS_GET
    return {0: NLM_FLAGS_NEW, 1: NLM_FLAGS_DELETE, 2: NLM_FLAGS_GET}.get(kind & 3)


def _generic_flags(kind: int) -> Xlat | None:
    return NLM_FLAGS_GET if kind == CONTROLLER else None


_BY_WORD = (
    ("MSG_NEW", NLM_FLAGS_NEW),
    ("MSG_DEL", NLM_FLAGS_DELETE),
    ("MSG_GET", NLM_FLAGS_GET),
)


def _named_flags(names: Xlat) -> Callable[[int], Xlat | None]:
    def flags(kind: int) -> Xlat | None:
        name = names.name_of(kind) or ""
        return next((table for word, table in _BY_WORD if word in name), None)

    return flags


_XFRM_OBJECTS = {"SA", "POLICY", "AE", "SADINFO", "SPDINFO"}


def _xfrm_flags(kind: int) -> Xlat | None:
    name = (XFRM_MESSAGES.name_of(kind) or "").removeprefix("XFRM_MSG_")
    return _named_flags(XFRM_MESSAGES)(kind) if name[3:] in _XFRM_OBJECTS else None


_FLAGS: dict[int, Callable[[int], Xlat | None]] = {
    NETLINK_ROUTE: _route_flags,
    NETLINK_SOCK_DIAG: lambda kind: NLM_FLAGS_GET,
    NETLINK_GENERIC: _generic_flags,
    NETLINK_CRYPTO: _named_flags(CRYPTO_MESSAGES),
    NETLINK_XFRM: _xfrm_flags,
}
_MERGED: dict[int, FlagSet] = {}


def _flags(flags: int, kind: int, protocol: int) -> Value:
    table = None
    if kind < NLMSG_MIN_TYPE:
        table = NLM_FLAGS_ACK if kind == NLMSG_ERROR else None
    elif protocol in _FLAGS:
        table = _FLAGS[protocol](kind)
    extra = table.entries if table is not None else ()
    merged = _MERGED.get(id(table))
    if merged is None:
        merged = FlagSet(Xlat(NLM_FLAGS.unknown, NLM_FLAGS.entries + extra), "ushort")
        _MERGED[id(table)] = merged
    return merged.make(flags)


def _kind(kind: int, protocol: int) -> Value:
    table = NLMSG_TYPES
    if kind >= NLMSG_MIN_TYPE:
        if protocol == NETLINK_NETFILTER:
            return netfilter_kind(kind)
        table = families() if protocol == NETLINK_GENERIC else _TYPES.get(protocol, NLMSG_TYPES)
    return Symbol(kind, table.name_of(kind), table.unknown)


def _error(ctx: Context, data: bytes, protocol: int, capped: bool) -> Value:
    if len(data) < 4 + HEADER:
        return raw(ctx, data)
    (code,) = struct.unpack_from("<i", data)
    name = ERRNO.name_of(-code)
    data = data[4:]
    (claimed,) = struct.unpack_from("<I", data)
    length = min(len(data), HEADER if capped else max(HEADER, claimed))
    shown: Value = Symbol(code, f"-{name}") if code < 0 and name else Integer(code)
    value = Struct((("error", shown), ("msg", _message(ctx, data[:length], protocol))))
    if len(data) > length:
        return Array((value, _ERROR_ATTRIBUTES.decode(ctx, data[length:], 0)))
    return value


def _contents(ctx: Context, kind: int, flags: int, data: bytes, protocol: int) -> list[Value]:
    if kind == NLMSG_ERROR:
        return [_error(ctx, data, protocol, bool(flags & NLM_F_CAPPED))]
    decode = _CONTENTS.get(protocol)
    if kind >= NLMSG_MIN_TYPE and decode is not None:
        return decode(ctx, kind, flags, data)
    if kind == NLMSG_DONE and len(data) == 4:
        return [Integer(int.from_bytes(data, "little", signed=True))]
    return [raw(ctx, data)]


def _message(ctx: Context, data: bytes, protocol: int) -> Value:
    length, kind, flags, seq, pid = struct.unpack_from("<IHHIi", data)
    head = Struct(
        (
            ("nlmsg_len", Integer(length)),
            ("nlmsg_type", _kind(kind, protocol)),
            ("nlmsg_flags", _flags(flags, kind, protocol)),
            ("nlmsg_seq", Integer(seq)),
            ("nlmsg_pid", ProcessId(pid)),
        )
    )
    body = data[HEADER : min(length, len(data))]
    return Array((head, *_contents(ctx, kind, flags, body, protocol))) if body else head


def netlink_at(ctx: Context, address: int, length: int, protocol: int) -> Value:
    """Decode the messages in a buffer: one by itself, several as an array."""
    if not address:
        return Address(0)
    data = ctx.memory.read(address, length)
    if not isinstance(data, bytes):
        data = ctx.memory.read_some(address, length)
        if not isinstance(data, bytes):
            return unreadable(address, data)
    items: list[Value] = []
    more = False
    while True:
        if len(data) < HEADER:
            items.append(raw(ctx, data))
            break
        if len(items) >= ctx.elements - 1:
            more = True
            break
        items.append(_message(ctx, data, protocol))
        (claimed,) = struct.unpack_from("<I", data)
        step = claimed + 3 & ~3
        if claimed < HEADER or len(data) <= step:
            break
        data = data[step:]
    return items[0] if len(items) == 1 and not more else Array(tuple(items), more=more)


class SocketBuffer(Bytes):
    """A buffer that is handed to a socket: bytes, or messages when it is a netlink socket.

    The descriptor of the socket is the call's first argument. ``room`` names a bound on the length.
    """

    def __init__(self, length: str, room: str | None = None) -> None:
        super().__init__(length)
        self.room = room

    def count(self, scope: Scope) -> Number:
        """Compile how many bytes there are."""
        length = scope.number(self.length)
        if self.room is None:
            return length
        room = scope.number(self.room)
        return lambda ctx, frame: min(length(ctx, frame), room(ctx, frame))

    def protocol(self, ctx: Context) -> int | None:
        """The protocol of the call's socket, None when it is no netlink socket."""
        if ctx.sockets is None:
            return None
        return ctx.sockets.netlink(ctx.pid, ctx.args[0] & 0xFFFFFFFF)

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = self.count(scope)
        plain = read_buffer(number)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Any:
            protocol = self.protocol(ctx)
            # Events of devices are strings.
            if protocol is not None and protocol != NETLINK_KOBJECT_UEVENT:
                return netlink_at(ctx, address, number(ctx, frame), protocol)
            return plain(ctx, address, frame)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        longer = replace(planning, string_bytes=max(planning.string_bytes, CAPTURED))
        return super().fetches_at(at, longer)
