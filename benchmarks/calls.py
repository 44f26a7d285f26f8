"""What tools add to a system call, and to a process that comes and goes."""

from __future__ import annotations

from benchmarks.measure import LONG_RUNS, Figures, run_loop, table
from benchmarks.peers import (
    BARE,
    BPFTRACE,
    COUNT,
    COUNT_WALL,
    EMPTY,
    FLOOR,
    HISTOGRAM,
    PERF,
    PERF_SUMMARY,
    RECORD,
    STRACE_COUNT,
    STRACE_FOLLOWING,
    STRACE_SECCOMP,
    STREAM,
)

_TOOLS = (
    *(BARE, EMPTY, FLOOR, COUNT, COUNT_WALL, STREAM, RECORD),
    *(HISTOGRAM, BPFTRACE, PERF_SUMMARY, PERF),
    *(STRACE_SECCOMP, STRACE_COUNT, STRACE_FOLLOWING),
)
# bpftrace's -c does not follow: it would see the first process alone.
_FOLLOWING = (
    *(BARE, EMPTY, FLOOR, COUNT, COUNT_WALL, STREAM, RECORD),
    *(PERF_SUMMARY, PERF, STRACE_SECCOMP, STRACE_COUNT, STRACE_FOLLOWING),
)
_LOOPS = ("getppid", "readwrite", "openclose", "mix")


def loops(program: str, calls: int, rounds: int) -> str:
    """Nanoseconds that each tool adds to a call, and the calls that its trace lacks."""
    parts = []
    peers = [p for p in _TOOLS if p.available()]
    for loop in _LOOPS:
        figures = run_loop(program, loop, calls, peers, rounds)
        bare = figures[BARE.name].call
        floor = figures[FLOOR.name].call - bare
        rows = [(name, *_added(one, bare, floor)) for name, one in figures.items()]
        head = (
            *("tool", "ns a call", "added", "of the floor"),
            *("least added", "most added", "events lost"),
        )
        rounded = f"{rounds} rounds, the slowest tools in {min(rounds, LONG_RUNS)}"
        parts.append(f"### {loop}, {calls} calls, {rounded}\n\n{table(head, rows)}")
    return "## eBPF: nanoseconds added to a call\n\n" + "\n\n".join(parts)


def _added(one: Figures, bare: float, floor: float) -> tuple[str, ...]:
    added = sorted(value - bare for value in one.ns_per_call)
    return (
        f"{one.call:,.0f}",
        f"{one.call - bare:,.0f}",
        f"{(one.call - bare) / floor:.2f}",
        f"{added[0]:,.0f}",
        f"{added[-1]:,.0f}",
        one.lost,
    )


def storm(program: str, processes: int, rounds: int) -> str:
    """Microseconds that each tool adds to a process that is forked, executed and waited for."""
    peers = [p for p in _FOLLOWING if p.available()]
    figures = run_loop(program, "storm", processes, peers, rounds)
    bare = figures[BARE.name].call
    rows = []
    for name, one in figures.items():
        added = sorted((value - bare) / 1e3 for value in one.ns_per_call)
        median = (one.call - bare) / 1e3
        rows.append(
            (
                name,
                f"{one.call / 1e3:,.0f}",
                f"{median:,.0f}",
                f"{added[0]:,.0f}",
                f"{added[-1]:,.0f}",
            )
        )
    head = ("tool", "us a process", "added", "least added", "most added")
    return (
        f"## A storm of processes: {processes} times true, two at a time, {rounds} rounds\n\n"
        + table(head, rows)
    )
