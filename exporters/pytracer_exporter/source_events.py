"""Counting events one by one, where no program in the kernel does."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pytracer.decode.siginfo import name_of_signal
from pytracer.event.durations import Histogram
from pytracer.event.schema import (
    Abi,
    Event,
    Lost,
    Signal,
    SyscallEnter,
    SyscallExit,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskNew,
)
from pytracer_exporter.reading import Reading, Stuck, SyscallCounts, TargetState, summed
from pytracer_exporter.source_rows import named

_MOST_ERRNO: Final = 4095


@dataclass(slots=True)
class _Thread:
    """A thread that is traced, and the call that it is in. ``enter_ns``: 0 for none."""

    pid: int
    target: str
    enter_ns: int = 0
    abi: Abi = Abi.X86_64
    nr: int = -1


class Tally:
    """What was counted, from events. ``cpu``: whether CPU time is, too."""

    def __init__(self, cpu: bool) -> None:
        self._cpu = cpu
        self._calls: dict[tuple[str, Abi, int], SyscallCounts] = {}
        self._signals: dict[tuple[str, str], int] = {}
        self._lost: dict[str, int] = {}
        self.threads: dict[int, _Thread] = {}
        self.pids: dict[int, str] = {}

    def take(self, event: Event | None) -> None:
        """Count an event."""
        match event:
            case SyscallEnter():
                thread = self.threads.get(event.task.tid)
                if thread is not None:
                    thread.enter_ns, thread.abi, thread.nr = event.time_ns, event.abi, event.nr
            case SyscallExit():
                thread = self.threads.get(event.task.tid)
                if thread is not None and thread.enter_ns:
                    self._count(thread, event)
            case TaskNew():
                self._begin(event)
            case TaskExec():
                if event.former_tid != event.task.tid:
                    former = self.threads.pop(event.former_tid, None)
                    if former is not None:
                        self.threads[event.task.tid] = former
            case TaskExit() | TaskDetached():
                self.threads.pop(event.task.tid, None)
            case Signal():
                thread = self.threads.get(event.task.tid)
                if thread is not None:
                    key = thread.target, name_of_signal(event.signo)
                    self._signals[key] = self._signals.get(key, 0) + 1
            case Lost():
                self._lost[event.reason] = self._lost.get(event.reason, 0) + event.count

    def forget(self) -> None:
        """Processes that are over are no target's: others may get their numbers."""
        alive = {thread.pid for thread in self.threads.values()}
        self.pids = {pid: target for pid, target in self.pids.items() if pid in alive}

    def _begin(self, event: TaskNew) -> None:
        pid = event.task.pid
        target = self.pids.get(pid)
        if target is None and event.parent is not None:
            parent = self.threads.get(event.parent.tid)
            target = parent.target if parent is not None else None
        if target is not None:
            self.pids.setdefault(pid, target)
            self.threads[event.task.tid] = _Thread(pid, target)

    def _count(self, thread: _Thread, event: SyscallExit) -> None:
        key = thread.target, thread.abi, thread.nr
        counts = self._calls.get(key)
        if counts is None:
            name, _ = named(thread.abi, thread.nr, 0)
            cpu = 0 if self._cpu else None
            counts = SyscallCounts(thread.target, name, 0, {}, 0, cpu, Histogram())
            self._calls[key] = counts
        ns = max(0, event.time_ns - thread.enter_ns)
        thread.enter_ns = 0
        counts.calls += 1
        counts.wall_ns += ns
        counts.histogram.add(ns)
        if counts.cpu_ns is not None:
            counts.cpu_ns += event.cpu_ns or 0
        if -_MOST_ERRNO <= event.ret < 0:
            counts.errnos[-event.ret] = counts.errnos.get(-event.ret, 0) + 1

    def read(self, targets: Iterable[str]) -> Reading:
        """What was counted until now of these targets."""
        wanted = list(targets)
        return Reading(
            list(_merged(each for each in self._calls.values() if each.target in wanted)),
            list(self._stuck()),
            list(self._states(wanted)),
            {key: count for key, count in self._signals.items() if key[0] in wanted},
            dict(self._lost),
        )

    def _stuck(self) -> Iterator[Stuck]:
        found: dict[tuple[str, str], list[int]] = {}
        for thread in self.threads.values():
            if thread.enter_ns:
                name, _ = named(thread.abi, thread.nr, 0)
                found.setdefault((thread.target, name), []).append(thread.enter_ns)
        now = time.monotonic_ns()
        for (target, name), begun in found.items():
            yield Stuck(target, name, len(begun), max(0, now - min(begun)))

    def _states(self, wanted: Iterable[str]) -> Iterator[TargetState]:
        for name in wanted:
            threads = [thread for thread in self.threads.values() if thread.target == name]
            processes = len({thread.pid for thread in threads})
            yield TargetState(name, processes > 0, processes, len(threads))


def _merged(counted: Iterable[SyscallCounts]) -> Iterator[SyscallCounts]:
    """Calls of one name, by whatever ABI they are made, are one."""
    found: dict[tuple[str, str], list[SyscallCounts]] = {}
    for each in counted:
        found.setdefault((each.target, each.syscall), []).append(each)
    return map(summed, found.values())
