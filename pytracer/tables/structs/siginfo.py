"""siginfo_t: why a signal was sent, and by whom."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pytracer.spec.abi import I386, X32, X86_64, Layout
from pytracer.spec.context import Context, Decode, Descriptors, Processes
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import (
    Address,
    Base,
    Descriptor,
    Flags,
    Integer,
    Noted,
    ProcessId,
    Struct,
    Symbol,
    Value,
)
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.process import AUDIT_ARCH
from pytracer.tables.constants.signals import (
    SI_CODES,
    SI_CODES_SIGBUS,
    SI_CODES_SIGCHLD,
    SI_CODES_SIGFPE,
    SI_CODES_SIGILL,
    SI_CODES_SIGPOLL,
    SI_CODES_SIGPROF,
    SI_CODES_SIGSEGV,
    SI_CODES_SIGSYS,
    SI_CODES_SIGTRAP,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGIO,
    SIGPROF,
    SIGSEGV,
    SIGSYS,
    SIGTRAP,
    TRAP_PERF_FLAGS,
)
from pytracer.tables.structs.signal import signal_name
from pytracer.tables.structs.ticks import ticks

SIGINFO_BYTES = 128  # SI_MAX_SIZE, include/uapi/asm-generic/siginfo.h

SI_USER = SI_CODES.value_of("SI_USER")
SI_TIMER = SI_CODES.value_of("SI_TIMER")
SI_SIGIO = SI_CODES.value_of("SI_SIGIO")
CLD_EXITED = SI_CODES_SIGCHLD.value_of("CLD_EXITED")
BUS_MCEERR_AR = SI_CODES_SIGBUS.value_of("BUS_MCEERR_AR")
BUS_MCEERR_AO = SI_CODES_SIGBUS.value_of("BUS_MCEERR_AO")
SEGV_BNDERR = SI_CODES_SIGSEGV.value_of("SEGV_BNDERR")
SEGV_PKUERR = SI_CODES_SIGSEGV.value_of("SEGV_PKUERR")
TRAP_PERF = SI_CODES_SIGTRAP.value_of("TRAP_PERF")

_CODES: dict[int, Xlat] = {
    SIGTRAP: SI_CODES_SIGTRAP,
    SIGCHLD: SI_CODES_SIGCHLD,
    SIGIO: SI_CODES_SIGPOLL,
    SIGPROF: SI_CODES_SIGPROF,
    SIGILL: SI_CODES_SIGILL,
    SIGFPE: SI_CODES_SIGFPE,
    SIGSEGV: SI_CODES_SIGSEGV,
    SIGBUS: SI_CODES_SIGBUS,
    SIGSYS: SI_CODES_SIGSYS,
}

# include/uapi/linux/perf_event.h, enum perf_type_id
PERF_TYPES = Xlat(
    "PERF_TYPE_???",
    (
        (0, "PERF_TYPE_HARDWARE"),
        (1, "PERF_TYPE_SOFTWARE"),
        (2, "PERF_TYPE_TRACEPOINT"),
        (3, "PERF_TYPE_HW_CACHE"),
        (4, "PERF_TYPE_RAW"),
        (5, "PERF_TYPE_BREAKPOINT"),
    ),
)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the union starts, and how wide a pointer and a clock_t are in it.

    Source: include/uapi/asm-generic/siginfo.h; arch/x86/include/asm/compat.h and
    include/linux/compat.h (_sigchld_x32) for the other two.
    """

    union: int
    word: str
    clock: str
    word_bytes: int
    clock_at: int


_PLACES = {
    X86_64.index: _Places(16, "Q", "q", 8, 16),
    I386.index: _Places(12, "I", "i", 4, 12),
    X32.index: _Places(12, "I", "q", 4, 12),
}

Fields = list[tuple[str, Value]]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of the processes and descriptors that task ``pid`` hears about."""

    pid: int = 0
    processes: Processes | None = None
    descriptors: Descriptors | None = None


class _Reader:
    """The union's members at their places in one siginfo_t."""

    def __init__(self, raw: bytes, places: _Places, knowledge: Knowledge) -> None:
        self.raw = raw
        self.places = places
        self.knowledge = knowledge

    def at(self, code: str, offset: int) -> int:
        """The number at an offset from the union's start."""
        found: int = struct.unpack_from("<" + code, self.raw, self.places.union + offset)[0]
        return found

    def source(self) -> Fields:
        """The sender."""
        pid, uid = self.at("i", 0), self.at("I", 4)
        processes = self.knowledge.processes
        comm = processes.comm(pid) if processes is not None else None
        return [
            ("si_pid", ProcessId(pid, comm)),
            ("si_uid", Integer(-1 if uid == 0xFFFFFFFF else uid)),
        ]

    def word(self, number: int) -> Value:
        """The pointer that is the union's ``number``-th word."""
        return Address(self.at(self.places.word, number * self.places.word_bytes))

    def payload(self) -> Fields:
        """What was sent along, as a number and as a pointer."""
        return [
            ("si_int", Integer(self.at("i", 8))),
            ("si_ptr", Address(self.at(self.places.word, 8))),
        ]

    def has_payload(self) -> bool:
        """Whether anything but a null pointer was sent along."""
        return self.at(self.places.word, 8) != 0


def _sent(reader: _Reader, code: int, abi: int) -> Fields:
    """What user space sent, or the kernel in its name: si_code is not positive."""
    if code == SI_TIMER:
        return [
            ("si_timerid", Integer(reader.at("I", 0), Base.HEX)),
            ("si_overrun", Integer(reader.at("i", 4))),
            *reader.payload(),
        ]
    if code == SI_SIGIO:
        return _band(reader)
    found = reader.source()
    if code not in (SI_USER, SI_CODES.value_of("SI_TKILL")) and reader.has_payload():
        found += reader.payload()
    return found


def _band(reader: _Reader) -> Fields:
    word = reader.places.word_bytes
    fd, known = reader.at("i", word), reader.knowledge
    about = known.descriptors.about(known.pid, fd) if known.descriptors is not None else None
    return [
        ("si_band", Integer(reader.at(reader.places.word.lower(), 0))),
        ("si_fd", Descriptor(fd, None, about)),
    ]


def _child(reader: _Reader, code: int, abi: int) -> Fields:
    status = reader.at("i", 8)
    shown: Value = Integer(status)
    if code != CLD_EXITED:
        shown = Symbol(status, signal_name(status), "", Base.DEC)
    clock, at = reader.places.clock, reader.places.clock_at
    return [
        *reader.source(),
        ("si_status", shown),
        ("si_utime", ticks(reader.at(clock, at))),
        ("si_stime", ticks(reader.at(clock, at + struct.calcsize(clock)))),
    ]


def _fault(reader: _Reader, code: int, abi: int) -> Fields:
    return [("si_addr", reader.word(0))]


def _bus(reader: _Reader, code: int, abi: int) -> Fields:
    found = _fault(reader, code, abi)
    if code in (BUS_MCEERR_AR, BUS_MCEERR_AO):
        lsb = reader.at("H", reader.places.word_bytes)
        found.append(("si_addr_lsb", Integer(lsb, Base.HEX)))
    return found


def _segment(reader: _Reader, code: int, abi: int) -> Fields:
    found = _fault(reader, code, abi)
    if code == SEGV_BNDERR:
        found += [("si_lower", reader.word(2)), ("si_upper", reader.word(3))]
    elif code == SEGV_PKUERR:
        found.append(("si_pkey", Integer(reader.at("I", 2 * reader.places.word_bytes))))
    return found


def _trap(reader: _Reader, code: int, abi: int) -> Fields:
    found = _fault(reader, code, abi)
    if code == TRAP_PERF:
        word = reader.places.word_bytes
        kind = reader.at("I", 2 * word)
        flags = reader.at("I", 2 * word + 4)
        names, rest = TRAP_PERF_FLAGS.names_in(flags)
        found += [
            ("si_perf_data", Integer(reader.at(reader.places.word, word), Base.HEX)),
            ("si_perf_type", Symbol(kind, PERF_TYPES.name_of(kind), PERF_TYPES.unknown)),
            ("si_perf_flags", Flags(flags, names, rest, TRAP_PERF_FLAGS.unknown)),
        ]
    return found


def _poll(reader: _Reader, code: int, abi: int) -> Fields:
    return _band(reader) if SI_CODES_SIGPOLL.name_of(code) else []


_X32_BIT = 0x40000000  # __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h


@lru_cache(maxsize=256)
def called(nr: int, arch: int, abi: int) -> Value:
    # Imported late: hardly any program is stopped by a filter, and the tables are long.
    from pytracer.tables.numbers import i386, x32, x86_64

    if arch == AUDIT_ARCH.value_of("AUDIT_ARCH_I386"):
        numbers, index = i386.NUMBERS, I386.index
    elif arch != AUDIT_ARCH.value_of("AUDIT_ARCH_X86_64"):
        return Integer(nr)
    elif nr & _X32_BIT:
        numbers, index = x32.NUMBERS, X32.index
    else:
        numbers, index = x86_64.NUMBERS, X86_64.index
    known = numbers.get(nr & ~_X32_BIT)
    if known is None:
        return Integer(nr)
    if index != abi:
        return Noted(Integer(nr), known[0], unless_raw=True)
    return Symbol(nr, f"__NR_{known[0]}", "", Base.DEC)


def _filtered(reader: _Reader, code: int, abi: int) -> Fields:
    word = reader.places.word_bytes
    nr, arch = reader.at("I", word), reader.at("I", word + 4)
    return [
        ("si_call_addr", reader.word(0)),
        ("si_syscall", called(nr, arch, abi)),
        ("si_arch", Symbol(arch, AUDIT_ARCH.name_of(arch), AUDIT_ARCH.unknown)),
    ]


def _other(reader: _Reader, code: int, abi: int) -> Fields:
    found: Fields = []
    if reader.at("i", 0) or reader.at("I", 4):
        found += reader.source()
    if reader.has_payload():
        found += reader.payload()
    return found


_BY_SIGNAL: dict[int, Callable[[_Reader, int, int], Fields]] = {
    SIGCHLD: _child,
    SIGILL: _fault,
    SIGFPE: _fault,
    SIGBUS: _bus,
    SIGSEGV: _segment,
    SIGTRAP: _trap,
    SIGIO: _poll,
    SIGSYS: _filtered,
}


def _reason(signo: int, code: int) -> Value:
    name = SI_CODES.name_of(code)
    if name is None and signo in _CODES:
        name = _CODES[signo].name_of(code)
    return Symbol(code & 0xFFFFFFFF, name)


_NO_KNOWLEDGE: Final = Knowledge()


def siginfo(
    raw: bytes,
    layout: Layout = X86_64,
    abi: int | None = None,
    knowledge: Knowledge = _NO_KNOWLEDGE,
) -> Struct:
    """Decode the bytes of a siginfo_t.

    Shape: ``layout`` says how it is stored; ``abi`` is the index of the convention by which the
    task makes calls, where that differs. Bytes that are missing count as zero.
    """
    raw = raw.ljust(SIGINFO_BYTES, b"\0")
    signo, errno, code = struct.unpack_from("<iii", raw)
    fields: Fields = []
    if signo:
        fields.append(("si_signo", Symbol(signo, signal_name(signo), "", Base.DEC)))
        fields.append(("si_code", _reason(signo, code)))
        if errno:
            number = errno & 0xFFFFFFFFFFFFFFFF
            fields.append(("si_errno", Symbol(number, ERRNO.name_of(errno), "", Base.DEC)))
        reader = _Reader(raw, _PLACES[layout.index], knowledge)
        tell = _sent if code <= 0 else _BY_SIGNAL.get(signo, _other)
        fields += tell(reader, code, layout.index if abi is None else abi)
    return Struct(tuple(fields))


class SigInfo(Type):
    """A siginfo_t, laid out for the ABI of the call."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return SIGINFO_BYTES, abi.word, f"{SIGINFO_BYTES}s"

    def bind(self, scope: Scope) -> Decode:
        layout = scope.abi

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            known = Knowledge(ctx.pid, ctx.processes, ctx.descriptors)
            return siginfo(raw, layout, knowledge=known)

        return decode


SIGINFO = SigInfo()
