"""Counts where there is no eBPF: the same numbers, from a process that may trace and no more."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from pytracer_exporter import privileges

from tests.exporter.doing import doer, eventually
from tests.exporter.staged import exporter

pytestmark = [pytest.mark.needs_root, pytest.mark.timeout(90)]


def tracer_of(pid: int) -> int:
    """Who traces a process; 0 for nobody."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("TracerPid:"):
            return int(line.split()[1])
    raise AssertionError


def test_it_counts_and_has_one_capability(installed: Path) -> None:
    with doer("one") as one, doer("two") as two:
        targets = {"name": "1", "pids": [one.pid]}, {"name": "2", "pids": [two.pid]}
        with exporter(installed, *targets, backend="ptrace") as running:
            eventually(lambda: bool(tracer_of(one.pid) and tracer_of(two.pid)))
            tracer = tracer_of(one.pid)
            one.do("call 101")
            two.do("fork 53")
            calls = running.ask("read")["calls"]
            assert (calls["1 getppid"], calls["2 getppid"]) == (101, 53)
            sets = privileges.sets(Path(f"/proc/{tracer}/status"))
            assert set(sets.values()) == {1 << privileges.CAP_SYS_PTRACE}
            sets = privileges.sets(Path(f"/proc/{running.pid}/status"))
            assert set(sets.values()) == {0}
            eventually(lambda: "1 read" in running.ask("read")["stuck"])


def test_targets_come_and_go(installed: Path) -> None:
    with doer("one") as one, doer("two") as two:
        first, second = {"name": "1", "pids": [one.pid]}, {"name": "2", "pids": [two.pid]}
        with exporter(installed, first, backend="ptrace") as running:
            eventually(lambda: bool(tracer_of(one.pid)))
            one.do("call 7")
            running.ask("watch", of=[second, first])
            eventually(lambda: bool(tracer_of(one.pid) and tracer_of(two.pid)))
            one.do("call 11")
            two.do("call 13")
            calls = running.ask("read")["calls"]
            assert (calls["1 getppid"], calls["2 getppid"]) == (18, 13)
            one.end()
            eventually(lambda: running.ask("read")["targets"] == {"1": False, "2": True})
            running.ask("watch", of=[first])
            eventually(lambda: not tracer_of(two.pid))
            two.do("call 17")
            assert running.ask("read")["calls"]["1 getppid"] == 18


def test_killing_the_server_frees_the_targets(installed: Path) -> None:
    with doer("one") as one:
        with exporter(installed, {"name": "1", "pids": [one.pid]}, backend="ptrace") as running:
            eventually(lambda: bool(tracer_of(one.pid)))
            os.kill(running.pid, signal.SIGKILL)
            running.process.wait()
        eventually(lambda: not tracer_of(one.pid))
        one.do("call 3")
