"""What the values of socket options are made of."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import Chars, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import unreadable
from pytracer.spec.scalar import Enum, FlagSet, Int, Number, Scalar
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import (
    Address,
    Base,
    Integer,
    Joined,
    Noted,
    Phrase,
    Struct,
    Symbol,
    Text,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.network import (
    ICMP_FILTER_BITS,
    PACKET_MR_TYPES,
    TIPC_GROUP_FLAGS,
    TIPC_SCOPES,
)
from pytracer.tables.structs.netaddr import Inet4, Interface, hardware_address, inet_pton
from pytracer.tables.structs.optionvalue import DecodeOption, Option
from pytracer.tables.structs.sockaddr import STORAGE, sockaddr


class PendingError(Scalar):
    """An error that a socket has kept for its user."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return Symbol(number, ERRNO.name_of(number), "", Base.DEC)


class PortRange(Scalar):
    """Two ports in one number: the lower in the low half."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return Noted(Integer(number, Base.HEX), f"{number & 0xFFFF}..{number >> 16}")


class Storage(Type):
    """struct sockaddr_storage, include/uapi/linux/socket.h."""

    def __init__(self, ctype: str = "ulong") -> None:
        self.ctype = ctype

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return STORAGE, abi.measure(self.ctype)[1], f"{STORAGE}s"

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, raw, frame: sockaddr(ctx, raw)


class _Hardware(Type):
    """A link-layer address of ``mr_alen`` bytes."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 8, 1, "8s"

    def bind(self, scope: Scope) -> Decode:
        length = scope.number("mr_alen")
        return lambda ctx, raw, frame: hardware_address(raw[: length(ctx, frame)])


class _Mreq6(StructOf):
    """struct ipv6_mreq, include/uapi/linux/in6.h; its address carries its own name."""

    def __init__(self) -> None:
        super().__init__(None, None, ipv6mr_multiaddr=Pad(16, 4), ipv6mr_interface=Interface("int"))

    def bind(self, scope: Scope) -> Decode:
        decode_rest = super().bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            rest: Struct = decode_rest(ctx, raw, frame)
            return Struct((("", inet_pton(raw[:16], "ipv6mr_multiaddr")), *rest.fields))

        return decode


class _AoKey(StructOf):
    """struct tcp_ao_add, include/uapi/linux/tcp.h, Linux 6.18."""

    def __init__(self) -> None:
        super().__init__(
            None,
            None,
            addr=Storage("u64"),
            alg_name=Chars(64),
            ifindex=Interface("int"),
            bits=Number("uint"),
            reserved2=Pad(2, 2),
            prefix=Number("uchar"),
            sndid=Number("uchar"),
            rcvid=Number("uchar"),
            maclen=Number("uchar"),
            keyflags=FlagSet(_AO_KEY_FLAGS, "uchar"),
            keylen=Number("uchar"),
            key=Pad(80),
        )

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 288, 8, "288s"

    def bind(self, scope: Scope) -> Decode:
        decode_all = super().bind(scope)
        used = super().measure(scope.abi)[0]

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            whole: Struct = decode_all(ctx, raw[:used], frame)
            found = dict(whole.fields)
            bits = found.pop("bits")
            assert isinstance(bits, Integer)
            found["set_current"] = Integer(bits.value & 1)
            found["set_rnext"] = Integer(bits.value >> 1 & 1)
            key = raw[_AO_KEY_AT : _AO_KEY_AT + 80][: raw[_AO_KEY_AT - 1]]
            found["key"] = Text(key, escaped=True)
            return Struct(tuple((name, found[name]) for name in _AO_ORDER))

        return decode


_AO_KEY_FLAGS = Xlat(
    "TCP_AO_KEYF_???", ((1, "TCP_AO_KEYF_IFINDEX"), (2, "TCP_AO_KEYF_EXCLUDE_OPT"))
)
_AO_KEY_AT = 208
_AO_ORDER = (
    *("addr", "prefix", "alg_name", "ifindex", "set_current", "set_rnext"),
    *("sndid", "rcvid", "maclen", "keyflags", "key", "keylen"),
)


class IcmpFilter(Option):
    """The ICMP messages that a raw socket does not want; what is not given is blocked."""

    def bind(self, scope: Scope, getting: bool) -> DecodeOption:
        def decode(ctx: Context, address: int, length: int, frame: tuple[Any, ...]) -> Value:
            if length <= 0:
                return Address(address)
            data = ctx.memory.read(address, min(length, 4))
            if not isinstance(data, bytes):
                return unreadable(address, data)
            bits = int.from_bytes(data.ljust(4, b"\xff"), "little")
            inverted = bits.bit_count() > 16
            if inverted:
                bits ^= 0xFFFFFFFF
            names: tuple[Value, ...] = tuple(
                Symbol(bit, _ICMP_NAMES.get(1 << bit), ICMP_FILTER_BITS.unknown)
                for bit in range(32)
                if bits >> bit & 1
            )
            start = Phrase("~[" if inverted else "[")
            return Joined((start, Joined(names, " "), Phrase("]")), "")

        return decode


_ICMP_NAMES = {value: name.removeprefix("1<<") for value, name in ICMP_FILTER_BITS.entries}

UINT = Number("uint")
LINGER = StructOf(l_onoff=Int(), l_linger=Int())
MREQ = StructOf(imr_multiaddr=Inet4(), imr_interface=Inet4())
MREQ6 = _Mreq6()
GROUP = StructOf(gr_interface=Interface(), gr_group=Storage())
RING = StructOf(tp_block_size=UINT, tp_block_nr=UINT, tp_frame_size=UINT, tp_frame_nr=UINT)
STATISTICS = StructOf(tp_packets=UINT, tp_drops=UINT, tp_freeze_q_cnt=UINT)
PACKET_MREQ = StructOf(
    mr_ifindex=Interface("int"),
    mr_type=Enum(PACKET_MR_TYPES, "ushort"),
    mr_alen=Number("ushort"),
    mr_address=_Hardware(),
)
AO_KEY = _AoKey()
TIPC_SCOPE = Xlat("TIPC_???_SCOPE", TIPC_SCOPES.entries)
TIPC_GROUP = StructOf(
    type=UINT, instance=UINT, scope=Enum(TIPC_SCOPE), flags=FlagSet(TIPC_GROUP_FLAGS)
)
