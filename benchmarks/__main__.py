"""Compare pytracer with strace, perf trace and bpftrace, side by side in one run.

    python -m benchmarks [--rounds N] [--calls N] [--write]

Every figure of docs/overhead.md is printed by this program; --write puts them there.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
from pathlib import Path

from benchmarks import startup
from benchmarks.measure import Figures, build, run_command, run_loop, table
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
    PTRACE,
    STRACE,
    STREAM,
)

PAGE = Path(__file__).parent.parent / "docs" / "overhead.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def machine() -> str:
    """What the figures were taken on."""
    strace = subprocess.run(["strace", "-V"], capture_output=True, text=True, timeout=10).stdout
    version = strace.split("\n")[0].rpartition(" ")[2]
    return (
        f"Taken on {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, strace {version}."
    )


def loops(program: str, calls: int, rounds: int) -> str:
    """Nanoseconds that each tool adds to a call, and the calls that its trace lacks."""
    parts = []
    tools = (
        *(BARE, EMPTY, FLOOR, COUNT, COUNT_WALL, STREAM),
        *(HISTOGRAM, BPFTRACE, PERF_SUMMARY, PERF),
    )
    peers = [p for p in tools if p.available()]
    for loop in ("getppid", "readwrite", "openclose"):
        figures = run_loop(program, loop, calls, peers, rounds)
        bare = figures[BARE.name].call
        floor = figures[FLOOR.name].call - bare
        rows = [(name, *_added(one, bare, floor)) for name, one in figures.items()]
        head = (
            *("tool", "ns a call", "added", "of the floor"),
            *("least added", "most added", "events lost"),
        )
        parts.append(f"### {loop}, {calls} calls, {rounds} rounds\n\n{table(head, rows)}")
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


def runs(program: str, rounds: int) -> str:
    """Whole-run times of the ptrace backend against strace's."""
    rows = []
    commands = {"20,000 getppid": [program, "getppid", "20000"], "ls -R /usr": ["ls", "-R", "/usr"]}
    for name, command in commands.items():
        figures = run_command(command, (BARE, STRACE, PTRACE), rounds)
        strace, ours = figures[STRACE.name], figures[PTRACE.name]
        ratios = sorted(b / a for a, b in zip(strace.seconds, ours.seconds, strict=True))
        rows.append(
            (
                name,
                f"{figures[BARE.name].run:.2f}",
                f"{strace.run:.2f}",
                f"{ours.run:.2f}",
                f"{ratios[len(ratios) // 2]:.2f}",
                f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
            )
        )
    head = ("command", "bare s", "strace s", "pytracer s", "ratio of pairs, median", "range")
    return f"## ptrace: whole runs, {rounds} rounds\n\n" + table(head, rows)


def main() -> None:
    """Run everything and print, or write, the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument(
        "--write", action="store_true", help="put the figures into docs/overhead.md"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build("loops.c", Path(folder))
        parts = [
            machine(),
            runs(program, options.rounds),
            loops(program, options.calls, options.rounds),
            startup.report(options.rounds),
        ]
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        page = PAGE.read_text()
        head, _, rest = page.partition(BEGIN)
        _, _, tail = rest.partition(END)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")


if __name__ == "__main__":
    main()
