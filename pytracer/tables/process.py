"""Making processes and threads, running programs, waiting and ending."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import I386, X32, X86_64
from pytracer.spec.aggregate import NullTerminated
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.entry import syscall
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import Cstr, Out, OutIf, Path
from pytracer.spec.returns import NoReturn, PidResult, ReapedResult
from pytracer.spec.scalar import DirFd, Enum, Fd, FlagSet, GroupId, Int, Pid, Pointer, Size
from pytracer.spec.switch import Switch
from pytracer.spec.type import AnyBit, DecodeAt, NoBit, Scope, Wrapper
from pytracer.spec.values import Address, Array, Titled, Value
from pytracer.tables.constants.files import AT_FLAGS_EXECVEAT
from pytracer.tables.constants.process import (
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_PARENT_SETTID,
    CLONE_PIDFD,
    CLONE_SETTLS,
    P_PGID,
    P_PID,
    P_PIDFD,
    SETNS_TYPES,
    UNSHARE_FLAGS,
    WAIT_OPTIONS,
    WAITID_TYPES,
    WNOWAIT,
)
from pytracer.tables.structs.clone import CLONE_ARGS, CLONE_ARGS_I386, Changes, CloneFlags
from pytracer.tables.structs.siginfo import SIGINFO
from pytracer.tables.structs.userdesc import USER_DESC
from pytracer.tables.structs.waitstatus import RUSAGE, WaitStatus

ARGUMENTS = NullTerminated(Cstr())
# Environments of more variables than this are not counted to their end by a capture.
MOST_VARIABLES = 1024


class Environment(NullTerminated):
    """The variables that a program is given; abbreviated to how many they are."""

    def __init__(self) -> None:
        super().__init__(Cstr())

    def bind_at(self, scope: Scope) -> DecodeAt:
        word = scope.abi.word
        list_all = super().bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            if ctx.elements > ctx.string_bytes + 1:
                return list_all(ctx, address, frame)  # type: ignore[no-any-return]
            if not address:
                return Address(0)
            count, complete = _count(ctx, address, word)
            if not count and not complete:
                return Address(address)
            note = f"{count} var" if count == 1 else f"{count} vars"
            note = note if complete else f"{note}, unterminated"
            return Array((), address, note=note, hidden=True)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        if planning.whole:
            return super().fetches_at(at, planning)
        limit = MOST_VARIABLES * planning.abi.word
        return (Fetch(at, planning.phase, Length(From.CONST, limit), limit),)


def _count(ctx: Context, address: int, word: int) -> tuple[int, bool]:
    """Count pointers up to a NULL; false when memory ends before it."""
    count = 0
    step = 64 * word
    while True:
        data = ctx.memory.read_some(address, step)
        if not isinstance(data, bytes):
            return count, False
        for offset in range(0, len(data) - word + 1, word):
            if not any(data[offset : offset + word]):
                return count, True
            count += 1
        if len(data) < step:
            return count, False
        address += step


ENVIRONMENT = Environment()

execve = syscall("execve", pathname=Path(), argv=ARGUMENTS, envp=ENVIRONMENT, classes="process")
execveat = syscall(
    "execveat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    argv=ARGUMENTS,
    envp=ENVIRONMENT,
    flags=FlagSet(AT_FLAGS_EXECVEAT),
    classes="process",
)


class Called(Wrapper):
    """An argument that is shown with its name."""

    def __init__(self, title: str, inner: Any) -> None:
        super().__init__(inner)
        self.title = title

    def bind(self, scope: Scope) -> Decode:
        decode_inner = self.inner.bind(scope)
        title = self.title

        def decode(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            value = decode_inner(ctx, raw, frame)
            return value if value is None or value is LATER else Titled(title, value)

        return decode


class AtExit(Wrapper):
    """An argument shown once the call has returned, if ``mask`` holds of ``flags`` at all."""

    def __init__(self, inner: Any, flags: str, mask: int) -> None:
        super().__init__(inner)
        self.condition = AnyBit(flags, mask)

    def bind(self, scope: Scope) -> Decode:
        decode_inner = self.inner.bind(scope)
        holds = self.condition.bind(scope)

        def decode(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting and holds(ctx, frame):
                return LATER
            return decode_inner(ctx, raw, frame)

        return decode

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.inner.fetches(at, planning.at_exit())


_TIDS = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID
_PARENT = CLONE_PARENT_SETTID | CLONE_PIDFD

CLONE_STACK = Called("child_stack", Pointer())
CLONE_FLAGS_ARGUMENT = Called("flags", CloneFlags())
CLONE_PARENT = AtExit(
    Called(
        "parent_tid",
        Switch(
            on="flags",
            mask=CLONE_PARENT_SETTID,
            cases={CLONE_PARENT_SETTID: Out(Pid())},
            default=Out(Fd()),
        ),
    ).when(AnyBit("flags", _PARENT)),
    "flags",
    _PARENT | _TIDS | CLONE_SETTLS,
)
CLONE_CHILD = Called("child_tidptr", Pointer()).when(AnyBit("flags", _TIDS))
CLONE_ORDER = ("child_stack", "flags", "parent_tid", "tls", "child_tidptr")

clone = syscall(
    "clone",
    flags=CLONE_FLAGS_ARGUMENT,
    child_stack=CLONE_STACK,
    parent_tid=CLONE_PARENT,
    child_tidptr=CLONE_CHILD,
    tls=Called("tls", Pointer()).when(AnyBit("flags", CLONE_SETTLS)),
    order=CLONE_ORDER,
    returns=PidResult(),
    classes="process",
    abis=(X86_64, X32),
)
clone_i386 = syscall(
    "clone",
    flags=CLONE_FLAGS_ARGUMENT,
    child_stack=CLONE_STACK,
    parent_tid=CLONE_PARENT,
    tls=Called("tls", Out(USER_DESC)).when(AnyBit("flags", CLONE_SETTLS)),
    child_tidptr=CLONE_CHILD,
    order=CLONE_ORDER,
    returns=PidResult(),
    classes="process",
    abis=(I386,),
)
for _abis, _args in (((X86_64, X32), CLONE_ARGS), ((I386,), CLONE_ARGS_I386)):
    syscall(
        "clone3",
        cl_args=_args,
        size=Size(),
        changes=Changes(),
        order=("cl_args", "changes", "size"),
        returns=PidResult(),
        classes="process",
        abis=_abis,
    )
fork = syscall("fork", returns=PidResult(), classes="process")
vfork = syscall("vfork", returns=PidResult(), classes="process")
exit_ = syscall("exit", status=Int(), returns=NoReturn(), classes="process")
exit_group = syscall("exit_group", status=Int(), returns=NoReturn(), classes="process")


def reaped(result: int) -> bool:
    """Whether a wait call came back with a child: only then has it written a status."""
    return result > 0


class Status(OutIf):
    """Where the status of a child was put: it was, if there is one."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner, reaped)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.inner.fetches_at(at, planning.at_exit())


WAIT = FlagSet(WAIT_OPTIONS)


class WaitedFor(Wrapper):
    """What waitid tells of a process, which is gone then, unless it was to be left as it is."""

    def bind(self, scope: Scope) -> Decode:
        decode_inner = self.inner.bind(scope)
        left = NoBit("options", WNOWAIT).bind(scope)
        place = (
            -(-12 // scope.abi.word) * scope.abi.word
        )  # si_pid, include/uapi/asm-generic/siginfo.h

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if ctx.exiting and ctx.processes is not None and left(ctx, frame):
                data = ctx.memory.read(raw + place, 4)
                if isinstance(data, bytes):
                    ctx.processes.reaped(int.from_bytes(data, "little"), ctx.pid)
            return decode_inner(ctx, raw, frame)

        return decode


wait4 = syscall(
    "wait4",
    pid=Pid(),
    status=Status(WaitStatus()),
    options=WAIT,
    usage=Status(RUSAGE),
    returns=ReapedResult(),
    classes="process",
)
waitpid = syscall(
    "waitpid",
    pid=Pid(),
    status=Status(WaitStatus()),
    options=WAIT,
    returns=ReapedResult(),
    classes="process",
)
waitid = syscall(
    "waitid",
    idtype=Enum(WAITID_TYPES),
    id=Switch(on="idtype", cases={P_PID: Pid(), P_PGID: GroupId(), P_PIDFD: Fd()}, default=Int()),
    siginfo=WaitedFor(Out(SIGINFO)),
    options=WAIT,
    usage=Out(RUSAGE),
    classes="process",
)

unshare = syscall("unshare", flags=FlagSet(UNSHARE_FLAGS, "kulong"))
setns = syscall("setns", fd=Fd(), nstype=FlagSet(SETNS_TYPES))
