"""Signals, job control and violent ends."""

from __future__ import annotations

import os
import signal
import struct

import pytest

from pytracer.event.schema import GroupStop, Signal, SyscallEnter, TaskExit, TaskNew
from tests.backend.ptrace.scenes import asked, by_task, of, play

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(60)]

SI_USER = 0
SI_QUEUE = -1


def fields(event: Signal) -> tuple[int, int, int, int]:
    """Read signal, code, sender and value."""
    assert event.siginfo is not None
    number, _, code, pid, _, value = struct.unpack_from("<iii4xiii", event.siginfo)
    return number, code, pid, value


@pytest.mark.parametrize("flag", ["-m64", "-m32"])
def test_signals_carry_their_siginfo_and_reach_the_task(flag: str) -> None:
    events = play("signals", flag)
    root = of(TaskNew, events)[0].task.tid
    caught = of(Signal, events)
    assert [event.signo for event in caught] == [signal.SIGUSR1, signal.SIGRTMIN, signal.SIGURG]
    assert [fields(event)[:3] for event in caught] == [
        (signal.SIGUSR1, SI_USER, root),
        (signal.SIGRTMIN, SI_QUEUE, root),
        (signal.SIGURG, SI_USER, root),
    ]
    assert fields(caught[1])[3] == 4711
    assert all(event.ip for event in caught)
    assert of(TaskExit, events)[0].status == 0


def test_a_deadly_signal_is_the_end() -> None:
    events = play("killed")
    assert [event.signo for event in of(Signal, events)] == [signal.SIGTERM]
    assert of(TaskExit, events)[0].status == signal.SIGTERM


def test_sigkill_is_seen_only_as_the_end() -> None:
    killed: list[int] = []

    def each(event: object) -> None:
        if isinstance(event, SyscallEnter) and event.nr == 110 and not killed:
            killed.append(event.task.tid)
            os.kill(event.task.pid, signal.SIGKILL)

    events = play("plain", each=each)
    assert not of(Signal, events)
    assert asked(events) == 1
    assert of(TaskExit, events)[0].status == signal.SIGKILL


def test_a_real_sigtrap_is_no_system_call() -> None:
    events = play("trap")
    assert [event.signo for event in of(Signal, events)] == [signal.SIGTRAP]
    assert of(TaskExit, events)[0].status == 5 << 8


def test_a_stop_is_seen_by_the_parent_and_ends_with_sigcont() -> None:
    events = play("stop")
    root, child = (event.task.tid for event in of(TaskNew, events))
    assert [event.signo for event in of(GroupStop, events)] == [signal.SIGSTOP]
    signals = [event.signo for event in of(Signal, by_task(events, child))]
    assert signals == [signal.SIGSTOP, signal.SIGCONT]
    assert asked(events, child) == 5
    assert of(TaskExit, by_task(events, root))[0].status == 0
