"""Start to the first line of output."""

from __future__ import annotations

import os
import statistics
import subprocess
import time

from benchmarks.measure import LIMIT_S, table
from benchmarks.peers import PYTRACER

STARTS = {
    "strace": ["strace"],
    "pytracer, ptrace": [PYTRACER, "--backend=ptrace"],
    "pytracer, ebpf, warm cache": [PYTRACER, "--backend=ebpf"],
}


def first_line(argv: list[str]) -> float:
    """Seconds until the first line of a trace of true arrives."""
    read, write = os.pipe()
    # Where Python may not keep what it compiles, it compiles itself at every start.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begin = time.monotonic()
    tracer = subprocess.Popen(
        [*argv, "-o", f"/proc/self/fd/{write}", "true"], pass_fds=[write], env=environment
    )
    os.close(write)
    with os.fdopen(read, "rb") as trace:
        trace.readline()
        taken = time.monotonic() - begin
        trace.read()
    tracer.wait(LIMIT_S)
    return taken


def report(rounds: int) -> str:
    """Measure, and write the table."""
    taken: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(rounds + 1):
        for name, argv in STARTS.items():
            taken[name].append(first_line(argv))
    rows = []
    for name, times in taken.items():
        kept = times[1:]  # the first start may have had to compile
        rows.append(
            (name, f"{statistics.median(kept):.3f}", f"{min(kept):.3f}", f"{max(kept):.3f}")
        )
    return "## Start to the first line, seconds\n\n" + table(
        ("tool", "median", "least", "most"), rows
    )
