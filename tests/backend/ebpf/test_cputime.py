"""The CPU time of calls, as the stream tells it and as it is counted."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.backend.ebpf.counting import CountBackend
from pytracer.backend.ebpf.programs import StreamPrograms
from pytracer.event.durations import Times
from pytracer.event.schema import Abi, Event, SyscallEnter, SyscallExit, TaskNew
from pytracer.target.selection import Attach, Target
from tests.backend.ebpf.scenes import FOLLOW, backend_for, launch
from tests.programs.build import build

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.timeout(60)]

READ, PREAD64, NANOSLEEP = 0, 17, 230
Each = Callable[[Event], None]


def nothing(_: Event) -> None:
    """Let an event be."""


def streamed(target: Target, each: Each = nothing) -> dict[int, tuple[Times, Times]]:
    """Wall-clock and CPU times of the calls that were streamed, by number."""
    found: dict[int, tuple[Times, Times]] = {}
    entered: dict[int, SyscallEnter] = {}
    programs = StreamPrograms(target, cpu=True)
    with closing(EbpfBackend(target, FOLLOW, programs=programs)) as backend:
        for event in backend.events():
            if isinstance(event, SyscallEnter):
                entered[event.task.tid] = event
            elif isinstance(event, SyscallExit):
                entry = entered.pop(event.task.tid)
                wall_ns = event.time_ns - entry.time_ns
                assert event.cpu_ns is not None
                # A call that was in flight at the attach may have been found a little later.
                assert 0 <= event.cpu_ns <= wall_ns + 100_000_000
                wall, cpu = found.setdefault(entry.nr, (Times(), Times()))
                wall.add(wall_ns)
                cpu.add(event.cpu_ns)
            if event is not None:
                each(event)
    return found


def counted(target: Target, each: Each = nothing) -> dict[int, tuple[Times, Times]]:
    """The same of calls that were counted."""
    with closing(CountBackend(target, FOLLOW)) as backend:
        for event in backend.events():
            if event is not None:
                each(event)
        return {c.nr: (c.wall, c.cpu) for c in backend.read() if c.abi == Abi.X86_64}


WAYS = pytest.mark.parametrize("measure", [streamed, counted])


@WAYS
def test_calls_take_the_cpu_time_that_the_scheduler_accounts_for(
    measure: Callable[[Target], dict[int, tuple[Times, Times]]], tmp_path: Path
) -> None:
    said = tmp_path / "said"
    times = measure(launch(str(build("spent.c")), str(said)))
    wall, cpu = times[NANOSLEEP]
    assert wall.min_ns >= 50_000_000
    assert cpu.total_ns < wall.total_ns / 4
    by_clock = int(said.read_text())
    wall, cpu = times[PREAD64]
    # Three others want the CPU: by the clock on the wall it took four times as long.
    assert by_clock / 2 < cpu.total_ns < by_clock * 2 + 10_000_000
    assert cpu.total_ns <= wall.total_ns
    wall, cpu = times[READ]  # from a pipe, mostly
    assert 0 < cpu.min_ns <= cpu.total_ns < wall.total_ns


@contextmanager
def hanging() -> Iterator[tuple[int, int]]:
    """A process that waits for a byte, and the descriptor to write it to."""
    read_end, write_end = os.pipe()
    with subprocess.Popen(["head", "-c1"], stdin=read_end, stdout=subprocess.DEVNULL) as process:
        os.close(read_end)
        try:
            limit = time.monotonic() + 20
            while not Path(f"/proc/{process.pid}/syscall").read_text().startswith(f"{READ} "):
                assert time.monotonic() < limit
                time.sleep(0.01)
            yield process.pid, write_end
        finally:
            process.kill()
            os.close(write_end)


@WAYS
def test_a_call_that_slept_when_it_was_attached_to_takes_no_cpu(
    measure: Callable[[Target, Each], dict[int, tuple[Times, Times]]],
) -> None:
    def wake(event: Event) -> None:
        if isinstance(event, TaskNew):
            threading.Timer(0.5, os.write, (write_end, b"\n")).start()

    with hanging() as (pid, write_end):
        wall, cpu = measure(Attach((pid,)), wake)[READ]
    assert wall.max_ns >= 300_000_000
    assert cpu.max_ns < wall.max_ns / 4


def test_where_it_is_not_asked_for_nothing_is_told() -> None:
    with closing(backend_for(launch("true"))) as backend:
        ends = [event for event in backend.events() if isinstance(event, SyscallExit)]
    assert ends and all(event.cpu_ns is None for event in ends)
