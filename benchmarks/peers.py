"""The tracers that are compared, and how each is put over a command."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PYTRACER = str(Path(sys.executable).with_name("pytracer"))

# perf and bpftrace want tracefs; it is mounted for them alone.
_TRACEFS = "mount -t tracefs tracefs /sys/kernel/tracing && exec "

_PRINTF = """
tracepoint:raw_syscalls:sys_enter /pid == cpid/ { @start[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /pid == cpid && @start[tid]/ {
    printf("%d(%d) = %d %d\\n", args->id, tid, args->ret, nsecs - @start[tid]);
}"""
_HISTOGRAM = """
tracepoint:raw_syscalls:sys_enter /pid == cpid/ { @start[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /pid == cpid && @start[tid]/ {
    @time[args->id] = hist(nsecs - @start[tid]); delete(@start[tid]);
}"""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way of tracing a command.

    ``wrap`` makes the command line from the command and the file for the trace. ``event``: what a
    line of the trace looks like when it tells of a call of the loop; none when no event is
    printed. ``export`` makes the command that turns what was written into lines.
    """

    name: str
    wrap: Callable[[list[str], str], list[str]]
    events: dict[str, str]
    needs: str = ""
    export: Callable[[str, str], list[str]] | None = None

    def available(self) -> bool:
        """Whether the program is installed."""
        return not self.needs or shutil.which(self.needs) is not None


def with_tracefs(argv: list[str]) -> list[str]:
    """Give a command its own tracefs."""
    return ["unshare", "--mount", "sh", "-c", _TRACEFS + '"$@"', "sh", *argv]


def _bpftrace(script: str) -> Callable[[list[str], str], list[str]]:
    def wrap(command: list[str], trace: str) -> list[str]:
        return with_tracefs(["bpftrace", "-o", trace, "-e", script, "-c", " ".join(command)])

    return wrap


def _pytracer(*options: str) -> Callable[[list[str], str], list[str]]:
    return lambda command, trace: [PYTRACER, *options, "-o", trace, *command]


def _strace(*options: str) -> Callable[[list[str], str], list[str]]:
    return lambda command, trace: ["strace", *options, "-o", trace, *command]


STRACE_LINES = {
    "getppid": r"^(\d+ +)?getppid\(\)",
    "readwrite": r"^(\d+ +)?(read|write)\(\d+, .*\) += 64",
    "openclose": r"^(\d+ +)?(openat\(.*/etc/hostname|close\()",
    "mix": r"^(\d+ +)?(getppid|read|write|openat|lseek|close|access)\(",
}
_PERF_LINES = {
    "getppid": r" getppid\(",
    "readwrite": r" (read|write)\(.* = 64",
    "openclose": r" (openat\(|close\()",
    # Not what goes on with a call: "... [continued]: read())".
    "mix": r"(\): |/\d+ )(getppid|read|write|openat|lseek|close|access)\(",
}
_NUMBERS = {
    "getppid": r"^110\(",
    "readwrite": r"^[01]\(\d+\) = 64",
    "openclose": r"^(257|3)\(",
    "mix": r"^(110|0|1|257|8|3|21)\(",
}

BARE = Peer("nothing", lambda command, trace: command, {})


def _floor(which: str) -> Callable[[list[str], str], list[str]]:
    return lambda command, trace: [sys.executable, "-m", "benchmarks.floor", which, *command]


EMPTY = Peer("two empty programs", _floor("empty"), {})
FLOOR = Peer("two programs that read the clock (the floor)", _floor("clock"), {})
COUNT = Peer("pytracer, count", _pytracer("--backend=ebpf", "-f", "-c"), {})
COUNT_WALL = Peer("pytracer, count, no CPU time", _pytracer("--backend=ebpf", "-f", "-c", "-w"), {})
STRACE = Peer("strace", _strace(), STRACE_LINES, "strace")
STRACE_FOLLOWING = Peer("strace -f", _strace("-f"), STRACE_LINES, "strace")
STRACE_COUNT = Peer("strace -f -c", _strace("-f", "-c"), {}, "strace")
STRACE_SECCOMP = Peer(
    "strace --seccomp-bpf, of other calls",
    _strace("-f", "--seccomp-bpf", "-e", "trace=personality"),
    {},
    "strace",
)
PTRACE = Peer("pytracer, ptrace", _pytracer("--backend=ptrace"), STRACE_LINES)
STREAM = Peer("pytracer, stream", _pytracer("--backend=ebpf", "-f"), STRACE_LINES)
RECORD = Peer(
    "pytracer, record",
    lambda command, trace: [PYTRACER, "--backend=ebpf", "-f", "--record", trace, *command],
    STRACE_LINES,
    export=lambda recorded, trace: [PYTRACER, "--replay", recorded, "-o", trace],
)
PERF = Peer(
    "perf trace",
    lambda command, trace: with_tracefs(["perf", "trace", "-o", trace, "--", *command]),
    _PERF_LINES,
    "perf",
)
PERF_SUMMARY = Peer(
    "perf trace, summary",
    lambda command, trace: with_tracefs(["perf", "trace", "-s", "-o", trace, "--", *command]),
    {},
    "perf",
)
BPFTRACE = Peer("bpftrace, printf", _bpftrace(_PRINTF), _NUMBERS, "bpftrace")
HISTOGRAM = Peer("bpftrace, histogram", _bpftrace(_HISTOGRAM), {}, "bpftrace")


def seen(peer: Peer, loop: str, trace: Path) -> int | None:
    """Count the loop's calls in a trace; None when the tool prints no events."""
    pattern = peer.events.get(loop)
    if pattern is None:
        return None
    match = re.compile(pattern).search
    with trace.open(errors="replace") as lines:
        return sum(1 for line in lines if match(line))
