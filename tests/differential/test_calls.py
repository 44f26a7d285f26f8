"""Every call of these families against strace, in both ABIs and several styles."""

from __future__ import annotations

import pytest

from tests.differential.compare import compare, compare_same_run
from tests.differential.run import Program, trace_together, trace_twice
from tests.programs.build import PROGRAMS as FOLDER
from tests.programs.build import build

pytestmark = [pytest.mark.needs_program("strace", "setarch", "gcc"), pytest.mark.timeout(180)]

PROGRAMS = tuple(
    f"calls_{family}.c"
    for family in (
        "bpf",
        "credentials",
        "ipccalls",
        "keys",
        "memory",
        "messages",
        "netlink",
        "performance",
        "process",
        "ptrace",
        "signals",
        "sockaddrs",
        "sockopts",
        "system",
        "times",
        "unimplemented",
        "uring",
    )
)
# Files and what is seldom called: each in fewer styles.
MORE = tuple(
    f"calls_{family}.c"
    for family in (
        "boards",
        "btrfs",
        "console",
        "devices",
        "events",
        "fcntl",
        "files",
        "interfaces",
        "ioctl",
        "ipc",
        "machines",
        "mounts",
        "pairs_files",
        "pairs_namespaces",
        "pairs_network",
        "pairs_process",
        "pairs_waiting",
        "poll",
        "rtnetlink",
        "sockdiag",
        "stat",
    )
)
# strace 6.1 cannot speak for it: test_backends.py compares the backends with each other.
NEWER = {"calls_newer.c"}
# Children are followed only where it is they who make the calls: a tracee cannot be traced twice.
FOLLOWED = {"calls_pairs_process.c", "calls_process.c"}
TRACERS = {"calls_ptrace.c"}
ABIS = {"x86_64": (), "i386": ("-m32",)}
STYLES: tuple[tuple[str, ...], ...] = ((), ("-v",), ("-s", "4"), ("-x",))
FEWER = {"x86_64": ((), ("-v", "-s", "4")), "i386": ((),)}
# Where constants are not abbreviated, 6.1 can speak for these: 7.2 has named none of theirs since.
CONSTANTS = tuple(
    f"calls_{family}.c"
    for family in (
        "btrfs",
        "console",
        "credentials",
        "devices",
        "events",
        "files",
        "interfaces",
        "ioctl",
        "ipc",
        "ipccalls",
        "keys",
        "machines",
        "messages",
        "mounts",
        "pairs_waiting",
        "performance",
        "poll",
        "process",
        "ptrace",
        "sockaddrs",
        "sockopts",
        "stat",
        "system",
        "times",
    )
)
# strace gives up on a set of signals that takes more than so many characters.
XLATS = {"raw": (*CONSTANTS, "calls_signals.c"), "verbose": CONSTANTS}


def _case(source: str, abi: str, style: tuple[str, ...] = ()) -> object:
    name = "".join((source.removesuffix(".c"), "-", abi, *style))
    slow = style or (source in MORE and abi == "i386")
    marks = [pytest.mark.slow] if slow else []
    return pytest.param(source, ABIS[abi], style, id=name, marks=marks)


@pytest.mark.parametrize(
    ("source", "flags", "style"),
    [
        *(_case(source, abi, style) for style in STYLES for source in PROGRAMS for abi in ABIS),
        *(_case(source, abi, style) for abi in ABIS for style in FEWER[abi] for source in MORE),
    ],
)
def test_ptrace_says_what_strace_says(
    source: str, flags: tuple[str, ...], style: tuple[str, ...]
) -> None:
    program = Program((str(build(source, *flags)),))
    following = ("-f",) if source in FOLLOWED else ()
    pair = trace_twice(program, (*following, *style))
    report = compare(*pair, rewrite=True, column=34 if following else 40)
    if not report:
        pytest.fail(report.text(), pytrace=False)


def _undecoded(*argv: str) -> None:
    report = compare(*trace_twice(Program(argv), ("-e", "verbose=none")), rewrite=True)
    if not report:
        pytest.fail(report.text(), pytrace=False)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["files", "poll", "rtnetlink", "signals", "times"])
def test_structures_are_left_undecoded_as_by_strace(family: str) -> None:
    _undecoded(str(build(f"calls_{family}.c")))


def test_the_frame_of_a_handler_is_left_undecoded_as_by_strace() -> None:
    _undecoded("sh", "-c", "trap : USR1; kill -USR1 $$")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "xlats"), [(source, xlats) for xlats in XLATS for source in XLATS[xlats]]
)
def test_constants_are_shown_as_strace_shows_them(source: str, xlats: str) -> None:
    # strace 6.1 does not decode rseq.
    environment = {"GLIBC_TUNABLES": "glibc.pthread.rseq=0"}
    program = Program((str(build(source)),), env=environment)
    following = ("-f",) if source in FOLLOWED else ()
    pair = trace_twice(program, (*following, "-X", xlats))
    report = compare(*pair, rewrite=True, column=34 if following else 40)
    if not report:
        pytest.fail(report.text(), pytrace=False)


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "flags", "style"),
    [_case(source, abi) for source in (*PROGRAMS, *MORE) if source not in TRACERS for abi in ABIS],
)
def test_ebpf_says_what_strace_says(
    source: str, flags: tuple[str, ...], style: tuple[str, ...]
) -> None:
    pair = trace_together(Program((str(build(source, *flags)),)), style)
    report = compare_same_run(*pair, rewrite=True)
    if not report:
        pytest.fail(report.text(), pytrace=False)


def test_every_program_is_compared() -> None:
    there = {path.name for path in FOLDER.glob("calls_*.c")}
    assert there == {*PROGRAMS, *MORE, *NEWER}
