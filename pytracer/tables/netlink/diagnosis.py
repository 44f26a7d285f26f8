"""What diagnoses of sockets of several families have in common.

Source: include/uapi/linux/{sock_diag,inet_diag}.h, Linux 7.2.
"""

from __future__ import annotations

import struct
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import FixedArray
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Enum, FlagSet, Number
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Array, Function, Integer, Struct, Text, Value
from pytracer.tables.constants import sockdiag as sd
from pytracer.tables.constants.network import TCP_STATES
from pytracer.tables.netlink.attributes import numbered
from pytracer.tables.structs.netaddr import Port, inet_addr, inet_pton, interface

AF_INET, AF_INET6 = 2, 10
U8, U16, U32 = Number("uchar"), Number("ushort"), Number("uint")
STATES = FlagSet(sd.TCP_STATE_FLAGS)
STATE = Enum(TCP_STATES, "uchar")
COOKIE = FixedArray(U32, 2)
# How much memory a socket has, by what for.
MEMORY = numbered(sd.SK_MEMINFO, 4)
_PORT = Port()


def address_field(data: bytes, family: int, name: str) -> tuple[str, Value]:
    """A field that has room for an address of either family; raw, all of it is shown."""
    if family == AF_INET:
        shown = Function("inet_addr", inet_addr(data[:4]).args, Text(data, escaped=True))
        return name, shown
    if family == AF_INET6:
        return "", inet_pton(data, name)
    return name, Text(data, escaped=True)


class SocketId(Type):
    """struct inet_diag_sockid: both ends of a connection.

    ``family`` names the field that tells their family, or is that family.
    """

    def __init__(self, family: str | int) -> None:
        self.family = family

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 48, 4, "48s"

    def bind(self, scope: Scope) -> Decode:
        family_of = scope.number(self.family)

        def decode(ctx: Context, raw_id: bytes, frame: tuple[Any, ...]) -> Value:
            family = family_of(ctx, frame)
            source, target = struct.unpack_from("<HH", raw_id)
            index, *cookie = struct.unpack_from("<III", raw_id, 36)
            return Struct(
                (
                    ("idiag_sport", _PORT.make(source)),
                    ("idiag_dport", _PORT.make(target)),
                    address_field(raw_id[4:20], family, "idiag_src"),
                    address_field(raw_id[20:36], family, "idiag_dst"),
                    ("idiag_if", interface(index)),
                    ("idiag_cookie", Array(tuple(map(Integer, cookie)))),
                )
            )

        return decode
