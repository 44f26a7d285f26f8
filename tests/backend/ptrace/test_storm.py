"""Many tasks that begin, exec, stop and die at once: the account of them must balance."""

from __future__ import annotations

import pytest

from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import (
    Abi,
    Event,
    Lost,
    SyscallEnter,
    SyscallExit,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskNew,
)
from pytracer.target.selection import Selection
from tests.backend.ptrace.scenes import launch_of, of, status_of
from tests.programs.build import build

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(120)]


class Account:
    """Who is alive, and inside a call. Every event is checked against it."""

    def __init__(self) -> None:
        self.inside: dict[int, bool] = {}

    def take(self, event: Event) -> None:
        """Check one event and account for it."""
        assert not isinstance(event, Lost)
        tid = event.task.tid
        if isinstance(event, TaskNew):
            assert tid not in self.inside
            self.inside[tid] = False
            return
        assert tid in self.inside
        match event:
            case SyscallEnter():
                assert not self.inside[tid]
                self.inside[tid] = True
            case SyscallExit():
                assert self.inside[tid]
                self.inside[tid] = False
            case TaskExec():
                self.inside[tid] = self.inside.pop(event.former_tid)
            case TaskExit() | TaskDetached():
                del self.inside[tid]


def storm(children: int, hold: bool, stop_at: int = 0) -> tuple[PtraceBackend, list[Event]]:
    """Trace a storm, to its end or until ``stop_at`` events have come."""
    backend = PtraceBackend(
        launch_of(build("ptrace_storm.c"), str(children)),
        Selection(follow=True),
        holds=None if hold else _holds_some,
    )
    account = Account()
    events: list[Event] = []
    for event in backend.events():
        if event is not None:
            events.append(event)
            account.take(event)
            if len(events) == stop_at:
                backend.stop()
    assert not account.inside
    return backend, events


def _holds_some(_abi: Abi, nr: int) -> tuple[bool, bool]:
    return nr % 2 == 0, nr % 3 == 0


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("children", [29, 43])
def test_every_task_is_seen_from_its_beginning_to_its_end(children: int, hold: bool) -> None:
    backend, events = storm(children, hold)
    ends = {event.task.tid: event.status for event in of(TaskExit, events)}
    assert ends[backend.root_pid or 0] == 42 << 8
    assert len(of(TaskNew, events)) == len(of(TaskExit, events)) > children
    assert not backend.foreign_exits


@pytest.mark.parametrize("stop_at", [101, 503, 1009, 1511])
def test_all_are_let_go_in_the_midst_of_it(stop_at: int) -> None:
    _, events = storm(43, stop_at % 2 == 0, stop_at)
    freed = of(TaskDetached, events)
    assert freed
    for event in freed:
        try:
            status = status_of(event.task.tid)
        except OSError:
            continue  # ended since
        assert status["TracerPid"] == "0"
        assert not status["State"].startswith("t")
