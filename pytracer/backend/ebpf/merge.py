"""From the rings' slices to events in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final, TypeAlias

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.repair import NoRepair, Repair
from pytracer.backend.ebpf.wire import EventRecord, Record, regions
from pytracer.event.memory import NO_MEMORY, Memory, Snapshot
from pytracer.event.schema import Abi, Event, GroupStop, SyscallEnter, SyscallExit, Task

# What happened last in an item's key, so that things of the same nanosecond keep their order.
_ENTER: Final = 0
_OTHER: Final = 1
_EXIT: Final = 2
_AFTER: Final = 3

# (time * 4 + what, the record, the captured bytes). Events are made of it when their turn comes:
# a record is one object, and there may be hundreds of thousands of them in a turn.
_Item: TypeAlias = tuple[int, Any, bytes]

_ABIS: Final = tuple(Abi)
_key = itemgetter(0)


def comm_of(raw: bytes) -> str:
    """A command name as the kernel stores it; bytes that are not UTF-8 survive a round trip."""
    end = raw.find(b"\0")
    return (raw if end < 0 else raw[:end]).decode("utf-8", "surrogateescape")


class Merger:
    """Orders what the reader brings, turn by turn.

    ``live``: the processes may still be there to be looked at.
    ``filtered``: calls are left out by their result, so none is shown before it has ended.
    ``ended``: of how many calls the end, or that there will be none, was handed on.
    ``gone``: keys whose entries in the map are needed no more, for the owner of the map to remove.
    """

    def __init__(self, filtered: bool, live: bool = True) -> None:
        self._filtered = filtered
        self._waiting: list[_Item] = []
        self._calls: list[tuple[Record, bytes]] = []
        self._shown: dict[int, int] = {}  # tid -> entry time of the call that was shown in flight
        self._last: dict[int, int] = {}  # tid -> entry time of its last call that is over
        self._chunks: dict[tuple[int, int], bytes] = {}
        self._tasks: dict[int, tuple[bytes, Task]] = {}
        self._deferred: dict[tuple[int, int], list[EventRecord]] = {}
        self._repair = Repair() if live else NoRepair()
        self.ended = 0
        self.gone: list[bytes] = []

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
        self._repair.forget(tid)
        for keyed in (self._deferred, self._chunks):
            for key in [key for key in keyed if key[0] == tid]:
                del keyed[key]

    def entered_before(self, tid: int) -> None:
        """The call that the thread is in has been shown although its entry was not seen."""
        self._shown[tid] = 0

    def add(self, event: SyscallEnter | GroupStop) -> None:
        """Take in an event that comes from elsewhere; it is given when its time comes."""
        self._waiting.append((event.time_ns << 2 | _OTHER, event, b""))

    def turn(
        self, until_ns: int, threads: list[bytes], slices: Iterable[bytes]
    ) -> Iterator[Event | EventRecord]:
        """Take in one look at rings and threads; give what happened before ``until_ns``, in order.

        What is known of later moments waits: of the rings that were read first it is not complete.
        """
        for data in slices:
            self._parse(data)
        early = []
        for call in self._calls:
            if call[0][wire.EXIT_NS] < until_ns:
                self._over(*call)
            else:
                early.append(call)
        # After all that is over: a thread's call in flight may come before its former one, which
        # lay in another ring.
        for call in early:
            if call[0][wire.ENTER_NS] < until_ns:
                self._in_flight(*call)
        self._calls = early
        for thread in threads:
            self._thread(thread, until_ns)
        return self._ordered(until_ns)

    def _parse(self, data: bytes) -> None:
        at = 0
        end = len(data)
        unpack = wire.SAMPLE_RECORD.unpack_from
        append = self._calls.append
        body_at = wire.SAMPLE_RECORD.size
        call_type = wire.RECORD_CALL
        sample = wire.PERF_RECORD_SAMPLE
        while at < end:
            if data[at + wire.SAMPLE.size] == call_type and data[at] == sample:
                record: Record = unpack(data, at)
                used = record[wire.USED]
                body = data[at + body_at : at + body_at + used] if used else b""
                at += record[2]
                if record[wire.FLAGS] & wire.CALL_CHUNK:
                    key = record[wire.ENTRY_TID], record[wire.ENTER_NS]
                    self._chunks[key] = self._chunks.get(key, b"") + body
                else:
                    append((record, body))
                continue
            if data[at] == sample:
                self._event(EventRecord._make(wire.EVENT.unpack_from(data, at + wire.SAMPLE.size)))
            at += data[at + 6] | data[at + 7] << 8

    def _event(self, event: EventRecord) -> None:
        if event.type == wire.RECORD_EXEC:
            self._repair.executed(event.tgid, event.time_ns)
        if event.call_ns:
            self._deferred.setdefault((event.tid, event.call_ns), []).append(event)
        else:
            self._waiting.append((event.time_ns << 2 | _OTHER, event, b""))

    def _over(self, record: Record, body: bytes) -> None:
        tid = record[wire.ENTRY_TID]
        enter_ns = record[wire.ENTER_NS]
        flags = record[wire.FLAGS]
        if self._chunks:
            body = self._chunks.pop((tid, enter_ns), b"") + body
        if enter_ns > self._last.get(tid, 0):
            self._last[tid] = enter_ns
        shown = self._shown.get(tid)
        if shown is not None and (shown == enter_ns or (not shown and flags & wire.CALL_UNSEEN)):
            del self._shown[tid]
            if flags & wire.CALL_NO_EXIT:
                self.ended += 1
        else:
            self._waiting.append((enter_ns << 2 | _ENTER, record, body))
        if not flags & wire.CALL_NO_EXIT:
            exit_ns = record[wire.EXIT_NS]
            self._waiting.append((exit_ns << 2 | _EXIT, record, body))
            if self._deferred:
                self._release((tid, enter_ns), exit_ns, record[wire.IP])

    def _release(self, key: tuple[int, int], exit_ns: int, ip: int) -> None:
        # What was ignored during the call a tracer by ptrace sees as the call returns; of the
        # signals before the real-time ones only one of a kind can be pending.
        pending: set[int] = set()
        for event in self._deferred.pop(key, ()):
            if event.other >= 32 or event.other not in pending:
                pending.add(event.other)
                event = event._replace(time_ns=exit_ns, ip=ip)
                self._waiting.append((exit_ns << 2 | _AFTER, event, b""))

    def _in_flight(self, record: Record, body: bytes) -> None:
        """Show a call that has entered and, at the moment looked at, not returned."""
        tid = record[wire.ENTRY_TID]
        enter_ns = record[wire.ENTER_NS]
        if (
            self._filtered
            or self._shown.get(tid) == enter_ns
            or record[wire.FLAGS] & wire.CALL_UNSEEN
            or enter_ns <= self._last.get(tid, 0)
        ):
            return
        self._shown[tid] = enter_ns
        if self._chunks:
            body = self._chunks.get((tid, enter_ns), b"") + body
        self._waiting.append((enter_ns << 2 | _ENTER, record, body))

    def _thread(self, thread: bytes, until_ns: int) -> None:
        state = thread[0]
        if state == wire.STATE_CALL:
            record: Record = wire.SAMPLE_RECORD.unpack_from(thread, wire.THREAD_RECORD)
            if record[wire.ENTER_NS] < until_ns:
                self._in_flight(record, thread[wire.THREAD_HEAD.size + wire.RECORD.size :])
        elif state == wire.STATE_GONE:
            _, _, key = wire.THREAD_HEAD.unpack_from(thread)
            self._gone(key, wire.SAMPLE_RECORD.unpack_from(thread, wire.THREAD_RECORD))

    def _gone(self, number: int, record: Record) -> None:
        # Its end did not fit into the ring: the map kept it.
        tid, tgid = record[wire.TID], record[wire.TGID]
        key = number.to_bytes(4, "little")
        if key not in self.gone:
            self.gone.append(key)
            time_ns = record[wire.EXIT_NS]
            event = EventRecord(
                wire.RECORD_EXIT,
                record[wire.FLAGS],
                tid,
                tgid,
                record[wire.RET],
                time_ns,
                0,
                0,
                0,
                record[wire.COMM],
                b"",
            )
            self._waiting.append((time_ns << 2 | _OTHER, event, b""))

    def _ordered(self, until_ns: int) -> Iterator[Event | EventRecord]:
        waiting = self._waiting
        waiting.sort(key=_key)
        split = len(waiting)
        until = until_ns << 2
        while split and waiting[split - 1][0] >= until:
            split -= 1
        self._waiting = waiting[split:]
        del waiting[split:]
        known = self._tasks.get
        repair = self._repair
        repair.rest()
        for key, record, body in waiting:
            what = key & 3
            if what == _ENTER:
                tid = record[wire.ENTRY_TID]
            elif what == _EXIT:
                tid = record[wire.TID]
            else:
                yield record
                continue
            found = known(tid)
            comm = record[wire.COMM]
            if found is not None and found[0] == comm:
                task = found[1]
            else:
                task = self.task(tid, record[wire.TGID], comm)
            memory: Memory = NO_MEMORY
            if body:
                captured = regions(body, what == _ENTER)
                if captured:
                    if what == _ENTER and any(not data for _, data, _ in captured):
                        repair.mend(task.pid, key >> 2, captured)
                    memory = Snapshot(captured)
            if what == _ENTER:
                if record[wire.FLAGS] & wire.CALL_NO_EXIT:
                    self.ended += 1
                yield SyscallEnter(
                    task,
                    key >> 2,
                    _ABIS[record[wire.ABI]],
                    record[wire.NR],
                    record[wire.ARGS :],
                    memory,
                    record[wire.IP],
                )
            else:
                self.ended += 1
                yield SyscallExit(
                    task, key >> 2, record[wire.RET], memory, False, None, record[wire.IP]
                )
