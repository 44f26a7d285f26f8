"""Seizing tasks that run already, and letting go of tasks that live on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Final

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.stops import Stops
from pytracer.backend.ptrace.tracee import Tracee, list_threads, read_comm, read_ids
from pytracer.event.schema import Event, Task, TaskDetached

# A task that does not come to a stop (a vfork whose child runs on untraced, a dead network
# disk) is left to the kernel, which detaches it when the tracer exits.
_PATIENCE_NS: Final = 1_000_000_000
_PAUSE: Final = 0.0005


def seize(tid: int, options: int) -> TargetError | None:
    """Trace a task and ask it to stop once.

    Errors: returned, worded as strace words them.
    """
    for request, name, data in (
        (api.PTRACE_SEIZE, "PTRACE_SEIZE", options),
        (api.PTRACE_INTERRUPT, "PTRACE_INTERRUPT", 0),
    ):
        if api.ptrace_exact(request, tid, None, data) < 0:
            return TargetError(tid, api.last_errno(), f"attach: ptrace({name}, {tid})")
    return None


def seize_process(
    pid: int, options: int, threads: bool, known: dict[int, Tracee]
) -> list[Tracee] | TargetError:
    """Trace a running task and, with ``threads``, all others of its process.

    New threads of seized ones are traced by the kernel; the list is read again until
    it holds none that is not.
    """
    error = seize(pid, options)
    if error is not None:
        return error
    group, _ = read_ids(pid)
    found = [Tracee(Task(group, pid, read_comm(pid)), api.PTRACE_SYSCALL, fresh=True)]
    taken = {pid}
    fresh = threads
    while fresh:
        fresh = False
        for tid in list_threads(pid):
            if tid in taken or tid in known:
                continue
            taken.add(tid)
            # A refusal is normal: it is gone, or traced by us since its creation.
            if seize(tid, options) is None:
                found.append(
                    Tracee(Task(group, tid, read_comm(tid)), api.PTRACE_SYSCALL, fresh=True)
                )
                fresh = True
    return found


def release(
    tracees: dict[int, Tracee], stops: Stops, held: Iterable[tuple[int, int]]
) -> list[Event]:
    """Detach every tracee, whatever state it is in, without swallowing a signal.

    ``held`` are stops (tid, wait status) that were seen and not yet let go.
    Shape: TaskDetached of those that live on, in the order in which they came, TaskExit of
    those that ended meanwhile.
    """
    events: list[Event] = []
    order = {tid: i for i, tid in enumerate(tracees)}
    for tid, status in held:
        _let_go(tid, status, tracees, stops, events)
    for tid in tracees:
        # A refusal means that it is gone; its end, if it is to be had, is read below.
        api.ptrace_exact(api.PTRACE_INTERRUPT, tid, None, None)
    deadline = time.monotonic_ns() + _PATIENCE_NS
    while tracees and time.monotonic_ns() < deadline:
        try:
            tid, status = os.waitpid(-1, api.WALL | api.WNOHANG)
        except ChildProcessError:
            break
        if tid:
            _let_go(tid, status, tracees, stops, events)
        else:
            time.sleep(_PAUSE)
    tracees.clear()
    detached = [event for event in events if isinstance(event, TaskDetached)]
    detached.sort(key=lambda event: order.get(event.task.tid, 0))
    return [*(event for event in events if not isinstance(event, TaskDetached)), *detached]


def _let_go(
    tid: int, status: int, tracees: dict[int, Tracee], stops: Stops, events: list[Event]
) -> None:
    tracee = tracees.get(tid)
    if status & 0xFF != api.STATUS_STOPPED:
        events += stops.handle(tid, status, tracee)[0]
        return
    event, number = status >> 16, status >> 8 & 0xFF
    # Only a stop for the delivery of a signal has one to pass on. A task that is stopped
    # for job control stays so by itself.
    inject = number if not event and number != api.SYSCALL_TRAP else 0
    detached = api.ptrace_exact(api.PTRACE_DETACH, tid, None, inject) == 0
    # One that was killed in its stop reports its end yet.
    if detached and tracee is not None:
        del tracees[tid]
        events.append(TaskDetached(tracee.task, time.monotonic_ns()))
