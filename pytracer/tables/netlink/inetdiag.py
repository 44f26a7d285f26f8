"""Questions and answers about sockets of the internet.

Source: include/uapi/linux/inet_diag.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.scalar import Enum, FlagSet, Hex
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.constants.network import IPPROTO
from pytracer.tables.netlink import attributes as nla
from pytracer.tables.netlink.attributes import Attributes, cstr, typed
from pytracer.tables.netlink.diagnosis import MEMORY, STATE, STATES, U8, U16, U32, SocketId
from pytracer.tables.netlink.inetfilter import bytecode
from pytracer.tables.netlink.inetinfo import (
    ADDRESSES,
    SIGNATURES,
    STORAGES,
    UPPER_LAYER,
    options,
    shutdown,
)
from pytracer.tables.netlink.message import FAMILY, Message

_REQUESTS = Attributes(
    sd.INET_DIAG_REQUESTS,
    {sd.INET_DIAG_REQ_BYTECODE: bytecode, sd.INET_DIAG_REQ_PROTOCOL: nla.PROTOCOL},
)
_EXTENSIONS = FlagSet(sd.INET_DIAG_EXTENSIONS, "uchar")
INET_OLD = Message(
    StructOf(
        idiag_family=FAMILY,
        idiag_src_len=U8,
        idiag_dst_len=U8,
        idiag_ext=_EXTENSIONS,
        id=SocketId("idiag_family"),
        idiag_states=STATES,
        idiag_dbs=U32,
    ),
    _REQUESTS,
)
INET_REQUEST = Message(
    StructOf(
        sdiag_family=FAMILY,
        sdiag_protocol=Enum(IPPROTO, "uchar"),
        idiag_ext=_EXTENSIONS,
        pad=Pad(1),
        idiag_states=STATES,
        id=SocketId("sdiag_family"),
    ),
    _REQUESTS,
)
INET_ANSWER = Message(
    StructOf(
        idiag_family=FAMILY,
        idiag_state=STATE,
        idiag_timer=U8,
        idiag_retrans=U8,
        id=SocketId("idiag_family"),
        idiag_expires=U32,
        idiag_rqueue=U32,
        idiag_wqueue=U32,
        idiag_uid=U32,
        idiag_inode=U32,
    ),
    Attributes(
        sd.INET_DIAG_ATTRIBUTES,
        {
            sd.INET_DIAG_MEMINFO: typed(
                StructOf(idiag_rmem=U32, idiag_wmem=U32, idiag_fmem=U32, idiag_tmem=U32)
            ),
            sd.INET_DIAG_VEGASINFO: typed(
                StructOf(tcpv_enabled=U32, tcpv_rttcnt=U32, tcpv_rtt=U32, tcpv_minrtt=U32)
            ),
            sd.INET_DIAG_DCTCPINFO: typed(
                StructOf(
                    dctcp_enabled=U16,
                    dctcp_ce_state=U16,
                    dctcp_alpha=U32,
                    dctcp_ab_ecn=U32,
                    dctcp_ab_tot=U32,
                )
            ),
            sd.INET_DIAG_BBRINFO: typed(
                StructOf(
                    bbr_bw_lo=Hex(),
                    bbr_bw_hi=Hex(),
                    bbr_min_rtt=U32,
                    bbr_pacing_gain=U32,
                    bbr_cwnd_gain=U32,
                )
            ),
            sd.INET_DIAG_ULP_INFO: UPPER_LAYER,
            sd.INET_DIAG_SK_BPF_STORAGES: STORAGES,
            sd.INET_DIAG_SOCKOPT: options,
            sd.INET_DIAG_CONG: cstr,
            sd.INET_DIAG_TOS: nla.U8,
            sd.INET_DIAG_TCLASS: nla.U8,
            sd.INET_DIAG_SKMEMINFO: MEMORY,
            sd.INET_DIAG_SHUTDOWN: shutdown,
            sd.INET_DIAG_LOCALS: ADDRESSES,
            sd.INET_DIAG_PEERS: ADDRESSES,
            sd.INET_DIAG_MD5SIG: SIGNATURES,
            sd.INET_DIAG_PROTOCOL: nla.PROTOCOL,
            sd.INET_DIAG_SKV6ONLY: nla.U8,
            sd.INET_DIAG_MARK: nla.U32,
            sd.INET_DIAG_CLASS_ID: nla.U32,
            sd.INET_DIAG_CGROUP_ID: nla.U64,
        },
    ),
)
