"""Socket options, by level."""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.entry import syscall
from pytracer.spec.scalar import Enum, Fd, Int, Number, Scalar
from pytracer.spec.type import Type
from pytracer.spec.values import Base, Integer, Noted, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import network as net
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.network import (
    AF_VSOCK,
    ALG_OPTIONS,
    AX25_OPTIONS,
    BLUETOOTH_OPTIONS,
    CAIF_OPTIONS,
    CAN_RAW_OPTIONS,
    DCCP_OPTIONS,
    IP_ADD_MEMBERSHIP,
    IP_DROP_MEMBERSHIP,
    IP_LOCAL_PORT_RANGE,
    IP_OPTIONS_GET,
    IP_OPTIONS_SET,
    IP_PROTOCOL,
    IP_SOCKET_OPTIONS,
    IPPROTO,
    IPV6_OPTIONS,
    IPV6_OPTIONS_GET,
    IPV6_OPTIONS_SET,
    IUCV_OPTIONS,
    KCM_OPTIONS,
    LLC_OPTIONS,
    NETLINK_OPTIONS,
    NFC_LLCP_OPTIONS,
    PACKET_OPTIONS,
    PACKET_RX_RING,
    PACKET_STATISTICS,
    PACKET_TX_RING,
    PNPIPE_OPTIONS,
    PPPOL2TP_OPTIONS,
    RAW_OPTIONS,
    RDS_OPTIONS,
    RXRPC_SOCKET_OPTIONS,
    SCTP_OPTIONS,
    SO_ERROR,
    SO_LINGER,
    SO_OPTIONS,
    SO_OPTIONS_GET,
    SO_OPTIONS_SET,
    SO_PEERCRED,
    SO_PEERPIDFD,
    SO_TXREHASH,
    SOL_ALG,
    SOL_AX25,
    SOL_BLUETOOTH,
    SOL_CAIF,
    SOL_CAN_RAW,
    SOL_DCCP,
    SOL_IP,
    SOL_IPV6,
    SOL_IUCV,
    SOL_KCM,
    SOL_LEVELS,
    SOL_LLC,
    SOL_NETLINK,
    SOL_NFC,
    SOL_PACKET,
    SOL_PNPIPE,
    SOL_PPPOL2TP,
    SOL_RAW,
    SOL_RDS,
    SOL_RXRPC,
    SOL_SCTP,
    SOL_SOCKET,
    SOL_TCP,
    SOL_TIPC,
    SOL_TLS,
    SOL_UDP,
    SOL_XDP,
    TCP_OPTIONS,
    TIPC_OPTIONS,
    TLS_OPTIONS,
    TXREHASH_VALUES,
    UDP_OPTIONS,
    VSOCK_OPTIONS,
    XDP_SOCKET_OPTIONS,
)
from pytracer.tables.structs.cmsg import UCRED
from pytracer.tables.structs.netaddr import Inet4
from pytracer.tables.structs.sockaddr import SocklenResult
from pytracer.tables.structs.sockopt import Level, OptionName, OptionResult, OptionValue


class PendingError(Scalar):
    """An error that a socket has kept for its user."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return Symbol(number, ERRNO.name_of(number), "", Base.DEC)


class PortRange(Scalar):
    """Two ports in one number: the lower in the low half."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        return Noted(Integer(number, Base.HEX), f"{number & 0xFFFF}..{number >> 16}")


INT = Int()
LINGER = StructOf(l_onoff=Int(), l_linger=Int())
_MREQ = StructOf(imr_multiaddr=Inet4(), imr_interface=Inet4())
_RING = StructOf(
    tp_block_size=Number("uint"),
    tp_block_nr=Number("uint"),
    tp_frame_size=Number("uint"),
    tp_frame_nr=Number("uint"),
)
_STATISTICS = StructOf(
    tp_packets=Number("uint"), tp_drops=Number("uint"), tp_freeze_q_cnt=Number("uint")
)

# Options whose value is an int, whatever length it is given.
_INTS = """
    DEBUG REUSEADDR DONTROUTE BROADCAST SNDBUF RCVBUF
    KEEPALIVE OOBINLINE NO_CHECK PRIORITY BSDCOMPAT REUSEPORT
    PASSCRED RCVLOWAT SNDLOWAT DETACH_FILTER TIMESTAMP_OLD ACCEPTCONN
    SNDBUFFORCE RCVBUFFORCE PASSSEC TIMESTAMPNS_OLD MARK TIMESTAMPING_OLD
    RXQ_OVFL WIFI_STATUS PEEK_OFF NOFCS LOCK_FILTER SELECT_ERR_QUEUE
    BUSY_POLL INCOMING_CPU CNX_ADVICE INCOMING_NAPI_ID ZEROCOPY TIMESTAMP_NEW
    TIMESTAMPNS_NEW TIMESTAMPING_NEW DETACH_REUSEPORT_BPF PREFER_BUSY_POLL BUSY_POLL_BUDGET
    RESERVE_MEM
    RCVMARK PASSPIDFD RCVPRIORITY PASSRIGHTS INQ
"""
_SOCKET_INTS: dict[int, Type] = {getattr(net, f"SO_{name}"): INT for name in _INTS.split()}
_SOCKET_GET = _SOCKET_INTS | {
    SO_LINGER: LINGER,
    SO_PEERCRED: UCRED,
    SO_ERROR: PendingError(),
    SO_TXREHASH: Enum(TXREHASH_VALUES, "int", Base.DEC),
    SO_PEERPIDFD: Fd(),
}
_SOCKET_SET = _SOCKET_INTS | {
    SO_LINGER: LINGER,
    SO_TXREHASH: Enum(TXREHASH_VALUES, "int", Base.DEC),
}
_IP_GET: dict[int, Type] = {
    IP_LOCAL_PORT_RANGE: PortRange(),
    IP_PROTOCOL: Enum(IPPROTO),
}
_IP_SET: dict[int, Type] = {
    IP_ADD_MEMBERSHIP: _MREQ,
    IP_DROP_MEMBERSHIP: _MREQ,
    IP_LOCAL_PORT_RANGE: PortRange(),
}
_IPV6_SET: dict[int, Type] = {}
_PACKET_GET: dict[int, Type] = {PACKET_STATISTICS: _STATISTICS}
_PACKET_SET: dict[int, Type] = {PACKET_RX_RING: _RING, PACKET_TX_RING: _RING}
_NETLINK: dict[int, Type] = {}

LEVELS = {
    SOL_SOCKET: Level(SO_OPTIONS, SO_OPTIONS_GET, SO_OPTIONS_SET, _SOCKET_GET, _SOCKET_SET),
    SOL_IP: Level(
        IP_SOCKET_OPTIONS, IP_OPTIONS_GET, IP_OPTIONS_SET, getting=_IP_GET, setting=_IP_SET
    ),
    AF_VSOCK: Level(VSOCK_OPTIONS),
    SOL_IPV6: Level(IPV6_OPTIONS, IPV6_OPTIONS_GET, IPV6_OPTIONS_SET, setting=_IPV6_SET),
    SOL_AX25: Level(AX25_OPTIONS),
    SOL_PACKET: Level(PACKET_OPTIONS, getting=_PACKET_GET, setting=_PACKET_SET),
    SOL_TCP: Level(TCP_OPTIONS),
    SOL_CAN_RAW: Level(CAN_RAW_OPTIONS),
    SOL_SCTP: Level(SCTP_OPTIONS),
    SOL_RAW: Level(RAW_OPTIONS),
    SOL_NETLINK: Level(NETLINK_OPTIONS, getting=_NETLINK, setting=_NETLINK),
    SOL_UDP: Level(UDP_OPTIONS),
    SOL_LLC: Level(LLC_OPTIONS),
    SOL_DCCP: Level(DCCP_OPTIONS),
    SOL_TIPC: Level(TIPC_OPTIONS),
    SOL_RXRPC: Level(RXRPC_SOCKET_OPTIONS),
    SOL_PPPOL2TP: Level(PPPOL2TP_OPTIONS),
    SOL_BLUETOOTH: Level(BLUETOOTH_OPTIONS),
    SOL_PNPIPE: Level(PNPIPE_OPTIONS),
    SOL_RDS: Level(RDS_OPTIONS),
    SOL_IUCV: Level(IUCV_OPTIONS),
    SOL_CAIF: Level(CAIF_OPTIONS),
    SOL_ALG: Level(ALG_OPTIONS),
    SOL_NFC: Level(NFC_LLCP_OPTIONS),
    SOL_KCM: Level(KCM_OPTIONS),
    SOL_TLS: Level(TLS_OPTIONS),
    SOL_XDP: Level(XDP_SOCKET_OPTIONS),
}

# The level's own comment has one question mark less than its siblings'.
_LEVEL = Enum(Xlat("SOL_??", SOL_LEVELS.entries))

syscall(
    "setsockopt",
    sockfd=Fd(),
    level=_LEVEL,
    optname=OptionName(LEVELS, getting=False),
    optval=OptionValue(LEVELS),
    optlen=Int(),
    classes="network",
)
syscall(
    "getsockopt",
    sockfd=Fd(),
    level=_LEVEL,
    optname=OptionName(LEVELS, getting=True),
    optval=OptionResult(LEVELS),
    optlen=SocklenResult(None),
    classes="network",
)
