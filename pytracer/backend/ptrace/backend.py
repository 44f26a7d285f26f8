"""The ptrace backend: the loop that turns stops into events."""

from __future__ import annotations

import ctypes
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.attach import release, seize_process
from pytracer.backend.ptrace.launch import Child, Dispositions, Launcher
from pytracer.backend.ptrace.memory import LiveMemory
from pytracer.backend.ptrace.seccomp import Filter, why_not
from pytracer.backend.ptrace.stops import Stops
from pytracer.backend.ptrace.tracee import INSIDE, OUTSIDE, UNWANTED, Tracee, read_comm
from pytracer.backend.ptrace.wait import Bell, spin_budget
from pytracer.event.schema import (
    FRAME_CALLS,
    Abi,
    Clock,
    Event,
    NewBy,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskNew,
)
from pytracer.target.selection import LISTED, Attach, Launch, Selection, Target

_ABIS: Final = {api.ARCH_X86_64: Abi.X86_64, api.ARCH_I386: Abi.I386}
_NO_NUMBER: Final = (1 << 64) - 1


class PtraceBackend:
    """Every event of the targets, with the task stopped while its event is held.

    ``root_pid`` is the launched process, once :meth:`events` has begun. ``foreign_exits``
    holds wait statuses of children that are not targets, such as a pager.
    ``count_cpu`` fills in SyscallExit.cpu_ns. ``refuse``, when given, hears of each
    process that cannot be attached; otherwise the first such error is raised.
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
        self._pending: deque[tuple[int, int, int]] = deque()
        self._current: tuple[int, int] | None = None
        self._child: Child | None = None
        self._stopping = False
        self._bell = Bell()
        self._usage = api.Buffer(api.RUSAGE_SIZE) if count_cpu else None
        self._stops = Stops(
            self._tracees, selection.follow, self._between, selection.leave_at_execve
        )
        self.foreign_exits = self._stops.foreign

    def stop(self) -> None:
        """Ask for the end: the iterator detaches and is exhausted."""
        self._stopping = True
        self._bell.ring()

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
            else:
                self._bell.open()
                yield from self._attach(self._target)
            yield from self._run()
            yield from self._detach()
        finally:
            self.close()
        error = self.failure()
        if error is not None and not self._stopping:
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
        self._pending.append((child.pid, api.STATUS_SYSCALL, 0))
        return task

    def _attach(self, target: Attach) -> Iterator[Event]:
        refusal: TargetError | None = None
        for pid in target.pids:
            if pid in self._tracees or self._stopping:
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

    def _run(self) -> Iterator[Event | None]:
        # The hot path: everything it touches is local.
        tracees, pending, stops = self._tracees, self._pending, self._stops
        ptrace, now, wait4 = api.ptrace, time.monotonic_ns, api.wait4
        info = api.Buffer(api.SYSCALL_INFO_SIZE)
        data, where, size = info.data, info.address, info.size
        unpack_entry, unpack_exit = api.unpack_entry, api.unpack_exit
        wait_status = ctypes.c_int()
        status_address, usage = ctypes.addressof(wait_status), self._usage
        usage_address = usage.address if usage is not None else None
        flags = api.WALL | api.WNOHANG
        wanted = self._selection.syscalls
        syscall_stop, seccomp_stop = api.STATUS_SYSCALL, api.STATUS_SECCOMP
        to_exit, get_info = api.PTRACE_SYSCALL, api.PTRACE_GET_SYSCALL_INFO
        spins, sleep = spin_budget(), self._bell.sleep
        idle = True
        system_ns = 0

        while True:
            if pending:
                tid, status, system_ns = pending.popleft()
            else:
                if self._stopping:
                    return
                tid = wait4(-1, status_address, flags, usage_address)
                left = spins
                while not tid and left:
                    left -= 1
                    tid = wait4(-1, status_address, flags, usage_address)
                if tid <= 0:
                    if tid < 0 or not (tracees or stops.announced):
                        return
                    if not idle:
                        idle = True
                        yield None
                    if not self._stopping:
                        sleep()
                    continue
                status = wait_status.value
                if usage is not None:
                    system_ns = api.system_time_ns(usage)
                if len(tracees) > 1:
                    # Take what else has stopped, so that a busy task cannot starve the others.
                    seen = {tid}
                    other = wait4(-1, status_address, flags, usage_address)
                    while other > 0:
                        spent_ns = api.system_time_ns(usage) if usage is not None else 0
                        pending.append((other, wait_status.value, spent_ns))
                        if other in seen:
                            break
                        seen.add(other)
                        other = wait4(-1, status_address, flags, usage_address)
            tracee = tracees.get(tid)
            if tracee is None or (status != syscall_stop and status != seccomp_stop):
                events, request, inject = stops.handle(tid, status, tracee)
                for event in events:
                    idle = False
                    self._current = (tid, status) if request else None
                    yield event
                    if self._stopping:
                        return
                    self._current = None
                if request:
                    ptrace(request, tid, None, inject)
                continue
            if tracee.inside == UNWANTED:
                tracee.inside = OUTSIDE
                ptrace(tracee.between, tid, None, None)
                continue
            if ptrace(get_info, tid, size, where) < 0:
                continue  # killed meanwhile: its end is on the way
            if data[0] == api.OP_EXIT:
                time_ns = now()
                if tracee.inside != INSIDE:
                    ptrace(tracee.between, tid, None, None)  # attached in the middle of it
                    continue
                _, _, ip, _, ret = unpack_exit(data)
                tracee.inside = OUTSIDE
                spent = None if usage is None else system_ns - tracee.system_ns
                idle = False
                self._current = (tid, status)
                yield SyscallExit(tracee.task, time_ns, ret, LiveMemory(tid), False, spent, ip)
                if self._stopping:
                    return
                self._current = None
                ptrace(tracee.between, tid, None, None)
            elif tracee.inside == INSIDE:
                ptrace(to_exit, tid, None, None)  # its filter, after its entry
            else:
                _, arch, ip, sp, nr, *args = unpack_entry(data)
                if nr < api.X32_BIT:
                    abi = _ABIS[arch]
                elif nr == _NO_NUMBER:
                    abi, nr = _ABIS[arch], -1
                else:
                    abi, nr = Abi.X32, nr & ~api.X32_BIT
                if wanted is not None and 0 <= nr < LISTED and nr not in wanted.get(abi, ()):
                    tracee.inside = UNWANTED
                    ptrace(to_exit, tid, None, None)
                    continue
                tracee.inside = INSIDE
                if (abi, nr) in FRAME_CALLS:
                    args[0] = sp
                enter = SyscallEnter(tracee.task, now(), abi, nr, tuple(args), LiveMemory(tid), ip)
                if tracee.resumes is not None:
                    enter.resumes, tracee.resumes = tracee.resumes, None
                idle = False
                self._current = (tid, status)
                yield enter
                if self._stopping:
                    return
                self._current = None
                tracee.system_ns = system_ns
                enter.time_ns = now()
                ptrace(to_exit, tid, None, None)

    def _detach(self) -> list[Event]:
        held = [(tid, status) for tid, status, _ in self._pending]
        if self._current is not None:
            held.insert(0, self._current)
        self._current = None
        self._pending.clear()
        if not self._tracees:
            return []
        return release(self._tracees, self._stops, held)
