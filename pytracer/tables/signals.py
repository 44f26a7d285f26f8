"""Sending, handling, blocking and waiting for signals."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import I386
from pytracer.spec.context import Context, Decode
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Kept, Out
from pytracer.spec.returns import HexResult, Result, Returns
from pytracer.spec.scalar import Enum, Fd, FlagSet, Pid, Size, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.type import Scope
from pytracer.spec.values import Address, Base, Integer, Joined, Phrase, Value
from pytracer.tables.constants.process import PIDFD_SIGNAL_FLAGS
from pytracer.tables.constants.signals import SIG_HANDLERS, SIGPROCMASK_HOW
from pytracer.tables.structs.sigframe import OldSigFrame, RtSigFrame
from pytracer.tables.structs.siginfo import SIGINFO
from pytracer.tables.structs.signal import (
    OLD_SIGACTION,
    SIGACTION,
    STACK_T,
    Handler,
    OldSigSetAt,
    SignalNumber,
    SigSet,
    SigSetAt,
    signal_name,
    signal_set,
)
from pytracer.tables.structs.time import TIMESPEC, TIMESPEC64

HOW = Enum(SIGPROCMASK_HOW)
SET = SigSetAt("sigsetsize")


class WantedInfo(Out):
    """Where a signal is to be told about; nothing waits for the exit when it is not wanted."""

    def bind(self, scope: Scope) -> Decode:
        decode_out = super().bind(scope)
        nowhere = Address(0)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            return decode_out(ctx, raw, frame) if raw else nowhere

        return decode


class SignalResult(Returns):
    """The number of a signal, and its name."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            name = signal_name(ctx.ret) if ctx.ret else None
            return Integer(ctx.ret), Phrase(name, ctx.ret) if name else None

        return result


class OldMaskResult(HexResult):
    """A word of signals, in hexadecimal, with the set it stands for. ``title``: said before it."""

    def __init__(self, title: str) -> None:
        self.title = title

    def bind(self, scope: Scope) -> Result:
        size = scope.abi.word

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            word = ctx.ret & (1 << 8 * size) - 1
            note = Joined((Phrase(self.title), signal_set(word.to_bytes(size, "little"))), " ")
            return Integer(word, Base.HEX), note

        return result


class HandlerResult(HexResult):
    """The former handler of a signal: an address, or a name behind the number."""

    def bind(self, scope: Scope) -> Result:
        mask = (1 << 8 * scope.abi.register_bytes) - 1
        names = {value & mask: name for value, name in SIG_HANDLERS.entries}

        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            handler = ctx.ret & mask
            name = names.get(handler)
            return Integer(handler, Base.HEX), Phrase(name, handler) if name else None

        return result


kill = syscall("kill", pid=Pid(), signum=SignalNumber(), classes="signal process")
tkill = syscall("tkill", tid=Pid(), signum=SignalNumber(), classes="signal process")
tgkill = syscall("tgkill", tgid=Pid(), tid=Pid(), signum=SignalNumber(), classes="signal process")
rt_sigqueueinfo = syscall(
    "rt_sigqueueinfo",
    tgid=Pid(),
    signum=SignalNumber(),
    info=In(SIGINFO),
    classes="signal process",
)
rt_tgsigqueueinfo = syscall(
    "rt_tgsigqueueinfo",
    tgid=Pid(),
    tid=Pid(),
    signum=SignalNumber(),
    info=In(SIGINFO),
    classes="signal process",
)
pidfd_send_signal = syscall(
    "pidfd_send_signal",
    pidfd=Fd(),
    signum=SignalNumber(),
    info=In(SIGINFO),
    flags=FlagSet(PIDFD_SIGNAL_FLAGS),
    classes="signal process",
)

rt_sigaction = syscall(
    "rt_sigaction",
    signum=SignalNumber(),
    act=In(SIGACTION),
    oldact=Out(SIGACTION),
    sigsetsize=Size(),
    classes="signal",
)
rt_sigprocmask = syscall(
    "rt_sigprocmask", how=HOW, set=SET, oldset=Out(SET), sigsetsize=Size(), classes="signal"
)
rt_sigpending = syscall(
    "rt_sigpending", set=Out(SigSetAt("sigsetsize", least=1)), sigsetsize=Size(), classes="signal"
)
rt_sigsuspend = syscall("rt_sigsuspend", set=SET, sigsetsize=Size(), classes="signal")
rt_sigreturn = syscall("rt_sigreturn", classes="signal", _=RtSigFrame())
sigreturn = syscall("sigreturn", classes="signal", abis=(I386,), _=OldSigFrame())
rt_sigtimedwait = syscall(
    "rt_sigtimedwait",
    set=SET,
    info=WantedInfo(SIGINFO),
    timeout=Kept(In(TIMESPEC)),
    sigsetsize=Size(),
    returns=SignalResult(),
    classes="signal",
)
rt_sigtimedwait_time64 = syscall(
    "rt_sigtimedwait_time64",
    set=SET,
    info=WantedInfo(SIGINFO),
    timeout=Kept(In(TIMESPEC64)),
    sigsetsize=Size(),
    returns=SignalResult(),
    classes="signal",
    abis=(I386,),
)
sigaltstack = syscall("sigaltstack", ss=In(STACK_T), old_ss=Out(STACK_T), classes="signal")
pause = syscall("pause", classes="signal")
alarm = syscall("alarm", seconds=UInt())

# The calls of i386 that precede the real-time signals.
sigaction = syscall(
    "sigaction",
    signum=SignalNumber(),
    act=In(OLD_SIGACTION),
    oldact=Out(OLD_SIGACTION),
    classes="signal",
    abis=(I386,),
)
signal = syscall(
    "signal",
    signum=SignalNumber(),
    handler=Handler(),
    returns=HandlerResult(),
    classes="signal",
    abis=(I386,),
)
sigprocmask = syscall(
    "sigprocmask",
    how=HOW,
    set=OldSigSetAt(),
    oldset=Out(OldSigSetAt()),
    classes="signal",
    abis=(I386,),
)
sigpending = syscall("sigpending", set=Out(OldSigSetAt()), classes="signal", abis=(I386,))
sigsuspend = syscall(
    "sigsuspend",
    unused1=Absent(),
    unused2=Absent(),
    mask=SigSet("ulong"),
    classes="signal",
    abis=(I386,),
)
sgetmask = syscall("sgetmask", returns=OldMaskResult("mask"), classes="signal", abis=(I386,))
ssetmask = syscall(
    "ssetmask",
    newmask=SigSet("uint"),
    returns=OldMaskResult("old mask"),
    classes="signal",
    abis=(I386,),
)
