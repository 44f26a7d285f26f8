"""Messages of NETLINK_ROUTE about a bridge's multicast database.

Source: include/uapi/linux/if_bridge.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Enum, FlagSet, Number
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Function, Struct, Symbol, Text, Value
from pytracer.tables.constants import rtnetlink as rt
from pytracer.tables.constants.network import ADDRESS_FAMILIES
from pytracer.tables.netlink.attributes import Attributes, clock, typed
from pytracer.tables.netlink.message import FAMILY, Message
from pytracer.tables.structs.netaddr import Interface, inet_addr, inet_pton

_AF_INET, _AF_INET6 = 2, 10
_ROOM = 16  # for an address of any family


class _Group(Type):
    """The address of a group, and the number of its protocol on the wire."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return _ROOM + 4, 4, f"{_ROOM + 4}s"

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, data: bytes, frame: tuple[Any, ...]) -> Value:
            place = data[:_ROOM]
            family = int.from_bytes(data[_ROOM : _ROOM + 2], "big")
            address: tuple[str, Value] = ("u", Text(place, escaped=True))
            if family == _AF_INET:
                text = Function("inet_addr", inet_addr(place[:4]).args, Text(place, escaped=True))
                address = "u", text
            elif family == _AF_INET6:
                address = "", inet_pton(place, "u")
            name = Symbol(family, ADDRESS_FAMILIES.name_of(family), ADDRESS_FAMILIES.unknown)
            return Struct((address, ("proto", Function("htons", (name,)))))

        return decode


_ENTRY = StructOf(
    ifindex=Interface(),
    state=Enum(rt.MDB_STATES, "uchar"),
    flags=FlagSet(rt.MDB_FLAGS, "uchar"),
    vid=Number("ushort"),
    addr=_Group(),
)
_DATABASE = Attributes(
    rt.MDB_MDB_ATTRIBUTES,
    {
        rt.MDBA_MDB_ENTRY: Attributes(
            rt.MDB_ENTRY_ATTRIBUTES,
            {
                rt.MDBA_MDB_ENTRY_INFO: typed(
                    _ENTRY, Attributes(rt.MDB_EATTRIBUTES, {rt.MDBA_MDB_EATTR_TIMER: clock})
                )
            },
        )
    },
)
_ROUTERS = Attributes(
    rt.MDB_ROUTER_ATTRIBUTES,
    {
        rt.MDBA_ROUTER_PORT: typed(
            Interface(),
            Attributes(
                rt.MDB_ROUTER_PATTRIBUTES,
                {
                    rt.MDBA_ROUTER_PATTR_TIMER: clock,
                    rt.MDBA_ROUTER_PATTR_TYPE: typed(Enum(rt.MDB_ROUTER_TYPES, "uchar")),
                    rt.MDBA_ROUTER_PATTR_INET_TIMER: clock,
                    rt.MDBA_ROUTER_PATTR_INET6_TIMER: clock,
                },
            ),
        )
    },
)
MULTICAST = Message(
    StructOf(family=FAMILY, ifindex=Interface()),
    Attributes(rt.MDB_ATTRIBUTES, {rt.MDBA_MDB: _DATABASE, rt.MDBA_ROUTER: _ROUTERS}),
)
