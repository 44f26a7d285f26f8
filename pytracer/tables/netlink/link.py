"""Messages of NETLINK_ROUTE about links.

Source: include/uapi/linux/if_link.h, Linux 7.2.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytracer.spec.abi import I386
from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Uid
from pytracer.spec.type import Type
from pytracer.spec.values import Value
from pytracer.tables.constants import netlink as nl
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.boards import TUN_DEVICE_TYPES
from pytracer.tables.constants.network import ARPHRD
from pytracer.tables.netlink.attributes import (
    DESCRIPTOR,
    INDEX,
    S32,
    U8,
    U16,
    U32,
    X32,
    Attributes,
    Payload,
    cstr,
    flags,
    growing,
    named,
    typed,
    until_nul,
)
from pytracer.tables.netlink.bridge import BRIDGE, PORT
from pytracer.tables.netlink.linkfamilies import PROTOCOL_INFO, family_specific
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.netlink.virtual import PORT_PROFILE, VF_PORTS, VIRTUAL_FUNCTIONS
from pytracer.tables.structs.netaddr import Interface, hardware_address

_MAX_ADDR_LEN = 32  # include/linux/netdevice.h
# How much of a link's address is shown, by the address family of the message. The family is taken
# for a kind of hardware, as strace takes it, which matters to bridges.
_ADDRESS_BYTES = {0: 7, 1: 6, 3: 7, 6: 6, 7: 1, 15: 2, 24: 16, 27: 8, 32: 20}


def _address(ctx: Context, data: bytes, family: int) -> Value | None:
    if len(data) > _MAX_ADDR_LEN:
        return None
    return hardware_address(data, _ADDRESS_BYTES.get(family, _MAX_ADDR_LEN))


_STATISTICS_NAMES = """
    rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped tx_dropped multicast
    collisions rx_length_errors rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors
    rx_missed_errors tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_heartbeat_errors
    tx_window_errors rx_compressed tx_compressed rx_nohandler rx_otherhost_dropped
"""
_STATISTICS = _STATISTICS_NAMES.split()


def _statistics(ctype: str, fields: int) -> StructOf:
    shown: dict[str, Type] = dict.fromkeys(_STATISTICS[:fields], Number(ctype))
    return StructOf(None, None, **shown)


STATISTICS64 = growing(*(_statistics("u64", fields) for fields in (25, 24, 23)))

_CAN_FIELDS: dict[str, Type] = dict.fromkeys(
    ["bus_error", "error_warning", "error_passive", "bus_off", "arbitration_lost", "restarts"],
    Number("uint"),
)
_CAN = typed(StructOf(None, None, **_CAN_FIELDS))
_TUN = Attributes(
    rt.TUN_ATTRIBUTES,
    {
        rt.IFLA_TUN_OWNER: typed(Uid()),
        rt.IFLA_TUN_GROUP: typed(Uid()),
        rt.IFLA_TUN_TYPE: named(TUN_DEVICE_TYPES, 1),
        rt.IFLA_TUN_PI: U8,
        rt.IFLA_TUN_VNET_HDR: U8,
        rt.IFLA_TUN_PERSIST: U8,
        rt.IFLA_TUN_MULTI_QUEUE: U8,
        rt.IFLA_TUN_NUM_QUEUES: U32,
        rt.IFLA_TUN_NUM_DISABLED_QUEUES: U32,
    },
)
# What a link's kind makes of the data behind it.
_DATA: dict[bytes, Payload] = {b"bridge": BRIDGE, b"tun": _TUN}
_STATES: dict[bytes, Payload] = {b"can": _CAN}
_PORT_DATA: dict[bytes, Payload] = {b"bridge": PORT}
_LONGEST_KIND = 63


class _Kinds:
    """The key, in what a call keeps, of the kinds of the link and of its master."""


def _kind(place: int) -> Payload:
    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        kind = data.split(b"\0", 1)[0] if len(data) <= _LONGEST_KIND else b""
        ctx.saved[_Kinds][place] = kind
        return until_nul(ctx, data, family)

    return payload


def _of_kind(place: int, payloads: Mapping[bytes, Payload]) -> Payload:
    def payload(ctx: Context, data: bytes, family: int) -> Value | None:
        known = payloads.get(ctx.saved[_Kinds][place])
        return None if known is None else known(ctx, data, family)

    return payload


_INFO = Attributes(
    rt.LINK_INFO_ATTRIBUTES,
    {
        rt.IFLA_INFO_KIND: _kind(0),
        rt.IFLA_INFO_DATA: _of_kind(0, _DATA),
        rt.IFLA_INFO_XSTATS: _of_kind(0, _STATES),
        rt.IFLA_INFO_SLAVE_KIND: _kind(1),
        rt.IFLA_INFO_SLAVE_DATA: _of_kind(1, _PORT_DATA),
    },
)


def _info(ctx: Context, data: bytes, family: int) -> Value | None:
    ctx.saved[_Kinds] = [b"", b""]
    return _INFO.decode(ctx, data, family)


_XDP = Attributes(
    rt.XDP_ATTRIBUTES,
    {
        rt.IFLA_XDP_FD: DESCRIPTOR,
        rt.IFLA_XDP_ATTACHED: named(rt.XDP_ATTACH_MODES, 1),
        rt.IFLA_XDP_FLAGS: typed(FlagSet(rt.XDP_FLAGS)),
        rt.IFLA_XDP_PROG_ID: U32,
        rt.IFLA_XDP_DRV_PROG_ID: U32,
        rt.IFLA_XDP_SKB_PROG_ID: U32,
        rt.IFLA_XDP_HW_PROG_ID: U32,
        rt.IFLA_XDP_EXPECTED_FD: DESCRIPTOR,
    },
)
_PROTO_DOWN = Attributes(
    rt.PROTO_DOWN_ATTRIBUTES,
    {rt.IFLA_PROTO_DOWN_REASON_MASK: X32, rt.IFLA_PROTO_DOWN_REASON_VALUE: X32},
)
_PROPERTIES = Attributes(nl.LINK_ATTRIBUTES, {nl.IFLA_ALT_IFNAME: cstr}, exact=True)
_MAP = typed(
    StructOf(
        mem_start=Hex("u64"),
        mem_end=Hex("u64"),
        base_addr=Hex("u64"),
        irq=Number("ushort"),
        dma=Number("uchar"),
        port=Number("uchar"),
    ),
    abi=I386,
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
            nl.IFLA_ADDRESS: _address,
            nl.IFLA_BROADCAST: _address,
            nl.IFLA_IFNAME: cstr,
            nl.IFLA_MTU: U32,
            nl.IFLA_LINK: U32,
            nl.IFLA_QDISC: cstr,
            nl.IFLA_STATS: growing(*(_statistics("uint", fields) for fields in (24, 23))),
            nl.IFLA_MASTER: U32,
            nl.IFLA_PROTINFO: PROTOCOL_INFO,
            nl.IFLA_TXQLEN: U32,
            nl.IFLA_MAP: _MAP,
            nl.IFLA_WEIGHT: U32,
            nl.IFLA_OPERSTATE: U8,
            nl.IFLA_LINKMODE: U8,
            nl.IFLA_LINKINFO: _info,
            nl.IFLA_NET_NS_PID: U32,
            nl.IFLA_IFALIAS: cstr,
            nl.IFLA_NUM_VF: U32,
            nl.IFLA_VFINFO_LIST: VIRTUAL_FUNCTIONS,
            nl.IFLA_STATS64: STATISTICS64,
            nl.IFLA_VF_PORTS: VF_PORTS,
            nl.IFLA_PORT_SELF: PORT_PROFILE,
            nl.IFLA_AF_SPEC: family_specific,
            nl.IFLA_GROUP: U32,
            nl.IFLA_NET_NS_FD: DESCRIPTOR,
            nl.IFLA_EXT_MASK: flags(rt.LINK_FILTERS, 4),
            nl.IFLA_PROMISCUITY: U32,
            nl.IFLA_NUM_TX_QUEUES: U32,
            nl.IFLA_NUM_RX_QUEUES: U32,
            nl.IFLA_CARRIER: U8,
            nl.IFLA_CARRIER_CHANGES: U32,
            nl.IFLA_LINK_NETNSID: S32,
            nl.IFLA_PHYS_PORT_NAME: cstr,
            nl.IFLA_PROTO_DOWN: U8,
            nl.IFLA_GSO_MAX_SEGS: U32,
            nl.IFLA_GSO_MAX_SIZE: U32,
            nl.IFLA_XDP: _XDP,
            nl.IFLA_EVENT: typed(Enum(rt.LINK_EVENTS)),
            nl.IFLA_NEW_NETNSID: S32,
            nl.IFLA_IF_NETNSID: S32,
            nl.IFLA_CARRIER_UP_COUNT: U32,
            nl.IFLA_CARRIER_DOWN_COUNT: U32,
            nl.IFLA_NEW_IFINDEX: INDEX,
            nl.IFLA_MIN_MTU: U32,
            nl.IFLA_MAX_MTU: U32,
            nl.IFLA_PROP_LIST: _PROPERTIES,
            nl.IFLA_ALT_IFNAME: cstr,
            nl.IFLA_PERM_ADDRESS: _address,
            nl.IFLA_PROTO_DOWN_REASON: _PROTO_DOWN,
            nl.IFLA_PARENT_DEV_NAME: cstr,
            nl.IFLA_PARENT_DEV_BUS_NAME: cstr,
            nl.IFLA_GRO_MAX_SIZE: U32,
            nl.IFLA_TSO_MAX_SIZE: U32,
            nl.IFLA_TSO_MAX_SEGS: U32,
            nl.IFLA_ALLMULTI: U32,
            nl.IFLA_DEVLINK_PORT: U32,
            nl.IFLA_GSO_IPV4_MAX_SIZE: U32,
            nl.IFLA_GRO_IPV4_MAX_SIZE: U32,
            nl.IFLA_NETNS_IMMUTABLE: U8,
            nl.IFLA_HEADROOM: U16,
            nl.IFLA_TAILROOM: U16,
        },
    ),
)
