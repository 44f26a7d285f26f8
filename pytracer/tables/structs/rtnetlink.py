"""Messages of NETLINK_ROUTE: links, addresses, routes, neighbours."""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Uid
from pytracer.spec.type import Type
from pytracer.spec.values import Struct, Value
from pytracer.tables.constants import netlink as nl
from pytracer.tables.constants.network import ARPHRD, IPTOS
from pytracer.tables.structs.netaddr import Interface, NetLong, hardware_address
from pytracer.tables.structs.nlattr import Attributes, Payload, cstr, internet, number, raw, typed
from pytracer.tables.structs.rtmessage import FAMILY, Message
from pytracer.tables.structs.rtrule import NAMESPACE, RULE, TABLE


def _hardware(ctx: Context, data: bytes, family: int) -> Value:
    return hardware_address(data[:32])


_U8 = number(size=1)
_U32 = number(size=4)
_X32 = typed(Hex("uint"))
_S32 = number(signed=True, size=4)
_INDEX = typed(Interface())

_LINK_STATS = """
    rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast
    collisions rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors
    rx_missed_errors tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_heartbeat_errors
    tx_window_errors rx_compressed tx_compressed rx_nohandler
"""


def _statistics(ctype: str) -> Payload:
    fields: dict[str, Type] = {name: Number(ctype) for name in _LINK_STATS.split()}
    return typed(StructOf(None, None, **fields))


_STATS = _statistics("uint")
_STATS64 = _statistics("u64")
_MAP = typed(
    StructOf(
        mem_start=Hex("u64"),
        mem_end=Hex("u64"),
        base_addr=Hex("u64"),
        irq=Number("ushort"),
        dma=Number("uchar"),
        port=Number("uchar"),
    )
)

LINK = Message(
    StructOf(
        ifi_family=FAMILY,
        _pad=Pad(1),
        ifi_type=Enum(ARPHRD, "ushort"),
        ifi_index=Interface("int"),
        ifi_flags=FlagSet(nl.LINK_FLAGS),
        ifi_change=Hex(),
    ),
    Attributes(
        nl.LINK_ATTRIBUTES,
        {
            nl.IFLA_ADDRESS: _hardware,
            nl.IFLA_BROADCAST: _hardware,
            nl.IFLA_PERM_ADDRESS: _hardware,
            nl.IFLA_IFNAME: cstr,
            nl.IFLA_MTU: _U32,
            nl.IFLA_LINK: _INDEX,
            nl.IFLA_QDISC: cstr,
            nl.IFLA_STATS: _STATS,
            nl.IFLA_MASTER: _INDEX,
            nl.IFLA_TXQLEN: _U32,
            nl.IFLA_MAP: _MAP,
            nl.IFLA_WEIGHT: _U32,
            nl.IFLA_OPERSTATE: _U8,
            nl.IFLA_LINKMODE: _U8,
            nl.IFLA_NET_NS_PID: _U32,
            nl.IFLA_IFALIAS: cstr,
            nl.IFLA_NUM_VF: _U32,
            nl.IFLA_STATS64: _STATS64,
            nl.IFLA_GROUP: _U32,
            nl.IFLA_PROMISCUITY: _U32,
            nl.IFLA_NUM_TX_QUEUES: _U32,
            nl.IFLA_NUM_RX_QUEUES: _U32,
            nl.IFLA_CARRIER: _U8,
            nl.IFLA_CARRIER_CHANGES: _U32,
            nl.IFLA_LINK_NETNSID: _S32,
            nl.IFLA_PHYS_PORT_NAME: cstr,
            nl.IFLA_PROTO_DOWN: _U8,
            nl.IFLA_GSO_MAX_SEGS: _U32,
            nl.IFLA_GSO_MAX_SIZE: _U32,
            nl.IFLA_NEW_NETNSID: _S32,
            nl.IFLA_IF_NETNSID: _S32,
            nl.IFLA_CARRIER_UP_COUNT: _U32,
            nl.IFLA_CARRIER_DOWN_COUNT: _U32,
            nl.IFLA_NEW_IFINDEX: _INDEX,
            nl.IFLA_MIN_MTU: _U32,
            nl.IFLA_MAX_MTU: _U32,
            nl.IFLA_ALT_IFNAME: cstr,
            nl.IFLA_PARENT_DEV_NAME: cstr,
            nl.IFLA_PARENT_DEV_BUS_NAME: cstr,
            nl.IFLA_GRO_MAX_SIZE: _U32,
            nl.IFLA_TSO_MAX_SIZE: _U32,
            nl.IFLA_TSO_MAX_SEGS: _U32,
            nl.IFLA_ALLMULTI: _U32,
            nl.IFLA_DEVLINK_PORT: _U32,
            nl.IFLA_GSO_IPV4_MAX_SIZE: _U32,
            nl.IFLA_GRO_IPV4_MAX_SIZE: _U32,
            nl.IFLA_NETNS_IMMUTABLE: _U8,
            nl.IFLA_HEADROOM: number(size=2),
            nl.IFLA_TAILROOM: number(size=2),
        },
    ),
)

_ADDRESS_CACHE = typed(
    StructOf(
        ifa_prefered=Number("uint"),
        ifa_valid=Number("uint"),
        cstamp=Number("uint"),
        tstamp=Number("uint"),
    )
)
ADDRESS = Message(
    StructOf(
        ifa_family=FAMILY,
        ifa_prefixlen=Number("uchar"),
        ifa_flags=FlagSet(nl.ADDRESS_FLAGS, "uchar"),
        ifa_scope=Enum(nl.ROUTE_SCOPES, "uchar"),
        ifa_index=Interface(),
    ),
    Attributes(
        nl.ADDRESS_ATTRIBUTES,
        {
            nl.IFA_ADDRESS: internet,
            nl.IFA_LOCAL: internet,
            nl.IFA_LABEL: cstr,
            nl.IFA_BROADCAST: internet,
            nl.IFA_ANYCAST: internet,
            nl.IFA_CACHEINFO: _ADDRESS_CACHE,
            nl.IFA_MULTICAST: internet,
            nl.IFA_FLAGS: typed(FlagSet(nl.ADDRESS_FLAGS)),
            nl.IFA_RT_PRIORITY: _U32,
            nl.IFA_TARGET_NETNSID: _S32,
        },
    ),
)

_ROUTE_CACHE = typed(
    StructOf(
        rta_clntref=Number("uint"),
        rta_lastuse=Number("uint"),
        rta_expires=Number("int"),
        rta_error=Number("uint"),
        rta_used=Number("uint"),
        rta_id=Hex(),
        rta_ts=Number("uint"),
        rta_tsage=Number("uint"),
    )
)
ROUTE = Message(
    StructOf(
        rtm_family=FAMILY,
        rtm_dst_len=Number("uchar"),
        rtm_src_len=Number("uchar"),
        rtm_tos=FlagSet(IPTOS, "uchar"),
        rtm_table=Enum(nl.ROUTE_TABLES, "uchar"),
        rtm_protocol=Enum(nl.ROUTE_PROTOCOLS, "uchar"),
        rtm_scope=Enum(nl.ROUTE_SCOPES, "uchar"),
        rtm_type=Enum(nl.ROUTE_TYPES, "uchar"),
        rtm_flags=FlagSet(nl.ROUTE_FLAGS),
    ),
    Attributes(
        nl.ROUTE_ATTRIBUTES,
        {
            nl.RTA_DST: internet,
            nl.RTA_SRC: internet,
            nl.RTA_IIF: _INDEX,
            nl.RTA_OIF: _INDEX,
            nl.RTA_GATEWAY: internet,
            nl.RTA_PRIORITY: _U32,
            nl.RTA_PREFSRC: internet,
            nl.RTA_FLOW: _U32,
            nl.RTA_CACHEINFO: _ROUTE_CACHE,
            nl.RTA_TABLE: TABLE,
            nl.RTA_MARK: _U32,
            nl.RTA_PREF: _U8,
            nl.RTA_UID: typed(Uid()),
            nl.RTA_TTL_PROPAGATE: _U8,
            nl.RTA_NH_ID: _U32,
            nl.RTA_FLOWLABEL: typed(NetLong()),
        },
    ),
)

_NEIGHBOUR_CACHE = typed(
    StructOf(
        ndm_confirmed=Number("uint"),
        ndm_used=Number("uint"),
        ndm_updated=Number("uint"),
        ndm_refcnt=Number("uint"),
    )
)
NEIGHBOUR = Message(
    StructOf(
        ndm_family=FAMILY,
        _pad=Pad(3),
        ndm_ifindex=Interface("int"),
        ndm_state=FlagSet(nl.NEIGHBOUR_STATES, "ushort"),
        ndm_flags=FlagSet(nl.NEIGHBOUR_FLAGS, "uchar"),
        ndm_type=Enum(nl.ROUTE_TYPES, "uchar"),
    ),
    Attributes(
        nl.NEIGHBOUR_ATTRIBUTES,
        {
            nl.NDA_DST: internet,
            nl.NDA_LLADDR: _hardware,
            nl.NDA_CACHEINFO: _NEIGHBOUR_CACHE,
            nl.NDA_PROBES: _U32,
            nl.NDA_VLAN: number(size=2),
            nl.NDA_PORT: number(size=2),
            nl.NDA_VNI: _U32,
            nl.NDA_IFINDEX: _INDEX,
            nl.NDA_MASTER: _INDEX,
            nl.NDA_LINK_NETNSID: _U32,
            nl.NDA_SRC_VNI: _U32,
        },
    ),
)

_KINDS = {
    "LINK": LINK,
    "ADDR": ADDRESS,
    "ROUTE": ROUTE,
    "NEIGH": NEIGHBOUR,
    "RULE": RULE,
    "NSID": NAMESPACE,
}
MESSAGES = {
    value: _KINDS[name[7:]] for value, name in nl.RTM_TYPES.entries if name[7:] in _KINDS
} | {value: ADDRESS for value, name in nl.RTM_TYPES.entries if name[7:] in ("MULTICAST", "ANYCAST")}


def route_message(ctx: Context, kind: int, data: bytes) -> list[Value]:
    """Decode what follows the header of a route message."""
    message = MESSAGES.get(kind)
    if message is not None:
        return message.decode(ctx, data)
    fields: list[tuple[str, Value]] = [("family", FAMILY.make(data[0]))]
    if len(data) > 1:
        fields.append(("data", raw(ctx, data[1:])))
    return [Struct(tuple(fields))]
