"""Compare pytracer with strace, perf trace and bpftrace, side by side in one run.

    python -m benchmarks [--rounds N] [--calls N] [--only SECTION]... [--write]

Every figure of docs/overhead.md is printed by this program; --write puts them there.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    bystanders,
    calls,
    format_lines,
    runs,
    servers,
    startup,
    sustained,
)
from benchmarks.measure import build

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


def sections(program: str, rounds: int, count: int) -> dict[str, Callable[[], str]]:
    """What there is to measure, by the name that --only takes."""
    return {
        "runs": lambda: runs.report(program, rounds),
        "calls": lambda: calls.loops(program, count, rounds),
        "storm": lambda: calls.storm(program, 499, rounds),
        "bystanders": lambda: bystanders.report(rounds, count),
        "servers": lambda: servers.report(rounds, 4),
        "sustained": lambda: sustained.report(program, 300_000, 30),
        "lines": lambda: format_lines.report(rounds, 30_000, format_lines.installed()),
        "startup": lambda: startup.report(rounds),
    }


def main() -> None:
    """Run everything and print, or write, the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--only", action="append", metavar="SECTION", help="may be repeated")
    parser.add_argument(
        "--write", action="store_true", help="put the figures into docs/overhead.md"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        known = sections(build("loops.c", Path(folder)), options.rounds, options.calls)
        wanted = options.only or list(known)
        if unknown := [name for name in wanted if name not in known]:
            parser.error(f"no such section: {unknown[0]}; there are {', '.join(known)}")
        parts = [machine()]
        for name in wanted:
            parts.append(known[name]())
            print(parts[-1], end="\n\n", flush=True)
    if options.write:
        page = PAGE.read_text()
        head, _, rest = page.partition(BEGIN)
        _, _, tail = rest.partition(END)
        text = "\n\n".join(parts)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")


if __name__ == "__main__":
    main()
