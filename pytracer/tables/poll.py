"""Waiting for descriptors: select, poll and epoll."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import I386, X32, X86_64
from pytracer.spec.aggregate import ArrayOf, StructOf
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.returns import NewFd
from pytracer.spec.scalar import Enum, Fd, FlagSet, Int, Pointer, Size, UInt
from pytracer.spec.switch import Switch
from pytracer.tables.constants.poll import (
    EPOLL_CREATE_FLAGS,
    EPOLL_CTL_DEL,
    EPOLL_OPERATIONS,
)
from pytracer.tables.structs.fdset import FdSet, OldReady, Ready
from pytracer.tables.structs.indirect import Indirect
from pytracer.tables.structs.pollfd import EPOLL_EVENT, POLLFDS, Polled
from pytracer.tables.structs.sigmask import MASK_AND_SIZE
from pytracer.tables.structs.signal import SigSetAt
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64, TIMEVAL

SET = FdSet()
EVENTS = Out(ArrayOf(EPOLL_EVENT, "ret"))
MASK = SigSetAt("sigsetsize")

syscall(
    "select",
    nfds=Int(),
    readfds=SET,
    writefds=SET,
    exceptfds=SET,
    timeout=In(TIMEVAL),
    returns=Ready(TIMEVAL),
    classes="desc",
    abis=(X86_64, X32),
)
syscall(
    "_newselect",
    nfds=Int(),
    readfds=SET,
    writefds=SET,
    exceptfds=SET,
    timeout=In(TIMEVAL),
    returns=Ready(TIMEVAL),
    classes="desc",
    abis=(I386,),
)
# The first select of i386 gets its five arguments through a pointer.
OLD_SELECT: dict[str, Any] = {
    "nfds": Int(),
    "readfds": SET,
    "writefds": SET,
    "exceptfds": SET,
    "timeout": In(TIMEVAL),
}
syscall(
    "select",
    _=Indirect(OLD_SELECT),
    returns=OldReady(TIMEVAL, StructOf(**OLD_SELECT)),
    classes="desc",
    abis=(I386,),
)
syscall(
    "pselect6",
    nfds=Int(),
    readfds=SET,
    writefds=SET,
    exceptfds=SET,
    timeout=In(TIMESPEC),
    sig=MASK_AND_SIZE,
    returns=Ready(TIMESPEC),
    classes="desc",
)
syscall(
    "pselect6_time64",
    nfds=Int(),
    readfds=SET,
    writefds=SET,
    exceptfds=SET,
    timeout=In(TIMESPEC64),
    sig=MASK_AND_SIZE,
    returns=Ready(TIMESPEC64),
    classes="desc",
    abis=(I386,),
)

syscall("poll", fds=POLLFDS, nfds=UInt(), timeout=Int(), returns=Polled(), classes="desc")
syscall(
    "ppoll",
    fds=POLLFDS,
    nfds=UInt(),
    tmo_p=In(TIMESPEC),
    sigmask=MASK,
    sigsetsize=Size(),
    returns=Polled(TIMESPEC),
    classes="desc",
)
syscall(
    "ppoll_time64",
    fds=POLLFDS,
    nfds=UInt(),
    tmo_p=In(TIMESPEC64),
    sigmask=MASK,
    sigsetsize=Size(),
    returns=Polled(TIMESPEC64),
    classes="desc",
    abis=(I386,),
)

syscall("epoll_create", size=Int(), returns=NewFd(), classes="desc")
syscall("epoll_create1", flags=FlagSet(EPOLL_CREATE_FLAGS), returns=NewFd(), classes="desc")
syscall(
    "epoll_ctl",
    epfd=Fd(),
    op=Enum(EPOLL_OPERATIONS),
    fd=Fd(),
    event=Switch(on="op", cases={EPOLL_CTL_DEL: Pointer()}, default=In(EPOLL_EVENT)),
)
syscall("epoll_wait", epfd=Fd(), events=EVENTS, maxevents=Int(), timeout=Int())
# What is shown behind the events is read when the call has returned, and not if it failed.
syscall(
    "epoll_pwait",
    epfd=Fd(),
    events=EVENTS,
    maxevents=Int(),
    timeout=Int(),
    sigmask=Out(MASK),
    sigsetsize=Size(),
)
syscall(
    "epoll_pwait2",
    epfd=Fd(),
    events=EVENTS,
    maxevents=Int(),
    timeout=Out(TIMESPEC64),
    sigmask=Out(MASK),
    sigsetsize=Size(),
)
