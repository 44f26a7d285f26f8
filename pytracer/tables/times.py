"""Clocks, timers and sleep."""

from __future__ import annotations

from collections.abc import Callable

from pytracer.spec.abi import I386
from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out, OutIf
from pytracer.spec.returns import NewFd, Result, Returns
from pytracer.spec.scalar import Enum, Fd, FlagSet, Int
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Integer, Phrase, Value
from pytracer.tables.constants.times import (
    ADJTIMEX_STATES,
    CLOCKS,
    ITIMER_WHICH,
    TFD_FLAGS,
    TIMER_FLAGS,
)
from pytracer.tables.structs.clock import TIMEX, TIMEX64, TIMEZONE, Remaining, TimeAt
from pytracer.tables.structs.restart import Resumed
from pytracer.tables.structs.sigevent import SIGEVENT
from pytracer.tables.structs.ticks import Ticks
from pytracer.tables.structs.time import (
    ITIMERSPEC,
    ITIMERSPEC64,
    ITIMERVAL,
    TIMESPEC,
    TIMESPEC64,
    TIMEVAL,
    date,
)

# The kernel's own results of a call that a signal interrupted, include/linux/errno.h.
RESTARTS = frozenset({-512, -513, -514, -516})


def interrupted(result: int) -> bool:
    """Whether a signal cut the call short: only then is the time that was left told."""
    return result in RESTARTS


class StateResult(Returns):
    """The state of the clock: a number with a name."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            name = ADJTIMEX_STATES.name_of(ctx.ret)
            return Integer(ctx.ret), Phrase(name, ctx.ret) if name else None

        return result


class TimeResult(Returns):
    """Seconds since the epoch, with their date."""

    def bind(self, scope: Scope) -> Result:
        def result(ctx: Context) -> tuple[Value | None, Value | None]:
            when = date(ctx.ret)
            return Integer(ctx.ret), Phrase(when, ctx.ret) if when else None

        return result


CLOCK = Enum(CLOCKS)
FLAGS = FlagSet(TIMER_FLAGS)
TIMERFD_FLAGS = FlagSet(TFD_FLAGS)
WHICH = Enum(ITIMER_WHICH)

time = syscall("time", tloc=Out(TimeAt()), returns=TimeResult(), classes="clock")
stime = syscall("stime", t=Out(TimeAt()), abis=(I386,))
gettimeofday = syscall("gettimeofday", tv=Out(TIMEVAL), tz=Out(TIMEZONE), classes="clock")
settimeofday = syscall("settimeofday", tv=In(TIMEVAL), tz=In(TIMEZONE), classes="clock")
getitimer = syscall("getitimer", which=WHICH, curr_value=Out(ITIMERVAL))
setitimer = syscall("setitimer", which=WHICH, new_value=In(ITIMERVAL), old_value=Out(ITIMERVAL))
times = syscall(
    "times",
    buf=Out(StructOf(tms_utime=Ticks(), tms_stime=Ticks(), tms_cutime=Ticks(), tms_cstime=Ticks())),
)
adjtimex = syscall("adjtimex", buf=Out(TIMEX), returns=StateResult(), classes="clock")
nanosleep = syscall("nanosleep", req=In(TIMESPEC), rem=OutIf(TIMESPEC, interrupted))

timerfd_create = syscall(
    "timerfd_create", clockid=CLOCK, flags=TIMERFD_FLAGS, returns=NewFd(), classes="desc"
)
timer_create = syscall("timer_create", clockid=CLOCK, sevp=In(SIGEVENT), timerid=Out(Int()))
timer_getoverrun = syscall("timer_getoverrun", timerid=Int())
timer_delete = syscall("timer_delete", timerid=Int())


def _timed(names: Callable[[str], str], timespec: Type, itimerspec: Type, timex: Type) -> None:
    """Describe the calls that exist once for each width of a time."""
    abis = (I386,) if timespec is TIMESPEC64 else ()
    for settime, kind in (("clock_settime", In), ("clock_gettime", Out), ("clock_getres", Out)):
        syscall(names(settime), clockid=CLOCK, tp=kind(timespec), classes="clock", abis=abis)
    syscall(
        names("clock_adjtime"),
        clockid=CLOCK,
        buf=Out(timex),
        returns=StateResult(),
        classes="clock",
        abis=abis,
    )
    syscall(
        names("clock_nanosleep"),
        clockid=CLOCK,
        flags=FLAGS,
        request=In(timespec),
        remain=Remaining(timespec, interrupted),
        abis=abis,
    )
    syscall(
        names("timer_settime"),
        timerid=Int(),
        flags=FLAGS,
        new_value=In(itimerspec),
        old_value=Out(itimerspec),
        abis=abis,
    )
    syscall(
        names("timer_gettime"),
        timerid=Int(),
        curr_value=Out(itimerspec),
        abis=abis,
    )
    syscall(
        names("timerfd_settime"),
        fd=Fd(),
        flags=TIMERFD_FLAGS,
        new_value=In(itimerspec),
        old_value=Out(itimerspec),
        abis=abis,
    )
    syscall(names("timerfd_gettime"), fd=Fd(), curr_value=Out(itimerspec), abis=abis)


# Calls for which the suffix of the wide form is not a plain 64.
_TIME64 = frozenset({"clock_getres", "clock_nanosleep"})

_timed(lambda name: name, TIMESPEC, ITIMERSPEC, TIMEX)
_timed(
    lambda name: f"{name}_time64" if name in _TIME64 else f"{name}64",
    TIMESPEC64,
    ITIMERSPEC64,
    TIMEX64,
)

# Which call is gone on with is no argument: it has no name, and no register.
syscall("restart_syscall", _=Resumed())
