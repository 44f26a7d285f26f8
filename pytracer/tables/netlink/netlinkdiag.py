"""Questions and answers about netlink sockets.

Source: include/uapi/linux/netlink_diag.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, FlagSet
from pytracer.spec.values import Array, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.constants.network import NETLINK_PROTOCOLS, SOCK_TYPES
from pytracer.tables.netlink.attributes import Attributes, typed
from pytracer.tables.netlink.diagnosis import COOKIE, MEMORY, U32
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.padded import padded_hex

_ANY = ((0xFF, "NDIAG_PROTO_ALL"),)

NETLINK_REQUEST = Message(
    StructOf(
        sdiag_family=FAMILY,
        sdiag_protocol=Enum(Xlat("NETLINK_???", NETLINK_PROTOCOLS.entries + _ANY), "uchar"),
        _pad=Pad(2),
        ndiag_ino=U32,
        ndiag_show=FlagSet(sd.NETLINK_DIAG_SHOW),
        ndiag_cookie=COOKIE,
    )
)


def _groups(ctx: Context, data: bytes, family: int) -> Value | None:
    """Words of the target's size, a bit for each group."""
    word = ctx.abi.word
    count = len(data) // word
    if not count:
        return None
    words = (data[i * word : (i + 1) * word] for i in range(count))
    items = tuple(padded_hex(int.from_bytes(one, "little"), word) for one in words)
    return Array(items, brief=ctx.string_bytes)


_RING = typed(StructOf(ndr_block_size=U32, ndr_block_nr=U32, ndr_frame_size=U32, ndr_frame_nr=U32))
NETLINK_ANSWER = Message(
    StructOf(
        ndiag_family=FAMILY,
        ndiag_type=Enum(SOCK_TYPES, "uchar"),
        ndiag_protocol=Enum(Xlat("NETLINK_???", NETLINK_PROTOCOLS.entries), "uchar"),
        ndiag_state=Enum(sd.NETLINK_STATES, "uchar"),
        ndiag_portid=U32,
        ndiag_dst_portid=U32,
        ndiag_dst_group=U32,
        ndiag_ino=U32,
        ndiag_cookie=COOKIE,
    ),
    Attributes(
        sd.NETLINK_DIAG_ATTRIBUTES,
        {
            sd.NETLINK_DIAG_MEMINFO: MEMORY,
            sd.NETLINK_DIAG_GROUPS: _groups,
            sd.NETLINK_DIAG_RX_RING: _RING,
            sd.NETLINK_DIAG_TX_RING: _RING,
            sd.NETLINK_DIAG_FLAGS: typed(FlagSet(sd.NETLINK_DIAG_SOCKET_FLAGS)),
        },
    ),
)
