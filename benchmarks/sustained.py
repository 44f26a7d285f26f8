"""Whether anything is lost at a steady rate of calls, and what each tool costs meanwhile.

    python -m benchmarks.sustained [--rate N] [--seconds N]

The program makes its calls in a hundred bursts a second; what is missing from a trace is found by
counting its lines, not by asking the tool.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import build, table
from benchmarks.peers import PYTRACER, STRACE_LINES, with_tracefs

LIMIT_S = 1800


@dataclass(frozen=True, slots=True)
class Tool:
    """``command`` takes what to trace and a file; ``line`` is what a call looks like in it.

    ``export`` turns what was written into such lines, where that takes another command.
    """

    name: str
    command: Callable[[list[str], str], list[str]]
    line: str = STRACE_LINES["getppid"]
    export: Callable[[str, str], list[str]] | None = None


TOOLS = (
    Tool("pytracer, stream", lambda argv, to: [PYTRACER, "--backend=ebpf", "-o", to, *argv]),
    Tool(
        "pytracer, record",
        lambda argv, to: [PYTRACER, "--backend=ebpf", "--record", to, *argv],
        export=lambda recorded, to: [PYTRACER, "--replay", recorded, "-o", to],
    ),
    Tool(
        "perf trace",
        lambda argv, to: with_tracefs(["perf", "trace", "-o", to, "--", *argv]),
        r" getppid\(",
    ),
)


@dataclass(frozen=True, slots=True)
class Result:
    """``made`` and ``seen`` count calls; ``cpu_s`` is the processor time that the tool took."""

    made: int
    seen: int
    program_s: float
    whole_s: float
    cpu_s: float


def run(tool: Tool, program: str, rate: int, seconds: int, folder: Path) -> Result:
    """Trace one run and count what arrived."""
    trace = folder / "trace"
    argv = [program, "paced", str(rate * seconds), str(rate)]
    before = os.times()
    begin = time.monotonic()
    done = subprocess.run(
        tool.command(argv, str(trace)), capture_output=True, text=True, timeout=LIMIT_S
    )
    whole = time.monotonic() - begin
    after = os.times()
    words = [line.split() for line in done.stdout.splitlines() if line[:1].isdigit()]
    if not words:
        raise RuntimeError(f"{tool.name}: {done.stderr[-500:]}")
    made, each = int(words[0][0]), float(words[0][1])
    if tool.export is not None:
        lines = folder / "lines"
        subprocess.run(tool.export(str(trace), str(lines)), check=True, timeout=LIMIT_S)
        trace.unlink()
        trace = lines
    match = re.compile(tool.line).search
    with trace.open(errors="replace") as text:
        seen = sum(1 for line in text if match(line))
    trace.unlink()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Result(made, seen, made * each / 1e9, whole, cpu)


def report(program: str, rate: int, seconds: int) -> str:
    """Measure each tool once, and write the table."""
    rows = []
    for tool in TOOLS:
        with tempfile.TemporaryDirectory() as folder:
            one = run(tool, program, rate, seconds, Path(folder))
        missing = one.made - one.seen
        rows.append(
            (
                tool.name,
                f"{one.made / one.program_s:,.0f}",
                f"{one.made:,}",
                f"{missing:,} ({100 * missing / one.made:.2f} %)",
                f"{one.program_s:.1f}",
                f"{one.whole_s:.1f}",
                f"{one.cpu_s:.1f}",
            )
        )
    head = (
        *("tool", "calls a second reached", "calls made", "missing from the trace"),
        *("program s", "until the tool ended s", "CPU s, program and tool"),
    )
    return f"## {rate:,} calls a second for {seconds} s\n\n{table(head, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sustained")
    parser.add_argument("--rate", type=int, default=300_000)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build("loops.c", Path(folder))
        print(report(program, options.rate, options.seconds))


if __name__ == "__main__":
    main()
