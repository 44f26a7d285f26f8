"""What tracing costs the processes of the host that are not traced.

    python -m benchmarks.bystanders [--rounds N] [--calls N]

A loop of getppid runs while somebody else is traced: a process that sleeps. Beside it stands what
the kernel takes for running any program at all at the two tracepoints of system calls.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from benchmarks.measure import LIMIT_S, build, table
from benchmarks.peers import PYTRACER
from pytracer.backend.ebpf import bpf

# r0 = 0; exit. Source: include/uapi/linux/bpf.h
_NOTHING: Final = bytes([0xB7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])
EMPTY: Final = "two empty programs"
RUNS: Final = 5


@contextmanager
def empty_programs() -> Iterator[None]:
    """A program that does nothing at each of the two tracepoints."""
    with ExitStack() as stack:
        for tracepoint in ("sys_enter", "sys_exit"):
            program = bpf.load_program("nothing", _NOTHING)
            stack.callback(os.close, program)
            stack.callback(os.close, bpf.attach_raw_tracepoint(program, tracepoint))
        yield


@contextmanager
def pytracer(*options: str) -> Iterator[None]:
    """Pytracer over a process that sleeps, once it has been attached to."""
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "said")
        sleeper = subprocess.Popen(["sleep", str(LIMIT_S)])
        words = [PYTRACER, "--backend=ebpf", *options, "-p", str(sleeper.pid)]
        try:
            with said.open("wb") as file:
                tracer = subprocess.Popen([*words, "-o", f"{folder}/trace"], stderr=file)
            try:
                limit = time.monotonic() + LIMIT_S
                while f"Process {sleeper.pid} attached" not in said.read_text():
                    if time.monotonic() > limit or tracer.poll() is not None:
                        raise RuntimeError(f"{' '.join(words)}: {said.read_text()}")
                    time.sleep(0.05)
                yield
            finally:
                tracer.terminate()
                tracer.wait(LIMIT_S)
        finally:
            sleeper.kill()
            sleeper.wait(LIMIT_S)


WHILE: Final[dict[str, Callable[[], AbstractContextManager[None]]]] = {
    "nothing": nullcontext,
    EMPTY: empty_programs,
    "pytracer -p": lambda: pytracer(),
    "pytracer -c -w -p": lambda: pytracer("-c", "-w"),
    "pytracer --comm": lambda: pytracer("--comm", "nobody"),
}


def report(rounds: int, calls: int) -> str:
    """Measure, and write the table.

    A busy machine only ever adds to a time: of several runs in a row the fastest counts.
    """
    taken: dict[str, list[float]] = {name: [] for name in WHILE}
    with tempfile.TemporaryDirectory() as folder:
        program = build("loops.c", Path(folder))
        for _ in range(rounds):
            for name, others in WHILE.items():
                with others():
                    taken[name].append(min(_run(program, calls) for _ in range(RUNS)))
    bare = taken["nothing"]
    empty = [one - base for one, base in zip(taken[EMPTY], bare, strict=True)]
    rows = []
    for name, times in taken.items():
        added = [one - base for one, base in zip(times, bare, strict=True)]
        ratios = sorted(one / base for one, base in zip(added, empty, strict=True) if base > 0)
        row = [name, f"{statistics.median(times):,.0f}", f"{statistics.median(added):,.0f}"]
        if name in ("nothing", EMPTY) or not ratios:
            row += ["", ""]
        else:
            row += [f"{statistics.median(ratios):.2f}", f"{ratios[0]:.2f} to {ratios[-1]:.2f}"]
        rows.append(row)
    head = ("while this runs", "ns a call", "added", f"of what {EMPTY} add", "range")
    return f"## What those pay that are not traced, {calls} getppid, {rounds} rounds\n\n" + table(
        head, rows
    )


def _run(program: str, calls: int) -> float:
    """Nanoseconds that a call took."""
    command = [program, "getppid", str(calls)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return float(ran.stdout.split()[1])


def main() -> None:
    """Run alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bystanders")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=200_000)
    options = parser.parse_args()
    print(report(options.rounds, options.calls))


if __name__ == "__main__":
    main()
