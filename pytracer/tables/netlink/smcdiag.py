"""Questions and answers about sockets of shared memory communication.

Source: include/uapi/linux/smc_diag.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Chars, FixedArray, Pad, StructOf
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Scalar
from pytracer.spec.type import Type
from pytracer.spec.values import Base, Integer, Noted, Value
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.netlink.attributes import Attributes, flags, typed
from pytracer.tables.netlink.diagnosis import AF_INET, U8, U16, U32, SocketId
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.sockaddr import Padded

SMC_REQUEST = Message(
    StructOf(
        diag_family=FAMILY,
        _pad=Pad(2),
        diag_ext=FlagSet(sd.SMC_DIAG_EXTENSIONS, "uchar"),
        id=SocketId(AF_INET),
    )
)


class _Reason(Scalar):
    """Why a connection fell back to TCP, always with the number."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        names = sd.SMC_DECLINE_CODES
        name = names.name_of(number) or names.unknown
        return Noted(Integer(number, Base.HEX), name, unless_raw=True)


_CURSOR = StructOf(reserved=U16, wrap=U16, count=U32)
_STATE_FLAGS = Padded("uchar", 2)


def _cursors(*names: str) -> dict[str, Type]:
    return dict.fromkeys(names, _CURSOR)


_LINK = StructOf(
    link_id=U8,
    ibname=Chars(64, whole=True),
    ibport=U8,
    gid=Chars(40, whole=True),
    peer_gid=Chars(40, whole=True),
)
SMC_ANSWER = Message(
    StructOf(
        diag_family=FAMILY,
        diag_state=Enum(sd.SMC_STATES, "uchar"),
        diag_fallback=Enum(sd.SMC_DIAG_MODES, "uchar"),
        diag_shutdown=U8,
        id=SocketId(AF_INET),
        diag_uid=U32,
        diag_inode=Number("u64"),
    ),
    Attributes(
        sd.SMC_DIAG_ATTRIBUTES,
        {
            sd.SMC_DIAG_CONNINFO: typed(
                StructOf(
                    None,
                    None,
                    token=U32,
                    sndbuf_size=U32,
                    rmbe_size=U32,
                    peer_rmbe_size=U32,
                    **_cursors("rx_prod", "rx_cons", "tx_prod", "tx_cons"),
                    rx_prod_flags=_STATE_FLAGS,
                    rx_conn_state_flags=_STATE_FLAGS,
                    tx_prod_flags=_STATE_FLAGS,
                    tx_conn_state_flags=_STATE_FLAGS,
                    **_cursors("tx_prep", "tx_sent", "tx_fin"),
                )
            ),
            sd.SMC_DIAG_LGRINFO: typed(
                StructOf(lnk=FixedArray(_LINK, 1), role=Enum(sd.SMC_LINK_ROLES, "uchar"))
            ),
            sd.SMC_DIAG_SHUTDOWN: flags(sd.INET_DIAG_SHUTDOWN_FLAGS, 1),
            sd.SMC_DIAG_DMBINFO: typed(
                StructOf(
                    linkid=U32,
                    peer_gid=Hex("u64"),
                    my_gid=Hex("u64"),
                    token=Hex("u64"),
                    peer_token=Hex("u64"),
                )
            ),
            sd.SMC_DIAG_FALLBACK: typed(StructOf(reason=_Reason(), peer_diagnosis=_Reason())),
        },
    ),
)
