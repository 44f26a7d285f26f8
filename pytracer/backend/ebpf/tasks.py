"""The tasks under the tracer's eyes, and what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from signal import SIGSTOP

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.merge import Merger
from pytracer.backend.ebpf.stops import stops_now
from pytracer.backend.ebpf.wire import EventRecord
from pytracer.event.schema import (
    Event,
    GroupStop,
    Lost,
    Mapped,
    NewBy,
    Signal,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)


class Tasks:
    """Follows tasks from their records. ``signals``: numbers that are wanted, None for all.

    ``stops``: whether a signal for job control, that came to a process then, stops it.

    ``alive``: the traced tasks, by thread. ``look_again``: there may be more that belong to the
    target than the programs could take in.
    """

    def __init__(
        self,
        merger: Merger,
        signals: frozenset[int] | None,
        stops: Callable[[int, int], bool] = stops_now,
    ) -> None:
        self._stops = stops
        self._merger = merger
        self._signals = signals
        self.alive: dict[int, Task] = {}
        self.look_again = False
        # Leaders that have ended before their threads: their end shows when the group is gone.
        self._leaders: dict[int, EventRecord] = {}

    def begin(self, tid: int, tgid: int, comm: bytes, by: NewBy) -> TaskNew:
        """A task is traced because the user asked for it."""
        task = self.alive[tid] = self._merger.task(tid, tgid, comm)
        return TaskNew(task, time.monotonic_ns(), by)

    def find(self, threads: list[bytes]) -> Iterator[Event]:
        """Take in tasks whose birth was lost: the kernel follows them all the same."""
        for thread in threads:
            record = wire.SAMPLE_RECORD.unpack_from(thread, wire.THREAD_RECORD)
            tid = record[wire.TID]
            # A fork may be filling it in: then this one is told of after this turn.
            begun = tid and record[wire.TGID]
            if begun and tid not in self.alive and thread[0] != wire.STATE_GONE:
                yield self.begin(tid, record[wire.TGID], record[wire.COMM], NewBy.FORKED)

    def let_go(self) -> list[Task]:
        """The tasks that live on without being traced."""
        left = [task for task in self.alive.values() if task.tid not in self._leaders]
        self.alive.clear()
        return left

    def apply(self, record: EventRecord) -> Iterator[Event]:
        """Turn a record about a task into events."""
        match record.type:
            case wire.RECORD_FORK if record.other in self.alive:
                return  # found before its record came
            case wire.RECORD_FORK:
                parent = self._merger.task(record.tid, record.tgid, record.comm)
                child = self._merger.task(record.other, record.other_tgid, record.comm)
                self.alive[child.tid] = child
                yield TaskNew(child, record.time_ns, NewBy.FORKED, parent)
            case wire.RECORD_EXEC:
                yield from self._exec(record)
            case wire.RECORD_EXIT if record.tid in self.alive:
                yield from self._exit(record)
            case wire.RECORD_SIGNAL:
                yield from self._signal(record)
            case wire.RECORD_JOIN if record.tid not in self.alive:
                task = self._merger.task(record.tid, record.tgid, record.comm)
                self.alive[record.tid] = task
                yield TaskNew(task, record.time_ns, NewBy.ATTACHED)
            case wire.RECORD_AGAIN:
                self.look_again = True
            case wire.RECORD_MAPPED:
                yield from self._mapped(record)
            case wire.RECORD_LEAVE if record.tid in self.alive:
                task = self._merger.task(record.tid, record.tgid, record.comm)
                del self.alive[record.tid]
                self._leaders.pop(record.tid, None)
                yield TaskDetached(task, record.time_ns)
                self._merger.forget(record.tid, record.time_ns)

    def _mapped(self, record: EventRecord) -> Iterator[Event]:
        if record.flags & wire.MAPPED_LOST:
            yield Lost(record.time_ns, record.other, "the ring was full for what is mapped (-k)")
            return
        task = self.alive.get(record.tgid) or next(
            (task for task in self.alive.values() if task.pid == record.tgid), None
        )
        if task is not None:
            areas = () if record.flags & wire.MAPPED_FRESH else (wire.area_of(record.info),)
            yield Mapped(task, record.time_ns, areas, bool(record.flags & wire.MAPPED_FRESH))

    def _exec(self, record: EventRecord) -> Iterator[Event]:
        task = self._merger.task(record.tid, record.tgid, record.comm)
        if not {record.tid, record.other} & self.alive.keys():
            yield TaskNew(task, record.time_ns, NewBy.FORKED)  # its birth was lost
        if record.other != record.tid:
            # The leader is gone without an end of its own: this thread took its place.
            self._leaders.pop(record.tgid, None)
            self.alive.pop(record.other, None)
            self._merger.forget(record.other, 0)  # its execve goes on
        self.alive[record.tid] = task
        yield TaskExec(task, record.time_ns, record.other)

    def _exit(self, record: EventRecord) -> Iterator[Event]:
        task = self._merger.task(record.tid, record.tgid, record.comm)
        yield TaskExiting(task, record.time_ns)
        group = [t for t in self.alive.values() if t.pid == record.tgid and t.tid != record.tid]
        if record.tid == record.tgid and group:
            self._leaders[record.tgid] = record
            return
        yield self._gone(record, record.other, record.time_ns)
        leader = self._leaders.get(record.tgid)
        if leader is not None and [t.tid for t in group] == [record.tgid]:
            del self._leaders[record.tgid]
            # The group's status is the leader's, even if it was decided after the leader's end.
            status = record.other if record.flags & wire.EXIT_GROUP else leader.other
            yield self._gone(leader, status, record.time_ns)

    def _gone(self, record: EventRecord, status: int, time_ns: int) -> Event:
        task = self._merger.task(record.tid, record.tgid, record.comm)
        self.alive.pop(record.tid, None)
        self._merger.forget(record.tid, time_ns)
        return TaskExit(task, time_ns, status)

    def _signal(self, record: EventRecord) -> Iterator[Event]:
        if record.tid not in self.alive or record.tgid in self._leaders:
            return
        task = self._merger.task(record.tid, record.tgid, record.comm)
        signo = record.other
        if self._signals is None or signo in self._signals:
            yield Signal(task, record.time_ns, signo, record.info, record.ip or None)
        if record.flags & wire.SIGNAL_STOPS and (
            signo == SIGSTOP or self._stops(record.tgid, record.time_ns)
        ):
            for member in list(self.alive.values()):
                if member.pid == record.tgid:
                    yield GroupStop(member, record.time_ns, signo)
