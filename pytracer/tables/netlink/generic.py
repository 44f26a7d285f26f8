"""Messages of NETLINK_GENERIC: those of its controller, which says what families there are.

Source: include/uapi/linux/genetlink.h.
"""

from __future__ import annotations

import socket
import struct
from functools import lru_cache

from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number
from pytracer.spec.values import Base, Integer, Struct, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import netfamilies as nf
from pytracer.tables.netlink.attributes import Attributes, Payload, cstr, number, raw, typed

CONTROLLER = 16  # GENL_ID_CTRL
_HEADER = 4  # GENL_HDRLEN
_NETLINK_GENERIC = 16
_ASK = struct.pack("<IHHIIBBH", 20, CONTROLLER, 0x301, 1, 0, nf.CTRL_CMD_GETFAMILY, 1, 0)
_DONE = 3  # NLMSG_DONE

_COMMANDS = {
    "nlctrl": nf.GENL_CTRL_COMMANDS,
    "devlink": nf.DEVLINK_COMMANDS,
    "ethtool": nf.ETHTOOL_USER_MESSAGES,
    "nl80211": nf.NL80211_COMMANDS,
    "netdev": nf.NETDEV_COMMANDS,
    "TASKSTATS": nf.TASKSTATS_COMMANDS,
    "SEG6": nf.SEG6_COMMANDS,
    "IOAM6": nf.IOAM6_COMMANDS,
    "mptcp_pm": nf.MPTCP_PM_COMMANDS,
    "tcp_metrics": nf.TCP_METRICS_COMMANDS,
    "thermal": nf.THERMAL_COMMANDS,
}


@lru_cache(maxsize=1)
def families() -> Xlat:
    """Ask the kernel for the names of the families, whose numbers differ from boot to boot."""
    found = [(CONTROLLER, "nlctrl")]
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_GENERIC) as asking:
            asking.settimeout(1)
            asking.sendto(_ASK, (0, 0))
            while True:
                data = asking.recv(65536)
                done = False
                while len(data) >= 16:
                    length, kind = struct.unpack_from("<IH", data)
                    done = kind == _DONE or kind < CONTROLLER
                    if done or length < 16:
                        break
                    found.append(_identity(data[16 + _HEADER : length]))
                    data = data[length + 3 & ~3 :]
                if done or not data:
                    break
    except OSError:
        pass  # without an answer, numbers do
    return Xlat("GENERIC_FAMILY_???", tuple(dict(found).items()))


def _identity(data: bytes) -> tuple[int, str]:
    number_, name = 0, ""
    while len(data) >= 4:
        length, kind = struct.unpack_from("<HH", data)
        if length < 4:
            break
        if kind == nf.CTRL_ATTR_FAMILY_ID:
            number_ = int.from_bytes(data[4:6], "little")
        elif kind == nf.CTRL_ATTR_FAMILY_NAME:
            name = data[4:length].split(b"\0")[0].decode("ascii", "replace")
        data = data[length + 3 & ~3 :]
    return number_, name


_NUMBERED = Xlat("", ())
_U32 = number(size=4)
_X32 = number(Base.HEX, size=4)
_S64, _U64, _X64 = typed(Number("s64")), typed(Number("u64")), typed(Hex("u64"))


def _each(inner: Attributes) -> Attributes:
    """Attributes that are the elements of an array, numbered as they come."""
    return Attributes(_NUMBERED, _Every(inner))


class _Every(dict[int, Payload]):
    """The same meaning for every number."""

    def __init__(self, inner: Payload) -> None:
        super().__init__()
        self.inner = inner

    def get(self, key: int, default: object = None) -> Payload:
        return self.inner


_POLICY = Attributes(
    nf.NL_POLICY_ATTRIBUTES,
    {
        nf.NL_POLICY_TYPE_ATTR_TYPE: typed(Enum(nf.NL_ATTR_TYPES)),
        nf.NL_POLICY_TYPE_ATTR_MIN_VALUE_S: _S64,
        nf.NL_POLICY_TYPE_ATTR_MAX_VALUE_S: _S64,
        nf.NL_POLICY_TYPE_ATTR_MIN_VALUE_U: _U64,
        nf.NL_POLICY_TYPE_ATTR_MAX_VALUE_U: _U64,
        nf.NL_POLICY_TYPE_ATTR_MIN_LENGTH: _U32,
        nf.NL_POLICY_TYPE_ATTR_MAX_LENGTH: _U32,
        nf.NL_POLICY_TYPE_ATTR_POLICY_IDX: _U32,
        nf.NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE: _U32,
        nf.NL_POLICY_TYPE_ATTR_BITFIELD32_MASK: _X32,
        nf.NL_POLICY_TYPE_ATTR_MASK: _X64,
    },
)
_OP_POLICY = Attributes(
    nf.GENL_CTRL_POLICY_ATTRIBUTES,
    {nf.CTRL_ATTR_POLICY_DO: _U32, nf.CTRL_ATTR_POLICY_DUMP: _U32},
)
_GROUP = Attributes(
    nf.GENL_CTRL_MCAST_ATTRIBUTES,
    {nf.CTRL_ATTR_MCAST_GRP_NAME: cstr, nf.CTRL_ATTR_MCAST_GRP_ID: _X32},
)


@lru_cache(maxsize=64)
def _attributes(family: str) -> Attributes:
    """The controller's attributes in a message about such a family."""
    commands = _COMMANDS.get(family)
    command = _X32 if commands is None else typed(Enum(commands))
    operation = Attributes(
        nf.GENL_CTRL_OP_ATTRIBUTES,
        {nf.CTRL_ATTR_OP_ID: command, nf.CTRL_ATTR_OP_FLAGS: typed(FlagSet(nf.GENL_FLAGS))},
    )
    return Attributes(
        nf.GENL_CTRL_ATTRIBUTES,
        {
            nf.CTRL_ATTR_FAMILY_ID: number(Base.HEX, size=2),
            nf.CTRL_ATTR_FAMILY_NAME: cstr,
            nf.CTRL_ATTR_VERSION: _U32,
            nf.CTRL_ATTR_HDRSIZE: _U32,
            nf.CTRL_ATTR_MAXATTR: _U32,
            nf.CTRL_ATTR_OPS: _each(operation),
            nf.CTRL_ATTR_MCAST_GROUPS: _each(_GROUP),
            nf.CTRL_ATTR_POLICY: _each(_each(_POLICY)),
            nf.CTRL_ATTR_OP_POLICY: _each(_OP_POLICY),
            nf.CTRL_ATTR_OP: command,
        },
    )


def generic_message(ctx: Context, kind: int, flags: int, data: bytes) -> list[Value]:
    """Decode what follows the header of a message; plain bytes of families other than nlctrl."""
    if kind != CONTROLLER or len(data) < _HEADER:
        return [raw(ctx, data)]
    names = nf.GENL_CTRL_COMMANDS
    command = Symbol(data[0], names.name_of(data[0]), names.unknown)
    parts: list[Value] = [Struct((("cmd", command), ("version", Integer(data[1]))))]
    rest = data[_HEADER:]
    if rest:
        parts.append(_attributes(_identity(rest)[1]).decode(ctx, rest, 0))
    return parts
