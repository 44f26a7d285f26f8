"""What is mapped where, as the kernel tells it while it happens (-k).

/proc tells of the present alone, and of processes that are there. The kernel's own events for
profilers tell of each executable mapping, in all processes; those of traced processes travel with
the turns, as records of a kind that no program sends.

Source: perf_event_open(2); include/uapi/linux/perf_event.h. Mappings that are moved (mremap) or
removed are not told of.
"""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.ring import Ring, Rings, online_cpus, ring_bytes, software
from pytracer.event.schema import Area, Mapped, Task

_COUNT_SW_DUMMY: Final = 9
_SAMPLE_TIME: Final = 1 << 2
_FLAGS: Final = (
    1  # disabled
    | 1 << 5  # exclude_kernel
    | 1 << 8  # mmap: of executable memory
    | 1 << 9  # comm
    | 1 << 18  # sample_id_all
    | 1 << 23  # mmap2
    | 1 << 24  # comm_exec
    | 1 << 25  # use_clockid
)
_CLOCK_MONOTONIC: Final = 1  # bpf_ktime_get_ns() is of that clock
_LEAST_BYTES: Final = 256 << 10

_HEADER: Final = struct.Struct("<IHH")
_LOST: Final = 2  # PERF_RECORD_LOST
_COMM: Final = 3  # PERF_RECORD_COMM
_MMAP2: Final = 10  # PERF_RECORD_MMAP2
_BY_EXEC: Final = 1 << 13  # PERF_RECORD_MISC_COMM_EXEC
_LOST_BODY: Final = struct.Struct("<8xQQ")
_TASK_BODY: Final = struct.Struct("<8xII")
# Process, thread, address, length, offset; the device, the file and the rights; then the name.
_MMAP2_BODY: Final = struct.Struct("<8xIIQQQ32x")
_TIME: Final = struct.Struct("<Q")
# Of a record: where struct event has its flags and its time.
_FLAGS_AT: Final = wire.SAMPLE.size + 2
_TIME_AT: Final = wire.SAMPLE.size + 16
# Of how many processes that are not traced it is kept what they map, and how much.
_MOST_OTHERS: Final = 1024
_MOST_MAPPINGS: Final = 1024
# In place of a process. (0 is any of which our namespace has no number.)
_ANY: Final = -1


class Told(NamedTuple):
    """What the kernel told of: when, of which process, and the record made of it."""

    time_ns: int
    pid: int
    record: bytes

    @property
    def is_fresh(self) -> bool:
        """Whether nothing that was mapped before is there any more."""
        return bool(self.record[_FLAGS_AT] & wire.MAPPED_FRESH)

    def at(self, time_ns: int) -> bytes:
        """The record, as if it had been told at another moment."""
        return self.record[:_TIME_AT] + _TIME.pack(time_ns) + self.record[_TIME_AT + _TIME.size :]


class MappingRings:
    """The rings that the kernel, once :meth:`begin` was called, tells of mappings in.

    Errors: BackendUnavailable.
    """

    def __init__(self) -> None:
        cpus = online_cpus()
        size = max(_LEAST_BYTES, ring_bytes(len(cpus)) // 8)
        attr = software(_COUNT_SW_DUMMY, _SAMPLE_TIME, _FLAGS, size, _CLOCK_MONOTONIC)
        self._rings: list[Ring] = []
        try:
            for cpu in cpus:
                self._rings.append(Ring(cpu, size, attr))
        except OSError as error:
            self.close()
            raise BackendUnavailable(
                "ebpf",
                f"the kernel does not tell what is mapped: {os.strerror(error.errno or 0)}",
                "grant CAP_PERFMON, leave -k out, or use --backend=ptrace",
            ) from error

    def begin(self) -> None:
        """Have the kernel tell from now on."""
        for ring in self._rings:
            ring.enable()

    def descriptors(self) -> list[int]:
        """The descriptors of all rings."""
        return [ring.fd for ring in self._rings]

    def reopen(self) -> None:
        """Make the rings usable in a forked process."""
        for ring in self._rings:
            ring.reopen()

    def look(self) -> tuple[list[int], list[Told]]:
        """Copy all that is there: what :meth:`release` takes, and what is told."""
        found = [ring.look() for ring in self._rings]
        return [end for end, _ in found], [told for _, data in found for told in _told(data)]

    def release(self, ends: Sequence[int]) -> None:
        """Give the room of what was copied back."""
        for ring, end in zip(self._rings, ends, strict=True):
            ring.release(end)

    def kernel_bytes(self) -> int:
        """The memory that the rings take."""
        return sum(ring.size for ring in self._rings)

    def close(self) -> None:
        """Let go of the rings. Idempotent."""
        while self._rings:
            self._rings.pop().close()


def _told(data: bytes) -> Iterator[Told]:
    at = 0
    while at < len(data):
        kind, misc, size = _HEADER.unpack_from(data, at)
        end = at + size
        (time_ns,) = _TIME.unpack_from(data, end - _TIME.size)
        if kind == _MMAP2:
            pid, tid, start, length, offset = _MMAP2_BODY.unpack_from(data, at)
            path = data[at + _MMAP2_BODY.size : end - _TIME.size].rstrip(b"\0")
            area = wire.AREA.pack(start, start + length, offset) + path
            yield Told(time_ns, pid, record(time_ns, pid, tid, area=area))
        elif kind == _COMM and misc & _BY_EXEC:
            pid, tid = _TASK_BODY.unpack_from(data, at)
            yield Told(time_ns, pid, record(time_ns, pid, tid, wire.MAPPED_FRESH))
        elif kind == _LOST:
            _, count = _LOST_BODY.unpack_from(data, at)
            yield Told(time_ns, _ANY, record(time_ns, 0, 0, wire.MAPPED_LOST, count))
        at = end


def record(
    time_ns: int, pid: int, tid: int, flags: int = 0, count: int = 0, area: bytes = b""
) -> bytes:
    """Make a record as slices of rings hold them."""
    kind = wire.RECORD_MAPPED
    event = wire.EVENT.pack(
        kind, flags, tid, pid, count, time_ns, 0, 0, 0, b"", area[: wire.AREA.size]
    )
    event += area[wire.AREA.size :]
    event += bytes(-(len(event) + wire.SAMPLE.size) % 8)
    size = wire.SAMPLE.size + len(event)
    return wire.SAMPLE.pack(wire.PERF_RECORD_SAMPLE, 0, size, len(event)) + event


def mapped_now(pid: int) -> tuple[Area, ...]:
    """What a process that is there has mapped. Source: show_map_vma(), fs/proc/task_mmu.c."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except OSError:
        return ()
    found: list[Area] = []
    for line in lines:
        span, flags, offset, _, _, *path = line.split(maxsplit=5)
        if flags[2] == "x":
            start, _, end = span.partition("-")
            found.append((int(start, 16), int(end, 16), int(offset, 16), "".join(path)))
    return tuple(found)


def first_of(task: Task, alive: Iterable[Task]) -> Iterator[Mapped]:
    """Tell what the process of a task has mapped, if the task is its first one among them."""
    if not any(other.pid == task.pid and other is not task for other in alive):
        now_ns = time.monotonic_ns()
        yield Mapped(task, now_ns, mapped_now(task.pid), True)


class Sieve:
    """Picks out of what the kernel tells what is of traced processes; in the reading process.

    That a process is traced shows in its threads, in the records of its birth or in that of its
    end; so what was told of a later moment than those waits for the next look. ``joining``: others
    may join the traced ones, so that what is told of all is kept for a while.
    """

    def __init__(self, rings: MappingRings, joining: bool = False) -> None:
        self.rings = rings
        self._joining = joining
        self._traced: set[int] = set()
        self._joined: set[int] = set()
        self._early: list[Told] = []
        # What the processes have mapped that are not traced, since they were executed.
        self._others: dict[int, list[Told]] = {}
        self._taken: _Look | None = None

    def look(self, until_ns: int, threads: Sequence[bytes], slices: Sequence[bytes]) -> bytes:
        """Give a slice of what was told up to then. ``slices``: of the programs' rings."""
        joins: dict[int, int] = {}
        here = {int.from_bytes(thread[wire.THREAD_TGID], "little") for thread in threads}
        for data in slices:
            here.update(_told_of(data, joins))
        here.discard(0)  # of a thread that is being born
        ends, told = self.rings.look()
        told = sorted([*self._early, *told])
        traced = self._traced | here | {_ANY}
        due = [each for each in told if each.time_ns < until_ns]
        early = told[len(due) :]
        others = [each for each in due if each.pid not in traced] if self._joining else []
        self._taken = _Look(here, joins, early, others, ends)
        found = [each.record for each in due if each.pid in traced]
        for pid, time_ns in joins.items():
            if pid not in self._joined:
                before = [each for each in due if each.pid == pid and each.time_ns < time_ns]
                found += self._as_it_joins(pid, time_ns, before)
        return b"".join(found)

    def _as_it_joins(self, pid: int, time_ns: int, before: list[Told]) -> list[bytes]:
        """The records of all that a process has mapped as it joins the traced ones."""
        told = [*self._others.get(pid, ()), *before]
        since = max((at for at, each in enumerate(told) if each.is_fresh), default=-1)
        if since >= 0:
            return [each.at(time_ns) for each in told[since:]]
        areas = [wire.AREA.pack(*area[:3]) + os.fsencode(area[3]) for area in mapped_now(pid)]
        return [
            record(time_ns, pid, pid, wire.MAPPED_FRESH),
            *(record(time_ns, pid, pid, area=area) for area in areas),
        ]

    def take(self) -> None:
        """What the last look gave is in safety."""
        look, self._taken = self._taken, None
        if look is None:
            return
        self._traced, self._early = look.here, look.early
        self._joined = (self._joined & look.here) | look.joins.keys()
        for each in look.others:
            if each.is_fresh:
                self._others.pop(each.pid, None)  # to the end of those to be forgotten
                self._others[each.pid] = [each]
                if len(self._others) > _MOST_OTHERS:
                    del self._others[next(iter(self._others))]
            elif len(known := self._others.get(each.pid, ())) < _MOST_MAPPINGS and known:
                self._others[each.pid].append(each)
        for pid in look.joins:
            self._others.pop(pid, None)
        if look.ends:
            self.rings.release(look.ends)


class _Look(NamedTuple):
    """What a look at the rings has found; to be forgotten if that could not be put anywhere.

    ``joins``: processes and when they began to belong to the traced ones.
    """

    here: set[int]
    joins: dict[int, int]
    early: list[Told]
    others: list[Told]
    ends: list[int]


def _told_of(data: bytes, joins: dict[int, int]) -> Iterator[int]:
    """The processes that the records of a slice, but for those of calls, are about."""
    at = 0
    head = wire.SAMPLE.size
    while at < len(data):
        (size,) = wire.SAMPLE_SIZE.unpack_from(data, at)
        if data[at] == wire.PERF_RECORD_SAMPLE and data[at + head] != wire.RECORD_CALL:
            event = wire.EventRecord._make(wire.EVENT.unpack_from(data, at + head))
            yield event.tgid
            if event.type == wire.RECORD_FORK:
                yield event.other_tgid
            elif event.type == wire.RECORD_JOIN:
                joins.setdefault(event.tgid, event.time_ns)
        at += size


def sieve_beside(rings: Rings, joining: bool) -> Sieve:
    """Make what is beside the rings of the programs. Errors: BackendUnavailable."""
    rings.beside = beside = MappingRings()
    for fd in beside.descriptors():
        rings.poll.register(fd, select.POLLIN)
    return Sieve(beside, joining)
