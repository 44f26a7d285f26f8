"""Every stop that is no system call: births, ends, execs, signals, job control."""

from __future__ import annotations

import time
from signal import SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU
from typing import Final, TypeAlias

from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.memory import LiveMemory
from pytracer.backend.ptrace.tracee import Tracee, is_thread_of, read_comm, read_ids
from pytracer.event.schema import (
    Event,
    GroupStop,
    NewBy,
    Signal,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)

_STOP_SIGNALS: Final = frozenset({SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU})
BIRTHS: Final = frozenset({api.EVENT_FORK, api.EVENT_VFORK, api.EVENT_CLONE})

# What to yield, then the request that lets the task go on (0: it is not held), then the signal.
Outcome: TypeAlias = tuple[list[Event], int, int]


class Stops:
    """Handles stops, and keeps the table of tracees in step with them.

    ``announced`` maps tasks whose creation was seen, but not yet their first stop, to
    their creators. ``between`` is the request that runs a task up to its next entry.
    ``foreign`` collects the ends of children that are not targets. ``leave_at_execve`` lets go of
    a task that executes a program, but for the first one of the tasks in ``spared``.
    """

    def __init__(
        self,
        tracees: dict[int, Tracee],
        follow: bool,
        between: int,
        leave_at_execve: bool = False,
    ) -> None:
        self.spared: set[int] = set()
        self._leave_at_execve = leave_at_execve
        self.announced: dict[int, Task] = {}
        self.foreign: dict[int, int] = {}
        self._tracees = tracees
        self._follow = follow
        self._between = between
        self._info = api.Buffer(api.SYSCALL_INFO_SIZE)

    def handle(self, tid: int, status: int, tracee: Tracee | None) -> Outcome:
        """Account for one wait status that is not a plain system-call stop."""
        if status & 0xFF != api.STATUS_STOPPED:
            return self._ended(tid, status, tracee)
        if tracee is None:
            return self._born(tid)
        event, number = status >> 16, status >> 8 & 0xFF
        go_on = api.PTRACE_SYSCALL if tracee.inside else tracee.between
        if not event:
            return self._signalled(tracee, number, go_on)
        if event == api.EVENT_STOP:
            if tracee.fresh:
                tracee.fresh = False
                tracee.resumes = api.interrupted_call(tid)
            if number not in _STOP_SIGNALS:
                return [], go_on, 0  # PTRACE_INTERRUPT, a first stop, or the end of a group stop
            pointer, memory = self._pointer(tid), LiveMemory(tid)
            stop = GroupStop(tracee.task, time.monotonic_ns(), number, pointer, memory)
            # Ends the ptrace stop but not the group stop: SIGCONT is heard of.
            return [stop], api.PTRACE_LISTEN, 0
        if event in BIRTHS:
            child = api.event_message(tid)
            if child and child not in self._tracees:
                self.announced[child] = tracee.task
            return [], go_on, 0
        if event == api.EVENT_EXEC:
            return self._executed(tracee)
        if event == api.EVENT_EXIT:
            return [TaskExiting(tracee.task, time.monotonic_ns())], go_on, 0
        return [], go_on, 0

    def _ended(self, tid: int, status: int, tracee: Tracee | None) -> Outcome:
        if tracee is None:
            if self.announced.pop(tid, None) is None:
                self.foreign[tid] = status
            return [], 0, 0
        del self._tracees[tid]
        return [TaskExit(tracee.task, time.monotonic_ns(), status)], 0, 0

    def _born(self, tid: int) -> Outcome:
        if not self._follow:
            # A clone that asked for CLONE_PTRACE by itself: not ours to follow.
            api.ptrace_exact(api.PTRACE_DETACH, tid, None, None)
            return [], 0, 0
        parent = self.announced.pop(tid, None)
        if parent is None:
            # It stopped before its creator's event was read.
            group, parent_pid = read_ids(tid)
            creator = self._tracees.get(group if group != tid else parent_pid)
            parent = creator.task if creator is not None else None
        else:
            group = parent.pid if is_thread_of(parent.pid, tid) else tid
        comm = parent.comm if parent is not None else read_comm(tid)
        task = Task(group, tid, comm)
        self._tracees[tid] = Tracee(task, self._between)
        return [TaskNew(task, time.monotonic_ns(), NewBy.FORKED, parent)], self._between, 0

    def _signalled(self, tracee: Tracee, number: int, go_on: int) -> Outcome:
        siginfo = api.signal_info(tracee.tid)
        if siginfo is None:
            return [], go_on, number  # killed meanwhile
        pointer, memory = self._pointer(tracee.tid), LiveMemory(tracee.tid)
        event = Signal(tracee.task, time.monotonic_ns(), number, siginfo, pointer, memory)
        return [event], go_on, number

    def _executed(self, tracee: Tracee) -> Outcome:
        former = api.event_message(tracee.tid)
        if former not in self._tracees:
            former = tracee.tid  # it was killed meanwhile: the message is about its end
        if self._leave_at_execve:
            if tracee.tid not in self.spared:
                api.ptrace_exact(api.PTRACE_DETACH, tracee.tid, None, None)
                for tid in (former, tracee.tid):
                    self._tracees.pop(tid, None)
                now = time.monotonic_ns()
                left: list[Event] = [TaskDetached(tracee.task, now)]
                if former != tracee.tid:
                    left.insert(0, TaskExec(tracee.task, now, former))
                return left, 0, 0
            self.spared.discard(tracee.tid)
        inside = tracee.inside
        if former != tracee.tid:
            # The thread that called execve takes over the leader's id; the leader is gone.
            caller = self._tracees.pop(former, None)
            if caller is not None:
                inside = caller.inside
                tracee.system_ns = caller.system_ns
                tracee.hold_exit = caller.hold_exit
        tracee.inside = inside
        tracee.task = Task(tracee.tid, tracee.tid, read_comm(tracee.tid))
        tracee.between = self._between
        go_on = api.PTRACE_SYSCALL if inside else self._between
        event = TaskExec(tracee.task, time.monotonic_ns(), former, self._pointer(tracee.tid))
        return [event], go_on, 0

    def _pointer(self, tid: int) -> int | None:
        info = self._info
        if api.ptrace_exact(api.PTRACE_GET_SYSCALL_INFO, tid, info.size, info.address) < 0:
            return None
        pointer: int = api.unpack_exit(info.data)[2]
        return pointer
