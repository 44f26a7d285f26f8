"""Messages of NETLINK_SOCK_DIAG: questions about sockets, and the answers."""

from __future__ import annotations

from pytracer.spec.context import Context
from pytracer.spec.values import Value
from pytracer.tables.constants.netlink import NLM_F_REQUEST
from pytracer.tables.constants.sockdiag import DCCPDIAG_GETSOCK, TCPDIAG_GETSOCK
from pytracer.tables.netlink.inetdiag import INET_ANSWER, INET_OLD, INET_REQUEST
from pytracer.tables.netlink.message import Message, unknown_message
from pytracer.tables.netlink.netlinkdiag import NETLINK_ANSWER, NETLINK_REQUEST
from pytracer.tables.netlink.packetdiag import PACKET_ANSWER, PACKET_REQUEST
from pytracer.tables.netlink.smcdiag import SMC_ANSWER, SMC_REQUEST
from pytracer.tables.netlink.unixdiag import UNIX_ANSWER, UNIX_REQUEST

# By address family: question and answer.
_FAMILIES: dict[int, tuple[Message, Message]] = {
    1: (UNIX_REQUEST, UNIX_ANSWER),
    2: (INET_REQUEST, INET_ANSWER),
    10: (INET_REQUEST, INET_ANSWER),
    16: (NETLINK_REQUEST, NETLINK_ANSWER),
    17: (PACKET_REQUEST, PACKET_ANSWER),
    43: (SMC_REQUEST, SMC_ANSWER),
}
_COMPATIBLE = (TCPDIAG_GETSOCK, DCCPDIAG_GETSOCK)


def diagnosis(ctx: Context, kind: int, flags: int, data: bytes) -> list[Value]:
    """Decode what follows the header of such a message."""
    known = _FAMILIES.get(data[0])
    if known is None or len(data) < 2:
        return unknown_message(ctx, data)
    request, answer = known
    if not flags & NLM_F_REQUEST:
        return answer.decode(ctx, data)
    if request is INET_REQUEST and kind in _COMPATIBLE:
        request = INET_OLD
    return request.decode(ctx, data)
