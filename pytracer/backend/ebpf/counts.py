"""The binary forms that bpf/count.c and Python share, and reading what it has counted."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import compress
from typing import Final, Literal, NamedTuple, TypeAlias

from pytracer.backend.ebpf.bpf import Map
from pytracer.backend.ebpf.wire import MAX_NR, STATE_ATTACHED, STATE_CALL
from pytracer.event.durations import BUCKETS, CallCounts, Histogram, InFlight, Times
from pytracer.event.schema import Abi

# Group, ABI, number, the call that a multiplexer stands for.
Key: TypeAlias = tuple[int, int, int, int]

CALLS: Final = len(Abi) * MAX_NR
SLOT_UNWANTED: Final = 0xFFFF
SLOT_ODD: Final = 0xFFFE
SLOT_MANY: Final = 0xFFFD
SLOT_MANY_LOW: Final = 0xFFFC
SLOT_STRANGE: Final = 0xFFFB
SLOT_FILE: Final = 0xFFFA
SIGNALS: Final = 65
# A mark has 16 bits, and the greatest ones have a meaning.
MOST_THREADS: Final = 0xFF00
MOST_ROWS: Final = 0xFF00

THREAD: Final = struct.Struct("<QQQiHBBIIIIH2xIQQ")
ROW_KEY: Final = struct.Struct("<HBBiI4x")
COUNTING: Final = struct.Struct("<QQ")
TOTALS: Final = struct.Struct("<6Q")
BIRTH: Final = struct.Struct("<II")
_EXTREMES: Final = 5
BUCKETS_AT: Final = 3 + 2 * _EXTREMES
ERRNOS_AT: Final = BUCKETS_AT + 256
_ERRNOS: Final = 160
_LAST_ERRNO: Final = 133
_FIRST_RESTART: Final = 512
COUNTS: Final = struct.Struct(f"<{ERRNOS_AT + _ERRNOS}Q")


class Thread(NamedTuple):
    """struct thread of bpf/count.h."""

    enter_ns: int
    off_ns: int
    left_ns: int
    nr: int
    row: int
    abi: int
    launching: int
    state: int
    key: int
    tid: int
    tgid: int
    group: int
    why: int
    ran_ns: int
    named: int


_KEY: Final = Thread._fields.index("key")
# Of struct thread, by name: what it is, and where.
FIELDS: Final[Mapping[str, tuple[Literal["B", "H", "I", "i", "Q"], int]]] = {
    "enter_ns": ("Q", 0),
    "nr": ("i", 24),
    "row": ("H", 28),
    "abi": ("B", 30),
    "state": ("I", 32),
    "key": ("I", 36),
    "tgid": ("I", 44),
    "group": ("H", 48),
    "why": ("I", 52),
}


class Totals(NamedTuple):
    """struct totals, of all CPUs."""

    born: int = 0
    gone: int = 0
    lost_tasks: int = 0
    lost_returns: int = 0
    again: int = 0
    made: int = 0


def thread_value(
    key: bytes,
    state: int,
    tid: int,
    tgid: int,
    group: int,
    now_ns: int,
    ran_ns: int,
    abi: int,
    nr: int,
) -> bytes:
    """The entry of a thread that begins to be traced; ``nr``: of the call it is in, -1 for none.

    ``ran_ns``: for how long it has run in its life, up to ``now_ns``.
    """
    begun = now_ns, 0, now_ns, nr, 0, abi, 0, state, int.from_bytes(key, "little")
    return THREAD.pack(*begun, tid, tgid, group, 0, ran_ns, 0)


def errno_of(place: int) -> int:
    """The number of the errors that are counted at a place of struct counts' errnos."""
    return place if place <= _LAST_ERRNO else place - _LAST_ERRNO - 1 + _FIRST_RESTART


class Memory:
    """An array map as memory."""

    def __init__(self, source: Map) -> None:
        size = source.entries * source.value_bytes
        self._map = mmap.mmap(source.fd, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
        self._whole = memoryview(self._map)
        self.bytes = self._whole[:size]

    def close(self) -> None:
        self.bytes.release()
        self._whole.release()
        self._map.close()


class Threads:
    """The array of threads, as memory."""

    def __init__(self, source: Map) -> None:
        self._memory = Memory(source)

    def write(self, place: int, value: bytes) -> None:
        """Fill an entry."""
        at = place * THREAD.size
        self._memory.bytes[at : at + THREAD.size] = value

    def places(self) -> Iterator[tuple[int, Thread]]:
        """The traced threads and where each is."""
        memory = self._memory.bytes
        # All keys at once: most entries of a table that has room for many are not in use.
        for place, key in enumerate(self._column("key")):
            if key:
                entry = THREAD.unpack_from(memory, place * THREAD.size)
                if entry[_KEY]:
                    yield place, Thread._make(entry)

    def columns(self, *names: str) -> list[tuple[int, ...]]:
        """These fields of all threads that are traced: much cheaper than to look at each.

        A field is read of all threads before the next one is.
        """
        keys = self._column("key")
        return list(zip(*(compress(self._column(name), keys) for name in names), strict=True))

    def _column(self, name: str) -> list[int]:
        code, at = FIELDS[name]
        size = struct.calcsize(code)
        return self._memory.bytes.cast(code)[at // size :: THREAD.size // size].tolist()

    def in_flight(self, sub_of: Callable[[int], int]) -> list[InFlight]:
        """The calls that have been entered and have not returned.

        Those of threads that have not returned since they were attached to began then.
        ``sub_of`` knows which call a multiplexer stands for, by the row.
        """
        return [
            InFlight(t.tgid, t.tid, t.group, t.abi, t.nr, sub_of(t.row), t.enter_ns)
            for _, t in self.places()
            if t.state == STATE_CALL or (t.state == STATE_ATTACHED and t.nr >= 0)
        ]

    def close(self) -> None:
        self._memory.close()


class Rows:
    """Reads the counts of all rows.

    ``recent``: the extremes of the epoch that was last asked for, wall-clock and CPU time.
    """

    def __init__(self, counted: Map, owners: Map, cpus: int) -> None:
        self._counted = counted
        self._owners = Memory(owners)
        self._cpus = cpus
        # The kernel keeps the extremes of two epochs: these are of all of them.
        self._extremes: dict[Key, tuple[Times, Times]] = {}
        self.recent: dict[Key, tuple[Times, Times]] = {}

    def read(self, epoch: int) -> dict[Key, CallCounts]:
        """Everything that was counted so far, in the order in which calls were first made."""
        found: dict[Key, CallCounts] = {}
        self.recent = {}
        owners = ROW_KEY.iter_unpack(self._owners.bytes)
        for row, (group, abi, used, nr, sub) in enumerate(owners):
            if not used:
                continue
            key = group, abi, nr, sub
            counts = found.get(key)
            if counts is None:
                wall, cpu = self._extremes.setdefault(key, (Times(), Times()))
                wall, cpu = replace(wall, total_ns=0), replace(cpu, total_ns=0)
                counts = CallCounts(group, abi, nr, sub, 0, {}, wall, cpu, Histogram())
                found[key] = counts
            self._add(key, counts, row, epoch)
        for key, counts in found.items():
            for kept, times in zip(self._extremes[key], (counts.wall, counts.cpu), strict=True):
                kept.reach(times.min_ns, times.max_ns)
        return {key: counts for key, counts in found.items() if counts.calls}

    def sub_of(self, row: int) -> int:
        """Which call a multiplexer stands for, of those counted in a row."""
        sub: int = ROW_KEY.unpack_from(self._owners.bytes, row * ROW_KEY.size)[-1]
        return sub

    def without_row(self) -> int:
        """How many calls found no row left to be counted in."""
        return sum(values[0] for values in self._values(0))

    def _values(self, row: int) -> Iterator[tuple[int, ...]]:
        raw = self._counted.lookup(struct.pack("<I", row), self._cpus)
        assert raw is not None
        return COUNTS.iter_unpack(raw)

    def _add(self, key: Key, counts: CallCounts, row: int, epoch: int) -> None:
        for values in self._values(row):
            calls, wall_ns, cpu_ns = values[:3]
            if not calls:
                continue
            counts.calls += calls
            counts.wall.total_ns += wall_ns
            counts.cpu.total_ns += cpu_ns
            for at in (3, 3 + _EXTREMES):
                of, wall_min, wall_max, cpu_min, cpu_max = values[at : at + _EXTREMES]
                if not of:
                    continue
                counts.wall.reach(wall_min, wall_max)
                counts.cpu.reach(cpu_min, cpu_max)
                if of == epoch:
                    wall, cpu = self.recent.setdefault(key, (Times(), Times()))
                    wall.reach(wall_min, wall_max)
                    cpu.reach(cpu_min, cpu_max)
            buckets = values[BUCKETS_AT : BUCKETS_AT + BUCKETS]
            counts.histogram.merge(Histogram(list(buckets)))
            for place, count in enumerate(values[ERRNOS_AT:]):
                if count:
                    errno = errno_of(place)
                    counts.errnos[errno] = counts.errnos.get(errno, 0) + count

    def close(self) -> None:
        self._owners.close()
