"""The loop that turns stops into events."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator

from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.memory import LiveMemory
from pytracer.backend.ptrace.rules import Rules
from pytracer.backend.ptrace.stops import Stops
from pytracer.backend.ptrace.tracee import INSIDE, OUTSIDE, UNWANTED, Tracee
from pytracer.backend.ptrace.wait import Bell, Waiter, spin_ns
from pytracer.event.memory import NO_MEMORY
from pytracer.event.schema import Event, SyscallEnter, SyscallExit


class Loop:
    """Waits for stops, yields their events, and lets the tasks go on.

    ``pending`` are stops that were seen and not yet dealt with: (tid, wait status, system
    time of the process). ``current`` is the stop whose event the consumer has, if its task
    is held. Set ``stopping`` to end :meth:`run` at the next occasion.
    """

    def __init__(
        self, tracees: dict[int, Tracee], stops: Stops, rules: Rules, bell: Bell, waiter: Waiter
    ) -> None:
        self.pending: deque[tuple[int, int, int]] = deque()
        self.current: tuple[int, int] | None = None
        self.stopping = False
        self._tracees = tracees
        self._stops = stops
        self._rules = rules
        self._bell = bell
        self._waiter = waiter

    def held(self) -> list[tuple[int, int]]:
        """Hand over, once, the stops (tid, wait status) whose tasks have not been let go."""
        stops = [(tid, status) for tid, status, _ in self.pending]
        if self.current is not None:
            stops.insert(0, self.current)
        self.current = None
        self.pending.clear()
        return stops

    def _is_over(self) -> bool:
        # A call, for the type checker does not expect it to change while events are held.
        return self.stopping

    def run(self) -> Iterator[Event | None]:
        """Yield events until no task is left, or ``stopping`` is set.

        A task whose event needs no memory goes on before the event is yielded: what the
        consumer does then overlaps with the way to the next stop.
        """
        # The hot path: everything it touches is local.
        tracees, pending, stops, waiter = self._tracees, self.pending, self._stops, self._waiter
        ptrace, now, wait = api.ptrace, time.monotonic_ns, waiter.wait
        counting = waiter.counting
        info = api.Buffer(api.SYSCALL_INFO_SIZE)
        data, where, size = info.data, info.pointer, info.size
        unpack_entry, unpack_exit = api.unpack_entry, api.unpack_exit
        flags = api.WALL | api.WNOHANG
        rules, learn = self._rules.known, self._rules.learn
        syscall_stop, seccomp_stop = api.STATUS_SYSCALL, api.STATUS_SECCOMP
        to_exit, get_info, op_exit = api.PTRACE_SYSCALL, api.PTRACE_GET_SYSCALL_INFO, api.OP_EXIT
        patience, give_way, sleep = spin_ns(), os.sched_yield, self._bell.sleep
        idle = True
        system_ns = 0

        while not self._is_over():
            if pending:
                tid, status, system_ns = pending.popleft()
            else:
                try:
                    tid, status = wait(-1, flags)
                    if not tid:
                        deadline = now() + patience
                        while not tid and now() < deadline:
                            give_way()
                            tid, status = wait(-1, flags)
                        if not tid:
                            if not (tracees or stops.announced):
                                return
                            if not idle:
                                idle = True
                                yield None
                            if not self.stopping:
                                sleep()
                                idle = False
                            continue
                    if counting:
                        system_ns = waiter.system_ns()
                    if len(tracees) > 1:
                        # Take what else has stopped: a busy task must not starve the others.
                        seen = {tid}
                        try:
                            other, other_status = wait(-1, flags)
                            while other:
                                pending.append((other, other_status, waiter.system_ns()))
                                if other in seen:
                                    break
                                seen.add(other)
                                other, other_status = wait(-1, flags)
                        except ChildProcessError:
                            other = 0  # those were the last: what became of them is told
                except ChildProcessError:
                    return
            tracee = tracees.get(tid)
            if tracee is None or (status != syscall_stop and status != seccomp_stop):
                events, request, inject = stops.handle(tid, status, tracee)
                for event in events:
                    idle = False
                    self.current = (tid, status) if request else None
                    yield event
                    if self.stopping:
                        return
                    self.current = None
                if request:
                    ptrace(request, tid, None, inject)
                continue
            inside = tracee.inside
            if inside == UNWANTED:
                tracee.inside = OUTSIDE
                ptrace(tracee.between, tid, None, None)
                continue
            if ptrace(get_info, tid, size, where) < 0:
                continue  # killed meanwhile: its end is on the way
            idle = False
            if data[0] == op_exit:
                time_ns = now()
                if inside != INSIDE:
                    ptrace(tracee.between, tid, None, None)  # attached in the middle of it
                    continue
                _, _, ip, _, ret = unpack_exit(data)
                tracee.inside = OUTSIDE
                spent = system_ns - tracee.system_ns if counting else None
                if tracee.hold_exit:
                    self.current = (tid, status)
                    yield SyscallExit(tracee.task, time_ns, ret, LiveMemory(tid), False, spent, ip)
                    if self.stopping:
                        return
                    self.current = None
                    ptrace(tracee.between, tid, None, None)
                else:
                    ptrace(tracee.between, tid, None, None)
                    yield SyscallExit(tracee.task, time_ns, ret, NO_MEMORY, False, spent, ip)
            elif inside == INSIDE:
                ptrace(to_exit, tid, None, None)  # its filter, after its entry
            else:
                entry = unpack_entry(data)
                arch, ip, nr, args = entry[1], entry[2], entry[4], entry[5:]
                try:
                    rule = rules[arch][nr]
                except KeyError:
                    rule = learn(arch, nr)
                if not rule.wanted:
                    tracee.inside = UNWANTED
                    ptrace(to_exit, tid, None, None)
                    continue
                tracee.inside = INSIDE
                tracee.hold_exit = rule.hold_exit
                tracee.system_ns = system_ns
                if rule.frame:
                    args = (entry[3], *args[1:])
                memory = LiveMemory(tid) if rule.hold_entry else NO_MEMORY
                enter = SyscallEnter(tracee.task, now(), rule.abi, rule.nr, args, memory, ip)
                if tracee.resumes is not None:
                    enter.resumes, tracee.resumes = tracee.resumes, None
                if rule.hold_entry:
                    self.current = (tid, status)
                    yield enter
                    if self.stopping:
                        return
                    self.current = None
                    enter.time_ns = now()
                    ptrace(to_exit, tid, None, None)
                else:
                    ptrace(to_exit, tid, None, None)
                    yield enter
