"""Messages of NETLINK_ROUTE about routing rules and network namespaces.

Source: include/uapi/linux/{fib_rules,net_namespace}.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number
from pytracer.tables.constants import netlink as nl
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.network import IPTOS
from pytracer.tables.netlink.attributes import (
    DESCRIPTOR,
    PROTOCOL,
    S32,
    U8,
    U32,
    Attributes,
    cstr,
    internet,
    swapped,
    typed,
)
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.netlink.routing import TABLE
from pytracer.tables.structs.netaddr import NetLong


def _range(ctype: str) -> StructOf:
    return StructOf(start=Number(ctype), end=Number(ctype))


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
            rt.FRA_GOTO: U32,
            rt.FRA_PRIORITY: U32,
            rt.FRA_FWMARK: U32,
            rt.FRA_FLOW: U32,
            rt.FRA_TUN_ID: swapped(8, "htobe64"),
            rt.FRA_SUPPRESS_IFGROUP: U32,
            rt.FRA_SUPPRESS_PREFIXLEN: U32,
            rt.FRA_TABLE: TABLE,
            rt.FRA_FWMASK: U32,
            rt.FRA_OIFNAME: cstr,
            rt.FRA_L3MDEV: U8,
            rt.FRA_UID_RANGE: typed(_range("uint")),
            rt.FRA_PROTOCOL: typed(Enum(nl.ROUTE_PROTOCOLS, "uchar")),
            rt.FRA_IP_PROTO: PROTOCOL,
            rt.FRA_SPORT_RANGE: typed(_range("ushort")),
            rt.FRA_DPORT_RANGE: typed(_range("ushort")),
            rt.FRA_DSCP: U8,
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
            rt.NETNSA_NSID: S32,
            rt.NETNSA_PID: U32,
            rt.NETNSA_FD: DESCRIPTOR,
            rt.NETNSA_TARGET_NSID: S32,
            rt.NETNSA_CURRENT_NSID: S32,
        },
    ),
)
