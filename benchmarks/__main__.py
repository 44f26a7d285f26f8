"""Compare pytracer with strace, perf trace and bpftrace, side by side in one run.

    python -m benchmarks [--rounds N] [--calls N] [--pairs N] [--only SECTION]... [--write]

Every figure of docs/overhead.md is printed by this program; --write puts them there, section by
section.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    bystanders,
    calls,
    exporter,
    format_lines,
    memory,
    runs,
    servers,
    startup,
    steady,
    sustained,
)
from benchmarks.measure import build

PAGE = Path(__file__).parent.parent / "docs" / "overhead.md"
_SECTION = re.compile(r"<!-- section (\w+) -->")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def machine() -> str:
    """What the figures were taken on."""
    strace = subprocess.run(["strace", "-V"], capture_output=True, text=True, timeout=10).stdout
    version = strace.split("\n")[0].rpartition(" ")[2]
    return (
        f"Taken on {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, strace {version}."
    )


def sections(program: str, rounds: int, count: int, pairs: int) -> dict[str, Callable[[], str]]:
    """What there is to measure, by the name that --only takes."""
    return {
        "runs": lambda: runs.report(program, rounds),
        "calls": lambda: calls.loops(program, count, rounds),
        "storm": lambda: calls.storm(program, 499, rounds),
        "bystanders": lambda: bystanders.report(rounds, count),
        "servers": lambda: servers.report(pairs, 3),
        "steady": lambda: steady.report(pairs, 3),
        "exporter": lambda: exporter.report(program, rounds, pairs, 3),
        "sustained": lambda: sustained.report(program, 300_000, 30),
        "lines": lambda: format_lines.report(rounds, 30_000, format_lines.installed()),
        "startup": lambda: startup.report(rounds),
        "memory": lambda: memory.report(1_000_000),
    }


def main() -> None:
    """Run everything and print, or write, the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=5, help="of runs of the servers' load")
    parser.add_argument("--only", action="append", metavar="SECTION", help="may be repeated")
    parser.add_argument(
        "--write", action="store_true", help="put the figures into docs/overhead.md"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        known = sections(
            build("loops.c", Path(folder)), options.rounds, options.calls, options.pairs
        )
        wanted = options.only or list(known)
        if unknown := [name for name in wanted if name not in known]:
            parser.error(f"no such section: {unknown[0]}; there are {', '.join(known)}")
        measured = {"machine": machine()}
        for name in wanted:
            measured[name] = known[name]()
            print(measured[name], end="\n\n", flush=True)
    if options.write:
        write(measured)


def write(measured: dict[str, str]) -> None:
    """Put sections into the page; those that were not measured stay as they are."""
    head, _, rest = PAGE.read_text().partition(BEGIN)
    former, _, tail = rest.partition(END)
    _, *blocks = _SECTION.split(former)
    found = dict(zip(blocks[::2], map(str.strip, blocks[1::2]), strict=True)) | measured
    text = "\n\n".join(f"<!-- section {name} -->\n\n{found[name]}" for name in found)
    PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")


if __name__ == "__main__":
    main()
