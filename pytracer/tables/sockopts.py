"""Socket options, by level."""

from __future__ import annotations

from typing import TypeAlias

from pytracer.spec.entry import syscall
from pytracer.spec.scalar import Enum, Fd, Int
from pytracer.spec.type import Type
from pytracer.spec.values import Base
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import network as net
from pytracer.tables.constants.network import (
    AF_VSOCK,
    ALG_OPTIONS,
    AX25_OPTIONS,
    BLUETOOTH_OPTIONS,
    CAIF_OPTIONS,
    CAN_RAW_OPTIONS,
    DCCP_OPTIONS,
    ICMP_FILTER,
    IP_ADD_MEMBERSHIP,
    IP_DROP_MEMBERSHIP,
    IP_LOCAL_PORT_RANGE,
    IP_OPTIONS_GET,
    IP_OPTIONS_SET,
    IP_PROTOCOL,
    IP_SOCKET_OPTIONS,
    IPPROTO,
    IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP,
    IPV6_JOIN_ANYCAST,
    IPV6_LEAVE_ANYCAST,
    IPV6_OPTIONS,
    IPV6_OPTIONS_GET,
    IPV6_OPTIONS_SET,
    IUCV_OPTIONS,
    KCM_OPTIONS,
    LLC_OPTIONS,
    MCAST_JOIN_GROUP,
    MCAST_LEAVE_GROUP,
    NETLINK_LIST_MEMBERSHIPS,
    NETLINK_OPTIONS,
    NFC_LLCP_OPTIONS,
    PACKET_ADD_MEMBERSHIP,
    PACKET_DROP_MEMBERSHIP,
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
    SO_ATTACH_FILTER,
    SO_ATTACH_REUSEPORT_CBPF,
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
    TCP_AO_ADD_KEY,
    TCP_OPTIONS,
    TIPC_GROUP_JOIN,
    TIPC_IMPORTANCE,
    TIPC_IMPORTANCES,
    TIPC_OPTIONS,
    TLS_OPTIONS,
    TXREHASH_VALUES,
    UDP_OPTIONS,
    VSOCK_OPTIONS,
    XDP_SOCKET_OPTIONS,
)
from pytracer.tables.structs.bpf_filter import SOCKET_PROGRAM, Filter, socket_operand
from pytracer.tables.structs.cmsg import UCRED
from pytracer.tables.structs.optionvalue import Counted, Elements, Least, Option, Partial
from pytracer.tables.structs.sockaddr import SocklenResult
from pytracer.tables.structs.sockopt import Level, OptionName, OptionResult, OptionValue
from pytracer.tables.structs.sockoption import (
    AO_KEY,
    GROUP,
    LINGER,
    MREQ,
    MREQ6,
    PACKET_MREQ,
    RING,
    STATISTICS,
    TIPC_GROUP,
    UINT,
    IcmpFilter,
    PendingError,
    PortRange,
)

INT = Int()

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
Values: TypeAlias = dict[int, Type | Option]
_SOCKET_INTS: Values = {getattr(net, f"SO_{name}"): INT for name in _INTS.split()}
_REHASH = Enum(TXREHASH_VALUES, "int", Base.DEC)
_PROGRAM = Least(SOCKET_PROGRAM, exact=True)
_SOCKET_GET: Values = _SOCKET_INTS | {
    SO_LINGER: Partial(LINGER),
    SO_PEERCRED: Partial(UCRED),
    SO_ATTACH_FILTER: Counted(lambda count: Filter(socket_operand, count), 0xFFFF),
    SO_ERROR: PendingError(),
    SO_TXREHASH: _REHASH,
    SO_PEERPIDFD: Fd(),
}
_SOCKET_SET: Values = _SOCKET_INTS | {
    SO_LINGER: LINGER,
    SO_ATTACH_FILTER: _PROGRAM,
    SO_ATTACH_REUSEPORT_CBPF: _PROGRAM,
    SO_TXREHASH: _REHASH,
}
_IP_GET: Values = {
    IP_LOCAL_PORT_RANGE: PortRange(),
    IP_PROTOCOL: Enum(IPPROTO),
}
_IP_SET: Values = {
    IP_ADD_MEMBERSHIP: MREQ,
    IP_DROP_MEMBERSHIP: MREQ,
    MCAST_JOIN_GROUP: GROUP,
    MCAST_LEAVE_GROUP: GROUP,
    IP_LOCAL_PORT_RANGE: PortRange(),
}
_IPV6_SET: Values = {
    IPV6_ADD_MEMBERSHIP: MREQ6,
    IPV6_DROP_MEMBERSHIP: MREQ6,
    IPV6_JOIN_ANYCAST: MREQ6,
    IPV6_LEAVE_ANYCAST: MREQ6,
    MCAST_JOIN_GROUP: GROUP,
    MCAST_LEAVE_GROUP: GROUP,
}
_RING = Least(RING, exact=True)
_MEMBERSHIP = Least(PACKET_MREQ, exact=True)
_PACKET_GET: Values = {PACKET_STATISTICS: Partial(STATISTICS)}
_PACKET_SET: Values = {
    PACKET_RX_RING: _RING,
    PACKET_TX_RING: _RING,
    PACKET_ADD_MEMBERSHIP: _MEMBERSHIP,
    PACKET_DROP_MEMBERSHIP: _MEMBERSHIP,
}
_RAW: Values = {ICMP_FILTER: IcmpFilter()}
_NETLINK: Values = {NETLINK_LIST_MEMBERSHIPS: Elements(UINT)}
_TCP_SET: Values = {TCP_AO_ADD_KEY: Least(AO_KEY, anyhow=True)}
_TIPC: Values = {TIPC_IMPORTANCE: Enum(TIPC_IMPORTANCES), TIPC_GROUP_JOIN: TIPC_GROUP}

LEVELS = {
    SOL_SOCKET: Level(SO_OPTIONS, SO_OPTIONS_GET, SO_OPTIONS_SET, _SOCKET_GET, _SOCKET_SET),
    SOL_IP: Level(
        IP_SOCKET_OPTIONS, IP_OPTIONS_GET, IP_OPTIONS_SET, getting=_IP_GET, setting=_IP_SET
    ),
    AF_VSOCK: Level(VSOCK_OPTIONS),
    SOL_IPV6: Level(IPV6_OPTIONS, IPV6_OPTIONS_GET, IPV6_OPTIONS_SET, setting=_IPV6_SET),
    SOL_AX25: Level(AX25_OPTIONS),
    SOL_PACKET: Level(PACKET_OPTIONS, getting=_PACKET_GET, setting=_PACKET_SET),
    SOL_TCP: Level(TCP_OPTIONS, setting=_TCP_SET),
    SOL_CAN_RAW: Level(CAN_RAW_OPTIONS),
    SOL_SCTP: Level(SCTP_OPTIONS),
    SOL_RAW: Level(RAW_OPTIONS, getting=_RAW, setting=_RAW),
    SOL_NETLINK: Level(NETLINK_OPTIONS, getting=_NETLINK, other=Least(INT)),
    SOL_UDP: Level(UDP_OPTIONS),
    SOL_LLC: Level(LLC_OPTIONS),
    SOL_DCCP: Level(DCCP_OPTIONS),
    SOL_TIPC: Level(TIPC_OPTIONS, getting=_TIPC, setting=_TIPC),
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
