"""Messages of NETLINK_ROUTE about routing rules and network namespaces.

Source: include/uapi/linux/{fib_rules,net_namespace}.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number
from pytracer.spec.values import Function, Integer, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import netlink as nl
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.network import IPPROTO, IPTOS
from pytracer.tables.structs.netaddr import NetLong
from pytracer.tables.structs.nlattr import Attributes, cstr, internet, number, typed
from pytracer.tables.structs.rtmessage import FAMILY, Message

_U8, _U32, _S32 = number(size=1), number(size=4), number(signed=True, size=4)
_TUNNEL_BYTES = 8


def _protocol(ctx: Context, data: bytes, family: int) -> Value | None:
    if len(data) > 8:
        return None
    value = int.from_bytes(data, "little")
    return Symbol(value, IPPROTO.name_of(value), IPPROTO.unknown)


def _tunnel(ctx: Context, data: bytes, family: int) -> Value | None:
    """A number of 64 bits in network byte order: htobe64(1)."""
    if len(data) < _TUNNEL_BYTES:
        return None
    number_ = int.from_bytes(data[:_TUNNEL_BYTES], "big")
    return Function("htobe64", (Integer(number_),))


def _range(ctype: str) -> StructOf:
    return StructOf(start=Number(ctype), end=Number(ctype))


# As an attribute, a table without a name has no comment either.
TABLE = typed(Enum(Xlat("", nl.ROUTE_TABLES.entries)))
RULE = Message(
    StructOf(
        family=FAMILY,
        dst_len=Number("uchar"),
        src_len=Number("uchar"),
        tos=FlagSet(IPTOS, "uchar"),
        table=Enum(nl.ROUTE_TABLES, "uchar"),
        res=Pad(2),
        action=Enum(rt.RULE_ACTIONS, "uchar"),
        flags=FlagSet(rt.RULE_FLAGS),
    ),
    Attributes(
        rt.RULE_ATTRIBUTES,
        {
            rt.FRA_DST: internet,
            rt.FRA_SRC: internet,
            rt.FRA_IIFNAME: cstr,
            rt.FRA_GOTO: _U32,
            rt.FRA_PRIORITY: _U32,
            rt.FRA_FWMARK: _U32,
            rt.FRA_FLOW: _U32,
            rt.FRA_TUN_ID: _tunnel,
            rt.FRA_SUPPRESS_IFGROUP: _U32,
            rt.FRA_SUPPRESS_PREFIXLEN: _U32,
            rt.FRA_TABLE: TABLE,
            rt.FRA_FWMASK: _U32,
            rt.FRA_OIFNAME: cstr,
            rt.FRA_L3MDEV: _U8,
            rt.FRA_UID_RANGE: typed(_range("uint")),
            rt.FRA_PROTOCOL: typed(Enum(nl.ROUTE_PROTOCOLS, "uchar")),
            rt.FRA_IP_PROTO: _protocol,
            rt.FRA_SPORT_RANGE: typed(_range("ushort")),
            rt.FRA_DPORT_RANGE: typed(_range("ushort")),
            rt.FRA_DSCP: _U8,
            rt.FRA_FLOWLABEL: typed(NetLong()),
            rt.FRA_FLOWLABEL_MASK: typed(NetLong()),
            rt.FRA_SPORT_MASK: typed(Hex("ushort")),
            rt.FRA_DPORT_MASK: typed(Hex("ushort")),
            rt.FRA_DSCP_MASK: typed(Hex("uchar")),
        },
    ),
)
NAMESPACE = Message(
    StructOf(rtgen_family=FAMILY),
    Attributes(
        rt.NSID_ATTRIBUTES,
        {
            rt.NETNSA_NSID: _S32,
            rt.NETNSA_PID: _U32,
            rt.NETNSA_FD: typed(Fd()),
            rt.NETNSA_TARGET_NSID: _S32,
            rt.NETNSA_CURRENT_NSID: _S32,
        },
    ),
)
