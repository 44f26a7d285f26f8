"""Tasks that need not be held go on before their event is seen."""

from __future__ import annotations

import pytest

from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.memory import Absent, Reason
from pytracer.event.schema import Abi, SyscallEnter, SyscallExit, TaskExit, TaskNew
from pytracer.target.selection import Selection
from tests.backend.ptrace.scenes import GETPPID, asked, collect, launch_of, of, play, scenes

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(60)]


@pytest.mark.parametrize("scene", ["plain", "fork", "threads", "thread_exec", "signals", "vfork"])
def test_the_same_is_seen_as_when_all_are_held(scene: str) -> None:
    def holds(_abi: Abi, nr: int) -> tuple[bool, bool]:
        return nr % 2 == 0, nr % 3 == 0

    every = play(scene)
    backend = PtraceBackend(launch_of(scenes(), scene), Selection(follow=True), holds=holds)
    some = collect(backend)
    for kind in (SyscallEnter, SyscallExit, TaskNew, TaskExit):
        # Threads that wait for each other may ask the kernel more or less often.
        if scene != "threads" or kind in (TaskNew, TaskExit):
            assert len(of(kind, some)) == len(of(kind, every))
    assert asked(some) == asked(every)
    assert [event.status for event in of(TaskExit, some)][-1] == [
        event.status for event in of(TaskExit, every)
    ][-1]


def test_memory_comes_with_held_tasks_alone() -> None:
    asked_of: list[int] = []

    def holds(abi: Abi, nr: int) -> tuple[bool, bool]:
        asked_of.append(nr)
        return nr != GETPPID, True

    readable: list[bool] = []

    def each(event: object) -> None:
        if isinstance(event, SyscallEnter) and event.nr == GETPPID:
            absent = event.memory.read(event.ip or 0, 1)
            assert isinstance(absent, Absent) and absent.reason is Reason.NOT_CAPTURED
        elif isinstance(event, SyscallEnter):
            readable.append(bool(event.memory.read(event.ip or 0, 1)))

    backend = PtraceBackend(launch_of(scenes(), "plain"), Selection(), holds=holds)
    assert asked(collect(backend, each)) == 17
    assert all(readable) and len(readable) > 7
    assert len(asked_of) == len(set(asked_of)), "asked once for each call"


def test_a_stop_between_events_detaches_a_task_that_is_not_held() -> None:
    backend = PtraceBackend(
        launch_of(scenes(), "plain"), Selection(), holds=lambda _abi, _nr: (False, False)
    )

    def each(event: object) -> None:
        if isinstance(event, SyscallEnter) and event.nr == GETPPID:
            backend.stop()

    events = collect(backend, each)
    assert 1 <= asked(events) <= 17
