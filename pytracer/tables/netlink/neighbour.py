"""Messages of NETLINK_ROUTE about neighbours: their entries and their tables.

Source: include/uapi/linux/neighbour.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.scalar import Enum, FlagSet, Number
from pytracer.spec.type import Type
from pytracer.tables.constants import netlink as nl
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.netlink.attributes import (
    INDEX,
    PROTOCOL,
    U16,
    U32,
    U64,
    Attributes,
    cstr,
    flags,
    growing,
    hardware,
    internet,
    swapped,
    typed,
)
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.netaddr import Interface
from pytracer.tables.structs.sockaddr import Padded

_UINT, _USHORT = Number("uint"), Number("ushort")


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
            nl.NDA_LLADDR: hardware,
            nl.NDA_CACHEINFO: typed(
                StructOf(ndm_confirmed=_UINT, ndm_used=_UINT, ndm_updated=_UINT, ndm_refcnt=_UINT)
            ),
            nl.NDA_PROBES: U32,
            nl.NDA_VLAN: U16,
            nl.NDA_PORT: swapped(2, "htons"),
            nl.NDA_VNI: U32,
            nl.NDA_IFINDEX: INDEX,
            nl.NDA_MASTER: INDEX,
            nl.NDA_LINK_NETNSID: U32,
            nl.NDA_SRC_VNI: U32,
            nl.NDA_PROTOCOL: PROTOCOL,
            nl.NDA_NH_ID: U32,
            nl.NDA_FDB_EXT_ATTRS: Attributes(
                rt.NEIGHBOUR_FDB_ATTRIBUTES,
                {rt.NFEA_ACTIVITY_NOTIFY: flags(rt.FDB_NOTIFY_FLAGS, 1)},
            ),
            nl.NDA_FLAGS_EXT: flags(rt.NEIGHBOUR_EXT_FLAGS, 4),
            nl.NDA_NDM_STATE_MASK: flags(nl.NEIGHBOUR_STATES, 2),
            nl.NDA_NDM_FLAGS_MASK: flags(nl.NEIGHBOUR_FLAGS, 1),
        },
    ),
)

_PARAMETERS = Attributes(
    rt.NEIGHBOUR_TABLE_PARAMETERS,
    {
        rt.NDTPA_IFINDEX: INDEX,
        rt.NDTPA_REFCNT: U32,
        rt.NDTPA_REACHABLE_TIME: U64,
        rt.NDTPA_BASE_REACHABLE_TIME: U64,
        rt.NDTPA_RETRANS_TIME: U64,
        rt.NDTPA_GC_STALETIME: U64,
        rt.NDTPA_DELAY_PROBE_TIME: U64,
        rt.NDTPA_QUEUE_LEN: U32,
        rt.NDTPA_APP_PROBES: U32,
        rt.NDTPA_UCAST_PROBES: U32,
        rt.NDTPA_MCAST_PROBES: U32,
        rt.NDTPA_ANYCAST_DELAY: U64,
        rt.NDTPA_PROXY_DELAY: U64,
        rt.NDTPA_PROXY_QLEN: U32,
        rt.NDTPA_LOCKTIME: U64,
        rt.NDTPA_QUEUE_LENBYTES: U32,
        rt.NDTPA_MCAST_REPROBES: U32,
        rt.NDTPA_INTERVAL_PROBE_TIME_MS: U64,
    },
)
_STATISTICS_NAMES = """
    ndts_allocs ndts_destroys ndts_hash_grows ndts_res_failed ndts_lookups ndts_hits
    ndts_rcv_probes_mcast ndts_rcv_probes_ucast ndts_periodic_gc_runs ndts_forced_gc_runs
"""
_STATISTICS: dict[str, Type] = dict.fromkeys(_STATISTICS_NAMES.split(), Number("u64"))
NEIGHBOUR_TABLE = Message(
    StructOf(ndtm_family=FAMILY),
    Attributes(
        rt.NEIGHBOUR_TABLE_ATTRIBUTES,
        {
            rt.NDTA_NAME: cstr,
            rt.NDTA_THRESH1: U32,
            rt.NDTA_THRESH2: U32,
            rt.NDTA_THRESH3: U32,
            rt.NDTA_CONFIG: typed(
                StructOf(
                    ndtc_key_len=_USHORT,
                    ndtc_entry_size=_USHORT,
                    ndtc_entries=_UINT,
                    ndtc_last_flush=_UINT,
                    ndtc_last_rand=_UINT,
                    ndtc_hash_rnd=_UINT,
                    ndtc_hash_mask=Padded("uint", 8),
                    ndtc_hash_chain_gc=_UINT,
                    ndtc_proxy_qlen=_UINT,
                )
            ),
            rt.NDTA_PARMS: _PARAMETERS,
            rt.NDTA_STATS: growing(
                StructOf(None, None, **_STATISTICS, ndts_table_fulls=Number("u64")),
                StructOf(None, None, **_STATISTICS),
            ),
            rt.NDTA_GC_INTERVAL: U64,
        },
    ),
)
