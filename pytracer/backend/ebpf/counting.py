"""Counting calls in the kernel: nothing of a call leaves it but what was counted."""

from __future__ import annotations

import errno
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from pytracer.backend.base import NotExecuted, TargetError
from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.tally import Tally
from pytracer.backend.ebpf.threads import Thread, threads_of
from pytracer.event.durations import CallCounts, InFlight
from pytracer.event.schema import Clock, Event, Lost, NewBy, Task, TaskDetached, TaskExit, TaskNew
from pytracer.target.selection import Attach, Launch, Members, Selection, Target
from pytracer.target.spawn import ExecuteFailed, Spawned, spawn
from pytracer.target.start import Dispositions

_SLEEP_MS: Final = 100
_ENDING_MS: Final = 10
_BURY_NS: Final = 1_000_000_000
# From the end of a process that the kernel has counted until its parent may hear of it.
_BURIAL_NS: Final = 10_000_000_000


class CountBackend:
    """Counts the system calls of its targets in the kernel.

    ``cpu``: whether system CPU time is wanted beside wall-clock time; it has every change of
    tasks on a CPU looked at. ``overhead_ns`` is taken off each time. ``groups``: the number of
    the group that a process of the target is counted in, 0 where it is not named.
    ``refuse``, when given, hears of each process that is not there; otherwise the first is raised.
    Errors: BackendUnavailable when the system does not let it work.
    """

    name = "ebpf"

    def __init__(
        self,
        target: Target,
        selection: Selection,
        *,
        cpu: bool = True,
        overhead_ns: int = 0,
        groups: Mapping[int, int] | None = None,
        dispositions: Dispositions | None = None,
        refuse: Callable[[TargetError], None] | None = None,
    ) -> None:
        self.clock = Clock(time.time_ns() - time.monotonic_ns())
        self._target = target
        self._selection = selection
        self._groups = groups or {}
        self._refuse = refuse
        self._dispositions = dispositions or Dispositions()
        self._looked_again = 0
        self._wakeup: int | None = None
        self._stopping = False
        self._spawned: Spawned | None = None
        self._root_over = False
        self._tally = Tally(
            target, selection, cpu, overhead_ns, 1 + max(self._groups.values(), default=0)
        )
        self._namespace = self._tally.namespace
        self._poll = select.poll()
        self._bell_read, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll.register(self._bell_read, select.POLLIN)
        self._pidfds: list[int] = []

    def events(self) -> Iterator[Event | None]:
        """Yield what becomes of the targets until they are gone or :meth:`stop` was called.

        Errors: TargetError when the target cannot be found or started.
        """
        if threading.current_thread() is threading.main_thread():
            # A signal is heard of at once: somebody may want to read what was counted.
            self._wakeup = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        match self._target:
            case Launch():
                yield from self._launch(self._target)
                yield from self._attach(self._target.besides)
            case Attach():
                yield from self._attach(self._target.pids)
            case Members():
                yield from self._join(self._target)
        if self._spawned is not None:
            self._spawned.release()
        looked_ns = time.monotonic_ns()
        while not self._stopping and (self._tally.membership or self._alive()):
            self._sleep()
            if time.monotonic_ns() - looked_ns > _BURY_NS:
                self._tally.bury()
                looked_ns = time.monotonic_ns()
            self._look_again()
            yield from self._changes()
            yield None
        self._tally.detach()
        self._await_root()
        yield from self._changes()
        yield from self._finish()

    def _finish(self) -> Iterator[Event]:
        now = time.monotonic_ns()
        for count, reason in self._tally.losses():
            if count:
                yield Lost(now, count, reason)
        for _, thread in self._tally.threads.places():
            yield TaskDetached(Task(thread.tgid, thread.tid), now)
        failure = self.failure()
        if failure is not None:
            raise failure

    def _alive(self) -> bool:
        totals = self._tally.totals()
        return self._tally.entered + totals.born > totals.gone

    def _sleep(self) -> None:
        # Once the processes are over that the user has named, the others may be about to be.
        ending = not self._pidfds and not self._tally.membership
        for fd, _ in self._poll.poll(_ENDING_MS if ending else _SLEEP_MS):
            if fd == self._bell_read:
                os.read(fd, 4096)
            else:
                self._poll.unregister(fd)
                self._pidfds.remove(fd)
                os.close(fd)

    def _look_again(self) -> None:
        if self._tally.membership is not None:
            again = self._tally.totals().again
            if again != self._looked_again:
                self._looked_again = again
                self._tally.membership.look()

    def _changes(self) -> Iterator[Event]:
        for tid, tgid in self._tally.births():
            yield TaskNew(Task(tgid, tid), time.monotonic_ns(), NewBy.FORKED)
        if self._spawned is not None and self._spawned.ours and not self._root_over:
            yield from self._root_exit(self._spawned.pid)

    def _await_root(self) -> None:
        """Wait until the launched process can be waited for: the kernel counts its end before."""
        if self._spawned is None or not self._spawned.ours or self._root_over or self._stopping:
            return
        limit_ns = time.monotonic_ns() + _BURIAL_NS
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while os.waitid(os.P_PID, self._spawned.pid, how) is None:
            if self._stopping or time.monotonic_ns() > limit_ns:
                return
            time.sleep(0.001)

    def _root_exit(self, pid: int) -> Iterator[Event]:
        """Tell how the launched process ended. It stays a zombie: its number is its own."""
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return
        self._root_over = True
        status = found.si_status
        if found.si_code == os.CLD_EXITED:
            status <<= 8
        elif found.si_code == os.CLD_DUMPED:
            status |= 0x80
        yield TaskExit(Task(pid, pid), time.monotonic_ns(), status)

    def _launch(self, target: Launch) -> Iterator[Event]:
        try:
            child = self._spawned = spawn(target, self._dispositions)
        except ExecuteFailed as error:
            raise NotExecuted(0, error.errno, error.stage) from error
        except OSError as error:
            raise TargetError(0, error.errno or 0, "fork") from error
        root = Thread(child.pid, child.pid, b"", False)
        if not self._tally.enter(root, wire.STATE_LAUNCHING):
            raise TargetError(child.pid, errno.ESRCH, "fork")
        self._tally.loaded.attach()
        self._watch(child.pid)
        yield TaskNew(Task(child.pid, child.pid), time.monotonic_ns(), NewBy.LAUNCHED)

    def _join(self, target: Members) -> Iterator[Event]:
        membership = self._tally.membership
        assert membership is not None
        yield from self._attach(target.pids)
        membership.begin(self._tally.marks, self._namespace.key)
        # Who belongs to the targets by now is told of like those that join later, but is not new.
        for tid, tgid in self._tally.births():
            yield TaskNew(Task(tgid, tid), time.monotonic_ns(), NewBy.ATTACHED)

    def _attach(self, pids: tuple[int, ...]) -> Iterator[Event]:
        self._tally.loaded.attach()
        refusal: TargetError | None = None
        for pid in pids:
            found = threads_of(pid, self._selection.follow)
            if not found:
                refusal = TargetError(pid, errno.ESRCH, f"attach: ptrace(PTRACE_SEIZE, {pid})")
                if self._refuse is None:
                    raise refusal
                self._refuse(refusal)
                continue
            self._watch(pid)
            entered: set[int] = set()
            while found:
                for thread in found:
                    entered.add(thread.tid)
                    group = self._groups.get(pid, 0)
                    if self._tally.enter(thread, wire.STATE_ATTACHED, group):
                        task = Task(thread.pid, thread.tid)
                        yield TaskNew(task, time.monotonic_ns(), NewBy.ATTACHED)
                # Threads may have been made while the list was read, by some not yet traced.
                found = [
                    thread
                    for thread in threads_of(pid, self._selection.follow)
                    if thread.tid not in entered
                ]
        if refusal is not None and not self._tally.entered and not self._tally.membership:
            raise refusal

    def _watch(self, pid: int) -> None:
        """Be woken when the process ends."""
        with suppress(OSError):  # it may be over already: then there is nothing to wait for
            fd = os.pidfd_open(pid)
            self._pidfds.append(fd)
            self._poll.register(fd, select.POLLIN)

    def read(self) -> list[CallCounts]:
        """What was counted since the beginning, in the order in which calls were first made."""
        return self._tally.read()

    def interval(self) -> list[CallCounts]:
        """What was counted since this was last asked for, or since the beginning."""
        return self._tally.interval()

    def in_flight(self) -> list[InFlight]:
        """The calls that have been entered and have not returned."""
        return self._tally.in_flight()

    def kernel_bytes(self) -> int:
        """The kernel's memory that maps take."""
        return self._tally.loaded.kernel_bytes()

    def failure(self) -> TargetError | None:
        """Tell why the launched process, now over, did not execute its program."""
        failure = self._spawned.failure() if self._spawned is not None else None
        return None if failure is None else TargetError(0, failure[1], failure[0])

    def stop(self) -> None:
        """Let go of the targets."""
        self._stopping = True
        self._tally.detach()
        with suppress(BlockingIOError):  # it has been told already
            os.write(self._bell, b"\0")

    def give_up(self) -> None:
        """Nothing was taken in advance: there is nothing to lose."""

    def waiting(self) -> int:
        """Tell how much was taken in advance: nothing."""
        return 0

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        if self._wakeup is not None:
            signal.set_wakeup_fd(self._wakeup)
            self._wakeup = None
        if self._spawned is not None:
            self._spawned.close()
        self._tally.close()
        for fd in (*self._pidfds, self._bell_read, self._bell):
            if fd >= 0:
                os.close(fd)
        self._pidfds.clear()
        self._bell_read = self._bell = -1
