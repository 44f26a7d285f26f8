"""Sockets by inode, asked of the kernel through NETLINK_SOCK_DIAG."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytracer.tables.constants.network import NETLINK_PROTOCOLS

# Source: include/uapi/linux/{netlink,sock_diag,inet_diag,unix_diag,netlink_diag}.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLM_F_DUMP = 0x300
_UDIAG_SHOW_NAME = 1
_UDIAG_SHOW_PEER = 4
_UNIX_DIAG_NAME = 0
_UNIX_DIAG_PEER = 2
_NDIAG_PROTO_ALL = 255
_ALL_STATES = 0xFFFFFFFF

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_INET_REQUEST = struct.Struct("=BBBxI48s")  # struct inet_diag_req_v2
_INET_ANSWER = struct.Struct("=BBBB2s2s16s16sI8sIIIII")  # struct inet_diag_msg
_UNIX_REQUEST = struct.Struct("=BBHIIIII")  # struct unix_diag_req
_UNIX_ANSWER = struct.Struct("=BBBxI8s")  # struct unix_diag_msg
_NETLINK_REQUEST = struct.Struct("=BBHIIII")  # struct netlink_diag_req
_NETLINK_ANSWER = struct.Struct("=BBBBIIII8s")  # struct netlink_diag_msg
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr

_UNIX_PATH_MAX = 108
# Sockets remembered; a busy server makes many.
_MOST_INODES = 1 << 16


@dataclass(frozen=True, slots=True)
class _Protocol:
    """A protocol's name in the kernel, and how to ask about its sockets."""

    name: str
    family: int
    number: int = 0

    @property
    def listed(self) -> bool:
        """Whether the kernel tells of the addresses of this protocol's sockets."""
        return self.number in (socket.IPPROTO_TCP, socket.IPPROTO_UDP)


# In the order in which they are tried when the kind of a socket is not known.
PROTOCOLS = {
    p.name: p
    for p in (
        _Protocol("UNIX", socket.AF_UNIX),
        _Protocol("UNIX-STREAM", socket.AF_UNIX),
        *(
            _Protocol(name + suffix, family, number)
            for suffix, family in (("", socket.AF_INET), ("v6", socket.AF_INET6))
            for name, number in (
                ("TCP", socket.IPPROTO_TCP),
                ("UDP", socket.IPPROTO_UDP),
                ("UDPLITE", 136),
                ("DCCP", 33),
                ("SCTP", socket.IPPROTO_SCTP),
                ("L2TP/IP", 115),
                ("PING", socket.IPPROTO_ICMP),
                ("RAW", socket.IPPROTO_RAW),
            )
        ),
        _Protocol("NETLINK", socket.AF_NETLINK),
    )
}


class SocketInodes:
    """Describes sockets by inode, and remembers what the kernel told.

    What was told once is told for good, as strace does: a socket shows the peer that it had when
    it was first looked at after it had an address.
    """

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def describe(self, inode: int, protocol: str | None) -> str | None:
        """Words such as ``TCP:[127.0.0.1:1->127.0.0.1:2]``, or with the inode where no more is
        known; None where not even the protocol is.
        """
        known = self._known.get(inode)
        if known is not None:
            return known
        wanted = [PROTOCOLS[protocol]] if protocol in PROTOCOLS else None
        if wanted is None and protocol is not None:
            return None
        for one in wanted or PROTOCOLS.values():
            found = _ask(one, inode)
            if found is not None:
                if len(self._known) < _MOST_INODES:
                    self._known[inode] = found
                return found
        return f"{protocol}:[{inode}]" if protocol is not None else None


def _ask(protocol: _Protocol, inode: int) -> str | None:
    flags = _NLM_F_REQUEST
    parse: Callable[[_Protocol, bytes, int], str | None]
    if protocol.family == socket.AF_UNIX:
        show = _UDIAG_SHOW_NAME | _UDIAG_SHOW_PEER
        body = _UNIX_REQUEST.pack(
            socket.AF_UNIX, 0, 0, _ALL_STATES, inode & 0xFFFFFFFF, show, _ALL_STATES, _ALL_STATES
        )
        parse = _unix
    elif protocol.family == socket.AF_NETLINK:
        flags |= _NLM_F_DUMP
        body = _NETLINK_REQUEST.pack(socket.AF_NETLINK, _NDIAG_PROTO_ALL, 0, 0, 0, 0, 0)
        parse = _netlink
    else:
        flags |= _NLM_F_DUMP
        body = _INET_REQUEST.pack(protocol.family, protocol.number, 0, _ALL_STATES, b"")
        parse = _inet
    length = _HEADER.size + len(body)
    request = _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, flags, 0, 0) + body
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asking:
            asking.sendto(request, (0, 0))
            for answer in _answers(asking):
                found = parse(protocol, answer, inode)
                if found is not None:
                    return found or None
    except OSError:
        return None
    return None


def _answers(asking: socket.socket) -> Iterator[bytes]:
    """The bodies of the answers, up to the first message of another kind."""
    flags = 0
    while True:
        data = asking.recv(32768, flags)
        at = 0
        while at + _HEADER.size <= len(data):
            length, kind, *_ = _HEADER.unpack_from(data, at)
            if kind != _SOCK_DIAG_BY_FAMILY or length < _HEADER.size:
                return
            yield data[at + _HEADER.size : at + length]
            at += length + 3 & ~3
        if not data:
            return
        flags = socket.MSG_DONTWAIT


# Each answers None for another socket, "" where there is nothing to tell about the right one.


def _inet(protocol: _Protocol, answer: bytes, inode: int) -> str | None:
    if len(answer) < _INET_ANSWER.size:
        return ""
    fields = _INET_ANSWER.unpack_from(answer)
    if fields[-1] != inode:
        return None
    family, sport, dport, source, peer = fields[0], *fields[4:8]
    if family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    size = 4 if family == socket.AF_INET else 16
    here = source[:size], int.from_bytes(sport, "big")
    there = peer[:size], int.from_bytes(dport, "big")
    return inet_text(protocol.name, family, here, there)


def inet_text(protocol: str, family: int, here: tuple[bytes, int], there: tuple[bytes, int]) -> str:
    """Tell the address and the port of a socket, and those of its peer, if it has one."""
    text = f"{protocol}:[{_place(family, *here)}"
    if any(there[0]) or there[1]:
        text += f"->{_place(family, *there)}"
    return text + "]"


def _place(family: int, address: bytes, port: int) -> str:
    text = socket.inet_ntop(family, address)
    if family == socket.AF_INET6:
        text = f"[{text}]"
    return f"{text}:{port}"


def _unix(protocol: _Protocol, answer: bytes, inode: int) -> str | None:
    if len(answer) < _UNIX_ANSWER.size:
        return ""
    family, _, _, found, _ = _UNIX_ANSWER.unpack_from(answer)
    if found != inode:
        return None
    if family != socket.AF_UNIX:
        return ""
    name = b""
    peer = 0
    at = _UNIX_ANSWER.size
    while at + _ATTRIBUTE.size <= len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, at)
        if length < _ATTRIBUTE.size:
            break
        payload = answer[at + _ATTRIBUTE.size : at + length]
        if kind == _UNIX_DIAG_NAME and not name:
            name = payload
        elif kind == _UNIX_DIAG_PEER and len(payload) >= 4:
            peer = int.from_bytes(payload[:4], "little")
        at += length + 3 & ~3
    return unix_text(protocol.name, inode, peer, name)


def unix_text(protocol: str, inode: int, peer: int, name: bytes) -> str:
    """Tell the peer and the address of a unix socket; empty where it has neither."""
    name = name[:_UNIX_PATH_MAX]
    if not peer and not name:
        return ""
    text = f"{protocol}:[{inode}"
    if peer:
        text += f"->{peer}"
    if name:
        at_sign = "@" if name[0] == 0 else ""
        shown = name[1:] if at_sign else name
        text += f',{at_sign}"{_escaped(shown.split(bytes(1), 1)[0])}"'
    return text + "]"


_ESCAPES = {code: f"\\{code:o}" for code in range(256) if not 32 <= code < 127} | {
    9: "\\t",
    10: "\\n",
    11: "\\v",
    12: "\\f",
    13: "\\r",
    34: '\\"',
    92: "\\\\",
}


def _escaped(data: bytes) -> str:
    # Such a name is part of the words, and safe for a terminal from the start.
    return data.decode("latin-1").translate(_ESCAPES)


def _netlink(protocol: _Protocol, answer: bytes, inode: int) -> str | None:
    if len(answer) < _NETLINK_ANSWER.size:
        return ""
    family, _, number, _, port, _, _, found, _ = _NETLINK_ANSWER.unpack_from(answer)
    if found != inode:
        return None
    if family != socket.AF_NETLINK:
        return ""
    return netlink_text(number, port)


def netlink_text(number: int, port: int) -> str:
    """Tell the protocol and the port of a netlink socket."""
    name = NETLINK_PROTOCOLS.name_of(number)
    if name is None:
        return f"NETLINK:[{number}]"
    return f"NETLINK:[{name.removeprefix('NETLINK_')}:{port}]"
