"""From the rings' slices to events in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        self._calls: list[tuple[CallRecord, bytes]] = []
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

    def turn(
        self, until_ns: int, threads: list[tuple[int, bytes]], slices: Iterable[bytes]
    ) -> Iterator[Happening]:
        """Take in one look at rings and threads; give what happened before ``until_ns``, in order.

        What is known of later moments waits: of the rings that were read first it is not complete.
        """
        for data in slices:
            self._parse(data)
        calls = self._calls
        self._calls = []
        for call, body in calls:
            if call.exit_ns < until_ns:
                self._over(call, body)
            else:
                self._calls.append((call, body))
                if call.enter_ns < until_ns:
                    self._in_flight(call, body)
        for count, values in threads:
            for at in range(0, count * wire.THREAD_BYTES, wire.THREAD_BYTES):
                self._thread(values, at, until_ns)
        return self._ordered(until_ns)

    def _parse(self, data: bytes) -> None:
        at = 0
        end = len(data)
        sample = wire.SAMPLE.unpack_from
        unpack = wire.RECORD.unpack_from
        record_bytes = wire.RECORD.size
        calls = self._calls
        while at < end:
            kind, _, size, _ = sample(data, at)
            if kind == wire.PERF_RECORD_SAMPLE:
                start = at + 12
                if data[start] == wire.RECORD_CALL:
                    call = CallRecord._make(unpack(data, start))
                    start += record_bytes
                    body = data[start : start + call.used]
                    if call.flags & wire.CALL_CHUNK:
                        key = call.entry_tid, call.enter_ns
                        self._chunks[key] = self._chunks.get(key, b"") + body
                    else:
                        calls.append((call, body))
                else:
                    event = EventRecord._make(wire.EVENT.unpack_from(data, start))
                    if event.call_ns:
                        key = event.tid, event.call_ns
                        self._deferred.setdefault(key, []).append(event)
                    else:
                        self._waiting.append((event.time_ns, _OTHER, event))
            at += size

    def _over(self, call: CallRecord, body: bytes) -> None:
        self.calls += 1
        before: Memory = NO_MEMORY
        after: Memory = NO_MEMORY
        if call.chunks or body:
            entry, exit_ = self._regions(call, body)
            before = Snapshot(entry) if entry else NO_MEMORY
            after = Snapshot(exit_) if exit_ else NO_MEMORY
        enterer = call.entry_tid
        if call.enter_ns > self._last.get(enterer, 0):
            self._last[enterer] = call.enter_ns
        shown = self._shown.get(enterer)
        if shown is not None and (
            shown == call.enter_ns or (not shown and call.flags & wire.CALL_UNSEEN)
        ):
            del self._shown[enterer]
        else:
            self._waiting.append((call.enter_ns, _ENTER, self._enter(call, before)))
        if not call.flags & wire.CALL_NO_EXIT:
            task = self.task(call.tid, call.tgid, call.comm)
            exited = SyscallExit(task, call.exit_ns, call.ret, after)
            self._waiting.append((call.exit_ns, _EXIT, exited))
            if self._deferred:
                self._release((enterer, call.enter_ns), call.exit_ns)
        if self._chunks:
            self._chunks.pop((enterer, call.enter_ns), None)

    def _regions(self, call: CallRecord, body: bytes) -> tuple[Regions, Regions]:
        if call.chunks:
            body = self._chunks.get((call.entry_tid, call.enter_ns), b"") + body
        entry: Regions = []
        exit_: Regions = []
        read_regions(body, 0, len(body), entry, exit_)
        return entry, exit_

    def _enter(self, call: CallRecord, memory: Memory) -> SyscallEnter:
        task = self.task(call.entry_tid, call.tgid, call.comm)
        return SyscallEnter(task, call.enter_ns, _ABIS[call.abi], call.nr, call[13:19], memory)

    def _release(self, key: tuple[int, int], exit_ns: int) -> None:
        # What was ignored during the call a tracer by ptrace sees as the call returns; of the
        # signals before the real-time ones only one of a kind can be pending.
        pending: set[int] = set()
        for event in self._deferred.pop(key, ()):
            if event.other >= 32 or event.other not in pending:
                pending.add(event.other)
                self._waiting.append((exit_ns, _AFTER, event._replace(time_ns=exit_ns)))

    def _in_flight(self, call: CallRecord, body: bytes) -> None:
        """Show a call that has entered and, at the moment looked at, not returned."""
        enterer = call.entry_tid
        if (
            self._filtered
            or self._shown.get(enterer) == call.enter_ns
            or call.flags & wire.CALL_UNSEEN
            or call.enter_ns <= self._last.get(enterer, 0)
        ):
            return
        self._shown[enterer] = call.enter_ns
        entry, _ = self._regions(call, body)
        memory = Snapshot(entry) if entry else NO_MEMORY
        self._waiting.append((call.enter_ns, _ENTER, self._enter(call, memory)))

    def _thread(self, values: bytes, at: int, until_ns: int) -> None:
        state, _ = wire.THREAD_HEAD.unpack_from(values, at)
        if state == wire.STATE_CALL:
            at += wire.THREAD_HEAD.size
            call = CallRecord._make(wire.RECORD.unpack_from(values, at))
            if call.enter_ns < until_ns:
                at += wire.RECORD.size
                self._in_flight(call, values[at : at + call.used])

    def _ordered(self, until_ns: int) -> Iterator[Happening]:
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
        return iter(waiting)
