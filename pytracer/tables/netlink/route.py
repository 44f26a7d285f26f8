"""Messages of NETLINK_ROUTE: which is made how."""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum
from pytracer.spec.values import Value
from pytracer.tables.constants.netfamilies import DCB_COMMANDS
from pytracer.tables.constants.netlink import RTM_GETNEIGH, RTM_TYPES
from pytracer.tables.constants.rtnetlink import DCB_ATTRIBUTES
from pytracer.tables.netlink.address import ADDRESS, LABEL
from pytracer.tables.netlink.attributes import Attributes
from pytracer.tables.netlink.link import LINK
from pytracer.tables.netlink.linkfamilies import AF_BRIDGE
from pytracer.tables.netlink.message import FAMILY, Message, unknown_message
from pytracer.tables.netlink.multicast import MULTICAST
from pytracer.tables.netlink.neighbour import NEIGHBOUR, NEIGHBOUR_TABLE
from pytracer.tables.netlink.routing import CACHE_REPORT, NETCONF, NEXT_HOP, ROUTE
from pytracer.tables.netlink.rule import NAMESPACE, RULE
from pytracer.tables.netlink.stats import STATISTICS
from pytracer.tables.netlink.traffic import ACTION, QUEUEING

_BRIDGING = Message(  # data centre bridging
    StructOf(dcb_family=FAMILY, cmd=Enum(DCB_COMMANDS, "uchar"), _pad=Pad(2)),
    Attributes(DCB_ATTRIBUTES, {}),
)
# By the name of what they are about: what stands behind RTM_NEW, _DEL, _GET and _SET.
_ABOUT = {
    "ACTION": ACTION,
    "ADDR": ADDRESS,
    "ADDRLABEL": LABEL,
    "ANYCAST": ADDRESS,
    "CACHEREPORT": CACHE_REPORT,
    "CHAIN": QUEUEING,
    "DCB": _BRIDGING,
    "LINK": LINK,
    "MDB": MULTICAST,
    "MULTICAST": ADDRESS,
    "NEIGH": NEIGHBOUR,
    "NEIGHTBL": NEIGHBOUR_TABLE,
    "NETCONF": NETCONF,
    "NEXTHOP": NEXT_HOP,
    "NSID": NAMESPACE,
    "QDISC": QUEUEING,
    "ROUTE": ROUTE,
    "RULE": RULE,
    "STATS": STATISTICS,
    "TCLASS": QUEUEING,
    "TFILTER": QUEUEING,
}
MESSAGES = {value: _ABOUT[name[7:]] for value, name in RTM_TYPES.entries if name[7:] in _ABOUT}


def route_message(ctx: Context, kind: int, data: bytes) -> list[Value]:
    """Decode what follows the header of a route message."""
    message = MESSAGES.get(kind)
    if kind == RTM_GETNEIGH and data[0] == AF_BRIDGE:
        message = LINK
    return unknown_message(ctx, data) if message is None else message.decode(ctx, data)
