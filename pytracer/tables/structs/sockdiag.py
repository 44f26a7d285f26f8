"""Messages of NETLINK_SOCK_DIAG: questions about sockets of the internet and UNIX families.

Source: include/uapi/linux/{inet_diag,unix_diag,sock_diag}.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from pytracer.spec.abi import X86_64, Layout
from pytracer.spec.aggregate import FixedArray, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Scalar, Uid
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import (
    Array,
    Base,
    Function,
    Integer,
    Joined,
    Noted,
    Phrase,
    Struct,
    Symbol,
    Text,
    Value,
)
from pytracer.tables.constants import network as net
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.constants.netlink import NLM_F_REQUEST
from pytracer.tables.structs.netaddr import Port, inet_addr, inet_pton, interface
from pytracer.tables.structs.nlattr import Attributes, Payload, cstr, number, raw, typed

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
FAMILY = Enum(net.ADDRESS_FAMILIES, "uchar")
U8, U32 = Number("uchar"), Number("uint")
STATES = FlagSet(sd.TCP_STATE_FLAGS)
STATE = Enum(net.TCP_STATES, "uchar")
COOKIE = FixedArray(U32, 2)
_U8, _U32 = number(size=1), number(size=4)
_PORT = Port()


class _Socket(Type):
    """struct inet_diag_sockid: both ends of a connection, of the family ``family`` names."""

    def __init__(self, family: str) -> None:
        self.family = family

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 48, 4, "48s"

    def bind(self, scope: Scope) -> Decode:
        family_of = scope.number(self.family)

        def address(family: int, name: str, data: bytes) -> tuple[str, Value]:
            if family == AF_INET:
                # The room is one for either family; raw, all of it is shown.
                text = Function("inet_addr", inet_addr(data[:4]).args, Text(data, escaped=True))
                return name, text
            if family == AF_INET6:
                return "", inet_pton(data, name)
            return name, Text(data, escaped=True)

        def decode(ctx: Context, raw_id: bytes, frame: tuple[Any, ...]) -> Value:
            family = family_of(ctx, frame)
            source, target = struct.unpack_from("<HH", raw_id)
            index, *cookie = struct.unpack_from("<III", raw_id, 36)
            return Struct(
                (
                    ("idiag_sport", _PORT.make(source)),
                    ("idiag_dport", _PORT.make(target)),
                    address(family, "idiag_src", raw_id[4:20]),
                    address(family, "idiag_dst", raw_id[20:36]),
                    ("idiag_if", interface(index)),
                    ("idiag_cookie", Array(tuple(map(Integer, cookie)))),
                )
            )

        return decode


def _memory(ctx: Context, data: bytes, family: int) -> Value | None:
    """How much memory a socket has, by what for."""
    if len(data) < 4:
        return None
    names = sd.SK_MEMINFO
    items = []
    for index in range(len(data) // 4):
        symbol = Symbol(index, names.name_of(index), names.unknown, Base.DEC)
        amount = Integer(int.from_bytes(data[4 * index : 4 * index + 4], "little"))
        items.append(Joined((Phrase("["), symbol, Phrase("]="), amount), ""))
    return Array(tuple(items), brief=ctx.string_bytes)


def _array(element: Type) -> Payload:
    size, _, code = element.measure(X86_64)
    decode = element.bind(Scope(X86_64, {}))

    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        count = len(data) // size
        if not count:
            return None
        raws = struct.iter_unpack("<" + code, data[: count * size])
        return Array(tuple(decode(ctx, item, ()) for (item,) in raws), brief=ctx.string_bytes)

    return payload


def _shutdown(ctx: Context, data: bytes, family: int) -> Value | None:
    """How far a connection is shut, always with the number."""
    if len(data) > 8:
        return None
    value = data[0]
    names, rest = sd.INET_DIAG_SHUTDOWN_FLAGS.names_in(value)
    plain = Integer(value, Base.HEX)
    if not names:
        return Noted(plain, sd.INET_DIAG_SHUTDOWN_FLAGS.unknown) if value else plain
    return Noted(plain, "|".join([*names, f"{rest:#x}"] if rest else names))


def _protocol(ctx: Context, data: bytes, family: int) -> Value | None:
    if len(data) > 8:
        return None
    value = int.from_bytes(data, "little")
    return Symbol(value, net.IPPROTO.name_of(value), net.IPPROTO.unknown)


class _Operation(Scalar):
    """One operation of a filter of sockets."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, value: int) -> Value:
        code = value & 0xFF
        names = sd.INET_DIAG_BYTECODES
        return Struct(
            (
                ("code", Symbol(code, names.name_of(code), names.unknown)),
                ("yes", Integer(value >> 8 & 0xFF)),
                ("no", Integer(value >> 16)),
            )
        )


_OPERATION = _Operation()


def _condition(ctx: Context, data: bytes) -> Value:
    """A host, a port or both, as a filter compares them."""
    if len(data) < 8:
        return Text(data, escaped=True)
    family, prefix = data[0], data[1]
    fields: tuple[tuple[str, Value], ...] = (
        ("family", FAMILY.make(family)),
        ("prefix_len", Integer(prefix)),
        ("port", Integer(int.from_bytes(data[4:8], "little", signed=False))),
    )
    rest = data[8:]
    if not rest:
        return Struct(fields)
    if family == AF_INET and len(rest) >= 4:
        return Struct((*fields, ("addr", inet_addr(rest[:4]))))
    if family == AF_INET6 and len(rest) >= 16:
        return Struct((*fields, ("", inet_pton(rest[:16], "addr"))))
    return Struct((*fields, ("addr", raw(ctx, rest))))


def _bytecode(ctx: Context, data: bytes, family: int) -> Value | None:
    """The first operation of a filter, and what it compares with."""
    if len(data) < 4:
        return None
    operation = _OPERATION.make(int.from_bytes(data[:4], "little"))
    rest = data[4:]
    if not rest:
        return operation
    shown: Value = raw(ctx, rest)
    code = data[0]
    if code in (sd.INET_DIAG_BC_S_COND, sd.INET_DIAG_BC_D_COND):
        shown = _condition(ctx, rest)
    elif len(rest) >= 4 and code == sd.INET_DIAG_BC_DEV_COND:
        shown = interface(int.from_bytes(rest[:4], "little"))
    elif len(rest) >= 4 and code in _COMPARISONS:
        shown = _OPERATION.make(int.from_bytes(rest[:4], "little"))
    elif len(rest) >= 8 and code == sd.INET_DIAG_BC_MARK_COND:
        mark, mask = struct.unpack_from("<II", rest)
        shown = Struct((("mark", Integer(mark)), ("mask", Integer(mask))))
    return Joined((operation, shown), ", ")


_COMPARISONS = (
    sd.INET_DIAG_BC_S_GE,
    sd.INET_DIAG_BC_S_LE,
    sd.INET_DIAG_BC_D_GE,
    sd.INET_DIAG_BC_D_LE,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A question or an answer: its structure and the attributes that may follow."""

    layout: StructOf
    attributes: Attributes | None = None

    def decode(self, ctx: Context, data: bytes) -> list[Value]:
        """Decode to the parts that stand beside the message's header."""
        size = self.layout.measure(X86_64)[0]
        if len(data) < size:
            first = next(iter(self.layout.fields))
            return [Struct(((first, FAMILY.make(data[0])),), more=True)]
        parts: list[Value] = [self.layout.bind(Scope(X86_64, {}))(ctx, data[:size], ())]
        offset = size + 3 & ~3
        if len(data) > offset and self.attributes is not None:
            parts.append(self.attributes.decode(ctx, data[offset:], data[0]))
        return parts


_X32 = number(Base.HEX, size=4)
_TLS = Attributes(
    sd.ULP_TLS_ATTRIBUTES,
    {
        sd.TLS_INFO_VERSION: typed(Enum(sd.TLS_VERSIONS, "ushort")),
        sd.TLS_INFO_CIPHER: typed(Enum(sd.TLS_CIPHERS, "ushort")),
        sd.TLS_INFO_TXCONF: typed(Enum(sd.TLS_CONFIGS, "ushort")),
        sd.TLS_INFO_RXCONF: typed(Enum(sd.TLS_CONFIGS, "ushort")),
    },
)
_MPTCP = Attributes(
    sd.ULP_MPTCP_ATTRIBUTES,
    {
        sd.MPTCP_SUBFLOW_ATTR_TOKEN_REM: _X32,
        sd.MPTCP_SUBFLOW_ATTR_TOKEN_LOC: _X32,
        sd.MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ: _U32,
        sd.MPTCP_SUBFLOW_ATTR_MAP_SEQ: typed(Number("u64")),
        sd.MPTCP_SUBFLOW_ATTR_MAP_SFSEQ: _U32,
        sd.MPTCP_SUBFLOW_ATTR_SSN_OFFSET: _U32,
        sd.MPTCP_SUBFLOW_ATTR_MAP_DATALEN: number(size=2),
        sd.MPTCP_SUBFLOW_ATTR_FLAGS: typed(FlagSet(sd.MPTCP_SUBFLOW_FLAGS)),
        sd.MPTCP_SUBFLOW_ATTR_ID_REM: _U8,
        sd.MPTCP_SUBFLOW_ATTR_ID_LOC: _U8,
    },
)
_UPPER = Attributes(
    sd.ULP_INFO_ATTRIBUTES,
    {
        sd.INET_ULP_INFO_NAME: cstr,
        sd.INET_ULP_INFO_TLS: _TLS,
        sd.INET_ULP_INFO_MPTCP: _MPTCP,
    },
)
_STORAGES = Attributes(
    sd.BPF_STORAGES_ATTRIBUTES,
    {
        sd.SK_DIAG_BPF_STORAGE: Attributes(
            sd.BPF_STORAGE_ATTRIBUTES,
            {
                sd.SK_DIAG_BPF_STORAGE_MAP_ID: _U32,
                sd.SK_DIAG_BPF_STORAGE_MAP_VALUE: number(Base.HEX),
            },
        )
    },
)
_OPTIONS = (
    *("recverr", "is_icsk", "freebind", "hdrincl", "mc_loop", "transparent", "mc_all"),
    *("nodefrag", "bind_address_no_port", "recverr_rfc4884", "defer_connect"),
)


def _options(ctx: Context, data: bytes, family: int) -> Value | None:
    """Options of a socket, a bit each; those that are off only where nothing is abbreviated."""
    if len(data) < 2:
        return None
    bits = int.from_bytes(data[:2], "little")
    fields: list[tuple[str, Value]] = [
        (name, Integer(bits >> place & 1))
        for place, name in enumerate(_OPTIONS)
        if ctx.whole or bits >> place & 1
    ]
    unused = bits >> len(_OPTIONS)
    if ctx.whole or unused:
        fields.append(("unused", Noted(Integer(unused, Base.HEX), "bits 3..8")))
    value = Struct(tuple(fields))
    if not any(data[2:]):
        return value
    shown = data[2:][: ctx.string_bytes]
    text = Text(shown, len(shown) < len(data) - 2, escaped=True)
    note = Phrase(f"/* bytes 2..{len(data) - 1} */")
    return Joined((value, Joined((note, text), " ")), ", ")


_REQUESTS = Attributes(
    sd.INET_DIAG_REQUESTS,
    {sd.INET_DIAG_REQ_BYTECODE: _bytecode, sd.INET_DIAG_REQ_PROTOCOL: _protocol},
)
_EXTENSIONS = FlagSet(sd.INET_DIAG_EXTENSIONS, "uchar")
INET_OLD = Diagnosis(
    StructOf(
        idiag_family=FAMILY,
        idiag_src_len=U8,
        idiag_dst_len=U8,
        idiag_ext=_EXTENSIONS,
        id=_Socket("idiag_family"),
        idiag_states=STATES,
        idiag_dbs=U32,
    ),
    _REQUESTS,
)
INET_REQUEST = Diagnosis(
    StructOf(
        sdiag_family=FAMILY,
        sdiag_protocol=Enum(net.IPPROTO, "uchar"),
        idiag_ext=_EXTENSIONS,
        pad=Pad(1),
        idiag_states=STATES,
        id=_Socket("sdiag_family"),
    ),
    _REQUESTS,
)
INET_ANSWER = Diagnosis(
    StructOf(
        idiag_family=FAMILY,
        idiag_state=STATE,
        idiag_timer=U8,
        idiag_retrans=U8,
        id=_Socket("idiag_family"),
        idiag_expires=U32,
        idiag_rqueue=U32,
        idiag_wqueue=U32,
        idiag_uid=U32,
        idiag_inode=U32,
    ),
    Attributes(
        sd.INET_DIAG_ATTRIBUTES,
        {
            sd.INET_DIAG_MEMINFO: typed(
                StructOf(idiag_rmem=U32, idiag_wmem=U32, idiag_fmem=U32, idiag_tmem=U32)
            ),
            sd.INET_DIAG_VEGASINFO: typed(
                StructOf(tcpv_enabled=U32, tcpv_rttcnt=U32, tcpv_rtt=U32, tcpv_minrtt=U32)
            ),
            sd.INET_DIAG_DCTCPINFO: typed(
                StructOf(
                    dctcp_enabled=Number("ushort"),
                    dctcp_ce_state=Number("ushort"),
                    dctcp_alpha=U32,
                    dctcp_ab_ecn=U32,
                    dctcp_ab_tot=U32,
                )
            ),
            sd.INET_DIAG_BBRINFO: typed(
                StructOf(
                    bbr_bw_lo=Hex(),
                    bbr_bw_hi=Hex(),
                    bbr_min_rtt=U32,
                    bbr_pacing_gain=U32,
                    bbr_cwnd_gain=U32,
                )
            ),
            sd.INET_DIAG_ULP_INFO: _UPPER,
            sd.INET_DIAG_SK_BPF_STORAGES: _STORAGES,
            sd.INET_DIAG_SOCKOPT: _options,
            sd.INET_DIAG_CONG: cstr,
            sd.INET_DIAG_TOS: _U8,
            sd.INET_DIAG_TCLASS: _U8,
            sd.INET_DIAG_SKMEMINFO: _memory,
            sd.INET_DIAG_SHUTDOWN: _shutdown,
            sd.INET_DIAG_PROTOCOL: _protocol,
            sd.INET_DIAG_SKV6ONLY: _U8,
            sd.INET_DIAG_MARK: _U32,
            sd.INET_DIAG_CLASS_ID: _U32,
            sd.INET_DIAG_CGROUP_ID: typed(Number("u64")),
        },
    ),
)
UNIX_REQUEST = Diagnosis(
    StructOf(
        sdiag_family=FAMILY,
        sdiag_protocol=U8,
        pad=Pad(2),
        udiag_states=STATES,
        udiag_ino=U32,
        udiag_show=FlagSet(sd.UNIX_DIAG_SHOW),
        udiag_cookie=COOKIE,
    )
)


class _Device(Scalar):
    """The number of a device in 32 bits."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, value: int) -> Value:
        major = value >> 8 & 0xFFF
        minor = value & 0xFF | value >> 12 & 0xFFF00
        parts = (Integer(major, Base.HEX), Integer(minor, Base.HEX))
        return Function("makedev", parts, Integer(value, Base.HEX))


UNIX_ANSWER = Diagnosis(
    StructOf(
        udiag_family=FAMILY,
        udiag_type=Enum(net.SOCK_TYPES, "uchar"),
        udiag_state=STATE,
        pad=Pad(1),
        udiag_ino=U32,
        udiag_cookie=COOKIE,
    ),
    Attributes(
        sd.UNIX_DIAG_ATTRIBUTES,
        {
            sd.UNIX_DIAG_NAME: cstr,
            sd.UNIX_DIAG_VFS: typed(
                StructOf(
                    None,
                    ("udiag_vfs_dev", "udiag_vfs_ino"),
                    udiag_vfs_ino=U32,
                    udiag_vfs_dev=_Device(),
                )
            ),
            sd.UNIX_DIAG_PEER: _U32,
            sd.UNIX_DIAG_ICONS: _array(U32),
            sd.UNIX_DIAG_RQLEN: typed(StructOf(udiag_rqueue=U32, udiag_wqueue=U32)),
            sd.UNIX_DIAG_MEMINFO: _memory,
            sd.UNIX_DIAG_SHUTDOWN: _U8,
            sd.UNIX_DIAG_UID: typed(Uid()),
        },
    ),
)
_COMPATIBLE = (sd.TCPDIAG_GETSOCK, sd.DCCPDIAG_GETSOCK)


def diagnosis(ctx: Context, kind: int, flags: int, data: bytes) -> list[Value]:
    """Decode what follows the header of such a message."""
    family = data[0]
    request = flags & NLM_F_REQUEST
    found: Diagnosis | None = None
    if len(data) > 1:
        if family == AF_UNIX:
            found = UNIX_REQUEST if request else UNIX_ANSWER
        elif family in (AF_INET, AF_INET6):
            asked = INET_OLD if kind in _COMPATIBLE else INET_REQUEST
            found = asked if request else INET_ANSWER
    if found is not None:
        return found.decode(ctx, data)
    fields: list[tuple[str, Value]] = [("family", FAMILY.make(family))]
    if len(data) > 1:
        fields.append(("data", raw(ctx, data[1:])))
    return [Struct(tuple(fields))]
