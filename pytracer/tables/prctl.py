"""prctl: several dozen calls in one."""

from __future__ import annotations

from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Cstr, In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, Long, Number, Pid, Pointer, Size, UInt
from pytracer.spec.switch import Absent, Choice, Switch
from pytracer.spec.type import Type
from pytracer.spec.values import Base
from pytracer.tables.constants import process as c
from pytracer.tables.structs.bpf_filter import SECCOMP_PROGRAM
from pytracer.tables.structs.prctl import (
    Comm,
    DeathSignal,
    KernelPointer,
    PidType,
    ResultOf,
    Tagging,
    Tracer,
    VectorLength,
    VectorState,
    flagged,
    named,
    tagging,
    vector_length,
)
from pytracer.tables.structs.signal import SignalNumber

_COMM = 16  # TASK_COMM_LEN, include/linux/sched.h
_ABSENT = Absent()
_HEX = Hex("kulong")
Cases = dict[int | tuple[int, ...], Type]

_NO_ARGUMENT = (
    c.PR_GET_KEEPCAPS,
    c.PR_GET_SECCOMP,
    c.PR_GET_TIMERSLACK,
    c.PR_GET_TIMING,
    c.PR_GET_DUMPABLE,
    c.PR_GET_SECUREBITS,
    c.PR_GET_FP_MODE,
    c.PR_SVE_GET_VL,
    c.PR_SME_GET_VL,
    c.PR_TASK_PERF_EVENTS_DISABLE,
    c.PR_TASK_PERF_EVENTS_ENABLE,
    c.PR_RISCV_V_GET_CONTROL,
)
_ONE: Cases = {
    (
        c.PR_GET_CHILD_SUBREAPER,
        c.PR_GET_ENDIAN,
        c.PR_GET_FPEMU,
        c.PR_GET_FPEXC,
    ): Out(UInt()),
    c.PR_GET_NAME: Out(Comm(_COMM)),
    c.PR_GET_PDEATHSIG: Out(SignalNumber()),
    c.PR_GET_TID_ADDRESS: Out(KernelPointer()),
    c.PR_GET_TSC: Out(Enum(c.PR_TSC)),
    c.PR_GET_UNALIGN: Out(FlagSet(c.PR_UNALIGN)),
    c.PR_SVE_SET_VL: VectorLength(c.PR_SVE_VL_FLAGS),
    c.PR_SME_SET_VL: VectorLength(c.PR_SME_VL_FLAGS),
    c.PR_GET_SPECULATION_CTRL: Enum(c.PR_SPEC_FEATURES, "kulong"),
    (
        c.PR_SET_CHILD_SUBREAPER,
        c.PR_SET_ENDIAN,
        c.PR_SET_FPEMU,
        c.PR_SET_FPEXC,
        c.PR_SET_KEEPCAPS,
        c.PR_SET_TIMING,
    ): Size(),
    c.PR_SET_DUMPABLE: Enum(c.PR_DUMPABLE, "kulong"),
    (c.PR_CAPBSET_DROP, c.PR_CAPBSET_READ): Enum(c.CAPS, "kulong"),
    c.PR_SET_NAME: Comm(_COMM - 1),
    c.PR_SET_PDEATHSIG: DeathSignal(),
    c.PR_SET_PTRACER: Tracer(),
    c.PR_SET_SECUREBITS: FlagSet(c.SECBITS, "kulong"),
    c.PR_SET_TIMERSLACK: Long(),
    c.PR_SET_TSC: Enum(c.PR_TSC),
    c.PR_SET_UNALIGN: FlagSet(c.PR_UNALIGN),
    c.PR_SET_FP_MODE: FlagSet(c.PR_FP_MODES),
    c.PR_RISCV_V_SET_CONTROL: VectorState(),
}
_ONE_ARGUMENT = tuple(
    option for key in _ONE for option in (key if isinstance(key, tuple) else (key,))
)
_TWO_ARGUMENTS = (c.PR_SET_SPECULATION_CTRL, c.PR_RISCV_SET_ICACHE_FLUSH_CTX)
_SPECULATION = (c.PR_SPEC_STORE_BYPASS, c.PR_SPEC_INDIRECT_BRANCH, c.PR_SPEC_L1D_FLUSH)
_ON_CAPABILITY = (c.PR_CAP_AMBIENT_RAISE, c.PR_CAP_AMBIENT_LOWER, c.PR_CAP_AMBIENT_IS_SET)


def _by_option(cases: Cases) -> Switch:
    return Switch(on="op", cases=cases, default=_HEX)


def _by_second(cases: Cases, default: Type = _HEX) -> Choice:
    return Choice(on="arg2", cases=cases, default=default)


arg2 = _by_option(
    {
        _NO_ARGUMENT: _ABSENT,
        **_ONE,
        c.PR_SET_TAGGED_ADDR_CTRL: Tagging(),
        c.PR_CAP_AMBIENT: Enum(c.PR_CAP_AMBIENT_OPS, "kulong"),
        c.PR_MCE_KILL: Enum(c.PR_MCE_KILL_OPS, "kulong"),
        c.PR_SET_VMA: Enum(c.PR_SET_VMA_OPS, "kulong"),
        c.PR_SET_MM: Enum(c.PR_SET_MM_OPS),
        c.PR_SET_SECCOMP: Enum(c.SECCOMP_MODES, "kulong"),
        (c.PR_SET_NO_NEW_PRIVS, c.PR_SET_THP_DISABLE, c.PR_SET_IO_FLUSHER): Size(),
        c.PR_SET_SPECULATION_CTRL: Enum(c.PR_SPEC_FEATURES, "kulong"),
        c.PR_PAC_RESET_KEYS: FlagSet(c.PR_PAC_KEYS, "kulong"),
        c.PR_PAC_SET_ENABLED_KEYS: FlagSet(c.PR_PAC_ENABLED_KEYS, "kulong"),
        c.PR_SET_SYSCALL_USER_DISPATCH: Enum(c.PR_SYS_DISPATCH_OPS, "kulong"),
        c.PR_SCHED_CORE: Enum(c.PR_SCHED_CORE_OPS),
        c.PR_SET_MDWE: FlagSet(c.PR_MDWE_FLAGS, "kulong"),
        c.PR_RISCV_SET_ICACHE_FLUSH_CTX: Enum(c.PR_RISCV_FENCEI, "kulong"),
        (c.PR_PPC_GET_DEXCR, c.PR_PPC_SET_DEXCR): Enum(c.PR_PPC_DEXCR_ASPECTS, "kulong"),
    }
)
arg3 = _by_option(
    {
        (*_NO_ARGUMENT, *_ONE_ARGUMENT): _ABSENT,
        c.PR_CAP_AMBIENT: _by_second({_ON_CAPABILITY: Enum(c.CAPS, "kulong")}),
        c.PR_MCE_KILL: _by_second({c.PR_MCE_KILL_SET: Enum(c.PR_MCE_KILL_POLICIES, "kulong")}),
        c.PR_SET_VMA: _by_second({c.PR_SET_VMA_ANON_NAME: Pointer()}),
        c.PR_SET_SECCOMP: _by_second(
            {c.SECCOMP_MODE_STRICT: _ABSENT, c.SECCOMP_MODE_FILTER: In(SECCOMP_PROGRAM)}
        ),
        c.PR_SET_SPECULATION_CTRL: _by_second({_SPECULATION: Enum(c.PR_SPEC_SET_FLAGS, "kulong")}),
        c.PR_PAC_SET_ENABLED_KEYS: FlagSet(c.PR_PAC_ENABLED_KEYS, "kulong"),
        c.PR_SCHED_CORE: Pid(),
        c.PR_RISCV_SET_ICACHE_FLUSH_CTX: Enum(c.PR_RISCV_SCOPES, "kulong"),
        c.PR_PPC_SET_DEXCR: FlagSet(c.PR_PPC_DEXCR_CTRL, "kulong"),
    }
)
_SHORT = (*_NO_ARGUMENT, *_ONE_ARGUMENT, *_TWO_ARGUMENTS)
_MODES = (c.SECCOMP_MODE_STRICT, c.SECCOMP_MODE_FILTER)
arg4 = _by_option(
    {
        _SHORT: _ABSENT,
        c.PR_SET_VMA: _by_second({c.PR_SET_VMA_ANON_NAME: Size()}),
        c.PR_SET_SECCOMP: _by_second({_MODES: _ABSENT}),
        c.PR_SCHED_CORE: PidType(),
    }
)
arg5 = _by_option(
    {
        _SHORT: _ABSENT,
        c.PR_SET_VMA: _by_second({c.PR_SET_VMA_ANON_NAME: Cstr()}),
        c.PR_SET_SECCOMP: _by_second({_MODES: _ABSENT}),
        c.PR_SET_SYSCALL_USER_DISPATCH: Pointer(),
        c.PR_SCHED_CORE: _by_second({c.PR_SCHED_CORE_GET: Out(Number("u64", Base.HEX))}),
    }
)

prctl = syscall(
    "prctl",
    op=Enum(c.PRCTL_OPTIONS),
    arg2=arg2,
    arg3=arg3,
    arg4=arg4,
    arg5=arg5,
    returns=ResultOf(
        "op",
        {
            c.PR_GET_DUMPABLE: named(c.PR_DUMPABLE),
            c.PR_MCE_KILL_GET: named(c.PR_MCE_KILL_POLICIES),
            c.PR_GET_SECUREBITS: flagged(c.SECBITS),
            c.PR_GET_FP_MODE: flagged(c.PR_FP_MODES),
            c.PR_GET_MDWE: flagged(c.PR_MDWE_FLAGS),
            c.PR_GET_SPECULATION_CTRL: flagged(c.PR_SPEC_GET_FLAGS, zero=True),
            c.PR_PAC_GET_ENABLED_KEYS: flagged(c.PR_PAC_ENABLED_KEYS, zero=True),
            c.PR_GET_TAGGED_ADDR_CTRL: lambda number: (True, tagging(number)),
            **{
                option: lambda number, xlat=xlat: (  # type: ignore[misc]
                    (True, vector_length(xlat, number)) if number else (False, None)
                )
                for xlat, options in (
                    (c.PR_SVE_VL_FLAGS, (c.PR_SVE_SET_VL, c.PR_SVE_GET_VL)),
                    (c.PR_SME_VL_FLAGS, (c.PR_SME_SET_VL, c.PR_SME_GET_VL)),
                )
                for option in options
            },
        },
    ),
    classes="creds",
)
