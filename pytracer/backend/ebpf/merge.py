"""From the rings' slices to events in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from operator import itemgetter
from typing import Final, TypeAlias

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.opener import Call, Opener
from pytracer.backend.ebpf.repair import Repair
from pytracer.backend.ebpf.wire import EventRecord
from pytracer.event.schema import (
    Event,
    GroupStop,
    Run,
    SyscallEnter,
    SyscallExit,
    Task,
    WholeCall,
)

# What happened last in an item's key, so that things of the same nanosecond keep their order.
_ENTER: Final = 0
_OTHER: Final = 1
_EXIT: Final = 2
_AFTER: Final = 3

# (time * 4 + what, order of arrival, what happens then)
_Item: TypeAlias = tuple[int, int, "Call | EventRecord | Event"]

_NEVER: Final = 1 << 64
# A call whose arguments could not all be read as it entered is not shown at once: if it returns
# soon, as nearly all do, they are read then. Nanoseconds.
_PATIENCE_NS: Final = 200_000_000
# Calls handed on at once: whoever takes them may have had enough at any time.
_MOST_IN_RUN: Final = 256

_entry_time = itemgetter(0)
_thread = itemgetter(wire.HEAD_ENTRY_TID)
_head = itemgetter(2)


def comm_of(raw: bytes) -> str:
    """A command name as the kernel stores it; bytes that are not UTF-8 survive a round trip."""
    end = raw.find(b"\0")
    return (raw if end < 0 else raw[:end]).decode("utf-8", "surrogateescape")


class Merger:
    """Orders what the reader brings, turn by turn.

    ``repair``: fills in what could not be captured.
    ``filtered``: calls are left out by their result, so none is shown before it has ended.
    ``measured``: the records tell CPU times.
    ``ended``: of how many calls the end, or that there will be none, was handed on.
    ``gone``: keys whose entries in the map are needed no more, for the owner of the map to remove.
    """

    def __init__(
        self, filtered: bool, repair: Repair | None = None, measured: bool = False
    ) -> None:
        self._filtered = filtered
        self._waiting: list[_Item] = []
        self._arrival = count()
        self._calls: list[Call] = []
        # (thread, entry time) of the calls that were shown in flight; 0 where that is not known.
        self._shown: set[tuple[int, int]] = set()
        self._held: dict[int, Call] = {}  # tid -> its call in flight, with something unread
        self._last: dict[int, int] = {}  # tid -> entry time of its last call that is over
        self._chunks: dict[tuple[int, int], bytes] = {}
        self._tasks: dict[int, tuple[bytes, Task]] = {}
        self._deferred: dict[tuple[int, int], list[EventRecord]] = {}
        self._kept: dict[int, int] = {}  # number of an entry that the kernel has kept -> since when
        self._repair = repair or Repair()
        self._measured = measured
        self._opener = Opener(self._repair, measured)
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

    def forget(self, tid: int, until_ns: int) -> None:
        """The thread is gone since then; its number may be another's by now, even in this turn."""
        self._tasks.pop(tid, None)
        self._held.pop(tid, None)
        if self._last.get(tid, until_ns) < until_ns:
            del self._last[tid]
        self._repair.forget(tid)
        self._shown -= {key for key in self._shown if key[0] == tid and key[1] < until_ns}
        for keyed in (self._deferred, self._chunks):
            for key in [key for key in keyed if key[0] == tid and key[1] < until_ns]:
                del keyed[key]

    def entered_before(self, tid: int) -> None:
        """The call that the thread is in has been shown although its entry was not seen."""
        self._shown.add((tid, 0))

    def add(self, event: SyscallEnter | GroupStop) -> None:
        """Take in an event that comes from elsewhere; it is given when its time comes."""
        self._wait(event.time_ns << 2 | _OTHER, event)

    def _wait(self, key: int, thing: Call | EventRecord | Event) -> None:
        self._waiting.append((key, next(self._arrival), thing))

    def turn(
        self, until_ns: int, threads: list[bytes], slices: Iterable[bytes]
    ) -> Iterator[Event | EventRecord]:
        """Take in one look at rings and threads; give what happened before ``until_ns``, in order.

        What is known of later moments waits: of the rings that were read first it is not complete.
        """
        for happening in self.runs(until_ns, threads, slices):
            if isinstance(happening, Run):
                # Whoever takes them one by one may have had enough after any of them.
                for event in happening.events():
                    self.ended += type(event) is SyscallExit
                    yield event
            else:
                yield happening

    def runs(
        self, until_ns: int, threads: list[bytes], slices: Iterable[bytes]
    ) -> Iterator[Run | Event | EventRecord]:
        """Do what :meth:`turn` does, with calls together between which nothing else happened.

        Those in runs are not in ``ended``: whoever hands them on counts them.
        """
        for data in slices:
            self._parse(data)
        calls = self._calls
        over = [call for call in calls if call[1] < until_ns]
        early = [call for call in calls if call[1] >= until_ns] if len(over) < len(calls) else []
        self._calls = early
        over.sort(key=_entry_time)
        if self._chunks:
            over = list(map(self._whole, over))
        # Threads of whose calls more is known than the records tell.
        special = {tid for tid, _ in (*self._shown, *self._deferred)}
        self._last.update(zip(map(_thread, map(_head, over)), map(_entry_time, over), strict=True))
        for call in early:
            if call[0] < until_ns:
                self._in_flight(call)
        for thread in threads:
            self._look(thread, until_ns)
        if self._held:
            self._show_held(until_ns)
        self._repair.rest()
        return self._ordered(over, special, until_ns)

    def _parse(self, data: bytes) -> None:
        at = 0
        end = len(data)
        unpack = wire.CALL_HEAD.unpack_from
        append = self._calls.append
        type_at = wire.SAMPLE.size
        rest_at = wire.SAMPLE.size + wire.CALL_REST_AT
        body_at = wire.SAMPLE_RECORD.size
        call_type = wire.RECORD_CALL
        sample = wire.PERF_RECORD_SAMPLE
        while at < end:
            if data[at + type_at] == call_type and data[at] == sample:
                head = unpack(data, at)
                size, _, flags, _, _, entry_tid, exit_ns, enter_ns, _, used = head
                if flags & wire.CALL_CHUNK:
                    key = entry_tid, enter_ns
                    body = data[at + body_at : at + body_at + used]
                    self._chunks[key] = self._chunks.get(key, b"") + body
                else:
                    append((enter_ns, exit_ns, head, data[at + rest_at : at + body_at + used]))
                at += size
                continue
            size = data[at + 6] | data[at + 7] << 8
            if data[at] == sample:
                event = EventRecord._make(wire.EVENT.unpack_from(data, at + type_at))
                if event.type == wire.RECORD_MAPPED:
                    info = data[at + type_at + wire.INFO_AT : at + size]
                    event = event._replace(info=info)
                self._event(event)
            at += size

    def _event(self, event: EventRecord) -> None:
        if event.type == wire.RECORD_EXEC:
            self._repair.executed(event.tgid, event.time_ns)
        if event.call_ns:
            self._deferred.setdefault((event.tid, event.call_ns), []).append(event)
        else:
            self._wait(event.time_ns << 2 | _OTHER, event)

    def _whole(self, call: Call) -> Call:
        """The call with what came ahead of its record."""
        enter_ns, exit_ns, head, rest = call
        ahead = self._chunks.pop((head[wire.HEAD_ENTRY_TID], enter_ns), None)
        return call if ahead is None else (enter_ns, exit_ns, head, wire.with_ahead(rest, ahead))

    def _in_flight(self, call: Call) -> None:
        """Show a call that has entered and, at the moment looked at, not returned."""
        shown = self._begun(call)
        if shown is not None:
            self._wait(call[0] << 2 | _ENTER, shown)

    def _begun(self, call: Call) -> Call | None:
        """The call as far as it is known, if its entry is to be shown now."""
        enter_ns, exit_ns, head, rest = call
        tid = head[wire.HEAD_ENTRY_TID]
        key = tid, enter_ns
        if (
            self._filtered
            or key in self._shown
            or head[wire.HEAD_FLAGS] & wire.CALL_UNSEEN
            or enter_ns <= self._last.get(tid, 0)
        ):
            return None
        self._shown.add(key)
        if key in self._chunks:
            return enter_ns, exit_ns, head, wire.with_ahead(rest, self._chunks[key])
        return call

    def _look(self, thread: bytes, until_ns: int) -> None:
        state = thread[0]
        if state == wire.STATE_CALL:
            head = wire.CALL_HEAD.unpack_from(thread, wire.THREAD_RECORD)
            enter_ns = head[wire.HEAD_ENTER_NS]
            if enter_ns < until_ns:
                rest = thread[wire.THREAD_HEAD.size + wire.CALL_REST_AT :]
                call = enter_ns, 0, head, rest
                if wire.unread(thread):
                    self._held[head[wire.HEAD_ENTRY_TID]] = call
                else:
                    self._in_flight(call)
        elif state == wire.STATE_GONE:
            _, _, key = wire.THREAD_HEAD.unpack_from(thread)
            self._gone(key, wire.SAMPLE_RECORD.unpack_from(thread, wire.THREAD_RECORD))

    def _show_held(self, until_ns: int) -> None:
        for tid, call in list(self._held.items()):
            over = call[0] <= self._last.get(tid, 0)
            if over or until_ns - call[0] >= _PATIENCE_NS:
                del self._held[tid]
                self._in_flight(call)

    def held(self) -> Iterator[SyscallEnter]:
        """Give what was held back: nobody will see how it ends."""
        for call in sorted(self._held.values(), key=_entry_time):
            begun = self._begun(call)
            if begun is not None:
                yield self._entry(begun)
        self._held.clear()

    def _gone(self, number: int, record: wire.Record) -> None:
        # The ring had no room for what became of it: the map kept that.
        tid, time_ns, flags = record[wire.TID], record[wire.EXIT_NS], record[wire.FLAGS]
        if self._kept.get(number) == time_ns:
            return  # it was told, and the owner of the map has not removed it yet
        self._kept[number] = time_ns
        self.gone.append(number.to_bytes(4, "little"))
        kind = wire.RECORD_EXEC if flags & wire.EXIT_EXECUTED else wire.RECORD_EXIT
        blank = EventRecord(kind, flags, tid, record[wire.TGID], *(0,) * 5, b"", b"")
        self._event(blank._replace(other=record[wire.RET], time_ns=time_ns, comm=record[wire.COMM]))

    def _ordered(
        self, over: list[Call], special: set[int], until_ns: int
    ) -> Iterator[Run | Event | EventRecord]:
        """Give calls that are over, ordered by their entries, and what waits, in order."""
        waiting = self._waiting
        heapify(waiting)
        # When something else happens next.
        next_ns = waiting[0][0] >> 2 if waiting else _NEVER
        starts = list(map(_entry_time, over))
        starts.append(_NEVER)
        entries = iter(starts)
        next(entries)
        known = self._tasks.get
        comm_at = wire.COMM_IN_REST
        measured = self._measured
        abi = 0
        run: list[WholeCall] = []
        for call, next_entry_ns in zip(over, entries, strict=True):
            enter_ns, exit_ns, head, rest = call
            _, its_abi, flags, tid, tgid, entry_tid, _, _, cpu_ns, _ = head
            if next_ns <= enter_ns:
                if run:
                    yield self._run(abi, run)
                    run = []
                yield from self._before(enter_ns << 2)
                next_ns = waiting[0][0] >> 2 if waiting else _NEVER
            if (
                exit_ns < next_entry_ns
                and exit_ns < next_ns
                and not flags
                and entry_tid not in special
            ):
                if its_abi != abi or len(run) >= _MOST_IN_RUN:
                    if run:
                        yield self._run(abi, run)
                        run = []
                    abi = its_abi
                found = known(tid)
                if found is not None and rest.startswith(found[0], comm_at):
                    task = found[1]
                else:
                    task = self.task(tid, tgid, rest[comm_at : comm_at + wire.COMM_BYTES])
                run.append((task, enter_ns, exit_ns, rest, cpu_ns if measured else None))
                continue
            if run:
                yield self._run(abi, run)
                run = []
            if self._begin(call, special):
                yield self._entry(call)
            next_ns = waiting[0][0] >> 2 if waiting else _NEVER
        if run:
            yield self._run(abi, run)
        yield from self._before(until_ns << 2)

    def _run(self, abi: int, calls: list[WholeCall]) -> Run:
        return Run(wire.ABIS[abi], calls, self._opener.open)

    def _before(self, key: int) -> Iterator[Event | EventRecord]:
        """Give what waits for an earlier moment."""
        waiting = self._waiting
        while waiting and waiting[0][0] < key:
            its_key, _, thing = heappop(waiting)
            if isinstance(thing, EventRecord) or not isinstance(thing, tuple):
                yield thing
            elif its_key & 3 == _ENTER:
                yield self._entry(thing)
            else:
                self.ended += 1
                head = thing[2]
                task = self._task_of(head[wire.HEAD_TID], head[wire.HEAD_TGID], thing[3])
                yield self._opener.leave(task, thing)

    def _begin(self, call: Call, special: set[int]) -> bool:
        """Have the end of a call wait for its time; tell whether its entry is to be shown now."""
        enter_ns, exit_ns, head, rest = call
        tid = head[wire.HEAD_ENTRY_TID]
        flags = head[wire.HEAD_FLAGS]
        ends = not flags & wire.CALL_NO_EXIT
        hidden = False
        if ends:
            heappush(self._waiting, (exit_ns << 2 | _EXIT, next(self._arrival), call))
        if tid in special:
            key = tid, enter_ns
            hidden = key in self._shown or (
                bool(flags & wire.CALL_UNSEEN) and (tid, 0) in self._shown
            )
            if hidden and not ends:
                self.ended += 1
            if ends and key in self._deferred:
                self._release(key, exit_ns, wire.CALL_REST.unpack_from(rest)[wire.REST_IP])
            self._over(special, tid, enter_ns)
        return not hidden

    def _over(self, special: set[int], tid: int, enter_ns: int) -> None:
        """Forget what was noted about a thread's calls up to this one."""
        self._shown -= {key for key in self._shown if key[0] == tid and key[1] <= enter_ns}
        noted = [key for key in self._deferred if key[0] == tid]
        for key in noted:
            if key[1] <= enter_ns:
                self._deferred.pop(key, None)
        # A call that is shown by now is not over in this turn, and does not matter any more.
        if all(key[1] <= enter_ns for key in noted):
            special.discard(tid)

    def _release(self, key: tuple[int, int], exit_ns: int, ip: int) -> None:
        # What was ignored during the call a tracer by ptrace sees as the call returns; of the
        # signals before the real-time ones only one of a kind can be pending.
        pending: set[int] = set()
        for event in self._deferred.pop(key):
            if event.other >= 32 or event.other not in pending:
                pending.add(event.other)
                event = event._replace(time_ns=exit_ns, ip=ip)
                heappush(self._waiting, (exit_ns << 2 | _AFTER, next(self._arrival), event))

    def _task_of(self, tid: int, tgid: int, rest: bytes) -> Task:
        return self.task(tid, tgid, rest[wire.COMM_IN_REST : wire.COMM_IN_REST + wire.COMM_BYTES])

    def _entry(self, call: Call) -> SyscallEnter:
        head = call[2]
        if head[wire.HEAD_FLAGS] & wire.CALL_NO_EXIT:
            self.ended += 1
        task = self._task_of(head[wire.HEAD_ENTRY_TID], head[wire.HEAD_TGID], call[3])
        return self._opener.enter(task, call)
