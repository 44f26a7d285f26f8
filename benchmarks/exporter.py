"""What pytracer-exporter costs: a scrape, itself, and the services that it watches.

python -m benchmarks.exporter [--rounds N] [--pairs N] [--seconds N]
python -m benchmarks.exporter scraped WORD...      an exporter that is scraped each second
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import servers, steady
from benchmarks.measure import LIMIT_S, build, table
from benchmarks.servers import Observer

EXPORTER = str(Path(sys.executable).with_name("pytracer-exporter"))
_PORT = re.compile(rb"listening on http://127\.0\.0\.1:(\d+)/")
_TICKS = os.sysconf("SC_CLK_TCK")
_LEAN = ("--no-cpu-time",)
# Longer than two scrapes may be apart to get the same reading.
_FRESH_S = 0.12

# Calls that do nothing but fail, or tell something; with its interpreter's, a process makes fifty
# kinds.
_CALLS = """
import ctypes, sys
call = ctypes.CDLL(None).syscall
for nr in (0, 1, 3, 5, 8, 16, 19, 20, 24, 32, 39, 72, 74, 75, 77, 81, 91, 93, 102, 104, 107, 108,
           110, 111, 124, 138, 186, 217, 221, 285):
    for _ in range(101):
        call(nr, -1, 0, 0, 0, 0, 0)
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass(slots=True)
class Running:
    """An exporter, and a connection to it that is kept, as Prometheus' is."""

    process: subprocess.Popen[bytes]
    client: http.client.HTTPConnection

    def scrape(self, packed: bool = True) -> tuple[float, int, bytes]:
        """Scrape: the seconds until all was there, the bytes that came, and what they are."""
        begun = time.perf_counter()
        encoding = "gzip" if packed else "identity"
        self.client.request("GET", "/metrics", headers={"Accept-Encoding": encoding})
        text = self.client.getresponse().read()
        return time.perf_counter() - begun, len(text), text

    def cpu_s(self) -> float:
        """The processor time that it has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        """The memory that it holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def running(*words: str) -> Iterator[Running]:
    """Start an exporter, and end it."""
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            [EXPORTER, *words, "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL, stderr=log
        ) as process,
    ):
        try:
            deadline = time.monotonic() + LIMIT_S
            while (found := _PORT.search(os.pread(log.fileno(), 4096, 0))) is None:
                if process.poll() is not None or time.monotonic() > deadline:
                    said = os.pread(log.fileno(), 4096, 0).decode()
                    raise RuntimeError(f"the exporter did not start: {said}")
                time.sleep(0.02)
            client = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=LIMIT_S)
            with contextlib.closing(client):
                yield Running(process, client)
        finally:
            process.terminate()
            try:
                process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def _callers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that make their calls once they are told to."""
    with contextlib.ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = subprocess.Popen(
                ["sh", "-c", f'read line; exec {sys.executable} -c "$0"', _CALLS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.callback(_end, process)
            processes.append(process)
        yield processes


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate(timeout=LIMIT_S)


def scrapes(rounds: int) -> str:
    """Time and size of a scrape, by how many series there are."""
    rows = []
    for count in (1, 6, 12):
        with _callers(count) as processes:
            words = [word for each in processes for word in ("--pid", str(each.pid))]
            with running(*words, "--max-series", "30000") as exporter:
                for each in processes:
                    assert each.stdin is not None and each.stdout is not None
                    each.stdin.write(b"go\n")
                    each.stdin.flush()
                    each.stdout.readline()
                figures: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
                for _ in range(rounds * 4):
                    for packed, taken in figures.items():
                        time.sleep(_FRESH_S)
                        seconds, size, text = exporter.scrape(packed)
                        taken.append((seconds, size))
                lines = [line for line in text.splitlines() if not line.startswith(b"#")]
                histograms = sum(b"duration_seconds_count{" in line for line in lines)
                times = {p: [1000 * seconds for seconds, _ in t] for p, t in figures.items()}
                rows.append(
                    (
                        f"{histograms:,}",
                        f"{len(lines):,}",
                        f"{statistics.median(times[False]):.1f}",
                        f"{max(times[False]):.1f}",
                        f"{figures[False][-1][1]:,}",
                        f"{statistics.median(times[True]):.1f}",
                        f"{figures[True][-1][1]:,}",
                    )
                )
    head = (
        *("histograms", "series", "ms, median", "ms, most", "bytes"),
        *("ms with gzip, median", "bytes with gzip"),
    )
    return f"### A scrape, read and written anew, {rounds * 4} of each\n\n{table(head, rows)}"


def _measured(exporter: Running, seconds: int, scraped: bool) -> tuple[float, float]:
    """Processor time a second, and memory, over some time."""
    exporter.scrape()
    before, begun = exporter.cpu_s(), time.monotonic()
    while time.monotonic() - begun < seconds:
        time.sleep(1)
        if scraped:
            exporter.scrape()
    took = time.monotonic() - begun
    return (exporter.cpu_s() - before) / took, exporter.resident_mb()


def itself(program: str, seconds: int, churn: int) -> str:
    """What the exporter takes: at rest, under load, and after many short processes."""
    rows = []

    def add(what: str, cpu: float, memory: float) -> None:
        rows.append((what, f"{100 * cpu:.2f} %", f"{memory:.1f}"))

    with (
        subprocess.Popen(["sleep", str(LIMIT_S)]) as idle,
        running("--pid", str(idle.pid)) as exporter,
    ):
        add("at rest, not scraped", *_measured(exporter, seconds, False))
        add("at rest, scraped each second", *_measured(exporter, seconds, True))
        idle.kill()
    rate = 300_000
    paced = [program, "paced", str(rate * (2 * seconds + 10)), str(rate)]
    with subprocess.Popen(paced, stdout=subprocess.PIPE) as busy:
        with running("--pid", str(busy.pid)) as exporter:
            add(f"{rate:,} calls a second", *_measured(exporter, seconds, False))
            add("the same, scraped each second", *_measured(exporter, seconds, True))
        busy.kill()
    with running("--all") as exporter:
        exporter.scrape()
        before = exporter.resident_mb()
        cpu, begun = exporter.cpu_s(), time.monotonic()
        subprocess.run([program, "storm", str(churn)], check=True, stdout=-3, timeout=LIMIT_S)
        exporter.scrape()
        took = time.monotonic() - begun
        add(f"--all, before {churn:,} short processes", 0.0, before)
        add("during them", (exporter.cpu_s() - cpu) / took, exporter.resident_mb())
    head = ("", "CPU of a core", "resident MB")
    return f"### The exporter itself, {seconds} s of each\n\n{table(head, rows)}"


def _watching(*more: str) -> list[Observer]:
    def command(pid: int, trace: str) -> list[str]:
        return [sys.executable, "-m", "benchmarks.exporter", "scraped", "--pid", str(pid), *more]

    name = f"pytracer-exporter {' '.join(more)}".strip()
    return [Observer(f"{name}, scraped each second", command)]


def services(count: int, seconds: int) -> str:
    """What the exporter costs servers, beside what anything that sees calls costs them."""
    observers = [*servers.OBSERVERS[:2], *_watching(), *_watching(*_LEAN)]
    parts = (servers.report(count, seconds, observers), steady.report(count, seconds, observers))
    return "\n\n".join(re.sub("^#", "##", part, flags=re.M) for part in parts)


def scraped(words: Sequence[str]) -> None:
    """Run an exporter and scrape it each second, until somebody interrupts."""
    with contextlib.suppress(KeyboardInterrupt), running(*words) as exporter:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        while True:
            exporter.scrape()
            time.sleep(1)


def report(program: str, rounds: int, count: int, seconds: int) -> str:
    """Measure all of it."""
    parts = [scrapes(rounds), itself(program, 20, 10_000), services(count, seconds)]
    return "## pytracer-exporter\n\n" + "\n\n".join(parts)


def soak(minutes: int, churn: int) -> str:
    """Resident memory, minute by minute, while short processes come and go."""
    rows = []
    pause = 60 * minutes / churn
    with running("--all") as exporter:
        begun = time.monotonic()
        for number in range(churn):
            subprocess.run(["true"], check=True, timeout=LIMIT_S)
            due = begun + (number + 1) * pause
            if int(due - begun) > int(due - begun - pause):
                exporter.scrape()
            if number % (churn // minutes) == 0:
                rows.append((f"{number:,}", f"{exporter.resident_mb():.1f}"))
            time.sleep(max(0.0, due - time.monotonic()))
        rows.append((f"{churn:,}", f"{exporter.resident_mb():.1f}"))
    head = ("short processes", "resident MB")
    return f"### {minutes} minutes of churn, scraped each second\n\n{table(head, rows)}"


def main() -> None:
    if sys.argv[1:2] == ["scraped"]:
        scraped(sys.argv[2:])
        return
    if sys.argv[1:2] == ["soak"]:
        print(soak(20, 10_000))
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exporter")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build("loops.c", Path(folder))
        print(report(program, options.rounds, options.pairs, options.seconds))


if __name__ == "__main__":
    main()
