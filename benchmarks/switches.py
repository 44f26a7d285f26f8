"""What the CPU time of calls costs the host: each change of tasks on a CPU.

    python -m benchmarks.switches [--rounds N] [--changes N]

Two processes that nobody traces pass a byte to and fro on one CPU, while somebody else is traced: a
process that sleeps. What is recorded has the CPU time of each call, what is only shown has not.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from benchmarks.bystanders import RUNS, pytracer
from benchmarks.measure import LIMIT_S, build, table

# What CPU time is added to, and it with CPU time.
PAIRS = (("pytracer -p", "pytracer --record -p"), ("pytracer -c -w -p", "pytracer -c -p"))


def report(rounds: int, changes: int) -> str:
    """Measure, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        program = build("loops.c", Path(folder))
        record = f"{folder}/record"
        others: dict[str, Callable[[], AbstractContextManager[None]]] = {
            "nothing": nullcontext,
            "pytracer -p": lambda: pytracer(),
            "pytracer --record -p": lambda: pytracer("--record", record),
            "pytracer -c -w -p": lambda: pytracer("-c", "-w"),
            "pytracer -c -p": lambda: pytracer("-c"),
        }
        taken: dict[str, list[float]] = {name: [] for name in others}
        for _ in range(rounds):
            for name, runs in others.items():
                with runs():
                    taken[name].append(min(_run(program, changes) for _ in range(RUNS)))
    base_of = {measured: base for base, measured in PAIRS}
    rows = []
    for name, times in taken.items():
        row = [name, f"{statistics.median(times):,.0f}", "", ""]
        if name in base_of:
            bases = taken[base_of[name]]
            added = sorted(one - base for one, base in zip(times, bases, strict=True))
            row[2] = f"{statistics.median(added):,.0f}"
            row[3] = f"{added[0]:,.0f} to {added[-1]:,.0f}"
        rows.append(row)
    head = ("while this runs", "ns a change of tasks", "added by CPU time", "range")
    return f"## What the CPU time of calls costs, {changes} changes, {rounds} rounds\n\n" + table(
        head, rows
    )


def _run(program: str, changes: int) -> float:
    """Nanoseconds that a change took, with the calls that led to it."""
    command = [program, "switches", str(changes)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return float(ran.stdout.split()[1])


def main() -> None:
    """Run alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.switches")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--changes", type=int, default=100_000)
    options = parser.parse_args()
    print(report(options.rounds, options.changes))


if __name__ == "__main__":
    main()
