"""Births, ends and execs, in every way that Linux has of them."""

from __future__ import annotations

import pytest

from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import (
    Abi,
    NewBy,
    SyscallEnter,
    SyscallExit,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)
from pytracer.target.selection import Selection
from tests.backend.ptrace.scenes import (
    GETPPID,
    asked,
    by_task,
    collect,
    launch_of,
    of,
    play,
    scenes,
)

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(60)]

EXECVE = 59


def test_a_launch_begins_with_execve_and_ends_with_the_status() -> None:
    events = play("plain")
    new, enter, execed, leave = events[:4]
    assert isinstance(new, TaskNew) and new.by is NewBy.LAUNCHED and new.parent is None
    assert isinstance(enter, SyscallEnter) and enter.nr == EXECVE
    assert isinstance(execed, TaskExec) and execed.former_tid == execed.task.tid
    assert isinstance(leave, SyscallExit) and leave.ret == 0
    assert execed.task.comm.startswith("ptrace_scenes")
    assert asked(events) == 17
    *_, last_enter, exiting, ended = events
    assert isinstance(last_enter, SyscallEnter) and last_enter.nr == 231
    assert isinstance(exiting, TaskExiting)
    assert isinstance(ended, TaskExit) and ended.status == 3 << 8


def test_entries_and_exits_alternate() -> None:
    kinds = [type(event) for event in play("plain") if type(event) in (SyscallEnter, SyscallExit)]
    assert kinds == [SyscallEnter, SyscallExit] * (len(kinds) // 2) + [SyscallEnter]


@pytest.mark.parametrize(
    ("scene", "child", "parent"),
    [("fork", 5, 7), ("vfork", 5, 0), ("clone", 5, 7), ("clone3", 5, 7)],
)
def test_a_child_is_announced_before_it_acts(scene: str, child: int, parent: int) -> None:
    events = play(scene)
    root, other = of(TaskNew, events)
    assert other.by is NewBy.FORKED
    assert other.parent is not None and other.parent.tid == root.task.tid
    assert other.task.pid == other.task.tid
    assert asked(events, other.task.tid) == child
    assert asked(events, root.task.tid) == parent
    assert by_task(events, other.task.tid)[0] is other
    assert len(of(TaskExit, events)) == 2


def test_children_are_left_alone_without_follow() -> None:
    events = play("fork", selection=Selection(follow=False))
    assert len(of(TaskNew, events)) == len(of(TaskExit, events)) == 1
    assert asked(events) == 7


def test_a_child_that_asked_to_be_untraced_is() -> None:
    events = play("untraced")
    assert len(of(TaskNew, events)) == 1
    assert asked(events) == 7


def test_an_orphan_is_traced_to_its_end() -> None:
    for _ in range(7):
        events = play("orphan")
        assert len(of(TaskNew, events)) == len(of(TaskExit, events)) == 2
        assert asked(events) == 5


def test_threads_belong_to_their_process() -> None:
    events = play("threads")
    root, *threads = of(TaskNew, events)
    assert len(threads) == 3
    for thread in threads:
        assert thread.task.pid == root.task.pid != thread.task.tid
        assert asked(events, thread.task.tid) == 5
    assert asked(events, root.task.tid) == 7
    assert len(of(TaskExit, events)) == 4


def test_a_thread_that_execs_becomes_the_leader() -> None:
    events = play("thread_exec")
    root, thread = of(TaskNew, events)
    execed = of(TaskExec, events)[-1]
    assert execed.task.tid == root.task.tid and execed.former_tid == thread.task.tid
    after = events[events.index(execed) + 1 :]
    assert isinstance(after[0], SyscallExit) and after[0].task.tid == root.task.tid
    assert asked(after, root.task.tid) == 17
    assert not by_task(after, thread.task.tid)
    assert [event.status for event in of(TaskExit, events)][-1] == 3 << 8


def test_a_32_bit_program_is_told_apart() -> None:
    events = play("fork", "-m32")
    abis = [event.abi for event in of(SyscallEnter, events)]
    assert abis[0] is Abi.X86_64 and set(abis[1:]) == {Abi.I386}
    getppid = [event for event in of(SyscallEnter, events)[1:] if event.nr == 64]
    assert len(getppid) == 12
    assert all(argument < 1 << 32 for event in getppid for argument in event.args)


def test_what_is_not_wanted_is_left_out() -> None:
    selection = Selection(follow=True, syscalls={Abi.X86_64: frozenset({GETPPID})})
    events = play("fork", selection=selection)
    assert {event.nr for event in of(SyscallEnter, events)} == {GETPPID}
    assert len(of(SyscallEnter, events)) == len(of(SyscallExit, events)) == 12
    assert len(of(TaskNew, events)) == 2 and len(of(TaskExec, events)) == 1


def test_a_filter_shows_the_same_as_no_filter() -> None:
    wanted = {Abi.X86_64: frozenset({GETPPID, 61}), Abi.I386: frozenset({64})}
    plain = play("fork", selection=Selection(follow=True, syscalls=wanted))
    filtered = play("fork", selection=Selection(follow=True, syscalls=wanted, seccomp_bpf=True))
    for kind in (TaskNew, TaskExec, TaskExit, SyscallExit):
        assert len(of(kind, filtered)) == len(of(kind, plain))
    numbers = [sorted(event.nr for event in of(SyscallEnter, each)) for each in (plain, filtered)]
    assert numbers[0] == numbers[1] == sorted([GETPPID] * 12 + [61])


def test_a_filter_that_stops_nothing_shows_only_tasks() -> None:
    nothing = {Abi.X86_64: frozenset({0xFFFF})}
    events = play("threads", selection=Selection(follow=True, syscalls=nothing, seccomp_bpf=True))
    assert not of(SyscallEnter, events)
    assert len(of(TaskExit, events)) == 4


def test_system_time_is_counted_when_asked_for() -> None:
    backend = PtraceBackend(launch_of(scenes(), "plain"), Selection(), count_cpu=True)
    spent = [event.cpu_ns for event in of(SyscallExit, collect(backend))]
    assert all(each is not None and each >= 0 for each in spent)
    assert all(event.cpu_ns is None for event in of(SyscallExit, play("plain")))
