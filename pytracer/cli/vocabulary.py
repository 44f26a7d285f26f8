"""The words that options are made of and what each of them stands for.

Source: strace(1) of release 7.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pytracer.cli.options import Backend, Color, DecodePid, Interruptible, OnFull
from pytracer.decode.callsets import NO_CALLS
from pytracer.decode.told import Told
from pytracer.output.style import Quiet, Stamp, Status

# Source: UINT_MAX / 4, the longest string that strace's -s takes.
MOST_STRING_BYTES: Final = 0xFFFFFFFF // 4

INTERRUPTIBLE: Final = {
    "anywhere": Interruptible.ANYWHERE,
    "always": Interruptible.ANYWHERE,
    "waiting": Interruptible.WAITING,
    "never": Interruptible.NEVER,
    "never_tstp": Interruptible.NEVER_TSTP,
}
DAEMONIZE: Final = {"grandchild": 1, "pgroup": 2, "pgrp": 2, "session": 3}
HEX_STRINGS: Final = {"none": 0, "non-ascii-chars": 1, "non-ascii": 2, "all": 3}
STATUSES: Final = {status.value: status for status in Status}
QUIETS: Final = {
    "attach": Quiet.ATTACH,
    "exit": Quiet.EXIT,
    "exits": Quiet.EXIT,
    "path-resolution": Quiet.PATH_RESOLUTION,
    "personality": Quiet.PERSONALITY,
    "superseded": Quiet.THREAD_EXECVE,
    "thread-execve": Quiet.THREAD_EXECVE,
}
DECODE_FDS: Final = {kind.value: kind for kind in Told}
DECODE_PIDS: Final = {kind.value: kind for kind in DecodePid}

# Names that -e takes before its equals sign; what is no such name is a set of calls.
QUALIFIERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("trace", "t"), "trace"),
    **dict.fromkeys(("trace-fds", "trace-fd", "fds", "fd"), "trace-fds"),
    **dict.fromkeys(("abbrev", "a"), "abbrev"),
    **dict.fromkeys(("verbose", "v"), "verbose"),
    **dict.fromkeys(("raw", "x"), "raw"),
    **dict.fromkeys(("signal", "signals", "s"), "signal"),
    "status": "status",
    **dict.fromkeys(("quiet", "silent", "silence", "q"), "quiet"),
    **dict.fromkeys(("read", "reads", "r"), "read"),
    **dict.fromkeys(("write", "writes", "w"), "write"),
    "fault": "fault",
    "inject": "inject",
    "kvm": "kvm",
    **dict.fromkeys(("decode-fds", "decode-fd"), "decode-fds"),
    **dict.fromkeys(("decode-pids", "decode-pid"), "decode-pids"),
    "namespace": "namespace",
    "secontext": "secontext",
}

# Columns of the summary, by all of their names. Source: strace(1), -U; the last two lines are ours.
COLUMNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("time", "time-percent"), "time-percent"),
    **dict.fromkeys(("time-total", "total-time"), "total-time"),
    **dict.fromkeys(("min-time", "shortest", "time-min"), "min-time"),
    **dict.fromkeys(("longest", "max-time", "time-max"), "max-time"),
    **dict.fromkeys(("avg-time", "time-avg"), "avg-time"),
    **{
        spelled: f"wall-{what}"
        for what in ("total", "min", "max", "avg")
        for spelled in (f"wall-{what}", f"{what}-wall")
    },
    **dict.fromkeys(("calls", "count"), "calls"),
    **dict.fromkeys(("error", "errors"), "errors"),
    **dict.fromkeys(("name", "syscall", "syscall-name"), "name"),
    **{percentile: percentile for percentile in ("p50", "p90", "p99", "p99.9")},
    "errnos": "errnos",
}
NO_ORDER: Final = ("none", "nothing")

SEPARATORS: Final = str.maketrans("\n\t ", ",,,")
STAMPS: Final = {"none": Stamp.NONE, "time": Stamp.TIME, "unix": Stamp.UNIX}
COUNTED: Final = frozenset("DfFkqtxy")
SWITCHES: Final[Mapping[str, Mapping[str, Any]]] = {
    "A": {"append": True},
    "d": {"debug": True},
    "follow-forks": {"follow": True},
    "output-separately": {"separately": True},
    "i": {"instruction_pointer": True},
    "n": {"syscall_number": True},
    "N": {"arg_names": True},
    "always-show-pid": {"always_show_pid": True},
    "json": {"json": True},
    "kill-on-exit": {"kill_on_exit": True},
    "all": {"everyone": True},
    "v": {"abbrev": NO_CALLS},
    "w": {"summary_wall": True},
    "seccomp-bpf": {"seccomp_bpf": True},
}
NUMBERS: Final = {"a": ("column", 0x7FFFFFFF), "s": ("string_bytes", MOST_STRING_BYTES)}
TEXTS: Final = {
    "o": "output",
    "u": "user",
    "argv0": "argv0",
    "record": "record",
    "replay": "replay",
}
SIZES: Final = {"spool-size": "spool_bytes", "ring-size": "ring_bytes"}
LISTS: Final = {
    "E": "environment",
    "P": "paths",
    "unit": "units",
    "cgroup": "cgroups",
    "container": "containers",
    "comm": "comms",
}
CHOICES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "X": ("xlats", {name: name for name in ("raw", "abbrev", "verbose")}),
    "color": ("color", {color.value: color for color in Color}),
    "on-full": ("on_full", {choice.value: choice for choice in OnFull}),
    "backend": ("backend", {backend.value: backend for backend in Backend}),
}
