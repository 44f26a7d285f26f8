"""Sockets: making, naming, connecting and accepting."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.aggregate import ArrayOf
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Kept, Out
from pytracer.spec.returns import Bound, NewSocket
from pytracer.spec.scalar import Enum, Fd, FlagSet, Int, Scalar, Size, UInt
from pytracer.spec.switch import Switch
from pytracer.spec.type import Type
from pytracer.spec.values import Joined, Symbol, Value
from pytracer.tables.constants.network import (
    ADDRESS_FAMILIES,
    AF_BLUETOOTH,
    AF_CAIF,
    AF_CAN,
    AF_INET,
    AF_INET6,
    AF_ISDN,
    AF_KCM,
    AF_NETLINK,
    AF_NFC,
    AF_PACKET,
    AF_PHONET,
    AF_RXRPC,
    AF_SMC,
    BLUETOOTH_PROTOCOLS,
    CAIF_PROTOCOLS,
    CAN_PROTOCOLS,
    IPPROTO,
    ISDN_PROTOCOLS,
    KCM_PROTOCOLS,
    NETLINK_PROTOCOLS,
    NFC_PROTOCOLS,
    PHONET_PROTOCOLS,
    SHUTDOWN_HOW,
    SMC_PROTOCOLS,
    SOCK_FLAGS,
    SOCK_TYPES,
)
from pytracer.tables.netlink.buffer import SocketBuffer
from pytracer.tables.structs.mmsghdr import Arriving, Left, Sent
from pytracer.tables.structs.msghdr import MESSAGE_FLAGS, MSGHDR, Received
from pytracer.tables.structs.sockaddr import (
    Protocol,
    Sockaddr,
    SockaddrResult,
    SocklenResult,
)
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64

SOCK_TYPE_MASK = 0xF  # include/linux/net.h
DOMAIN = Enum(ADDRESS_FAMILIES)


class Kind(Scalar):
    """A socket's type, and the flags that may come with it."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        name = SOCK_TYPES.name_of(number & SOCK_TYPE_MASK)
        if name is None:
            return _KIND_FLAGS.make(number)
        kind = Symbol(number & SOCK_TYPE_MASK, name)
        flags = number & ~SOCK_TYPE_MASK
        return Joined((kind, _KIND_FLAGS.make(flags))) if flags else kind


KIND = Kind()
_KIND_FLAGS = FlagSet(SOCK_FLAGS)

_PROTOCOLS: dict[int | tuple[int, ...], Type] = {
    (AF_INET, AF_INET6): Enum(IPPROTO),
    AF_NETLINK: Enum(NETLINK_PROTOCOLS),
    AF_PACKET: Protocol(),
    AF_CAN: Enum(CAN_PROTOCOLS),
    AF_BLUETOOTH: Enum(BLUETOOTH_PROTOCOLS),
    AF_RXRPC: Enum(ADDRESS_FAMILIES),
    AF_ISDN: Enum(ISDN_PROTOCOLS),
    AF_PHONET: Enum(PHONET_PROTOCOLS),
    AF_CAIF: Enum(CAIF_PROTOCOLS),
    AF_NFC: Enum(NFC_PROTOCOLS),
    AF_KCM: Enum(KCM_PROTOCOLS),
    AF_SMC: Enum(SMC_PROTOCOLS),
}

syscall(
    "socket",
    domain=DOMAIN,
    type=KIND,
    protocol=Switch("domain", _PROTOCOLS, Size()),
    returns=NewSocket("domain", "protocol"),
    classes="network",
)
syscall(
    "socketpair",
    domain=DOMAIN,
    type=KIND,
    protocol=Switch("domain", _PROTOCOLS, Size()),
    sv=Out(ArrayOf(Fd(), 2)),
    classes="network",
)
for _name in ("bind", "connect"):
    syscall(
        _name,
        sockfd=Fd(),
        addr=Sockaddr("addrlen"),
        addrlen=Int(),
        returns=Bound(),
        classes="network",
    )
syscall("listen", sockfd=Fd(), backlog=Int(), classes="network")
syscall("shutdown", sockfd=Fd(), how=Enum(SHUTDOWN_HOW), classes="network")
for _name in ("getsockname", "getpeername"):
    syscall(
        _name,
        sockfd=Fd(),
        addr=SockaddrResult("addrlen"),
        addrlen=SocklenResult("addr"),
        classes="network",
    )
syscall(
    "accept",
    sockfd=Fd(),
    addr=SockaddrResult("addrlen"),
    addrlen=SocklenResult("addr"),
    returns=NewSocket(),
    classes="network",
)
syscall(
    "accept4",
    sockfd=Fd(),
    addr=SockaddrResult("addrlen"),
    addrlen=SocklenResult("addr"),
    flags=FlagSet(SOCK_FLAGS),
    returns=NewSocket(),
    classes="network",
)
syscall(
    "sendto",
    sockfd=Fd(),
    buf=SocketBuffer("len"),
    len=Size(),
    flags=MESSAGE_FLAGS,
    dest_addr=Sockaddr("addrlen"),
    addrlen=Int(),
    classes="network",
)
syscall(
    "recvfrom",
    sockfd=Fd(),
    buf=Out(SocketBuffer("ret", room="len")),
    len=Size(),
    flags=MESSAGE_FLAGS,
    src_addr=SockaddrResult("addrlen"),
    addrlen=SocklenResult("src_addr"),
    classes="network",
)
syscall("sendmsg", sockfd=Fd(), msg=In(MSGHDR), flags=MESSAGE_FLAGS, classes="network")
syscall("recvmsg", sockfd=Fd(), msg=Received(), flags=MESSAGE_FLAGS, classes="network")
syscall(
    "sendmmsg",
    sockfd=Fd(),
    msgvec=Sent("vlen"),
    vlen=UInt(),
    flags=MESSAGE_FLAGS,
    classes="network",
)
syscall(
    "recvmmsg",
    sockfd=Fd(),
    msgvec=Arriving("vlen"),
    vlen=UInt(),
    flags=MESSAGE_FLAGS,
    timeout=Kept(In(TIMESPEC)),
    returns=Left(TIMESPEC),
    classes="network",
)
syscall(
    "recvmmsg_time64",
    sockfd=Fd(),
    msgvec=Arriving("vlen"),
    vlen=UInt(),
    flags=MESSAGE_FLAGS,
    timeout=Kept(In(TIMESPEC64)),
    returns=Left(TIMESPEC64),
    classes="network",
    abis=(I386,),
)
