"""Messages of NETLINK_ROUTE with the statistics of links.

Source: include/uapi/linux/{if_link,if_bridge,if_bonding,mpls}.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import FlagSet, Hex, Number
from pytracer.spec.type import NonZero, Scope, Type
from pytracer.spec.values import Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.network import ADDRESS_FAMILIES
from pytracer.tables.netlink.attributes import (
    U64,
    Attributes,
    by_family,
    rest_of,
    typed,
)
from pytracer.tables.netlink.bridge import VLAN_FLAGS
from pytracer.tables.netlink.link import STATISTICS64
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.indexed import index_array
from pytracer.tables.structs.netaddr import Interface

_AF_MPLS = 28
_U64 = Number("u64")


def _counters(names: str) -> dict[str, Type]:
    return dict.fromkeys(names.split(), _U64)


class _Directions(Type):
    """A counter for each direction."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 16, abi.align64, "16s"

    def bind(self, scope: Scope) -> Decode:
        names = Xlat("", rt.BRIDGE_MCAST_DIRECTIONS.entries)

        def decode(ctx: Context, data: bytes, frame: tuple[Any, ...]) -> Value:
            return index_array(ctx, data, names, 8)

        return decode


def _both(names: str) -> dict[str, Type]:
    return dict.fromkeys(names.split(), _Directions())


_VLAN = StructOf(
    None,
    None,
    **_counters("rx_bytes rx_packets tx_bytes tx_packets"),
    vid=Number("ushort"),
    flags=VLAN_FLAGS,
    pad2=NonZero(Hex()),
)
_MULTICAST: dict[str, Type] = (
    _both("igmp_v1queries igmp_v2queries igmp_v3queries igmp_leaves")
    | _both("igmp_v1reports igmp_v2reports igmp_v3reports")
    | _counters("igmp_parse_errors")
    | _both("mld_v1queries mld_v2queries mld_leaves mld_v1reports mld_v2reports")
    | _counters("mld_parse_errors")
    | _both("mcast_bytes mcast_packets")
)
_BRIDGE = Attributes(
    rt.STATS_BRIDGE_ATTRIBUTES,
    {
        rt.BRIDGE_XSTATS_VLAN: typed(_VLAN, rest_of),
        rt.BRIDGE_XSTATS_MCAST: typed(StructOf(None, None, **_MULTICAST), rest_of),
        rt.BRIDGE_XSTATS_STP: typed(
            StructOf(
                None,
                None,
                **_counters("transition_blk transition_fwd rx_bpdu tx_bpdu rx_tcn tx_tcn"),
            ),
            rest_of,
        ),
    },
)
_BOND = Attributes(
    rt.STATS_BOND_ATTRIBUTES,
    {
        rt.BOND_XSTATS_3AD: Attributes(
            rt.STATS_BOND_3AD_ATTRIBUTES,
            {
                value: U64
                for value, _ in rt.STATS_BOND_3AD_ATTRIBUTES.entries
                if value != rt.BOND_3AD_STAT_PAD
            },
        )
    },
)
_EXTENDED = Attributes(
    rt.STATS_XSTATS_TYPES,
    {rt.LINK_XSTATS_TYPE_BRIDGE: _BRIDGE, rt.LINK_XSTATS_TYPE_BOND: _BOND},
)
_MPLS = Attributes(
    rt.STATS_MPLS_ATTRIBUTES,
    {
        rt.MPLS_STATS_LINK: typed(
            StructOf(
                None,
                None,
                **_counters("rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors"),
                **_counters("rx_dropped tx_dropped rx_noroute"),
            ),
            rest_of,
        )
    },
)
STATISTICS = Message(
    StructOf(
        family=FAMILY,
        pad1=NonZero(Hex("uchar")),
        pad2=NonZero(Hex("ushort")),
        ifindex=Interface(),
        filter_mask=FlagSet(rt.STATS_ATTRIBUTE_FLAGS),
    ),
    Attributes(
        rt.STATS_ATTRIBUTES,
        {
            rt.IFLA_STATS_LINK_64: STATISTICS64,
            rt.IFLA_STATS_LINK_XSTATS: _EXTENDED,
            rt.IFLA_STATS_LINK_XSTATS_SLAVE: _EXTENDED,
            rt.IFLA_STATS_LINK_OFFLOAD_XSTATS: Attributes(
                rt.STATS_OFFLOAD_ATTRIBUTES, {rt.IFLA_OFFLOAD_XSTATS_CPU_HIT: STATISTICS64}
            ),
            rt.IFLA_STATS_AF_SPEC: by_family(ADDRESS_FAMILIES, {_AF_MPLS: _MPLS}),
        },
    ),
)
