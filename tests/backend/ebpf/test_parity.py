"""Both backends tell the same story of the same program, event by event."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from signal import SIGCHLD

import pytest

from pytracer.backend.base import Backend
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import (
    Event,
    GroupStop,
    Lost,
    Signal,
    SyscallEnter,
    SyscallExit,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)
from pytracer.target.selection import Launch, Selection
from tests.backend.ebpf.scenes import backend_for
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("gcc"),
    pytest.mark.timeout(90),
]


def story(backend: Backend) -> list[list[tuple[object, ...]]]:
    """What each task did, tasks in the order of their birth."""
    tasks: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    birth: list[int] = []
    last_ns = 0
    try:
        for event in backend.events():
            if event is None:
                continue
            assert not isinstance(event, Lost)
            if isinstance(event, Signal) and event.signo == SIGCHLD:
                continue  # whether it comes before or after the wait is the scheduler's choice
            if backend.name == "ebpf":
                assert event.time_ns >= last_ns, "events are out of order"
                last_ns = event.time_ns
            tid = event.task.tid
            if isinstance(event, TaskNew):
                birth.append(tid)
            tasks[tid].append(told(event))
    finally:
        backend.close()
    return [tasks[tid] for tid in birth]


def told(event: Event) -> tuple[object, ...]:
    """The part of an event that two runs of a program share: no addresses, no pids."""
    assert not isinstance(event, Lost)
    tid = event.task.tid
    match event:
        case SyscallEnter(abi=abi, nr=nr):
            return "enter", abi, nr
        case SyscallExit(ret=ret):
            return "exit", min(ret, 100)
        case Signal(signo=signo, siginfo=siginfo):
            assert siginfo is not None
            return "signal", signo, siginfo[8:12]
        case GroupStop(signo=signo):
            return "stopped", signo
        case TaskNew(by=by):
            return "new", by
        case TaskExec(former_tid=former):
            return "exec", former == tid
        case TaskExiting():
            return ("exiting",)
        case TaskExit(status=status):
            return "exited", status
        case _:
            return (type(event).__name__,)


@pytest.mark.parametrize(
    ("scene", "flag"),
    [
        ("plain", "-m64"),
        ("plain", "-m32"),
        ("plain", "-static"),
        ("fork", "-m64"),
        ("fork", "-m32"),
        ("clone", "-m64"),
        ("clone3", "-m64"),
        ("signals", "-m64"),
        ("signals", "-m32"),
        ("killed", "-m64"),
        ("trap", "-m64"),
        ("untraced", "-m64"),
    ],
)
def test_both_backends_tell_the_same(scene: str, flag: str) -> None:
    compare(build("ptrace_scenes.c", flag), scene)


@pytest.mark.parametrize("argument", ["", "kill"])
def test_what_seccomp_answers_is_told_the_same(argument: str) -> None:
    compare(build("seccomp_answers.c"), *argument.split())


def compare(program: Path, *argv: str) -> None:
    """Run a program under each backend; both must tell the same of each task."""
    path = os.fsencode(program)
    target = Launch(path, (path, *map(os.fsencode, argv)), (b"PATH=/usr/bin:/bin",))
    selection = Selection(follow=True)
    stories = [story(PtraceBackend(target, selection)), story(backend_for(target, selection))]
    for by_ptrace, by_ebpf in zip(*stories, strict=True):
        assert by_ebpf == by_ptrace
