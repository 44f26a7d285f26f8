"""Other processes, through descriptors and otherwise: pidfd, kcmp, ptrace's smaller relatives."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.entry import syscall
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.pointer import In
from pytracer.spec.returns import Count, HexResult, NewFd, Result
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Int, Pid, UInt
from pytracer.spec.switch import Absent, Switch
from pytracer.spec.type import AnyBit, Scope, Type
from pytracer.spec.values import Base, Descriptor, Flags, Value
from pytracer.tables.constants.process import (
    KCMP_EPOLL_TFD,
    KCMP_FILE,
    KCMP_FILES,
    KCMP_FS,
    KCMP_IO,
    KCMP_SIGHAND,
    KCMP_SYSVSEM,
    KCMP_TYPES,
    KCMP_VM,
    MEMBARRIER_CMD_FLAG_CPU,
    MEMBARRIER_COMMANDS,
    MEMBARRIER_FLAGS,
    PIDFD_OPEN_FLAGS,
)
from pytracer.tables.constants.userfaultfd import UFFD_FLAGS

pidfd_open = syscall(
    "pidfd_open", pid=Pid(), flags=FlagSet(PIDFD_OPEN_FLAGS), returns=NewFd(), classes="desc"
)
pidfd_getfd = syscall("pidfd_getfd", pidfd=Fd(), targetfd=Int(), flags=Hex(), returns=NewFd())


class FdOf(Type):
    """A descriptor of another process, whose id is the argument ``pid``."""

    ctype = "int"

    def __init__(self, pid: str) -> None:
        self.pid = pid

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return planning.describe(at)

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)
        owner = scope.number(self.pid)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            fd = number(raw)
            if ctx.descriptors is None or fd < 0:
                return Descriptor(fd)
            pid = owner(ctx, frame)
            # What the call's memory tells of descriptors is of its own.
            memory = ctx.memory if pid == ctx.pid else None
            return Descriptor(fd, None, ctx.descriptors.about(pid, fd, memory))

        return decode


_BARE = (KCMP_FILES, KCMP_FS, KCMP_IO, KCMP_SIGHAND, KCMP_SYSVSEM, KCMP_VM)
SLOT = StructOf(efd=FdOf("pid2"), tfd=FdOf("pid2"), toff=UInt())
kcmp = syscall(
    "kcmp",
    pid1=Pid(),
    pid2=Pid(),
    type=Enum(KCMP_TYPES),
    idx1=Switch(
        on="type",
        cases={(KCMP_FILE, KCMP_EPOLL_TFD): FdOf("pid1"), _BARE: Absent()},
        default=Hex("kulong"),
    ),
    idx2=Switch(
        on="type",
        cases={KCMP_FILE: FdOf("pid2"), KCMP_EPOLL_TFD: In(SLOT), _BARE: Absent()},
        default=Hex("kulong"),
    ),
)


class Commands(Count):
    """What membarrier can do, where that was the question (command 0)."""

    def bind(self, scope: Scope) -> Result:
        plain = Count.bind(self, scope)
        in_hex = HexResult().bind(scope)
        number = scope.number("cmd")

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            if number(ctx, ctx.args) or not ctx.ret:
                return plain(ctx)
            names, rest = MEMBARRIER_COMMANDS.names_in(ctx.ret)
            return in_hex(ctx)[0], Flags(ctx.ret, names, rest, "", Base.HEX)

        return result


membarrier = syscall(
    "membarrier",
    cmd=Enum(MEMBARRIER_COMMANDS),
    flags=FlagSet(MEMBARRIER_FLAGS),
    cpu_id=Int().when(AnyBit("flags", MEMBARRIER_CMD_FLAG_CPU)),
    returns=Commands(),
)
userfaultfd = syscall("userfaultfd", flags=FlagSet(UFFD_FLAGS), returns=NewFd(), classes="desc")
