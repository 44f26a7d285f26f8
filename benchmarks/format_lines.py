"""What a line of text costs, on the way from the rings' slices, on a mix of real programs.

    python -m benchmarks.format_lines [--rounds N] [--calls N] [NAME...]

Each program is recorded once (pytracer --record) and replayed from memory: its slices are put in
order, decoded and written, as pytracer does it for `-f -o FILE`, and with `--json`. Times are CPU
time of the one thread that does it. The mix has as many lines of each program as of any other.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import LIMIT_S, table
from benchmarks.peers import PYTRACER
from pytracer.backend.ebpf.digest import Digest
from pytracer.backend.ebpf.turn import Turn, unpack
from pytracer.decode.decoder import Decoder
from pytracer.event.recording import EVENTS, TURN, Frames
from pytracer.event.schema import NewBy, Run, TaskNew
from pytracer.event.written import EventReader
from pytracer.output.ndjson.lines import NdjsonOutput, Start
from pytracer.output.style import LineStyle
from pytracer.output.text.lines import TextOutput
from tests.live.services import Service, nginx, redis

# New objects between two looks for cycles, as the command has it.
_MANY_OBJECTS = 100_000

PROGRAMS: dict[str, list[str]] = {
    "ls -R": ["ls", "-lR", "/usr/share"],
    "find": ["find", "/usr/lib", "-name", "*.so*", "-size", "+1k"],
    "grep -r": ["grep", "-r", "hello", "/usr/share/doc"],
    "git log": ["git", "-C", str(Path(__file__).parents[1]), "log", "--stat", "-n", "200"],
    "gcc": ["gcc", "-O2", "-o", "/dev/null", str(Path(__file__).parent / "loops.c")],
    "bash": [
        "bash",
        "-c",
        "for i in $(seq 40); do x=$(echo a $i | tr a b); [ -d /tmp ] && cat /etc/hostname; done",
    ],
    "python": [
        sys.executable,
        "-c",
        "import asyncio, json, http.client, email.mime.text, unittest, sqlite3, multiprocessing",
    ],
}
SERVERS = {"redis": redis, "nginx": nginx}


class Discard:
    """A sink that counts."""

    def __init__(self) -> None:
        self.lines = 0

    def write(self, text: str, /) -> None:
        self.lines += text.encode("utf-8", "surrogateescape").count(b"\n")

    def flush(self) -> None:
        """Nothing is kept."""

    close = flush


@dataclass(slots=True)
class Recorded:
    """A program's turns, in memory. ``tasks``: those that it began with."""

    name: str
    tasks: list[TaskNew] = field(default_factory=list)
    turns: list[bytes] = field(default_factory=list)


def _record(target: list[str], path: str) -> list[str]:
    return [PYTRACER, "--backend=ebpf", "-f", f"--record={path}", *target]


def record_program(name: str, path: str) -> None:
    """Record a program from its beginning to its end."""
    subprocess.run(
        _record(PROGRAMS[name], path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=LIMIT_S,
    )


def record_server(
    start: Callable[[Path], contextlib.AbstractContextManager[Service]], path: str
) -> None:
    """Record a server for a second under load."""
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as service:
        command = _record(["-p", str(service.pid)], path)
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracer:
            while not os.path.exists(path) or not os.path.getsize(path):
                time.sleep(0.05)
            load = service.load(1)
            subprocess.run(
                load, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT_S
            )
            tracer.send_signal(signal.SIGINT)
            tracer.wait(LIMIT_S)


def read(name: str, path: str, most: int) -> Recorded:
    """Take a recording into memory, up to the turn with which it has so many calls."""
    recorded = Recorded(name)
    calls = 0
    with Path(path).open("rb") as file:
        for kind, payload in Frames(file):
            if kind == EVENTS:
                for event, _ in EventReader({}).read(payload):
                    if isinstance(event, TaskNew):
                        recorded.tasks.append(event)
            elif kind == TURN and calls < most:
                recorded.turns.append(payload)
                calls += sum(map(len, _turn(payload).slices)) // 200
    return recorded


def _turn(payload: bytes) -> Turn:
    return unpack(lambda at, length: payload[at : at + length], len(payload))


def happenings(recorded: Recorded) -> Iterator[object]:
    """Put the turns in order."""
    digest = Digest(False, None, live=False)
    for begun in recorded.tasks:
        yield digest.begin(begun.task, begun.time_ns, NewBy.ATTACHED)
    for payload in recorded.turns:
        yield from digest.runs(_turn(payload))
        yield None


def merge(recorded: Recorded, sink: Discard) -> None:
    """The first stage alone."""
    for _ in happenings(recorded):
        pass


def write(recorded: Recorded, sink: Discard) -> None:
    """The whole way to text."""
    _tell(recorded, TextOutput(sink, lines=LineStyle(pid_prefix=True, bracket_pid=False)))


def write_json(recorded: Recorded, sink: Discard) -> None:
    """The whole way to objects."""
    _tell(recorded, NdjsonOutput(sink, Start("ebpf", os.uname().release, 0)))


def _tell(recorded: Recorded, output: TextOutput | NdjsonOutput) -> None:
    decoder = Decoder()
    for happening in happenings(recorded):
        if happening is None:
            output.flush()
        elif isinstance(happening, Run):
            output.run(happening, decoder)
        else:
            output.handle(happening, decoder.handle(happening))
    output.close()


def cost(stage: Callable[[Recorded, Discard], None], recorded: Recorded) -> tuple[float, int]:
    """Seconds of CPU that a stage takes, and lines that it writes."""
    sink = Discard()
    began = time.process_time()
    stage(recorded, sink)
    return time.process_time() - began, sink.lines


def measure(programs: list[Recorded], rounds: int) -> list[tuple[str, ...]]:
    """Measure all programs in turns: rows of the table."""
    merged: dict[str, list[float]] = {each.name: [] for each in programs}
    written: dict[str, list[float]] = {each.name: [] for each in programs}
    told: dict[str, list[float]] = {each.name: [] for each in programs}
    lines: dict[str, int] = {}
    for _ in range(rounds):
        for each in programs:
            seconds, lines[each.name] = cost(write, each)
            written[each.name].append(seconds / lines[each.name] * 1e6)
            merged[each.name].append(cost(merge, each)[0] / lines[each.name] * 1e6)
            seconds, objects = cost(write_json, each)
            told[each.name].append(seconds / objects * 1e6)
    rows = [
        _row(name, f"{lines[name]:,}", merged[name], written[name], told[name]) for name in written
    ]
    mix = [
        [statistics.mean(figures) for figures in zip(*stage.values(), strict=True)]
        for stage in (merged, written, told)
    ]
    return [*rows, _row("the mix", "", *mix)]


def _row(
    name: str, lines: str, merged: list[float], written: list[float], told: list[float]
) -> tuple[str, ...]:
    median = statistics.median(written)
    return (
        name,
        lines,
        f"{statistics.median(merged):.2f}",
        f"{median:.2f}",
        f"{1e6 / median:,.0f}",
        f"{1e6 / max(written):,.0f} to {1e6 / min(written):,.0f}",
        f"{1e6 / statistics.median(told):,.0f}",
    )


def report(rounds: int, most: int, names: list[str]) -> str:
    """Record, measure, and write the table."""
    programs = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/recording"
            if name in SERVERS:
                record_server(SERVERS[name], path)
            else:
                record_program(name, path)
            programs.append(read(name, path, most))
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MANY_OBJECTS)
    rows = measure(programs, rounds)
    head = ("program", "lines", "merge, us", "all, us a line", "lines a second", "range")
    head += ("objects a second",)
    return f"## Text from slices, {rounds} rounds\n\n" + table(head, rows)


def installed() -> list[str]:
    """What of the mix can be run here."""
    every = [n for n in PROGRAMS if shutil.which(PROGRAMS[n][0])]
    servers = (("redis", "redis-benchmark"), ("nginx", "wrk"))
    return every + [name for name, needs in servers if shutil.which(needs)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.format_lines")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=30_000)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    print(report(options.rounds, options.calls, options.names or installed()))


if __name__ == "__main__":
    main()
