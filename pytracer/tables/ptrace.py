"""ptrace: looking into other processes, and driving them."""

from __future__ import annotations

from pytracer.spec.aggregate import ArrayOf
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Number, Pid, Pointer, Size
from pytracer.spec.switch import Absent, Switch
from pytracer.tables.constants import process as c
from pytracer.tables.structs.bpf_filter import Filter, seccomp_operand
from pytracer.tables.structs.ptrace import (
    PEEKSIGINFO_ARGS,
    FilterMetadata,
    SyscallInfo,
    UserOffset,
)
from pytracer.tables.structs.registers import Registers, RegisterSet
from pytracer.tables.structs.siginfo import SIGINFO
from pytracer.tables.structs.signal import SignalNumber, SigSetAt

_ON_PID = (c.PTRACE_ATTACH, c.PTRACE_INTERRUPT, c.PTRACE_KILL, c.PTRACE_LISTEN)
_WHOLE_SETS = (
    c.PTRACE_GETREGS,
    c.PTRACE_SETREGS,
    c.PTRACE_GETFPREGS,
    c.PTRACE_SETFPREGS,
)
_SIZED = (
    c.PTRACE_GETSIGMASK,
    c.PTRACE_SETSIGMASK,
    c.PTRACE_SECCOMP_GET_FILTER,
    c.PTRACE_SECCOMP_GET_METADATA,
    c.PTRACE_GET_SYSCALL_INFO,
    c.PTRACE_SET_SYSCALL_INFO,
)
_RESUMING = (
    c.PTRACE_CONT,
    c.PTRACE_DETACH,
    c.PTRACE_SYSCALL,
    c.PTRACE_SINGLESTEP,
    c.PTRACE_SINGLEBLOCK,
    c.PTRACE_SYSEMU,
    c.PTRACE_SYSEMU_SINGLESTEP,
)
_OPTIONS = (c.PTRACE_SEIZE, c.PTRACE_SETOPTIONS, c.PTRACE_OLDSETOPTIONS)
_PEEKING = (c.PTRACE_PEEKDATA, c.PTRACE_PEEKTEXT, c.PTRACE_PEEKUSER)
_SETS = (c.PTRACE_GETREGSET, c.PTRACE_SETREGSET)

ptrace = syscall(
    "ptrace",
    op=Enum(c.PTRACE_REQUESTS, "kulong"),
    pid=Switch(on="op", cases={c.PTRACE_TRACEME: Absent()}, default=Pid()),
    addr=Switch(
        on="op",
        cases={
            (c.PTRACE_TRACEME, *_ON_PID, *_WHOLE_SETS): Absent(),
            (c.PTRACE_PEEKUSER, c.PTRACE_POKEUSER): UserOffset(),
            _SETS: Enum(c.ELF_NOTES),
            _SIZED: Size(),
            c.PTRACE_PEEKSIGINFO: In(PEEKSIGINFO_ARGS),
        },
        default=Pointer(),
    ),
    data=Switch(
        on="op",
        cases={
            (c.PTRACE_TRACEME, *_ON_PID): Absent(),
            _RESUMING: SignalNumber(),
            _OPTIONS: FlagSet(c.PTRACE_OPTIONS, "kulong"),
            _PEEKING: Out(Pointer()),
            c.PTRACE_GETEVENTMSG: Out(Number("ulong")),
            c.PTRACE_SETSIGINFO: In(SIGINFO),
            c.PTRACE_GETSIGINFO: Out(SIGINFO),
            c.PTRACE_PEEKSIGINFO: Out(ArrayOf(SIGINFO, "ret")),
            c.PTRACE_SETSIGMASK: In(SigSetAt("addr")),
            c.PTRACE_GETSIGMASK: Out(SigSetAt("addr")),
            c.PTRACE_GETREGS: Out(Registers()),
            c.PTRACE_SETREGS: In(Registers()),
            c.PTRACE_GETFPREGS: Out(Registers(floating=True)),
            c.PTRACE_SETFPREGS: In(Registers(floating=True)),
            c.PTRACE_GETREGSET: RegisterSet("addr", got=True),
            c.PTRACE_SETREGSET: RegisterSet("addr", got=False),
            c.PTRACE_SECCOMP_GET_FILTER: Out(Filter(seccomp_operand, "ret")),
            c.PTRACE_SECCOMP_GET_METADATA: Out(FilterMetadata(c.SECCOMP_FILTER_FLAGS), failed=True),
            c.PTRACE_GET_SYSCALL_INFO: Out(SyscallInfo("addr", got=True)),
            c.PTRACE_SET_SYSCALL_INFO: In(SyscallInfo("addr", got=False)),
        },
        default=Pointer(),
    ),
)
