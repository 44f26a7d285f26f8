"""What links say of bridges, their ports and their VLANs.

Source: include/uapi/linux/{if_link,if_bridge}.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import FixedArray, StructOf
from pytracer.spec.scalar import FlagSet, Number
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.netlink.attributes import (
    INDEX,
    U8,
    U16,
    U32,
    X16,
    Attributes,
    clock,
    ethernet_protocol,
    flags,
    hardware,
    inet4,
    inet6,
    named,
    rest_of,
    typed,
)
from pytracer.tables.structs.netaddr import HardwareAddress

_BRIDGE_ID = typed(StructOf(prio=FixedArray(Number("uchar"), 2), addr=HardwareAddress()))

PORT = Attributes(
    rt.BRPORT_ATTRIBUTES,
    {
        rt.IFLA_BRPORT_STATE: U8,
        rt.IFLA_BRPORT_PRIORITY: U16,
        rt.IFLA_BRPORT_COST: U32,
        rt.IFLA_BRPORT_MODE: U8,
        rt.IFLA_BRPORT_GUARD: U8,
        rt.IFLA_BRPORT_PROTECT: U8,
        rt.IFLA_BRPORT_FAST_LEAVE: U8,
        rt.IFLA_BRPORT_LEARNING: U8,
        rt.IFLA_BRPORT_UNICAST_FLOOD: U8,
        rt.IFLA_BRPORT_PROXYARP: U8,
        rt.IFLA_BRPORT_LEARNING_SYNC: U8,
        rt.IFLA_BRPORT_PROXYARP_WIFI: U8,
        rt.IFLA_BRPORT_ROOT_ID: _BRIDGE_ID,
        rt.IFLA_BRPORT_BRIDGE_ID: _BRIDGE_ID,
        rt.IFLA_BRPORT_DESIGNATED_PORT: U16,
        rt.IFLA_BRPORT_DESIGNATED_COST: U16,
        rt.IFLA_BRPORT_ID: U16,
        rt.IFLA_BRPORT_NO: U16,
        rt.IFLA_BRPORT_TOPOLOGY_CHANGE_ACK: U8,
        rt.IFLA_BRPORT_CONFIG_PENDING: U8,
        rt.IFLA_BRPORT_MESSAGE_AGE_TIMER: clock,
        rt.IFLA_BRPORT_FORWARD_DELAY_TIMER: clock,
        rt.IFLA_BRPORT_HOLD_TIMER: clock,
        rt.IFLA_BRPORT_MULTICAST_ROUTER: U8,
        rt.IFLA_BRPORT_MCAST_FLOOD: U8,
        rt.IFLA_BRPORT_MCAST_TO_UCAST: U8,
        rt.IFLA_BRPORT_VLAN_TUNNEL: U8,
        rt.IFLA_BRPORT_BCAST_FLOOD: U8,
        rt.IFLA_BRPORT_GROUP_FWD_MASK: X16,
        rt.IFLA_BRPORT_NEIGH_SUPPRESS: U8,
        rt.IFLA_BRPORT_ISOLATED: U8,
        rt.IFLA_BRPORT_BACKUP_PORT: INDEX,
        rt.IFLA_BRPORT_MRP_RING_OPEN: U8,
        rt.IFLA_BRPORT_MRP_IN_OPEN: U8,
        rt.IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT: U32,
        rt.IFLA_BRPORT_MCAST_EHT_HOSTS_CNT: U32,
        rt.IFLA_BRPORT_LOCKED: U8,
        rt.IFLA_BRPORT_MAB: U8,
        rt.IFLA_BRPORT_MCAST_N_GROUPS: U32,
        rt.IFLA_BRPORT_MCAST_MAX_GROUPS: U32,
        rt.IFLA_BRPORT_NEIGH_VLAN_SUPPRESS: U8,
        rt.IFLA_BRPORT_BACKUP_NHID: U32,
        rt.IFLA_BRPORT_NEIGH_FORWARD_GRAT: U8,
    },
)

_OPTIONS = FlagSet(rt.BRIDGE_BOOLOPT_FLAGS)
_QUERIER = Attributes(
    rt.BRIDGE_QUERIER_ATTRIBUTES,
    {
        rt.BRIDGE_QUERIER_IP_ADDRESS: inet4,
        rt.BRIDGE_QUERIER_IP_PORT: INDEX,
        rt.BRIDGE_QUERIER_IP_OTHER_TIMER: clock,
        rt.BRIDGE_QUERIER_IPV6_ADDRESS: inet6,
        rt.BRIDGE_QUERIER_IPV6_PORT: INDEX,
        rt.BRIDGE_QUERIER_IPV6_OTHER_TIMER: clock,
    },
)
BRIDGE = Attributes(
    rt.BRIDGE_ATTRIBUTES,
    {
        rt.IFLA_BR_FORWARD_DELAY: clock,
        rt.IFLA_BR_HELLO_TIME: clock,
        rt.IFLA_BR_MAX_AGE: clock,
        rt.IFLA_BR_AGEING_TIME: clock,
        rt.IFLA_BR_STP_STATE: U32,
        rt.IFLA_BR_PRIORITY: U16,
        rt.IFLA_BR_VLAN_FILTERING: U8,
        rt.IFLA_BR_VLAN_PROTOCOL: ethernet_protocol,
        rt.IFLA_BR_GROUP_FWD_MASK: X16,
        rt.IFLA_BR_ROOT_ID: _BRIDGE_ID,
        rt.IFLA_BR_BRIDGE_ID: _BRIDGE_ID,
        rt.IFLA_BR_ROOT_PORT: U16,
        rt.IFLA_BR_ROOT_PATH_COST: U32,
        rt.IFLA_BR_TOPOLOGY_CHANGE: U8,
        rt.IFLA_BR_TOPOLOGY_CHANGE_DETECTED: U8,
        rt.IFLA_BR_HELLO_TIMER: clock,
        rt.IFLA_BR_TCN_TIMER: clock,
        rt.IFLA_BR_TOPOLOGY_CHANGE_TIMER: clock,
        rt.IFLA_BR_GC_TIMER: clock,
        rt.IFLA_BR_GROUP_ADDR: hardware,
        rt.IFLA_BR_MCAST_ROUTER: U8,
        rt.IFLA_BR_MCAST_SNOOPING: U8,
        rt.IFLA_BR_MCAST_QUERY_USE_IFADDR: U8,
        rt.IFLA_BR_MCAST_QUERIER: U8,
        rt.IFLA_BR_MCAST_HASH_ELASTICITY: U32,
        rt.IFLA_BR_MCAST_HASH_MAX: U32,
        rt.IFLA_BR_MCAST_LAST_MEMBER_CNT: U32,
        rt.IFLA_BR_MCAST_STARTUP_QUERY_CNT: U32,
        rt.IFLA_BR_MCAST_LAST_MEMBER_INTVL: clock,
        rt.IFLA_BR_MCAST_MEMBERSHIP_INTVL: clock,
        rt.IFLA_BR_MCAST_QUERIER_INTVL: clock,
        rt.IFLA_BR_MCAST_QUERY_INTVL: clock,
        rt.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL: clock,
        rt.IFLA_BR_MCAST_STARTUP_QUERY_INTVL: clock,
        rt.IFLA_BR_NF_CALL_IPTABLES: U8,
        rt.IFLA_BR_NF_CALL_IP6TABLES: U8,
        rt.IFLA_BR_NF_CALL_ARPTABLES: U8,
        rt.IFLA_BR_VLAN_DEFAULT_PVID: U16,
        rt.IFLA_BR_VLAN_STATS_ENABLED: U8,
        rt.IFLA_BR_MCAST_STATS_ENABLED: U8,
        rt.IFLA_BR_MCAST_IGMP_VERSION: U8,
        rt.IFLA_BR_MCAST_MLD_VERSION: U8,
        rt.IFLA_BR_VLAN_STATS_PER_PORT: U8,
        rt.IFLA_BR_MULTI_BOOLOPT: typed(StructOf(optval=_OPTIONS, optmask=_OPTIONS)),
        rt.IFLA_BR_MCAST_QUERIER_STATE: _QUERIER,
        rt.IFLA_BR_FDB_N_LEARNED: U32,
        rt.IFLA_BR_FDB_MAX_LEARNED: U32,
        rt.IFLA_BR_STP_MODE: named(rt.BRIDGE_STP_MODES, 4),
    },
)

VLAN_FLAGS = FlagSet(rt.BRIDGE_VLAN_FLAGS, "ushort")
_TUNNEL = Attributes(
    rt.BRIDGE_TUNNEL_ATTRIBUTES,
    {
        rt.IFLA_BRIDGE_VLAN_TUNNEL_ID: U32,
        rt.IFLA_BRIDGE_VLAN_TUNNEL_VID: U16,
        rt.IFLA_BRIDGE_VLAN_TUNNEL_FLAGS: flags(rt.BRIDGE_VLAN_FLAGS, 2),
    },
)
# What IFLA_AF_SPEC holds in messages of the bridge's own family.
SPECIFIC = Attributes(
    rt.BRIDGE_AF_SPEC_ATTRIBUTES,
    {
        rt.IFLA_BRIDGE_FLAGS: flags(rt.BRIDGE_FLAGS, 2),
        rt.IFLA_BRIDGE_MODE: named(rt.BRIDGE_MODES, 2),
        rt.IFLA_BRIDGE_VLAN_INFO: typed(StructOf(flags=VLAN_FLAGS, vid=Number("ushort")), rest_of),
        rt.IFLA_BRIDGE_VLAN_TUNNEL_INFO: _TUNNEL,
    },
)
