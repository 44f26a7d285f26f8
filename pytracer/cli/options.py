"""What the command line asks for, as data."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple

from pytracer.cli.expressions import TokenSet
from pytracer.decode.callsets import ALL_CALLS, NO_CALLS, CallSet
from pytracer.decode.told import Told
from pytracer.output.style import Quiet, Stamp, Status


class DecodePid(Enum):
    """What is told about process ids (-e decode-pids=)."""

    COMM = "comm"
    PIDNS = "pidns"


class Interruptible(IntEnum):
    """When signals end pytracer itself (-I)."""

    ANYWHERE = 1
    WAITING = 2
    NEVER = 3
    NEVER_TSTP = 4


class Summary(Enum):
    """Whether calls are counted (-c, -C)."""

    NONE = 0
    ONLY = 1
    BOTH = 2


class Backend(Enum):
    """Who observes (--backend)."""

    AUTO = "auto"
    EBPF = "ebpf"
    PTRACE = "ptrace"


class OnFull(Enum):
    """What becomes of what there is no room for (--on-full)."""

    DROP = "drop"
    PAUSE = "pause"
    PAUSE_ATTACHED = "pause-attached"


class Color(Enum):
    """When output is coloured (--color)."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


ALL_STATUSES = frozenset(Status)
ALL_SIGNALS = TokenSet(inverted=True)


class Options(NamedTuple):
    """One command line, checked, with every default filled in.

    Units: ``stamp_digits``, ``relative_digits``, ``times_digits``: digits after the decimal
        point, None for times that are not wanted. ``overhead_ns``: None to measure it.
    Shape: ``program``: PROG and its arguments. ``environment``: the -E in their order.
        ``asked``: keys of the options that were given, for refusing what a backend cannot serve.
    """

    program: tuple[str, ...] = ()
    argv0: str | None = None
    environment: tuple[str, ...] = ()
    user: str | None = None
    pids: tuple[int, ...] = ()
    units: tuple[str, ...] = ()
    cgroups: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    comms: tuple[str, ...] = ()
    everyone: bool = False
    daemonize: int = 0
    follow: bool = False
    separately: bool = False
    detach_on_execve: bool = False
    interruptible: Interruptible = Interruptible.WAITING
    kill_on_exit: bool = False
    syscall_limit: int | None = None
    seccomp_bpf: bool = False
    backend: Backend = Backend.AUTO
    duration_s: float | None = None
    slower_than_ns: int = 0
    record: str | None = None
    replay: str | None = None
    spool_bytes: int | None = None
    on_full: OnFull = OnFull.DROP
    ring_bytes: int | None = None

    trace: CallSet = ALL_CALLS
    trace_fds: TokenSet | None = None
    paths: tuple[str, ...] = ()
    signals: TokenSet = ALL_SIGNALS
    statuses: frozenset[Status] = ALL_STATUSES

    output: str | None = None
    json: bool = False
    append: bool = False
    color: Color = Color.AUTO
    abbrev: CallSet = ALL_CALLS
    verbose: CallSet = ALL_CALLS
    raw: CallSet = NO_CALLS
    string_bytes: int = 32
    column: int = 40
    hex_strings: int = 0
    xlats: str = "abbrev"
    decode_fds: frozenset[Told] = frozenset()
    decode_pids: frozenset[DecodePid] = frozenset()
    quiet: frozenset[Quiet] = frozenset()
    stamp: Stamp = Stamp.NONE
    stamp_digits: int = 0
    relative_digits: int | None = None
    times_digits: int | None = None
    instruction_pointer: bool = False
    syscall_number: bool = False
    arg_names: bool = False
    always_show_pid: bool = False
    stack_trace: bool = False
    stack_limit: int = 256

    summary: Summary = Summary.NONE
    summary_wall: bool = False
    summary_sort: str = "time-percent"
    summary_columns: tuple[str, ...] = ()
    overhead_ns: int | None = None
    interval_s: float | None = None
    debug: bool = False

    asked: frozenset[str] = frozenset()

    @property
    def grouped(self) -> str | None:
        """How the first option is spelled that selects tasks by what they belong to."""
        given = (
            (self.units, "--unit"),
            (self.cgroups, "--cgroup"),
            (self.containers, "--container"),
            (self.comms, "--comm"),
            (self.everyone, "--all"),
        )
        return next((name for value, name in given if value), None)

    @property
    def piped(self) -> str | None:
        """The shell command that the output goes to; None when it goes elsewhere."""
        if self.output is not None and self.output[:1] in ("|", "!"):
            return self.output[1:]
        return None
