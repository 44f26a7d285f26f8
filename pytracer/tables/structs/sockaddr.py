"""Socket addresses of the families that servers use.

A family's structure is a table entry like any other; addresses of other families, and addresses too
short for theirs, show their bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import InOut, Pointee, unreadable
from pytracer.spec.scalar import Enum, Number, Pid, Scalar
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import (
    Address,
    Array,
    Base,
    Changed,
    Function,
    Integer,
    Joined,
    Phrase,
    Struct,
    Symbol,
    Text,
    Value,
)
from pytracer.tables.constants.network import (
    ADDRESS_FAMILIES,
    ARPHRD,
    ETH_P,
    PACKET_TYPES,
)
from pytracer.tables.structs.netaddr import Inet4, Interface, NetLong, Port, inet_pton
from pytracer.tables.structs.padded import padded_hex
from pytracer.tables.structs.sockfamilies import RARE_SHAPES
from pytracer.tables.structs.sockfields import Fields, Shape

STORAGE = 128  # sizeof(struct sockaddr_storage), include/uapi/linux/socket.h
UNIX_PATH = 108  # UNIX_PATH_MAX, include/uapi/linux/un.h
FAMILY = Enum(ADDRESS_FAMILIES, "ushort")


def _unix(ctx: Context, data: bytes, length: int) -> Fields:
    path = data[2 : min(length, 2 + UNIX_PATH)]
    if path[:1] == b"\0":
        return (("sun_path", Joined((Phrase("@"), Text(path[1:], path=True)), "")),)
    end = path.find(b"\0")
    return (("sun_path", Text(path if end < 0 else path[:end], path=True)),)


class Padded(Scalar):
    """A number written with all its leading zeros, as printf's %#0*x does."""

    def __init__(self, ctype: str, width: int) -> None:
        super().__init__(ctype)
        self.width = width

    def make(self, number: int) -> Value:
        text = f"0x{number:0{self.width - 2}x}" if number else "0" * self.width
        return Phrase(text, number, Integer(number))


class Protocol(Scalar):
    """An Ethernet protocol in network byte order: htons(ETH_P_ALL)."""

    def __init__(self) -> None:
        super().__init__("ushort")

    def make(self, number: int) -> Value:
        data = number.to_bytes(2, "little")
        host = int.from_bytes(data, "big")
        symbol = Symbol(host, ETH_P.name_of(host), ETH_P.unknown)
        return Function("htons", (symbol,), Text(data, escaped=True))


class _NonZero(Scalar):
    """A number that is only shown when it is not zero."""

    def __init__(self, ctype: str) -> None:
        super().__init__(ctype)

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, raw, frame: Integer(raw, Base.HEX) if raw else None


_IN = StructOf(family=FAMILY, sin_port=Port(), sin_addr=Inet4())
_IN6 = StructOf(family=FAMILY, sin6_port=Port(), sin6_flowinfo=NetLong())
_NETLINK = StructOf(
    family=FAMILY,
    nl_pad=_NonZero("ushort"),
    nl_pid=Pid(),
    nl_groups=Padded("uint", 8),
)
_PACKET = StructOf(
    family=FAMILY,
    sll_protocol=Protocol(),
    sll_ifindex=Interface("int"),
    sll_hatype=Enum(ARPHRD, "ushort"),
    sll_pkttype=Enum(PACKET_TYPES, "uchar"),
    sll_halen=Number("uchar"),
)


def _fixed(layout: StructOf) -> Shape:
    """The shape of a structure that begins with the family, which is left out."""
    bound: dict[int, tuple[int, Decode]] = {}

    def shape(ctx: Context, data: bytes, length: int) -> Fields:
        known = bound.get(ctx.abi.index)
        if known is None:
            scope = Scope(ctx.abi, {})
            known = bound[ctx.abi.index] = layout.measure(ctx.abi)[0], layout.bind(scope)
        size, decode = known
        value: Struct = decode(ctx, data[:size], ())
        return value.fields[1:]

    return shape


def _in6(ctx: Context, data: bytes, length: int) -> Fields:
    address = data[8:24]
    fields = (*_IN6_HEAD(ctx, data, length), ("", inet_pton(address, "sin6_addr")))
    if length <= 24:
        return fields
    (scope_id,) = struct.unpack_from("<I", data, 24)
    link_local = address[0] == 0xFE and address[1] & 0xC0 == 0x80
    multicast = address[0] == 0xFF and address[1] & 0x0F == 0x02
    if link_local or multicast:
        return (*fields, ("sin6_scope_id", Interface().make(scope_id)))
    return (*fields, ("sin6_scope_id", Integer(scope_id)))


def _packet(ctx: Context, data: bytes, length: int) -> Fields:
    fields = _PACKET_HEAD(ctx, data, length)
    halen = data[11]
    if not halen:
        return fields
    present = max(min(halen, length - 12), 0)
    address: list[Value] = [padded_hex(byte, 1) for byte in data[12 : 12 + present]]
    return (*fields, ("sll_addr", Array(tuple(address), more=present < halen)))


_IN6_HEAD = _fixed(_IN6)
_PACKET_HEAD = _fixed(_PACKET)

# Family -> (least length in bytes at which its structure applies, shape).
# The lengths are those of include/uapi/linux/{un,in,in6,netlink,if_packet}.h.
SHAPES: dict[int, tuple[int, Shape]] = {
    1: (3, _unix),
    2: (16, _fixed(_IN)),
    10: (24, _in6),
    16: (12, _fixed(_NETLINK)),
    17: (20, _packet),
    **RARE_SHAPES,
}


def sockaddr(ctx: Context, data: bytes) -> Struct:
    """Decode a socket address of two bytes or more."""
    length = len(data)
    family = int.from_bytes(data[:2], "little")
    fields: Fields = (("sa_family", FAMILY.make(family)),)
    if length > 2:
        least, shape = SHAPES.get(family, (0, None))
        if shape is not None and length >= least:
            fields += shape(ctx, data.ljust(STORAGE + 1, b"\0"), length)
        else:
            fields += (("sa_data", Text(data[2:], path=True)),)
    return Struct(fields)


def sockaddr_at(ctx: Context, address: int, length: int) -> Value:
    """Decode the socket address of ``length`` bytes at an address."""
    if length < 2 or not address:
        return Address(address)
    data = ctx.memory.read(address, min(length, STORAGE))
    if not isinstance(data, bytes):
        return unreadable(address, data)
    value = sockaddr(ctx, data)
    value.address = address
    return value


def _captured(at: At, planning: Planning) -> tuple[Fetch, ...]:
    # The true length is at most this, and often known to user space alone.
    length = Length(From.CONST, STORAGE)
    return (Fetch(at, planning.phase, length, STORAGE, False, planning.always),)


class Sockaddr(Pointee):
    """A socket address that the caller hands in; ``length`` names its length."""

    def __init__(self, length: str) -> None:
        self.length = length

    def bind_at(self, scope: Scope) -> DecodeAt:
        number = scope.number(self.length)
        return lambda ctx, address, frame: sockaddr_at(ctx, address, number(ctx, frame))

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return _captured(at, planning)


class SockaddrResult(Pointee):
    """A socket address that the kernel fills in.

    ``length`` names the argument that points to the room it had and, afterwards, to its length.
    Without an address or a length to fill in, both are shown as they are, and before the call runs.
    """

    def __init__(self, length: str) -> None:
        self.length = length

    def bind(self, scope: Scope) -> Decode:
        pointer = scope.number(self.length)
        length = scope.number("*" + self.length)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                wanted = raw and ctx.memory.read(pointer(ctx, frame), 4)
                return LATER if wanted else Address(raw)
            before = ctx.saved.get(pointer(ctx, frame))
            if ctx.failed or before is None or not raw:
                return Address(raw)
            return sockaddr_at(ctx, raw, min(before, length(ctx, frame)))

        return decode

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return _captured(at, planning.at_exit())


class SocklenResult(InOut):
    """The length of an address: the room that there was, and what was needed.

    ``address`` names the argument that points to the address, without which there is no length;
    None where a length stands by itself.
    """

    def __init__(self, address: str | None) -> None:
        super().__init__(Number("int"))
        self.address = address

    def bind(self, scope: Scope) -> Decode:
        present = scope.number(self.address if self.address is not None else 1)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not present(ctx, frame):
                return Address(raw)
            if not ctx.exiting:
                return LATER if ctx.memory.read(raw, 4) else Address(raw)
            before = ctx.saved.get(raw)
            if before is None:
                return Address(raw)
            data = ctx.memory.read(raw, 4)
            if ctx.failed or not isinstance(data, bytes):
                return Array((Integer(before),), raw)
            after = int.from_bytes(data, "little", signed=True)
            if before == after:
                return Array((Integer(after),), raw)
            return Array((Changed(Integer(before), Integer(after)),), raw)

        return decode

    def prefetch(self, scope: Scope, index: int) -> Callable[[Context], None]:
        def keep(ctx: Context) -> None:
            data = ctx.memory.read(ctx.args[index], 4)
            if isinstance(data, bytes):
                ctx.saved[ctx.args[index]] = int.from_bytes(data, "little", signed=True)

        return keep
