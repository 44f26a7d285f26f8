"""Letting go of tasks that live on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Final

from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.stops import BIRTHS, Stops
from pytracer.backend.ptrace.tracee import Tracee
from pytracer.event.schema import Event, TaskDetached

# A task that does not come to a stop (a vfork whose child runs on untraced, a dead network
# disk) is left to the kernel, which detaches it when the tracer exits.
_PATIENCE_NS: Final = 1_000_000_000
_PAUSE: Final = 0.0005


def release(
    tracees: dict[int, Tracee], stops: Stops, held: Iterable[tuple[int, int]]
) -> list[Event]:
    """Detach every tracee, whatever state it is in, without swallowing a signal.

    ``held`` are stops (tid, wait status) that were seen and not yet let go.
    Shape: TaskExit of those that ended meanwhile, then TaskDetached of those that live on,
    in the order in which they came.
    """
    order = {tid: i for i, tid in enumerate(tracees)}
    work = _Release(tracees, stops)
    for tid, status in held:
        work.let_go(tid, status)
    for tid in tracees:
        # A refusal means that it is gone; its end, if it is to be had, is read below.
        api.ptrace_exact(api.PTRACE_INTERRUPT, tid, None, None)
    deadline = time.monotonic_ns() + _PATIENCE_NS
    # Children that are born meanwhile are traced by the kernel: they must be let go, too.
    while (tracees or stops.announced) and time.monotonic_ns() < deadline:
        try:
            tid, status = os.waitpid(-1, api.WALL | api.WNOHANG)
        except ChildProcessError:
            break
        if tid:
            work.let_go(tid, status)
        else:
            time.sleep(_PAUSE)
    tracees.clear()
    stops.announced.clear()
    work.detached.sort(key=lambda event: order.get(event.task.tid, len(order)))
    return [*work.ended, *work.detached]


class _Release:
    """What has become of the tracees so far."""

    def __init__(self, tracees: dict[int, Tracee], stops: Stops) -> None:
        self.ended: list[Event] = []
        self.detached: list[TaskDetached] = []
        self._tracees = tracees
        self._stops = stops
        # Children that were let go before their creators told of them.
        self._strangers: set[int] = set()

    def let_go(self, tid: int, status: int) -> None:
        """Detach a task from its stop, or take note of its end."""
        tracee = self._tracees.get(tid)
        if status & 0xFF != api.STATUS_STOPPED:
            self.ended += self._stops.handle(tid, status, tracee)[0]
            return
        event, number = status >> 16, status >> 8 & 0xFF
        if tracee is None:
            self._strangers.add(tid)
            self._stops.announced.pop(tid, None)
        elif event in BIRTHS:
            child = api.event_message(tid)
            if child and child not in self._tracees and child not in self._strangers:
                self._stops.announced[child] = tracee.task
        elif event == api.EVENT_EXEC:
            former = api.event_message(tid) or tid
            if former != tid:
                self._tracees.pop(former, None)
        # Only a stop for the delivery of a signal has one to pass on. A task that is stopped
        # for job control stays so by itself.
        inject = number if not event and number != api.SYSCALL_TRAP else 0
        detached = api.ptrace_exact(api.PTRACE_DETACH, tid, None, inject) == 0
        # One that was killed in its stop reports its end yet.
        if detached and tracee is not None:
            del self._tracees[tid]
            self.detached.append(TaskDetached(tracee.task, time.monotonic_ns()))
