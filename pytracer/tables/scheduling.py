"""Which task runs when, and where."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, Pid, Pointer, UInt
from pytracer.tables.constants.process import SCHED_GETATTR_FLAGS, SCHED_POLICIES
from pytracer.tables.structs.sched import (
    SCHED_PARAM,
    CpuSet,
    Policy,
    PolicyResult,
    RightSize,
    SchedAttr,
)
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64

sched_yield = syscall("sched_yield")
sched_getscheduler = syscall("sched_getscheduler", pid=Pid(), returns=PolicyResult())
sched_setscheduler = syscall(
    "sched_setscheduler", pid=Pid(), policy=Policy(), param=In(SCHED_PARAM)
)
sched_getparam = syscall("sched_getparam", pid=Pid(), param=Out(SCHED_PARAM))
sched_setparam = syscall("sched_setparam", pid=Pid(), param=In(SCHED_PARAM))
sched_get_priority_max = syscall("sched_get_priority_max", policy=Enum(SCHED_POLICIES))
sched_get_priority_min = syscall("sched_get_priority_min", policy=Enum(SCHED_POLICIES))
sched_rr_get_interval = syscall("sched_rr_get_interval", pid=Pid(), tp=Out(TIMESPEC))
sched_rr_get_interval_time64 = syscall(
    "sched_rr_get_interval_time64", pid=Pid(), tp=Out(TIMESPEC64), abis=(I386,)
)
sched_setattr = syscall(
    "sched_setattr",
    pid=Pid(),
    attr=In(SchedAttr()),
    flags=Hex(),
    resized=RightSize(),
    order=("pid", "attr", "resized", "flags"),
)
sched_getattr = syscall(
    "sched_getattr",
    pid=Pid(),
    attr=Out(SchedAttr("size")),
    size=UInt(),
    flags=FlagSet(SCHED_GETATTR_FLAGS),
)
sched_setaffinity = syscall(
    "sched_setaffinity", pid=Pid(), cpusetsize=UInt(), mask=In(CpuSet("cpusetsize"))
)
sched_getaffinity = syscall(
    "sched_getaffinity", pid=Pid(), cpusetsize=UInt(), mask=Out(CpuSet("ret"))
)
getcpu = syscall("getcpu", cpu=Out(UInt()), node=Out(UInt()), tcache=Pointer())
