"""Messages of NETLINK_ROUTE about routes, next hops, and what asks for a route.

Source: include/uapi/linux/{rtnetlink,nexthop,mroute,mroute6}.h, Linux 7.2.
"""

from __future__ import annotations

import struct

from pytracer.spec.abi import X86_64
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number
from pytracer.spec.type import NonZero, Scope
from pytracer.spec.values import Array, Struct, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import netlink as nl
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.network import ADDRESS_FAMILIES, IPTOS
from pytracer.tables.netlink.attributes import (
    INDEX,
    S32,
    U8,
    U16,
    U32,
    U64,
    Attributes,
    array,
    clock,
    cstr,
    inet4,
    inet6,
    internet,
    named,
    of_family,
    raw,
    typed,
)
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.netaddr import Interface, NetLong, inet_addr, inet_pton

_UINT = Number("uint")
# As an attribute, a table without a name has no comment either.
TABLE = typed(Enum(Xlat("", nl.ROUTE_TABLES.entries)))
_ENCAPSULATION = typed(Enum(rt.LWTUNNEL_TYPES, "ushort"))
_HOP_FLAGS = FlagSet(rt.ROUTE_NEXTHOP_FLAGS, "uchar")

_METRICS = Attributes(
    rt.ROUTE_METRICS,
    dict.fromkeys(range(rt.RTAX_LOCK, rt.RTAX_CC_ALGO), U32) | {rt.RTAX_CC_ALGO: cstr},
)


def _via(ctx: Context, data: bytes, family: int) -> Value | None:
    """A gateway of another family."""
    if len(data) < 2:
        return None
    family = int.from_bytes(data[:2], "little")
    fields: list[tuple[str, Value]] = [("rtvia_family", Enum(ADDRESS_FAMILIES).make(family))]
    place = data[2:]
    if place:
        fields.append(address_field(ctx, place, family, "rtvia_addr"))
    return Struct(tuple(fields))


def address_field(ctx: Context, data: bytes, family: int, name: str) -> tuple[str, Value]:
    """A field that is an address of a family, with as much room as there is."""
    if family == 2 and len(data) >= 4:
        return name, inet_addr(data[:4])
    if family == 10 and len(data) >= 16:
        return "", inet_pton(data[:16], name)
    return name, raw(ctx, data)


_HOP = StructOf(
    rtnh_len=Number("ushort"),
    rtnh_flags=_HOP_FLAGS,
    rtnh_hops=Number("uchar"),
    rtnh_ifindex=Interface("int"),
)
_HOP_BYTES = 8


def _multipath(ctx: Context, data: bytes, family: int) -> Value | None:
    """Next hops, each with attributes of its own."""
    if len(data) < _HOP_BYTES:
        return None
    decode = _HOP.bind(Scope(X86_64, {}))
    items: list[Value] = []
    several = struct.unpack_from("<H", data)[0] < len(data)
    while len(data) >= _HOP_BYTES:
        (claimed,) = struct.unpack_from("<H", data)
        length = min(len(data), claimed)
        hop: Value = decode(ctx, data[:_HOP_BYTES], ())
        if length > _HOP_BYTES:
            hop = Array((hop, ROUTE_ATTRIBUTES.decode(ctx, data[_HOP_BYTES:length], family)))
        items.append(hop)
        step = length + 3 & ~3
        if step >= len(data) or not step:
            break
        data = data[step:]
    return Array(tuple(items)) if several else items[0]


ROUTE_ATTRIBUTES = Attributes(
    nl.ROUTE_ATTRIBUTES,
    {
        nl.RTA_DST: internet,
        nl.RTA_SRC: internet,
        nl.RTA_IIF: INDEX,
        nl.RTA_OIF: INDEX,
        nl.RTA_GATEWAY: internet,
        nl.RTA_PRIORITY: U32,
        nl.RTA_PREFSRC: internet,
        nl.RTA_METRICS: _METRICS,
        nl.RTA_MULTIPATH: _multipath,
        nl.RTA_PROTOINFO: U32,
        nl.RTA_FLOW: U32,
        nl.RTA_CACHEINFO: typed(
            StructOf(
                rta_clntref=_UINT,
                rta_lastuse=_UINT,
                rta_expires=_UINT,
                rta_error=_UINT,
                rta_used=_UINT,
                rta_id=Hex(),
                rta_ts=_UINT,
                rta_tsage=_UINT,
            )
        ),
        nl.RTA_MP_ALGO: U32,
        nl.RTA_TABLE: TABLE,
        nl.RTA_MARK: U32,
        nl.RTA_MFC_STATS: typed(
            StructOf(
                mfcs_packets=Number("u64"),
                mfcs_bytes=Number("u64"),
                mfcs_wrong_if=Number("u64"),
            )
        ),
        nl.RTA_VIA: _via,
        nl.RTA_NEWDST: internet,
        nl.RTA_PREF: U8,
        nl.RTA_ENCAP_TYPE: _ENCAPSULATION,
        nl.RTA_EXPIRES: U64,
        nl.RTA_UID: U32,
        nl.RTA_TTL_PROPAGATE: U8,
        nl.RTA_IP_PROTO: U8,
        nl.RTA_SPORT: U16,
        nl.RTA_DPORT: U16,
        nl.RTA_FLOWLABEL: typed(NetLong()),
    },
)
ROUTE = Message(
    StructOf(
        rtm_family=FAMILY,
        rtm_dst_len=Number("uchar"),
        rtm_src_len=Number("uchar"),
        rtm_tos=FlagSet(IPTOS, "uchar"),
        rtm_table=Enum(Xlat("", nl.ROUTE_TABLES.entries), "uchar"),
        rtm_protocol=Enum(nl.ROUTE_PROTOCOLS, "uchar"),
        rtm_scope=Enum(nl.ROUTE_SCOPES, "uchar"),
        rtm_type=Enum(nl.ROUTE_TYPES, "uchar"),
        rtm_flags=FlagSet(nl.ROUTE_FLAGS),
    ),
    ROUTE_ATTRIBUTES,
)

NEXT_HOP = Message(
    StructOf(
        nh_family=FAMILY,
        nh_scope=Enum(nl.ROUTE_SCOPES, "uchar"),
        nh_protocol=Enum(nl.ROUTE_PROTOCOLS, "uchar"),
        resvd=NonZero(Hex("uchar")),
        nh_flags=FlagSet(rt.ROUTE_NEXTHOP_FLAGS),
    ),
    Attributes(
        rt.NEXTHOP_ATTRIBUTES,
        {
            rt.NHA_ID: U32,
            rt.NHA_GROUP: array(
                StructOf(
                    id=_UINT,
                    weight=Number("uchar"),
                    resvd1=NonZero(Hex("uchar")),
                    resvd2=NonZero(Hex("ushort")),
                )
            ),
            rt.NHA_GROUP_TYPE: named(rt.NEXTHOP_GROUP_TYPES, 2),
            rt.NHA_BLACKHOLE: U32,
            rt.NHA_OIF: INDEX,
            rt.NHA_GATEWAY: internet,
            rt.NHA_ENCAP_TYPE: _ENCAPSULATION,
            rt.NHA_GROUPS: U32,
            rt.NHA_MASTER: INDEX,
            rt.NHA_FDB: U32,
            rt.NHA_RES_GROUP: Attributes(
                rt.NEXTHOP_RES_GROUP_ATTRIBUTES,
                {
                    rt.NHA_RES_GROUP_BUCKETS: U16,
                    rt.NHA_RES_GROUP_IDLE_TIMER: clock,
                    rt.NHA_RES_GROUP_UNBALANCED_TIMER: clock,
                    rt.NHA_RES_GROUP_UNBALANCED_TIME: clock,
                },
            ),
            rt.NHA_RES_BUCKET: Attributes(
                rt.NEXTHOP_BUCKET_ATTRIBUTES,
                {
                    rt.NHA_RES_BUCKET_INDEX: U16,
                    rt.NHA_RES_BUCKET_IDLE_TIME: clock,
                    rt.NHA_RES_BUCKET_NH_ID: U32,
                },
            ),
        },
    ),
)

NETCONF = Message(
    StructOf(ncm_family=FAMILY),
    Attributes(
        rt.NETCONF_ATTRIBUTES,
        {
            rt.NETCONFA_IFINDEX: INDEX,
            rt.NETCONFA_FORWARDING: S32,
            rt.NETCONFA_RP_FILTER: S32,
            rt.NETCONFA_MC_FORWARDING: S32,
            rt.NETCONFA_PROXY_NEIGH: S32,
            rt.NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN: S32,
            rt.NETCONFA_INPUT: S32,
            rt.NETCONFA_BC_FORWARDING: S32,
            rt.NETCONFA_FORCE_FORWARDING: S32,
        },
    ),
)


# Routes for packets to many, which the kernel asks of a daemon.
CACHE_REPORT = Message(
    StructOf(
        rtgen_family=Enum(
            Xlat(
                rt.RTNL_FAMILIES.unknown,
                rt.RTNL_FAMILIES.entries + ADDRESS_FAMILIES.entries,
            ),
            "uchar",
        )
    ),
    of_family(
        {
            rt.RTNL_FAMILY_IPMR: Attributes(
                rt.IPMR_ATTRIBUTES,
                {
                    rt.IPMRA_CREPORT_MSGTYPE: named(rt.IPMR_MESSAGES, 1),
                    rt.IPMRA_CREPORT_VIF_ID: U32,
                    rt.IPMRA_CREPORT_SRC_ADDR: inet4,
                    rt.IPMRA_CREPORT_DST_ADDR: inet4,
                    rt.IPMRA_CREPORT_TABLE: U32,
                },
            ),
            rt.RTNL_FAMILY_IP6MR: Attributes(
                rt.IP6MR_ATTRIBUTES,
                {
                    rt.IP6MRA_CREPORT_MSGTYPE: named(rt.IP6MR_MESSAGES, 1),
                    rt.IP6MRA_CREPORT_MIF_ID: U32,
                    rt.IP6MRA_CREPORT_SRC_ADDR: inet6,
                    rt.IP6MRA_CREPORT_DST_ADDR: inet6,
                },
            ),
        }
    ),
)
