"""Requests of sockets about interfaces, addresses and owners.

Source: include/uapi/linux/{sockios,if,if_arp}.h, include/uapi/asm-generic/sockios.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, Chars, Pad, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.exchange import Completed, Exchange
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT, In, Out, Pointee, named_length, same
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Number, Pointer
from pytracer.spec.type import DecodeAt, Scope, Type
from pytracer.spec.values import Address, Changed, Integer, Noted, Struct, Text, Value
from pytracer.tables.constants.network import ARPHRD, INTERFACE_FLAGS
from pytracer.tables.structs.netaddr import Interface
from pytracer.tables.structs.sockaddr import sockaddr

IFNAMSIZ = 16  # include/uapi/linux/if.h
SOCKADDR_DATA = 14  # include/uapi/linux/socket.h
SOCKADDR = 2 + SOCKADDR_DATA
# The bytes of a link's address, where its driver has said how many: include/uapi/linux/if_*.h,
# include/net/{ax25,rose}.h. Others show all that there is room for.
_LENGTHS = (
    (0, ("SLIP", "X25", "CAN", "PPP", "RAWHDLC", "RAWIP", "IPDDP", "PIMREG", "CAIF")),
    (0, ("NETLINK", "VSOCKMON")),
    (1, ("ARCNET", "MCTP", "LOCALTLK", "PHONET", "PHONET_PIPE")),
    (2, ("DLCI",)),
    (4, ("TUNNEL", "SIT", "IPGRE", "IRDA")),
    (5, ("ROSE",)),
    (6, ("ETHER", "IEEE802", "LOOPBACK", "FDDI", "HIPPI", "IEEE80211")),
    (6, ("IEEE80211_PRISM", "IEEE80211_RADIOTAP")),
    (7, ("NETROM", "AX25")),
    (8, ("EUI64", "IEEE802154", "IEEE802154_MONITOR", "6LOWPAN")),
)
_LINK_BYTES = {ARPHRD.value_of(f"ARPHRD_{n}"): size for size, names in _LENGTHS for n in names}

NAME = Chars(IFNAMSIZ, whole=True)
MAP = StructOf(
    mem_start=Hex("ulong"),
    mem_end=Hex("ulong"),
    base_addr=Hex("ushort"),
    irq=Hex("uchar"),
    dma=Hex("uchar"),
    port=Hex("uchar"),
)


class _Member(Type):
    """One member of the union in struct ifreq, whose largest is the map."""

    def __init__(self, inner: Type) -> None:
        self.inner = inner

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return MAP.measure(abi)

    def bind(self, scope: Scope) -> Decode:
        _, _, code = self.inner.measure(scope.abi)
        unpack = struct.Struct(f"<{code}").unpack_from
        decode_inner = self.inner.bind(scope)
        return lambda ctx, raw, frame: decode_inner(ctx, unpack(raw)[0], frame)

    def parts(self) -> Iterator[Type]:
        yield self.inner


class _Socket(Type):
    """A socket address in a structure."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return SOCKADDR, 2, f"{SOCKADDR}s"

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, raw, frame: sockaddr(ctx, raw)


class _LinkAddress(Type):
    """A link's address, as long as links of the kind of ``sa_family`` have them."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return SOCKADDR_DATA, 1, f"{SOCKADDR_DATA}s"

    def bind(self, scope: Scope) -> Decode:
        kind = scope.number("sa_family")

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            size = _LINK_BYTES.get(kind(ctx, frame), SOCKADDR_DATA)
            return Noted(Text(raw, escaped=True), raw[:size].hex(":"), instead=True)

        return decode


LINK = StructOf(sa_family=Enum(ARPHRD, "ushort"), sa_data=_LinkAddress())


class _Rest(Pad):
    """The union in struct ifreq, where nothing of it is shown."""

    def __init__(self) -> None:
        super().__init__(0)

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return MAP.measure(abi)


NAMED = StructOf(ifr_name=NAME, ifr_ifru=_Rest())
NUMBERED = StructOf(ifr_name=Pad(IFNAMSIZ), ifr_ifindex=_Member(Int()))


def _set(field: str, kind: Type) -> In:
    """What a request sets for a named interface."""
    return In(StructOf(None, None, ifr_name=NAME, **{field: _Member(kind)}))


def _get(field: str, kind: Type) -> Completed:
    """What a request answers about the interface that the caller has named."""
    after = StructOf(None, None, ifr_name=Pad(IFNAMSIZ), **{field: _Member(kind)})
    return Completed(NAMED, after)


class _Length(Number):
    """The bytes of an array of struct ifreq, with the number of its elements."""

    def __init__(self) -> None:
        super().__init__("int")

    def bind(self, scope: Scope) -> Decode:
        size, _, _ = NAMED.measure(scope.abi)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            value = Integer(raw)
            if raw <= 0 or raw % size:
                return value
            return Noted(value, f"{raw // size} * sizeof(struct ifreq)")

        return decode


class _Interfaces(Pointee):
    """As many struct ifreq as fit into ``ifc_len`` bytes."""

    def __init__(self) -> None:
        self.element = StructOf(ifr_name=NAME, ifr_addr=_Member(_Socket()))

    def bind_at(self, scope: Scope) -> DecodeAt:
        size, _, _ = self.element.measure(scope.abi)
        inner = scope.within({"count": (0, Int())})
        decode_array = ArrayOf(self.element, "count").bind_at(inner)
        length = scope.number("ifc_len")

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = decode_array(ctx, address, (length(ctx, frame) // size,))
            return value

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        limit = CAPTURE_LIMIT if planning.whole else (planning.string_bytes + 1) * 64
        length = named_length("ifc_len", planning) or Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, min(limit, CAPTURE_LIMIT)),)

    def parts(self) -> Iterator[Type]:
        yield self.element


class _Configuration(Exchange):
    """The addresses of all interfaces; without a buffer for them, the bytes that they take."""

    def __init__(self) -> None:
        self.plain = StructOf(ifc_len=_Length(), ifc_buf=Pointer())
        super().__init__(self.plain, StructOf(ifc_len=_Length(), ifc_buf=In(_Interfaces())))

    def bind(self, scope: Scope) -> Decode:
        decode_plain = self.plain.bind_at(scope)
        decode_filled = self.after.bind_at(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            before = ctx.saved.get(raw)
            if not isinstance(before, Struct):
                return before or Address(raw)
            (_, room), (_, buffer) = before.fields
            asked = isinstance(buffer, Address) and buffer.value == 0
            filled = not ctx.failed and not asked
            after = (decode_filled if filled else decode_plain)(ctx, raw, frame)
            if not isinstance(after, Struct):
                return before
            (_, length), (_, content) = after.fields
            if asked:
                return Struct((("ifc_len", length), ("ifc_buf", content)), raw)
            changed = length if same(room, length) else Changed(room, length)
            return Struct((("ifc_len", changed), ("ifc_buf", content)), raw)

        return decode


# By what follows SIOCGIF and SIOCSIF: the member that is asked for or set.
_MEMBERS: dict[str, tuple[str, Type]] = {
    "ADDR": ("ifr_addr", _Socket()),
    "DSTADDR": ("ifr_dstaddr", _Socket()),
    "BRDADDR": ("ifr_broadaddr", _Socket()),
    "NETMASK": ("ifr_netmask", _Socket()),
    "FLAGS": ("ifr_flags", FlagSet(INTERFACE_FLAGS, "ushort")),
    "HWADDR": ("ifr_hwaddr", LINK),
    "MAP": ("ifr_map", MAP),
    "METRIC": ("ifr_metric", Int()),
    "MTU": ("ifr_mtu", Int()),
    "SLAVE": ("ifr_slave", NAME),
    "TXQLEN": ("ifr_qlen", Int()),
}
# strace shows where these point, no more.
_ADDRESSES = """
    SIOCADDDLCI SIOCADDRT SIOCBONDCHANGEACTIVE SIOCBONDENSLAVE SIOCBONDINFOQUERY SIOCBONDRELEASE
    SIOCBONDSETHWADDR SIOCBONDSLAVEINFOQUERY SIOCDARP SIOCDELDLCI SIOCDELRT SIOCDIFADDR SIOCDRARP
    SIOCETHTOOL SIOCGARP SIOCGHWTSTAMP SIOCGIFBR SIOCGIFCOUNT SIOCGIFMEM SIOCGIFPFLAGS SIOCGIFVLAN
    SIOCGMIIPHY SIOCGMIIREG SIOCGRARP SIOCGSKNS SIOCGSTAMP_OLD SIOCGSTAMP_NEW SIOCGSTAMPNS_OLD
    SIOCGSTAMPNS_NEW SIOCRTMSG SIOCSARP SIOCSHWTSTAMP SIOCSIFBR SIOCSIFLINK SIOCSIFMEM
    SIOCSIFPFLAGS SIOCSIFVLAN SIOCSMIIREG SIOCSRARP SIOCWANDEV
"""

REQUESTS: dict[str, Type] = {
    **{f"SIOCGIF{name}": _get(*field) for name, field in _MEMBERS.items()},
    **{f"SIOCSIF{name}": _set(*field) for name, field in _MEMBERS.items()},
    "SIOCGIFINDEX": _get("ifr_ifindex", Int()),
    "SIOCGIFNAME": Completed(NUMBERED, NAMED),
    "SIOCSIFNAME": _set("ifr_newname", NAME),
    **dict.fromkeys(
        ("SIOCADDMULTI", "SIOCDELMULTI", "SIOCSIFHWBROADCAST"), _set("ifr_hwaddr", LINK)
    ),
    "SIOCGIFCONF": _Configuration(),
    **dict.fromkeys(("SIOCBRADDBR", "SIOCBRDELBR"), In(Chars(IFNAMSIZ))),
    **dict.fromkeys(
        ("SIOCBRADDIF", "SIOCBRDELIF"),
        In(StructOf(ifr_name=Pad(IFNAMSIZ), ifr_ifindex=_Member(Interface("int")))),
    ),
    **dict.fromkeys(
        ("FIOGETOWN", "SIOCATMARK", "SIOCGIFENCAP", "SIOCGPGRP", "SIOCOUTQNSD"), Out(Int())
    ),
    **dict.fromkeys(("FIOSETOWN", "SIOCSIFENCAP", "SIOCSPGRP"), In(Int())),
    **dict.fromkeys(_ADDRESSES.split(), Pointer()),
}
