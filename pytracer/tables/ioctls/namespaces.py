"""Requests of namespaces and of the descriptors of processes.

Source: include/uapi/linux/{nsfs,pidfd}.h, Linux 6.18.
"""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.pointer import Out
from pytracer.spec.returns import NewFd, PidResult, Result, Returns
from pytracer.spec.scalar import Hex, Pid, Uid, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Integer, Phrase, Value
from pytracer.tables.constants.process import SETNS_TYPES


class _NamespaceType(Returns):
    """The flag of clone that makes namespaces of this type."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value, Value | None]:
            name = SETNS_TYPES.name_of(ctx.ret)
            return Integer(ctx.ret), None if name is None else Phrase(name, ctx.ret)

        return result


MOUNT_NAMESPACE = StructOf(size=UInt(), nr_mounts=UInt(), mnt_ns_id=Hex("u64"))
_OUTSIDE = ("NS_GET_PID_FROM_PIDNS", "NS_GET_TGID_FROM_PIDNS")
_NEIGHBOURS = ("NS_MNT_GET_NEXT", "NS_MNT_GET_PREV")
_OF_PROCESS = tuple(
    f"PIDFD_GET_{kind}_NAMESPACE"
    for kind in (
        "CGROUP",
        "IPC",
        "MNT",
        "NET",
        "PID",
        "PID_FOR_CHILDREN",
        "TIME",
        "TIME_FOR_CHILDREN",
        "USER",
        "UTS",
    )
)

REQUESTS: dict[str, Type] = {
    **dict.fromkeys(("NS_GET_USERNS", "NS_GET_PARENT", "NS_GET_NSTYPE"), Absent()),
    "NS_GET_OWNER_UID": Out(Uid()),
    "NS_GET_MNTNS_ID": Out(Hex("u64")),
    **dict.fromkeys(
        (*_OUTSIDE, "NS_GET_PID_IN_PIDNS", "NS_GET_TGID_IN_PIDNS"),
        Pid(),
    ),
    **dict.fromkeys(("NS_MNT_GET_INFO", *_NEIGHBOURS), Out(MOUNT_NAMESPACE)),
    **dict.fromkeys(_OF_PROCESS, Hex("kulong")),
}
RESULTS: dict[str, Returns] = {
    **dict.fromkeys(("NS_GET_USERNS", "NS_GET_PARENT", *_NEIGHBOURS, *_OF_PROCESS), NewFd()),
    "NS_GET_NSTYPE": _NamespaceType(),
    **dict.fromkeys(_OUTSIDE, PidResult()),
}
