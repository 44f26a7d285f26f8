"""What tracers cost real servers that are asked at a steady rate: times, and processor time.

    python -m benchmarks.steady [--pairs N] [--seconds N]

A server that is busy all the time loses requests to whatever its calls cost more. Most are not:
here each is asked half as often as it could answer, whoever watches.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.measure import LIMIT_S, build, table
from benchmarks.servers import OBSERVERS, Observer, observing, rate
from tests.live.services import Service, nginx, redis

_CONNECTIONS = 7
_SET = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$61\r\n" + 61 * "x" + "\r\n"
_GET = "GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
_SERVERS = {
    "redis, SET": (redis, _SET),
    "nginx, a page of 786 bytes": (partial(nginx, requests=10**9), _GET),
}

_NOTE = """\
The client sends each request when it is due, half as many as the untraced server can answer, and
counts its time from then. Server and client share the cores with the tool; the client pays what
every process on the host pays."""


@dataclass(frozen=True, slots=True)
class Run:
    """Requests a second; microseconds of the median and the 99th of a hundred; of CPU a request."""

    rate: float
    median_us: float
    p99_us: float
    cpu_us: float


def _reply_bytes(port: int, request: str) -> int:
    """How long the answer is: the same each time."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        connection.sendall(request.encode())
        connection.settimeout(0.5)
        got = 0
        try:
            while part := connection.recv(1 << 16):
                got += len(part)
        except TimeoutError:
            return got
    raise RuntimeError("the server hung up")


def _cpu_ns(pid: int) -> int:
    return sum(
        int((task / "schedstat").read_text().split()[0])
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def _ask(service: Service, command: Sequence[str]) -> Run:
    before = _cpu_ns(service.pid)
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_S)
    cpu = _cpu_ns(service.pid) - before
    requests, seconds, median, p99 = map(float, done.stdout.split())
    return Run(requests / seconds, median, p99, cpu / requests / 1000)


def _rows(
    service: Service, client: Sequence[str], observers: Sequence[Observer], pairs: int
) -> list[tuple[str, ...]]:
    rows = []
    for observer in observers:
        if observer.needs and shutil.which(observer.needs) is None:
            continue
        taken: list[tuple[Run, Run]] = []
        for _ in range(pairs):
            bare = _ask(service, client)
            with (
                tempfile.TemporaryDirectory() as folder,
                observing(observer, service.pid, str(Path(folder) / "trace")),
            ):
                taken.append((bare, _ask(service, client)))
        rows.append((observer.name, *_figures(taken)))
    return rows


def _figures(taken: Sequence[tuple[Run, Run]]) -> tuple[str, ...]:
    ratios = sorted(traced.rate / bare.rate for bare, traced in taken)

    def both(name: str) -> str:
        bare, traced = zip(*taken, strict=True)
        medians = (statistics.median(getattr(run, name) for run in runs) for runs in (bare, traced))
        return " to ".join(f"{each:,.1f}" for each in medians)

    return (
        f"{statistics.median(ratios):.3f}",
        f"{ratios[0]:.3f} to {ratios[-1]:.3f}",
        both("median_us"),
        both("p99_us"),
        both("cpu_us"),
    )


def report(count: int, seconds: int, observers: Sequence[Observer] = OBSERVERS) -> str:
    """Measure, and write one table a server."""
    parts = []
    head = (
        *("tool", "requests, traced to untraced, median", "range"),
        *("us, median", "us, 99 %", "us of CPU a request"),
    )
    with tempfile.TemporaryDirectory() as folder:
        program = build("client.c", Path(folder))
        for name, (start, request) in _SERVERS.items():
            with tempfile.TemporaryDirectory() as place, start(Path(place)) as service:
                most = statistics.median(rate(service, 2) for _ in range(3))
                asked = int(most / 2)
                numbers = (_reply_bytes(service.port, request), _CONNECTIONS, asked, seconds)
                client = [program, str(service.port), request, *map(str, numbers)]
                rows = _rows(service, client, observers, count)
            title = f"### {name}, {asked:,} a second, {count} pairs of {seconds} s"
            parts.append(f"{title}\n\n{table(head, rows)}")
    return f"## Servers at a steady rate: untraced to traced\n\n{_NOTE}\n\n" + "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steady")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    print(report(options.pairs, options.seconds))


if __name__ == "__main__":
    main()
