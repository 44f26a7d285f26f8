"""Questions and answers about UNIX sockets.

Source: include/uapi/linux/unix_diag.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.scalar import Enum, FlagSet, Scalar
from pytracer.spec.values import Base, Function, Integer, Value
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.constants.network import SOCK_TYPES
from pytracer.tables.netlink import attributes as nla
from pytracer.tables.netlink.attributes import Attributes, array, cstr, typed
from pytracer.tables.netlink.diagnosis import COOKIE, MEMORY, STATE, STATES, U8, U32
from pytracer.tables.netlink.message import FAMILY, Message

UNIX_REQUEST = Message(
    StructOf(
        sdiag_family=FAMILY,
        sdiag_protocol=U8,
        pad=Pad(2),
        udiag_states=STATES,
        udiag_ino=U32,
        udiag_show=FlagSet(sd.UNIX_DIAG_SHOW),
        udiag_cookie=COOKIE,
    )
)


class _Device(Scalar):
    """The number of a device in 32 bits."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, value: int) -> Value:
        major = value >> 8 & 0xFFF
        minor = value & 0xFF | value >> 12 & 0xFFF00
        parts = (Integer(major, Base.HEX), Integer(minor, Base.HEX))
        return Function("makedev", parts, Integer(value, Base.HEX))


UNIX_ANSWER = Message(
    StructOf(
        udiag_family=FAMILY,
        udiag_type=Enum(SOCK_TYPES, "uchar"),
        udiag_state=STATE,
        pad=Pad(1),
        udiag_ino=U32,
        udiag_cookie=COOKIE,
    ),
    Attributes(
        sd.UNIX_DIAG_ATTRIBUTES,
        {
            sd.UNIX_DIAG_NAME: cstr,
            sd.UNIX_DIAG_VFS: typed(
                StructOf(
                    None,
                    ("udiag_vfs_dev", "udiag_vfs_ino"),
                    udiag_vfs_ino=U32,
                    udiag_vfs_dev=_Device(),
                )
            ),
            sd.UNIX_DIAG_PEER: nla.U32,
            sd.UNIX_DIAG_ICONS: array(U32),
            sd.UNIX_DIAG_RQLEN: typed(StructOf(udiag_rqueue=U32, udiag_wqueue=U32)),
            sd.UNIX_DIAG_MEMINFO: MEMORY,
            sd.UNIX_DIAG_SHUTDOWN: nla.U8,
            sd.UNIX_DIAG_UID: nla.ID,
        },
    ),
)
