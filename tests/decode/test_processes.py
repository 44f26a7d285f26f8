"""The names of processes, as their events tell."""

from __future__ import annotations

import os
from pathlib import Path

from pytracer.decode.processes import LiveProcesses, SeenProcesses
from pytracer.event.memory import NO_MEMORY
from pytracer.event.schema import (
    Abi,
    Lost,
    NewBy,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskExec,
    TaskExit,
    TaskNew,
)

PARENT = Task(71, 71, "sh")
CHILD = Task(72, 72, "sh")


def born() -> SeenProcesses:
    seen = SeenProcesses(Path("/nowhere"))
    seen.follow(TaskNew(PARENT, 1, NewBy.LAUNCHED))
    seen.follow(TaskNew(CHILD, 2, NewBy.FORKED, PARENT))
    return seen


def test_names_change() -> None:
    seen = born()
    assert seen.comm(72) == "sh"
    seen.follow(TaskExec(Task(72, 72, "ls"), 3, 72))
    assert seen.comm(72) == "ls"
    # The end of a call carries the name that its beginning had.
    seen.follow(SyscallExit(CHILD, 4, 0, NO_MEMORY))
    assert seen.comm(72) == "ls"
    seen.follow(SyscallEnter(Task(72, 72, "other"), 5, Abi.X86_64, 0, (0,) * 6, NO_MEMORY))
    assert seen.comm(72) == "other"
    seen.follow(Lost(6, 1, "the ring was full"))


def test_a_thread_that_takes_over_its_leaders_number() -> None:
    seen = born()
    seen.follow(TaskNew(Task(72, 80, "thread"), 3, NewBy.FORKED, CHILD))
    assert seen.comm(80) == "thread"
    seen.follow(TaskExec(Task(72, 72, "ls"), 4, 80))
    assert (seen.comm(72), seen.comm(80)) == ("ls", None)


def test_who_has_ended_has_a_name_until_waited_for() -> None:
    seen = born()
    seen.reaped(72, 71)  # it stopped
    seen.follow(TaskExit(CHILD, 3, 0))
    assert seen.comm(72) == "sh"
    seen.reaped(72, 99)  # a tracer, not the parent
    assert seen.comm(72) == "sh"
    seen.reaped(72, 71)
    assert seen.comm(72) is None
    seen.follow(TaskNew(Task(72, 72, "again"), 4, NewBy.FORKED, PARENT))
    assert seen.comm(72) == "again"


def test_others_are_looked_up() -> None:
    name = Path("/proc/self/comm").read_text().rstrip("\n")
    for processes in (LiveProcesses(), SeenProcesses()):
        assert processes.comm(os.getpid()) == name
        assert processes.comm(0) is None
        assert processes.comm(-5) is None
