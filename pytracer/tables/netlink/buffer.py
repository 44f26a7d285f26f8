"""Buffers of sockets: plain bytes or, when the socket is a netlink one, messages."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeAlias

from pytracer.spec.context import Context, Number
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import Bytes, read_buffer, unreadable
from pytracer.spec.scalar import Number as Integral
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Integer,
    Phrase,
    ProcessId,
    Struct,
    Symbol,
    Unavailable,
    Value,
)
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.netlink import (
    NLM_F_CAPPED,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_MIN_TYPE,
    NLMSGERR_ATTR_COOKIE,
    NLMSGERR_ATTR_MSG,
    NLMSGERR_ATTR_OFFS,
    NLMSGERR_ATTRIBUTES,
)
from pytracer.tables.constants.network import (
    NETLINK_CRYPTO,
    NETLINK_GENERIC,
    NETLINK_KOBJECT_UEVENT,
    NETLINK_NETFILTER,
    NETLINK_ROUTE,
    NETLINK_SELINUX,
    NETLINK_SOCK_DIAG,
)
from pytracer.tables.netlink.attributes import U32, Attributes, Buffer, array, cstr, raw
from pytracer.tables.netlink.crypto import crypto_message
from pytracer.tables.netlink.generic import generic_message
from pytracer.tables.netlink.header import message_flags, message_type
from pytracer.tables.netlink.netfilter import netfilter_message, selinux_message
from pytracer.tables.netlink.route import route_message
from pytracer.tables.netlink.sockdiag import diagnosis
from pytracer.tables.netlink.uevent import HEADER_BYTES, PREFIX, udev_message

HEADER: Final = 16  # NLMSG_HDRLEN, include/uapi/linux/netlink.h
# How much of a netlink socket's buffer is captured: twice what the kernel puts into one answer to a
# dump (NLMSG_GOODSIZE and max_recvmsg_len, net/netlink/af_netlink.c).
CAPTURED: Final = 65536

_ERROR_ATTRIBUTES = Attributes(
    NLMSGERR_ATTRIBUTES,
    {
        NLMSGERR_ATTR_MSG: cstr,
        NLMSGERR_ATTR_OFFS: U32,
        NLMSGERR_ATTR_COOKIE: array(Integral("uchar")),
    },
)

# (call, message type, flags, data) -> parts that stand beside the header
Contents: TypeAlias = Callable[[Context, int, int, bytes], list[Value]]


def _crypto(ctx: Context, kind: int, flags: int, data: bytes) -> list[Value]:
    parts = crypto_message(ctx, kind, data)
    return [raw(ctx, data)] if parts is None else [parts]


_CONTENTS: Final[dict[int, Contents]] = {
    NETLINK_ROUTE: lambda ctx, kind, flags, data: route_message(ctx, kind, data),
    NETLINK_SOCK_DIAG: diagnosis,
    NETLINK_GENERIC: generic_message,
    NETLINK_NETFILTER: netfilter_message,
    NETLINK_SELINUX: selinux_message,
    NETLINK_CRYPTO: _crypto,
}


def _error(ctx: Context, data: bytes, protocol: int, capped: bool) -> Value:
    if len(data) < 4 + HEADER:
        return raw(ctx, data)
    (code,) = struct.unpack_from("<i", data)
    name = ERRNO.name_of(-code)
    data = data[4:]
    (claimed,) = struct.unpack_from("<I", data)
    length = min(len(data), HEADER if capped else max(HEADER, claimed))
    shown: Value = Symbol(code, f"-{name}", base=Base.DEC) if code < 0 and name else Integer(code)
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
            ("nlmsg_type", message_type(kind, protocol)),
            ("nlmsg_flags", message_flags(flags, kind, protocol)),
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
    data = ctx.memory.read_some(address, length) if length else b""
    if not isinstance(data, bytes):
        return unreadable(address, data)
    ctx.saved[Buffer] = address, data, 0
    items: list[Value] = []
    several = False
    at = 0
    while True:
        left = length - at
        if left < HEADER:
            items.append(raw(ctx, data[at:]))
            break
        if len(data) - at < HEADER:
            if not items:
                return Unavailable(address, "partial")
            return Array(tuple(items), unreadable_at=address + at)
        if len(items) >= ctx.elements - 1:
            return Array(tuple(items), more=True) if items else Phrase("...")
        items.append(_message(ctx, data[at:], protocol))
        (claimed,) = struct.unpack_from("<I", data, at)
        step = claimed + 3 & ~3
        if claimed < HEADER or left <= step:
            break
        several = True
        at += step
    return Array(tuple(items)) if several else items[0]


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
            if protocol is None:
                return plain(ctx, address, frame)
            length = number(ctx, frame)
            if protocol != NETLINK_KOBJECT_UEVENT:
                return netlink_at(ctx, address, length, protocol)
            # Events of devices are strings, unless udev sends them.
            data = ctx.memory.read(address, length) if length >= HEADER_BYTES else b""
            if isinstance(data, bytes) and data.startswith(PREFIX):
                return udev_message(ctx, data)
            return plain(ctx, address, frame)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return tuple(replace(f, netlink=CAPTURED) for f in super().fetches_at(at, planning))
