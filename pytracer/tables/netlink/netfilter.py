"""Messages of NETLINK_NETFILTER: a subsystem, and what that calls the message.

Source: include/uapi/linux/netfilter/nfnetlink.h.
"""

from __future__ import annotations

from pytracer.spec.context import Context
from pytracer.spec.scalar import Enum
from pytracer.spec.values import Base, Function, Integer, Joined, Struct, Symbol, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants import netfamilies as nf
from pytracer.tables.constants.network import ADDRESS_FAMILIES
from pytracer.tables.netlink.attributes import Attributes, raw

# By the number of the subsystem.
_MESSAGES = {
    1: nf.NF_CTNETLINK,
    2: nf.NF_CTNETLINK_EXP,
    3: nf.NF_QUEUE,
    4: nf.NF_ULOG,
    5: nf.NF_OSF,
    6: nf.NF_IPSET,
    7: nf.NF_ACCT,
    8: nf.NF_CTTIMEOUT,
    9: nf.NF_CTHELPER,
    10: nf.NF_TABLES,
    11: nf.NF_COMPAT,
    12: nf.NF_HOOK,
}


def message_name(kind: int) -> str | None:
    """What the subsystem calls such a message; None when nobody knows."""
    messages = _MESSAGES.get(kind >> 8)
    return None if messages is None else messages.name_of(kind & 0xFF)


def netfilter_kind(kind: int) -> Value:
    """Name a type: NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_NEWTABLE."""
    reserved = nf.NFNL_MESSAGES.name_of(kind)
    if reserved is not None:
        return Symbol(kind, reserved)
    subsystem, number = kind >> 8, kind & 0xFF
    names = nf.NFNL_SUBSYSTEMS
    first = Symbol(subsystem, names.name_of(subsystem), names.unknown)
    messages = _MESSAGES.get(subsystem)
    second: Value = Integer(number, Base.HEX)
    if messages is not None:
        second = Symbol(number, messages.name_of(number), messages.unknown)
    return Joined((Joined((first, Integer(8)), "<<"), second))


_HEADER = 4  # sizeof(struct nfgenmsg)
_TABLES = 10  # NFNL_SUBSYS_NFTABLES
_NO_NAMES = Attributes(Xlat("", ()), {})


def netfilter_message(ctx: Context, kind: int, flags: int, data: bytes) -> list[Value]:
    """Decode what follows the header: struct nfgenmsg, and attributes by number."""
    if len(data) < _HEADER:
        return [raw(ctx, data)]
    big = int.from_bytes(data[2:4], "big")
    little = int.from_bytes(data[2:4], "little")
    resource: Value = Function("htons", (Integer(big),))
    if kind >> 8 == _TABLES and _TABLES in (big, little):
        name = "NFNL_SUBSYS_NFTABLES"
        resource = Symbol(little, f"htons({name})" if big == _TABLES else name)
    versions = nf.NFNETLINK_VERSIONS
    head = Struct(
        (
            ("nfgen_family", Enum(ADDRESS_FAMILIES).make(data[0])),
            ("version", Symbol(data[1], versions.name_of(data[1]), versions.unknown)),
            ("res_id", resource),
        )
    )
    rest = data[_HEADER:]
    if not rest:
        return [head]
    if nf.NFNL_MSG_BATCH_BEGIN <= kind <= nf.NFNL_MSG_BATCH_END:
        return [head, raw(ctx, rest)]
    return [head, _NO_NAMES.decode(ctx, rest, data[0])]


def selinux_message(ctx: Context, kind: int, flags: int, data: bytes) -> list[Value]:
    """Decode what SELinux announces."""
    number = int.from_bytes(data[:4], "little", signed=kind == nf.SELNL_MSG_SETENFORCE)
    names = {nf.SELNL_MSG_SETENFORCE: "val", nf.SELNL_MSG_POLICYLOAD: "seqno"}
    name = names.get(kind)
    if name is None or len(data) < 4:
        return [raw(ctx, data)]
    return [Struct(((name, Integer(number)),))]
