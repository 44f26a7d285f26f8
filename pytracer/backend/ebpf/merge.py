"""From the rings' slices to events in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Final, TypeAlias

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.wire import CallRecord, EventRecord, Regions, read_regions
from pytracer.event.memory import NO_MEMORY, Memory, Snapshot
from pytracer.event.schema import Abi, SyscallEnter, SyscallExit, Task

# (time, entry before exit, what happened): an event, or a record that changes the tasks.
Happening: TypeAlias = tuple[int, int, SyscallEnter | SyscallExit | EventRecord]

_ENTER: Final = 0
_OTHER: Final = 1
_EXIT: Final = 2
_AFTER: Final = 3
_ABIS: Final = tuple(Abi)
_when = itemgetter(0, 1)
_STATE_AND_RETRY = wire.THREAD_HEAD.size


def comm_of(raw: bytes) -> str:
    """A command name as the kernel stores it; bytes that are not UTF-8 survive a round trip."""
    end = raw.find(b"\0")
    return (raw if end < 0 else raw[:end]).decode("utf-8", "surrogateescape")


class Merger:
    """Orders what the reader brings, turn by turn.

    ``filtered``: calls are left out by their result, so none is shown before it has ended.
    """

    def __init__(self, filtered: bool) -> None:
        self._filtered = filtered
        self._waiting: list[Happening] = []
        self._shown: dict[int, int] = {}  # tid -> entry time of the call that was shown in flight
        self._chunks: dict[tuple[int, int], bytes] = {}
        self._tasks: dict[int, tuple[bytes, Task]] = {}
        self._last: dict[int, int] = {}  # tid -> entry time of its last call that is over
        self._deferred: dict[tuple[int, int], list[EventRecord]] = {}
        self.calls = 0

    def task(self, tid: int, tgid: int, comm: bytes) -> Task:
        """The one object for a thread under a name."""
        known = self._tasks.get(tid)
        if known is not None and known[0] == comm and known[1].pid == tgid:
            return known[1]
        task = Task(tgid, tid, comm_of(comm))
        self._tasks[tid] = comm, task
        return task

    def forget(self, tid: int) -> None:
        """The thread is gone; its number may come again."""
        for known in (self._shown, self._tasks, self._last):
            known.pop(tid, None)
        for key in [key for key in self._deferred if key[0] == tid]:
            del self._deferred[key]

    def entered_before(self, tid: int) -> None:
        """The call that the thread is in has been shown although its entry was not seen."""
        self._shown[tid] = 0

    def add(self, data: bytes) -> None:
        """Take in the records of one slice."""
        at = 0
        end = len(data)
        sample = wire.SAMPLE.unpack_from
        record = wire.RECORD
        waiting = self._waiting
        while at < end:
            kind, _, size, _ = sample(data, at)
            if kind == wire.PERF_RECORD_SAMPLE:
                start = at + 12
                if data[start] == wire.RECORD_CALL:
                    call = CallRecord._make(record.unpack_from(data, start))
                    if call.flags & wire.CALL_CHUNK:
                        key = call.entry_tid, call.enter_ns
                        body = data[start + record.size : start + record.size + call.used]
                        self._chunks[key] = self._chunks.get(key, b"") + body
                    else:
                        self._add_call(call, data, start + record.size)
                else:
                    event = EventRecord._make(wire.EVENT.unpack_from(data, start))
                    if event.call_ns:
                        key = event.tid, event.call_ns
                        self._deferred.setdefault(key, []).append(event)
                    else:
                        waiting.append((event.time_ns, _OTHER, event))
            at += size

    def _add_call(self, call: CallRecord, data: bytes, body: int) -> None:
        self.calls += 1
        before: Memory = NO_MEMORY
        after: Memory = NO_MEMORY
        key = call.entry_tid, call.enter_ns
        if call.chunks or call.used:
            entry, exit_ = self._regions(call, data[body : body + call.used])
            before = Snapshot(entry) if entry else NO_MEMORY
            after = Snapshot(exit_) if exit_ else NO_MEMORY
        task = self.task(call.tid, call.tgid, call.comm)
        if call.enter_ns > self._last.get(call.entry_tid, 0):
            self._last[call.entry_tid] = call.enter_ns
        seen = self._shown.pop(call.entry_tid, None)
        if seen is None or (seen != call.enter_ns and (seen or not call.flags & wire.CALL_UNSEEN)):
            enterer = (
                task
                if call.entry_tid == call.tid
                else self.task(call.entry_tid, call.tgid, call.comm)
            )
            self._waiting.append((call.enter_ns, _ENTER, self._enter(call, enterer, before)))
        if not call.flags & wire.CALL_NO_EXIT:
            exited = SyscallExit(task, call.exit_ns, call.ret, after)
            self._waiting.append((call.exit_ns, _EXIT, exited))
            if self._deferred:
                self._release(key, call.exit_ns)

    def _regions(self, call: CallRecord, body: bytes) -> tuple[Regions, Regions]:
        if call.chunks:
            body = self._chunks.pop((call.entry_tid, call.enter_ns), b"") + body
        entry: Regions = []
        exit_: Regions = []
        read_regions(body, 0, len(body), entry, exit_)
        return entry, exit_

    @staticmethod
    def _enter(call: CallRecord, task: Task, memory: Memory) -> SyscallEnter:
        return SyscallEnter(task, call.enter_ns, _ABIS[call.abi], call.nr, call[13:19], memory)

    def _release(self, key: tuple[int, int], exit_ns: int) -> None:
        # What was ignored during the call a tracer by ptrace sees as the call returns; of the
        # signals before the real-time ones only one of a kind can be pending.
        pending: set[int] = set()
        for event in self._deferred.pop(key, ()):
            if event.other >= 32 or event.other not in pending:
                pending.add(event.other)
                self._waiting.append((exit_ns, _AFTER, event._replace(time_ns=exit_ns)))

    def add_in_flight(self, until_ns: int, threads: list[tuple[int, bytes]]) -> None:
        """Show the calls that have entered and not returned. To be called after :meth:`add`."""
        if self._filtered:
            return
        for count, values in threads:
            for i in range(count):
                at = i * wire.THREAD_BYTES
                state, _ = wire.THREAD_HEAD.unpack_from(values, at)
                if state != wire.STATE_CALL:
                    continue
                at += _STATE_AND_RETRY
                call = CallRecord._make(wire.RECORD.unpack_from(values, at))
                key = call.entry_tid, call.enter_ns
                if (
                    call.enter_ns >= until_ns
                    or self._shown.get(call.entry_tid) == call.enter_ns
                    or call.enter_ns <= self._last.get(call.entry_tid, 0)
                ):
                    continue
                memory: Memory = NO_MEMORY
                if call.used or call.chunks:
                    body = at + wire.RECORD.size
                    data = self._chunks.get(key, b"") + values[body : body + call.used]
                    entry: Regions = []
                    read_regions(data, 0, len(data), entry, [])
                    memory = Snapshot(entry)
                self._shown[call.entry_tid] = call.enter_ns
                task = self.task(call.entry_tid, call.tgid, call.comm)
                self._waiting.append((call.enter_ns, _ENTER, self._enter(call, task, memory)))

    def ordered(self, until_ns: int) -> Iterator[Happening]:
        """What happened before a time, in order. Each happening is given once."""
        waiting = self._waiting
        waiting.sort(key=_when)
        keep: list[Happening] = []
        if waiting and waiting[-1][0] >= until_ns:
            split = len(waiting)
            while split and waiting[split - 1][0] >= until_ns:
                split -= 1
            keep = waiting[split:]
            del waiting[split:]
        self._waiting = keep
        yield from waiting
