"""Attaching to what runs, and leaving it as it was."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import (
    Event,
    GroupStop,
    NewBy,
    Signal,
    SyscallEnter,
    TaskDetached,
    TaskExit,
    TaskNew,
)
from pytracer.target.selection import Attach, Selection
from tests.backend.ptrace.scenes import (
    asked,
    attach_for,
    children,
    collect,
    of,
    running,
    status_of,
    until,
)

pytestmark = [
    pytest.mark.needs_program("gcc"),
    pytest.mark.needs_root,  # Yama may forbid it to others
    pytest.mark.timeout(60),
]

RESTART_SYSCALL = 219
CLOCK_NANOSLEEP = 230


def test_a_worker_is_seen_and_left_working() -> None:
    with running("worker") as process:
        (pid,) = children(process.pid)
        events = attach_for((pid,), 20, stop_at=223)
        new = events[0]
        assert isinstance(new, TaskNew) and new.by is NewBy.ATTACHED and new.task.tid == pid
        assert asked(events) > 100
        assert isinstance(events[-1], TaskDetached)
        assert status_of(pid)["TracerPid"] == "0"
        assert status_of(pid)["State"].startswith("R")
        os.kill(pid, signal.SIGTERM)
        assert process.wait(10) == 29


@pytest.mark.parametrize("stop_at", [2, 3, 5, 7, 11])
def test_detaching_at_any_stop_disturbs_nothing(stop_at: int) -> None:
    with running("worker") as process:
        (pid,) = children(process.pid)
        for _ in range(5):
            assert isinstance(attach_for((pid,), 5, stop_at=stop_at)[-1], TaskDetached)
        os.kill(pid, signal.SIGTERM)
        assert process.wait(10) == 29


def test_all_threads_are_attached_with_follow_and_one_without() -> None:
    with running("crowd") as process:
        (pid,) = children(process.pid)
        tids = {int(each) for each in os.listdir(f"/proc/{pid}/task")}
        events = attach_for((pid,), 0.3)
        news = of(TaskNew, events)
        assert news[0].task.tid == pid and {each.task.tid for each in news} == tids
        assert {each.task.pid for each in news} == {pid}
        assert [each.task.tid for each in of(TaskDetached, events)] == [
            each.task.tid for each in news
        ]
        assert len(tids) == 7
        alone = attach_for((pid,), 0.1, follow=False)
        assert {each.task.tid for each in of(TaskNew, alone)} == {pid}
        for tid in tids:
            assert status_of(tid)["TracerPid"] == "0"


def test_threads_that_begin_during_the_attach_are_traced_too() -> None:
    with running("breeders") as process:
        (pid,) = children(process.pid)
        for _ in range(5):
            backend = PtraceBackend(Attach((pid,)), Selection(follow=True))
            events: list[Event] = []
            for event in backend.events():
                if event is not None:
                    events.append(event)
                if len(events) == 211:
                    assert _tracers(pid) == {str(os.getpid())}
                    backend.stop()
            assert _tracers(pid) == {"0"}
        os.kill(pid, signal.SIGTERM)
        assert process.wait(10) == 29


def _tracers(pid: int) -> set[str]:
    found = set()
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            found.add(status_of(int(tid))["TracerPid"])
        except OSError:
            continue  # ended meanwhile
    return found


def test_several_processes_are_attached() -> None:
    with running("worker") as first, running("sleeper") as second:
        pids = (*children(first.pid), *children(second.pid))
        events = attach_for(pids, 0.3)
        assert [each.task.tid for each in of(TaskNew, events)] == list(pids)
        assert {each.task.tid for each in of(TaskDetached, events)} == set(pids)


def test_an_interrupted_sleep_goes_on_and_is_named() -> None:
    with running("sleeper") as process:
        (pid,) = children(process.pid)
        enter = of(SyscallEnter, attach_for((pid,), 0.3))[0]
        assert enter.nr == RESTART_SYSCALL and enter.resumes == CLOCK_NANOSLEEP
        assert until(lambda: status_of(pid)["State"].startswith("S"))


def test_a_hanging_call_is_shown_while_it_hangs() -> None:
    with running("sleeper") as process:
        backend = PtraceBackend(Attach(tuple(children(process.pid))), Selection(follow=True))
        seen = []
        for event in backend.events():
            if event is None:
                break
            seen.append(type(event))
        backend.close()
        assert seen == [TaskNew, SyscallEnter]


def test_a_stopped_process_stays_stopped() -> None:
    with running("worker") as process:
        (pid,) = children(process.pid)
        os.kill(pid, signal.SIGSTOP)
        assert until(lambda: status_of(pid)["State"].startswith("T"))
        events = attach_for((pid,), 0.3)
        assert [each.signo for each in of(GroupStop, events)] == [signal.SIGSTOP]
        assert asked(events) == 0
        assert isinstance(events[-1], TaskDetached)
        time.sleep(0.1)
        assert status_of(pid)["State"].startswith("T (stopped)")
        assert status_of(pid)["TracerPid"] == "0"
        os.kill(pid, signal.SIGCONT)
        assert until(lambda: status_of(pid)["State"].startswith("R"))


def test_a_signal_held_at_the_detach_arrives() -> None:
    with running("sleeper") as process:
        (pid,) = children(process.pid)
        backend = PtraceBackend(Attach((pid,)), Selection())

        def each(event: object) -> None:
            if isinstance(event, SyscallEnter) and event.nr == RESTART_SYSCALL:
                os.kill(pid, signal.SIGUSR1)
            if isinstance(event, Signal):
                backend.stop()

        events = collect(backend, each)
        assert isinstance(events[-2], Signal) and isinstance(events[-1], TaskDetached)
        assert process.wait(10) == 31


def test_a_signal_pending_at_the_detach_arrives() -> None:
    with running("sleeper") as process:
        (pid,) = children(process.pid)
        backend = PtraceBackend(Attach((pid,)), Selection())

        def each(event: object) -> None:
            if isinstance(event, SyscallEnter) and event.nr == RESTART_SYSCALL:
                os.kill(pid, signal.SIGUSR1)
                backend.stop()

        assert isinstance(collect(backend, each)[-1], TaskDetached)
        assert process.wait(10) == 31


def test_death_while_held_is_an_end_like_any_other() -> None:
    with running("worker") as process:
        (pid,) = children(process.pid)

        def each(event: object) -> None:
            if isinstance(event, SyscallEnter):
                os.kill(pid, signal.SIGKILL)
                time.sleep(0.1)

        events = collect(PtraceBackend(Attach((pid,)), Selection()), each)
        assert [each.status for each in of(TaskExit, events)] == [signal.SIGKILL]
        assert asked(events) == 1


def test_a_refused_process_is_told_as_strace_words_it() -> None:
    with pytest.raises(TargetError) as caught:
        collect(PtraceBackend(Attach((1 << 22,)), Selection()))
    assert caught.value.errno == errno.ESRCH
    assert caught.value.call == f"attach: ptrace(PTRACE_SEIZE, {1 << 22})"


def test_others_are_traced_when_one_is_refused() -> None:
    refused: list[TargetError] = []
    with running("worker") as process:
        (pid,) = children(process.pid)
        target = Attach((1 << 22, pid))
        backend = PtraceBackend(target, Selection(), refuse=refused.append)
        seen = []
        for event in backend.events():
            seen.append(event)
            if len(seen) == 17:
                backend.stop()
        assert [error.pid for error in refused] == [1 << 22]
        assert asked([event for event in seen if event is not None]) > 3


TRACER = """
import sys
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.target.selection import Attach, Selection
for event in PtraceBackend(Attach((int(sys.argv[1]),)), Selection(follow=True)).events():
    print("event", flush=True)
"""


STOPPER = """
import signal, sys
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.target.selection import Attach, Selection
backend = PtraceBackend(Attach((int(sys.argv[1]),)), Selection())
signal.signal(signal.SIGALRM, lambda *_: backend.stop())
signal.setitimer(signal.ITIMER_REAL, 0.2)
for event in backend.events():
    print("event", flush=True)
"""


def test_a_parent_in_vfork_does_not_hold_up_the_detach() -> None:
    with running("long_vfork") as process:
        (pid,) = children(process.pid)
        begun = time.monotonic()
        subprocess.run([sys.executable, "-c", STOPPER, str(pid)], timeout=20, check=True)
        assert time.monotonic() - begun < 2.9
        assert status_of(pid)["TracerPid"] == "0"
        assert process.wait(10) == 0


@pytest.mark.parametrize("scene", ["worker", "crowd", "sleeper"])
def test_a_killed_tracer_leaves_the_target_running(scene: str) -> None:
    with running(scene) as process:
        (pid,) = children(process.pid)
        tracer = subprocess.Popen(
            [sys.executable, "-c", TRACER, str(pid)], stdout=subprocess.PIPE, text=True
        )
        assert tracer.stdout is not None
        for _ in range(2):
            assert tracer.stdout.readline() == "event\n"
        tracer.kill()
        tracer.wait(10)
        tids = [int(each) for each in os.listdir(f"/proc/{pid}/task")]
        assert until(lambda: all(status_of(tid)["TracerPid"] == "0" for tid in tids))
        assert not any(status_of(tid)["State"].startswith(("t", "T")) for tid in tids)
        if scene != "sleeper":
            os.kill(pid, signal.SIGTERM)
            assert process.wait(10) == 29
