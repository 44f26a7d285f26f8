"""Messages of NETLINK_ROUTE about addresses, and labels of addresses.

Source: include/uapi/linux/{if_addr,if_addrlabel}.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.scalar import Enum, FlagSet, Number
from pytracer.tables.constants import netlink as nl
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.netlink.attributes import (
    S32,
    U32,
    Attributes,
    cstr,
    internet,
    typed,
)
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.netaddr import Interface

_UCHAR, _UINT = Number("uchar"), Number("uint")

ADDRESS = Message(
    StructOf(
        ifa_family=FAMILY,
        ifa_prefixlen=_UCHAR,
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
            nl.IFA_CACHEINFO: typed(
                StructOf(ifa_prefered=_UINT, ifa_valid=_UINT, cstamp=_UINT, tstamp=_UINT)
            ),
            nl.IFA_MULTICAST: internet,
            nl.IFA_FLAGS: typed(FlagSet(nl.ADDRESS_FLAGS)),
            nl.IFA_RT_PRIORITY: U32,
            nl.IFA_TARGET_NETNSID: S32,
        },
    ),
)
LABEL = Message(
    StructOf(
        ifal_family=FAMILY,
        _pad=Pad(1),
        ifal_prefixlen=_UCHAR,
        ifal_flags=_UCHAR,
        ifal_index=Interface(),
        ifal_seq=_UINT,
    ),
    Attributes(rt.ADDRLABEL_ATTRIBUTES, {rt.IFAL_ADDRESS: internet, rt.IFAL_LABEL: U32}),
)
