"""What became of a child: the status that the wait family reports, and what it used."""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.scalar import Number, Scalar
from pytracer.spec.values import Base, Integer, Joined, Phrase, Symbol, Value
from pytracer.tables.constants.process import PTRACE_EVENTS
from pytracer.tables.structs.signal import signal_name
from pytracer.tables.structs.time import TIMEVAL

# Source: the macros of wait(2), which the kernel leaves to the C library.
_CONTINUED = 0xFFFF
_CORE = 0x80


class WaitStatus(Scalar):
    """A wait status, in the words of the macros that take it apart."""

    def __init__(self) -> None:
        super().__init__("int")

    def make(self, number: int) -> Value:
        low = number & 0x7F
        code = number >> 8 & 0xFF
        if number & 0xFF == 0x7F:
            text = f"WIFSTOPPED(s) && WSTOPSIG(s) == {_signal(code & 0x7F)}"
            # PTRACE_O_TRACESYSGOOD marks the stops of system calls with this bit.
            text += " | 0x80" if code & 0x80 else ""
            rest = number & ~0xFFFF
        elif low and low != 0x7F:
            text = f"WIFSIGNALED(s) && WTERMSIG(s) == {_signal(low)}"
            text += " && WCOREDUMP(s)" if number & _CORE else ""
            rest = number & ~(low | _CORE)
        elif not low:
            text = f"WIFEXITED(s) && WEXITSTATUS(s) == {code}"
            rest = number & ~0xFF00
        elif number == _CONTINUED:
            text = "WIFCONTINUED(s)"
            rest = 0
        else:
            return Integer(number & 0xFFFFFFFF, Base.HEX)
        said = Phrase(f"{{{text}}}", number)
        parts: list[Value] = [said]
        event = (rest & 0xFFFFFFFF) >> 16
        if event:
            name = Symbol(event, PTRACE_EVENTS.name_of(event), PTRACE_EVENTS.unknown)
            parts.append(Joined((name, Integer(16)), "<<"))
        if rest & 0xFFFF:
            parts.append(Integer(rest & 0xFFFF, Base.HEX))
        return Joined(tuple(parts)) if len(parts) > 1 else said


def _signal(number: int) -> str:
    return signal_name(number) or str(number)


# struct rusage, include/uapi/linux/resource.h
RUSAGE = StructOf(
    brief=("ru_utime", "ru_stime"),
    ru_utime=TIMEVAL,
    ru_stime=TIMEVAL,
    ru_maxrss=Number("kulong"),
    ru_ixrss=Number("kulong"),
    ru_idrss=Number("kulong"),
    ru_isrss=Number("kulong"),
    ru_minflt=Number("kulong"),
    ru_majflt=Number("kulong"),
    ru_nswap=Number("kulong"),
    ru_inblock=Number("kulong"),
    ru_oublock=Number("kulong"),
    ru_msgsnd=Number("kulong"),
    ru_msgrcv=Number("kulong"),
    ru_nsignals=Number("kulong"),
    ru_nvcsw=Number("kulong"),
    ru_nivcsw=Number("kulong"),
)
