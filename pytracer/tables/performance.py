"""Performance events."""

from __future__ import annotations

from pytracer.spec.entry import syscall
from pytracer.spec.returns import NewFd
from pytracer.spec.scalar import Fd, FlagSet, Int
from pytracer.tables.constants.perf import PERF_OPEN_FLAGS
from pytracer.tables.structs.perfattr import PerfAttr

syscall(
    "perf_event_open",
    attr=PerfAttr(),
    pid=Int(),
    cpu=Int(),
    group_fd=Fd(),
    flags=FlagSet(PERF_OPEN_FLAGS, "kulong"),
    returns=NewFd(),
    classes="desc",
)
