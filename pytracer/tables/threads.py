"""Futexes, thread-local storage and what else makes threads work."""

from __future__ import annotations

from pytracer.spec.abi import I386, Layout
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Number, Pid, Pointer, Size, UInt
from pytracer.spec.switch import Absent, Switch
from pytracer.spec.type import Type
from pytracer.tables.constants.futex import (
    FUTEX_BITSETS,
    FUTEX_CMP_REQUEUE,
    FUTEX_CMP_REQUEUE_PI,
    FUTEX_FD,
    FUTEX_LOCK_PI,
    FUTEX_LOCK_PI2,
    FUTEX_OPS,
    FUTEX_REQUEUE,
    FUTEX_TRYLOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_WAIT,
    FUTEX_WAIT_BITSET,
    FUTEX_WAIT_REQUEUE_PI,
    FUTEX_WAKE,
    FUTEX_WAKE_BITSET,
    FUTEX_WAKE_OP,
)
from pytracer.tables.constants.process import RSEQ_FLAGS
from pytracer.tables.constants.times import CLOCKS
from pytracer.tables.structs.futex import FUTEX2, RseqArea, Waiters, WakeOperation
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64

# An operation has its own meaning of the registers; private, clock and list bits do not change it.
_OPERATION = 0x7F


_VALUELESS = (FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_LOCK_PI2)
_TIMED = (FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI)
_COUNTED = (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_CMP_REQUEUE_PI, FUTEX_WAKE_OP)
_BITSETS = (FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET)
_COMPARED = (FUTEX_CMP_REQUEUE, FUTEX_CMP_REQUEUE_PI)
_SHORT = (FUTEX_WAKE, FUTEX_FD, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAKE_BITSET)
_ONE_FUTEX = (*_SHORT, FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_BITSET)
_NO_THIRD = (
    *(op for op in _ONE_FUTEX if op not in _BITSETS),
    FUTEX_REQUEUE,
    FUTEX_WAIT_REQUEUE_PI,
)


def _switch(cases: dict[int | tuple[int, ...], Type], default: Type) -> Switch:
    return Switch(on="futex_op", mask=_OPERATION, cases=cases, default=default)


def _futex(name: str, timespec: Type, abis: tuple[Layout, ...] = ()) -> None:
    """Describe futex with one width of a time."""
    syscall(
        name,
        uaddr=Pointer(),
        futex_op=Enum(FUTEX_OPS),
        val=_switch({_VALUELESS: Absent()}, UInt()),
        timeout=_switch({_TIMED: In(timespec), _COUNTED: UInt(), _SHORT: Absent()}, Pointer()),
        uaddr2=_switch({_ONE_FUTEX: Absent()}, Pointer()),
        val3=_switch(
            {
                _BITSETS: Enum(FUTEX_BITSETS),
                _COMPARED: UInt(),
                FUTEX_WAKE_OP: WakeOperation(),
                _NO_THIRD: Absent(),
            },
            Hex(),
        ),
        abis=abis,
    )


_futex("futex", TIMESPEC)
_futex("futex_time64", TIMESPEC64, (I386,))

CLOCK = Enum(CLOCKS)
MASK = Enum(FUTEX_BITSETS, "kulong")

futex_waitv = syscall(
    "futex_waitv",
    waiters=In(Waiters("nr_futexes")),
    nr_futexes=UInt(),
    flags=Hex(),
    timeout=In(TIMESPEC64),
    clockid=CLOCK,
)
futex_wake = syscall("futex_wake", uaddr=Pointer(), mask=MASK, nr=Int(), flags=FUTEX2)
futex_wait = syscall(
    "futex_wait",
    uaddr=Pointer(),
    val=Size(),
    mask=MASK,
    flags=FUTEX2,
    timeout=In(TIMESPEC64),
    clockid=CLOCK,
)
futex_requeue = syscall(
    "futex_requeue", waiters=In(Waiters(2)), flags=Hex(), nr_wake=Int(), nr_requeue=Int()
)
set_robust_list = syscall("set_robust_list", addr=Pointer(), length=Size())
get_robust_list = syscall(
    "get_robust_list", pid=Pid(), head_ptr=Out(Pointer()), len_ptr=Out(Number("ulong"))
)
rseq = syscall(
    "rseq",
    rseq=RseqArea("rseq_len"),
    rseq_len=UInt(),
    flags=FlagSet(RSEQ_FLAGS),
    sig=Hex(),
)
rseq_slice_yield = syscall("rseq_slice_yield")
uretprobe = syscall("uretprobe")
set_tid_address = syscall("set_tid_address", tidptr=Hex("kulong"))
