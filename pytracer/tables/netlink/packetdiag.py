"""Questions and answers about packet sockets.

Source: include/uapi/linux/packet_diag.h, Linux 7.2.
"""

from __future__ import annotations

import struct
from typing import Any

from pytracer.spec.abi import X86_64, Layout
from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Enum, FlagSet, Hex
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Array, Integer, Struct, Text, Value
from pytracer.tables.constants import network as net
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.netlink import attributes as nla
from pytracer.tables.netlink.attributes import Attributes, address_of, array, typed
from pytracer.tables.netlink.diagnosis import COOKIE, MEMORY, U32
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.bpf_filter import Instruction, socket_operand
from pytracer.tables.structs.netaddr import Interface, interface

PACKET_REQUEST = Message(
    StructOf(
        sdiag_family=FAMILY,
        sdiag_protocol=Hex("uchar"),
        _pad=Pad(2),
        pdiag_ino=U32,
        pdiag_show=FlagSet(sd.PACKET_DIAG_SHOW),
        pdiag_cookie=COOKIE,
    )
)
_MOST_ADDRESS = 32  # MAX_ADDR_LEN, include/linux/netdevice.h


class _Membership(Type):
    """struct packet_diag_mclist: a group that a socket has joined."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 12 + _MOST_ADDRESS, 4, f"{12 + _MOST_ADDRESS}s"

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, data: bytes, frame: tuple[Any, ...]) -> Value:
            index, count, kind, length = struct.unpack_from("<IIHH", data)
            return Struct(
                (
                    ("pdmc_index", interface(index)),
                    ("pdmc_count", Integer(count)),
                    ("pdmc_type", Integer(kind)),
                    ("pdmc_alen", Integer(length)),
                    ("pdmc_addr", Text(data[12 : 12 + min(length, _MOST_ADDRESS)], escaped=True)),
                )
            )

        return decode


_RING = typed(
    StructOf(
        pdr_block_size=U32,
        pdr_block_nr=U32,
        pdr_frame_size=U32,
        pdr_frame_nr=U32,
        pdr_retire_tmo=U32,
        pdr_sizeof_priv=U32,
        pdr_features=U32,
    )
)
_INSTRUCTION_BYTES = 8
_MOST_INSTRUCTIONS = 0xFFFF
_instruction = Instruction(socket_operand).bind(Scope(X86_64, {}))


def _filter(ctx: Context, data: bytes, family: int) -> Value | None:
    """The program that a socket's packets pass."""
    count = len(data) // _INSTRUCTION_BYTES
    if not 0 < count <= _MOST_INSTRUCTIONS:
        return None
    raws = (data[8 * i : 8 * i + 8] for i in range(count))
    items = tuple(_instruction(ctx, one, ()) for one in raws)
    return Array(items, address_of(ctx, data), hidden=True)


PACKET_ANSWER = Message(
    StructOf(
        pdiag_family=FAMILY,
        pdiag_type=Enum(net.SOCK_TYPES, "uchar"),
        pdiag_num=Enum(net.ETH_P, "ushort"),
        pdiag_ino=U32,
        pdiag_cookie=COOKIE,
    ),
    Attributes(
        sd.PACKET_DIAG_ATTRIBUTES,
        {
            sd.PACKET_DIAG_INFO: typed(
                StructOf(
                    pdi_index=Interface(),
                    pdi_version=Enum(net.PACKET_VERSIONS),
                    pdi_reserve=U32,
                    pdi_copy_thresh=U32,
                    pdi_tstamp=U32,
                    pdi_flags=FlagSet(sd.PACKET_DIAG_INFO_FLAGS),
                )
            ),
            sd.PACKET_DIAG_MCLIST: array(_Membership()),
            sd.PACKET_DIAG_RX_RING: _RING,
            sd.PACKET_DIAG_TX_RING: _RING,
            sd.PACKET_DIAG_FANOUT: nla.U32,
            sd.PACKET_DIAG_UID: nla.ID,
            sd.PACKET_DIAG_MEMINFO: MEMORY,
            sd.PACKET_DIAG_FILTER: _filter,
        },
    ),
)
