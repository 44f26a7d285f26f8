"""Messages of NETLINK_ROUTE about traffic control: queueing, classes, filters, actions.

Source: include/uapi/linux/{rtnetlink,pkt_sched,pkt_cls,gen_stats}.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.scalar import Number
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.netlink.attributes import (
    U8,
    U32,
    U64,
    Attributes,
    array,
    cstr,
    flags,
    typed,
)
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.netaddr import Interface

_UCHAR, _UINT, _U64 = Number("uchar"), Number("uint"), Number("u64")

_BASIC = typed(StructOf(bytes=_U64, packets=_UINT), abi=I386)
_STATISTICS = Attributes(
    rt.TC_STATS_ATTRIBUTES,
    {
        rt.TCA_STATS_BASIC: _BASIC,
        rt.TCA_STATS_RATE_EST: typed(StructOf(bps=_UINT, pps=_UINT)),
        rt.TCA_STATS_QUEUE: typed(
            StructOf(qlen=_UINT, backlog=_UINT, drops=_UINT, requeues=_UINT, overlimits=_UINT)
        ),
        rt.TCA_STATS_RATE_EST64: typed(StructOf(bps=_U64, pps=_U64)),
        rt.TCA_STATS_BASIC_HW: _BASIC,
        rt.TCA_STATS_PKT64: U64,
    },
)
_SIZES = Attributes(
    rt.TC_STAB_ATTRIBUTES,
    {
        rt.TCA_STAB_BASE: typed(
            StructOf(
                cell_log=_UCHAR,
                size_log=_UCHAR,
                cell_align=Number("short"),
                overhead=Number("int"),
                linklayer=_UINT,
                mpu=_UINT,
                mtu=_UINT,
                tsize=_UINT,
            )
        ),
        rt.TCA_STAB_DATA: array(Number("ushort")),
    },
)
QUEUEING = Message(
    StructOf(
        tcm_family=FAMILY,
        _pad=Pad(3),
        tcm_ifindex=Interface("int"),
        tcm_handle=_UINT,
        tcm_parent=_UINT,
        tcm_info=_UINT,
    ),
    Attributes(
        rt.TC_ATTRIBUTES,
        {
            rt.TCA_KIND: cstr,
            rt.TCA_STATS: typed(
                StructOf(
                    bytes=_U64,
                    packets=_UINT,
                    drops=_UINT,
                    overlimits=_UINT,
                    bps=_UINT,
                    pps=_UINT,
                    qlen=_UINT,
                    backlog=_UINT,
                ),
                abi=I386,
            ),
            rt.TCA_RATE: typed(StructOf(interval=Number("char"), ewma_log=_UCHAR)),
            rt.TCA_FCNT: U32,
            rt.TCA_STATS2: _STATISTICS,
            rt.TCA_STAB: _SIZES,
            rt.TCA_CHAIN: U32,
            rt.TCA_HW_OFFLOAD: U8,
            rt.TCA_INGRESS_BLOCK: U32,
            rt.TCA_EGRESS_BLOCK: U32,
            rt.TCA_DUMP_FLAGS: U32,
            rt.TCA_EXT_WARN_MSG: cstr,
        },
    ),
)
_HARDWARE = flags(rt.TC_HW_STATS, 4)
ACTION = Message(
    StructOf(tca_family=FAMILY),
    Attributes(
        rt.TC_ACTION_ATTRIBUTES,
        {
            rt.TCA_ACT_KIND: cstr,
            rt.TCA_ACT_INDEX: U32,
            rt.TCA_ACT_STATS: _STATISTICS,
            rt.TCA_ACT_FLAGS: flags(rt.TC_ACTION_FLAGS, 4),
            rt.TCA_ACT_HW_STATS: _HARDWARE,
            rt.TCA_ACT_USED_HW_STATS: _HARDWARE,
            rt.TCA_ACT_IN_HW_COUNT: U32,
        },
    ),
)
