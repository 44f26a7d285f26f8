"""What tracers cost real servers under load: requests a second, in pairs of runs.

    python -m benchmarks.servers [--pairs N] [--seconds N]

Each run of a tool is set against an untraced run right before it, of the same server: the ratio
of a pair holds where the machine's own speed drifts.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import LIMIT_S, table
from benchmarks.peers import PYTRACER, with_tracefs
from tests.live.services import Service, nginx, redis

SERVERS = {"redis-benchmark, SET": redis, "wrk on nginx": nginx}
_RATES = (
    re.compile(r"overall: ([\d.]+)\) avg_msec"),  # redis-benchmark, as it goes
    re.compile(r"Requests/sec: +([\d.]+)"),  # wrk
)
_START_S = 2.0  # the slowest tool, bpftrace, is attached by then


@dataclass(frozen=True, slots=True)
class Observer:
    """A tool that watches a running process. ``command`` takes its pid and a file to write to."""

    name: str
    command: Callable[[int, str], list[str]]
    needs: str = ""


_NOTE = """\
Server and client share the cores and are busy all the time: whatever a call costs more is missing
from the requests. The client's calls are not traced, but pay what every process on the host pays.
Two empty programs are the least that anything costs which sees each call of the host, and two that
read the clock the least of what measures how long calls take."""


def _bpftrace(action: str) -> Callable[[int, str], list[str]]:
    def command(pid: int, trace: str) -> list[str]:
        script = (
            f"tracepoint:raw_syscalls:sys_enter /pid == {pid}/ {{ @start[tid] = nsecs; }}"
            f"tracepoint:raw_syscalls:sys_exit /pid == {pid} && @start[tid]/ {{ {action} }}"
        )
        return with_tracefs(["bpftrace", "-o", trace, "-e", script])

    return command


_HIST = "@time[args->id] = hist(nsecs - @start[tid]); delete(@start[tid]);"
_PRINTF = 'printf("%d(%d) = %d %d\\n", args->id, tid, args->ret, nsecs - @start[tid]);'

OBSERVERS = (
    Observer("two empty programs", lambda pid, trace: _floor("empty")),
    Observer("two programs that read the clock (the floor)", lambda pid, trace: _floor("clock")),
    Observer("pytracer, count", lambda pid, trace: [*_ours(pid), "-c", "-o", trace]),
    Observer("pytracer, count, no CPU time", lambda pid, trace: [*_ours(pid), "-cw", "-o", trace]),
    Observer("pytracer, stream", lambda pid, trace: [*_ours(pid), "-o", trace]),
    Observer("pytracer, record", lambda pid, trace: [*_ours(pid), "--record", trace]),
    Observer("bpftrace, histogram", _bpftrace(_HIST), "bpftrace"),
    Observer("bpftrace, printf", _bpftrace(_PRINTF), "bpftrace"),
    Observer(
        "perf trace -s",
        lambda pid, trace: with_tracefs(["perf", "trace", "-s", "-o", trace, "-p", str(pid)]),
        "perf",
    ),
    Observer(
        "perf trace",
        lambda pid, trace: with_tracefs(["perf", "trace", "-o", trace, "-p", str(pid)]),
        "perf",
    ),
    Observer("strace -c", lambda pid, trace: _strace(pid, "-c", "-o", trace), "strace"),
    Observer("strace", lambda pid, trace: _strace(pid, "-o", trace), "strace"),
)


def _floor(which: str) -> list[str]:
    """Nothing of it knows the server: what it costs, anything that sees system calls costs."""
    return [sys.executable, "-m", "benchmarks.floor", which, "sleep", str(LIMIT_S)]


def _ours(pid: int) -> list[str]:
    return [PYTRACER, "--backend=ebpf", "-p", str(pid), "-f"]


def _strace(pid: int, *options: str) -> list[str]:
    return ["strace", "-f", *options, "-p", str(pid)]


@contextlib.contextmanager
def observing(observer: Observer, pid: int, trace: str) -> Iterator[None]:
    """Have a tool watch a process, and end it."""
    with subprocess.Popen(
        observer.command(pid, trace), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as tool:
        time.sleep(_START_S)
        if tool.poll() is not None:
            raise RuntimeError(f"{observer.name} ended at once, with {tool.returncode}")
        try:
            yield
        finally:
            tool.send_signal(signal.SIGINT)
            # Those that write what they have taken would go on for long: the load is over.
            try:
                tool.wait(5)
            except subprocess.TimeoutExpired:
                tool.kill()
                tool.wait(LIMIT_S)


def rate(service: Service, seconds: int) -> float:
    """Put the load on the server and return the requests a second that it answered."""
    client = subprocess.run(
        service.load(seconds),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + LIMIT_S,
    )
    for pattern in _RATES:
        found = pattern.findall(client.stdout)
        if found:
            return float(found[-1])
    raise RuntimeError(f"the client told no rate: {client.stdout[-500:]}")


def pairs(
    service: Service, observer: Observer, count: int, seconds: int
) -> list[tuple[float, float]]:
    """Rates without and with the tool, taken in turns."""
    found = []
    for _ in range(count):
        bare = rate(service, seconds)
        with (
            tempfile.TemporaryDirectory() as folder,
            observing(observer, service.pid, str(Path(folder) / "trace")),
        ):
            traced = rate(service, seconds)
        found.append((bare, traced))
    return found


def report(count: int, seconds: int, observers: Sequence[Observer] = OBSERVERS) -> str:
    """Measure, and write one table a server."""
    parts = []
    for name, start in SERVERS.items():
        rows = []
        with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as service:
            for observer in observers:
                if observer.needs and shutil.which(observer.needs) is None:
                    continue
                taken = pairs(service, observer, count, seconds)
                ratios = sorted(traced / bare for bare, traced in taken)
                rows.append(
                    (
                        observer.name,
                        f"{statistics.median(bare for bare, _ in taken):,.0f}",
                        f"{statistics.median(traced for _, traced in taken):,.0f}",
                        f"{statistics.median(ratios):.3f}",
                        f"{ratios[0]:.3f} to {ratios[-1]:.3f}",
                    )
                )
        head = ("tool", "untraced", "traced", "ratio of pairs, median", "range")
        parts.append(f"### {name}, {count} pairs of {seconds} s\n\n{table(head, rows)}")
    return f"## Servers: requests a second\n\n{_NOTE}\n\n" + "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.servers")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    print(report(options.pairs, options.seconds))


if __name__ == "__main__":
    main()
