"""What links say of virtual functions of a device, and of virtual ports.

Source: include/uapi/linux/if_link.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.abi import I386, X86_64
from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, Hex, Number, Scalar
from pytracer.spec.values import Function, Symbol, Value
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.network import ETH_P
from pytracer.tables.netlink.attributes import (
    U8,
    U16,
    U32,
    U64,
    Attributes,
    HexBytes,
    Payload,
    cstr,
    typed,
)
from pytracer.tables.structs.netaddr import HardwareAddress

_UINT = Number("uint")
_MAX_ADDR_LEN = 32  # include/linux/netdevice.h
_SETTING = typed(StructOf(vf=_UINT, setting=_UINT))

# The 64 bits follow the number at once, or where their alignment puts them.
_GUID = StructOf(vf=_UINT, guid=Hex("u64"))
_GUIDS: dict[int, Payload] = {12: typed(_GUID, abi=I386), 16: typed(_GUID, abi=X86_64)}


def _guid(ctx: Context, data: bytes, family: int) -> Value | None:
    payload = _GUIDS.get(len(data))
    return None if payload is None else payload(ctx, data, family)


_STATISTICS = Attributes(
    rt.VF_STATS_ATTRIBUTES,
    dict.fromkeys(
        (
            rt.IFLA_VF_STATS_RX_PACKETS,
            rt.IFLA_VF_STATS_TX_PACKETS,
            rt.IFLA_VF_STATS_RX_BYTES,
            rt.IFLA_VF_STATS_TX_BYTES,
            rt.IFLA_VF_STATS_BROADCAST,
            rt.IFLA_VF_STATS_MULTICAST,
            rt.IFLA_VF_STATS_RX_DROPPED,
            rt.IFLA_VF_STATS_TX_DROPPED,
        ),
        U64,
    ),
)


class _Protocol(Scalar):
    """The protocol of a VLAN's tags, in network byte order."""

    def __init__(self) -> None:
        super().__init__("ushort")

    def make(self, number: int) -> Value:
        host = int.from_bytes(number.to_bytes(2, "little"), "big")
        return Function("htons", (Symbol(host, ETH_P.name_of(host), ETH_P.unknown),))


_VLAN_INFO = typed(StructOf(vf=_UINT, vlan=_UINT, qos=_UINT, vlan_proto=_Protocol(), _pad=Pad(2)))
_FUNCTION = Attributes(
    rt.VF_INFO_ATTRIBUTES,
    {
        rt.IFLA_VF_MAC: typed(StructOf(vf=_UINT, mac=HardwareAddress(_MAX_ADDR_LEN))),
        rt.IFLA_VF_VLAN: typed(StructOf(vf=_UINT, vlan=_UINT, qos=_UINT)),
        rt.IFLA_VF_TX_RATE: typed(StructOf(vf=_UINT, rate=_UINT)),
        rt.IFLA_VF_SPOOFCHK: _SETTING,
        rt.IFLA_VF_LINK_STATE: typed(StructOf(vf=_UINT, link_state=Enum(rt.VF_LINK_STATES))),
        rt.IFLA_VF_RATE: typed(StructOf(vf=_UINT, min_tx_rate=_UINT, max_tx_rate=_UINT)),
        rt.IFLA_VF_RSS_QUERY_EN: _SETTING,
        rt.IFLA_VF_STATS: _STATISTICS,
        rt.IFLA_VF_TRUST: _SETTING,
        rt.IFLA_VF_IB_NODE_GUID: _guid,
        rt.IFLA_VF_IB_PORT_GUID: _guid,
        rt.IFLA_VF_VLAN_LIST: Attributes(rt.VF_VLAN_ATTRIBUTES, {rt.IFLA_VF_VLAN_INFO: _VLAN_INFO}),
        rt.IFLA_VF_BROADCAST: typed(StructOf(broadcast=HardwareAddress(_MAX_ADDR_LEN))),
    },
)
VIRTUAL_FUNCTIONS = Attributes(rt.VF_INFO_LIST_ATTRIBUTES, {rt.IFLA_VF_INFO: _FUNCTION})

PORT_PROFILE = Attributes(
    rt.PORT_ATTRIBUTES,
    {
        rt.IFLA_PORT_VF: U32,
        rt.IFLA_PORT_PROFILE: cstr,
        rt.IFLA_PORT_VSI_TYPE: typed(
            StructOf(
                vsi_mgr_id=Number("uchar"),
                vsi_type_id=HexBytes(3),
                vsi_type_version=Number("uchar"),
                pad=HexBytes(3, optional=True),
            )
        ),
        rt.IFLA_PORT_REQUEST: U8,
        rt.IFLA_PORT_RESPONSE: U16,
    },
)
VF_PORTS = Attributes(rt.VF_PORT_ATTRIBUTES, {rt.IFLA_VF_PORT: PORT_PROFILE})
