"""What a process may use and has used, and how urgent it is."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.context import Context
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.returns import Result, Returns
from pytracer.spec.scalar import Enum, GroupId, Int, Pid
from pytracer.spec.switch import Switch
from pytracer.spec.type import Scope
from pytracer.spec.values import Integer, Value
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.process import (
    IOPRIO_WHO,
    IOPRIO_WHO_PGRP,
    IOPRIO_WHO_PROCESS,
    PRIO_PGRP,
    PRIO_PROCESS,
    PRIORITY_WHO,
    RLIMIT,
    RUSAGE_WHO,
)
from pytracer.tables.structs.ioprio import IoPriority, io_priority
from pytracer.tables.structs.limit import RLIMIT as RLIMIT_PAIR
from pytracer.tables.structs.limit import RLIMIT64
from pytracer.tables.structs.waitstatus import RUSAGE

RESOURCE = Enum(RLIMIT)

getrlimit = syscall("getrlimit", resource=RESOURCE, rlim=Out(RLIMIT_PAIR))
ugetrlimit = syscall("ugetrlimit", resource=RESOURCE, rlim=Out(RLIMIT_PAIR), abis=(I386,))
setrlimit = syscall("setrlimit", resource=RESOURCE, rlim=In(RLIMIT_PAIR))
prlimit64 = syscall(
    "prlimit64", pid=Pid(), resource=RESOURCE, new_limit=In(RLIMIT64), old_limit=Out(RLIMIT64)
)
# An int, whose unknown values are shown as unsigned ones.
_WHO = Xlat(RUSAGE_WHO.unknown, tuple((who & 0xFFFFFFFF, name) for who, name in RUSAGE_WHO.entries))
getrusage = syscall("getrusage", who=Enum(_WHO), usage=Out(RUSAGE))


def _who(process: int, group: int) -> Switch:
    """The processes that a priority is about; users are plain numbers."""
    return Switch(on="which", cases={process: Pid(), group: GroupId()}, default=Int())


PRIORITY = _who(PRIO_PROCESS, PRIO_PGRP)
IO_PRIORITY = _who(IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP)


class IoPriorityResult(Returns):
    """A class and a level of priority, in one number."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            return Integer(ctx.ret), io_priority(ctx.ret)

        return result


getpriority = syscall("getpriority", which=Enum(PRIORITY_WHO), who=PRIORITY)
setpriority = syscall("setpriority", which=Enum(PRIORITY_WHO), who=PRIORITY, prio=Int())
ioprio_get = syscall(
    "ioprio_get", which=Enum(IOPRIO_WHO), who=IO_PRIORITY, returns=IoPriorityResult()
)
ioprio_set = syscall("ioprio_set", which=Enum(IOPRIO_WHO), who=IO_PRIORITY, ioprio=IoPriority())
nice = syscall("nice", inc=Int(), abis=(I386,))
