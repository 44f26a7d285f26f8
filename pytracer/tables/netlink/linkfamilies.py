"""What links say of the address families that use them.

Source: include/uapi/linux/{if_link,snmp}.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Number
from pytracer.spec.values import Value
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.network import ADDRESS_FAMILIES
from pytracer.tables.netlink.attributes import (
    U8,
    U32,
    Attributes,
    by_family,
    flags,
    inet6,
    named,
    numbered,
    of_family,
    typed,
)
from pytracer.tables.netlink.bridge import PORT, SPECIFIC

AF_INET, AF_BRIDGE, AF_INET6, AF_MCTP = 2, 7, 10, 45
_UINT = Number("uint")

_INET = Attributes(rt.INET_ATTRIBUTES, {rt.IFLA_INET_CONF: numbered(rt.INET_DEVCONF, 4, True)})
_INET6 = Attributes(
    rt.INET6_ATTRIBUTES,
    {
        rt.IFLA_INET6_FLAGS: flags(rt.INET6_INTERFACE_FLAGS, 4),
        rt.IFLA_INET6_CONF: numbered(rt.INET6_DEVCONF, 4, True),
        rt.IFLA_INET6_STATS: numbered(rt.SNMP_IP_STATS, 8),
        rt.IFLA_INET6_CACHEINFO: typed(
            StructOf(max_reasm_len=_UINT, tstamp=_UINT, reachable_time=_UINT, retrans_time=_UINT)
        ),
        rt.IFLA_INET6_ICMP6STATS: numbered(rt.SNMP_ICMP6_STATS, 8),
        rt.IFLA_INET6_TOKEN: inet6,
        rt.IFLA_INET6_ADDR_GEN_MODE: named(rt.INET6_ADDR_GEN_MODES, 1),
        rt.IFLA_INET6_RA_MTU: U32,
    },
)
_MCTP = Attributes(rt.MCTP_ATTRIBUTES, {rt.IFLA_MCTP_NET: U32, rt.IFLA_MCTP_PHYS_BINDING: U8})
_BY_FAMILY = by_family(ADDRESS_FAMILIES, {AF_INET: _INET, AF_INET6: _INET6, AF_MCTP: _MCTP})

PROTOCOL_INFO = of_family({AF_BRIDGE: PORT, AF_INET6: _INET6})


def family_specific(ctx: Context, data: bytes, family: int) -> Value | None:
    """IFLA_AF_SPEC: attributes by family, or a bridge's own."""
    spec = SPECIFIC if family == AF_BRIDGE else _BY_FAMILY
    return spec.decode(ctx, data, family)
