"""The ptrace backend: from a target and a selection to events, and back to a target alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.attach import seize_process
from pytracer.backend.ptrace.detach import release
from pytracer.backend.ptrace.launch import Child, Launcher
from pytracer.backend.ptrace.loop import Loop
from pytracer.backend.ptrace.rules import Holds, Rules
from pytracer.backend.ptrace.seccomp import Filter, why_not
from pytracer.backend.ptrace.stops import Stops
from pytracer.backend.ptrace.tracee import Tracee, read_comm
from pytracer.backend.ptrace.wait import Bell, Waiter
from pytracer.event.schema import Clock, Event, NewBy, Task, TaskNew
from pytracer.target.selection import Launch, Selection, Target
from pytracer.target.start import Dispositions


class PtraceBackend:
    """Every event of the targets, with the task stopped while its event is held.

    ``root_pid`` is the launched process, once :meth:`events` has begun. ``foreign_exits``
    holds wait statuses of children that are not targets, such as a pager.
    ``count_cpu`` fills in SyscallExit.cpu_ns. ``refuse``, when given, hears of each
    process that cannot be attached; otherwise the first such error is raised.
    ``holds`` tells of which calls the task is to be held at the entry and at the exit; what
    it is not held for comes without memory. Without it, always.
    ``kill_on_exit``: targets die with the tracer; so they do under a seccomp filter.

    The time of a SyscallEnter moves to the moment when the task is let go, so that
    the time in a call does not contain what the consumer did meanwhile.
    """

    name = "ptrace"

    def __init__(
        self,
        target: Target,
        selection: Selection,
        *,
        count_cpu: bool = False,
        kill_on_exit: bool = False,
        holds: Holds | None = None,
        refuse: Callable[[TargetError], None] | None = None,
    ) -> None:
        self.clock = Clock(time.time_ns() - time.monotonic_ns())
        self.root_pid: int | None = None
        self._target = target
        self._selection = selection
        self._refuse = refuse
        self._dispositions = Dispositions()
        self._options = api.OPTION_SYSGOOD | api.OPTION_EXEC | api.OPTION_EXIT
        if selection.follow:
            self._options |= api.OPTION_FORK | api.OPTION_VFORK | api.OPTION_CLONE
        self._between = api.PTRACE_SYSCALL
        self._filtering = selection.seccomp_bpf and why_not(target, selection) is None
        if self._filtering:
            # What the filter stops fails with ENOSYS once there is no tracer.
            self._options |= api.OPTION_SECCOMP
            self._between = api.PTRACE_CONT
        if kill_on_exit or self._filtering:
            self._options |= api.OPTION_EXITKILL
        self._tracees: dict[int, Tracee] = {}
        self._child: Child | None = None
        self._bell = Bell()
        self._stops = Stops(
            self._tracees, selection.follow, self._between, selection.leave_at_execve
        )
        rules = Rules(selection.syscalls, holds)
        self._loop = Loop(self._tracees, self._stops, rules, self._bell, Waiter(count_cpu))
        self.foreign_exits = self._stops.foreign

    def stop(self) -> None:
        """Ask for the end: the iterator detaches and is exhausted."""
        self._loop.stopping = True
        self._bell.ring()

    def give_up(self) -> None:
        """Nothing was taken in advance: each task stops until its event is handed on."""

    def waiting(self) -> int:
        """Tell how much was taken in advance: nothing."""
        return 0

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self._detach()
        self._bell.close()

    def events(self) -> Iterator[Event | None]:
        """Yield events until the targets are gone or :meth:`stop` was called.

        Errors: TargetError when nothing could be attached or launched; for a program that
            was not executed, after all its events.
        """
        try:
            if isinstance(self._target, Launch):
                task = self._launch(self._target)
                self._bell.open()
                yield TaskNew(task, time.monotonic_ns(), NewBy.LAUNCHED)
                yield from self.attach(self._target.besides)
            else:
                self._bell.open()
                yield from self.attach(self._target.pids)
            yield from self._loop.run()
            yield from self._detach()
        finally:
            self.close()
        error = self.failure()
        if error is not None and not self._loop.stopping:
            raise error

    def failure(self) -> TargetError | None:
        """Tell why the launched process, now over, did not execute its program."""
        return self._child.failure() if self._child is not None else None

    def _launch(self, target: Launch) -> Task:
        install = None
        if self._filtering and self._selection.syscalls is not None:
            install = Filter(self._selection.syscalls).install
        launcher = Launcher(target, self._options, self._dispositions, install)
        child = self._child = launcher.launch()
        self.root_pid = child.pid
        task = Task(child.pid, child.pid, read_comm(child.pid))
        # A failed execve leaves our own code: what it does then is not shown.
        self._tracees[child.pid] = Tracee(task, api.PTRACE_CONT)
        self._stops.spared.add(child.pid)
        self._loop.pending.append((child.pid, api.STATUS_SYSCALL, 0))
        return task

    def attach(self, pids: tuple[int, ...]) -> Iterator[Event]:
        """Attach to more processes; between two events, by who consumes them.

        Errors: TargetError when one cannot be attached, unless ``refuse`` hears of that.
        """
        refusal: TargetError | None = None
        for pid in pids:
            if pid in self._tracees or self._loop.stopping:
                continue
            found = seize_process(pid, self._options, self._selection.follow, self._tracees)
            if isinstance(found, TargetError):
                refusal = found
                if self._refuse is None:
                    raise found
                self._refuse(found)
                continue
            for tracee in found:
                self._tracees[tracee.tid] = tracee
            for tracee in found:
                yield TaskNew(tracee.task, time.monotonic_ns(), NewBy.ATTACHED)
        if refusal is not None and not self._tracees:
            raise refusal

    def _detach(self) -> list[Event]:
        held = self._loop.held()
        if not self._tracees and not self._stops.announced:
            return []
        return release(self._tracees, self._stops, held)
