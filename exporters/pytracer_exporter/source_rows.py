"""Reading what the kernel has counted, as cheaply as a scrape a second asks for.

Rows are given in the order of their numbers, and never taken back: those in use are the first.
What changed is read anew; a row in which no call was counted since is as it was.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from operator import add, sub
from typing import Final, TypeAlias

from pytracer.backend.ebpf.bpf import Map
from pytracer.backend.ebpf.counts import BUCKETS_AT, COUNTS, ERRNOS_AT, ROW_KEY, Memory, errno_of
from pytracer.decode.catalogue import name_of, numbers
from pytracer.event.durations import BUCKETS, Histogram
from pytracer.event.schema import Abi
from pytracer.tables.multiplexers import MULTIPLEXERS
from pytracer_exporter.reading import SyscallCounts

# Names for numbers that no kernel knows: there may be as many as a program likes.
UNKNOWN: Final = "unknown"
# Source: enum file_kind, bpf/count.h
FD_TYPES: Final = ("", "none", "file", "directory", "character", "block", "pipe", "socket", "anon")
_CALLS: Final = struct.Struct("<Q")
_NONE: Final = bytes(_CALLS.size)
_NOTHING: Final[Sequence[int]] = COUNTS.unpack(bytes(COUNTS.size))
# CPUs may be in the midst of taking rows: one that is not named yet does not end the search.
_AHEAD: Final = 256

# Number of the target, system call, type of the descriptor.
Kind: TypeAlias = tuple[int, str, str]


@dataclass(slots=True)
class _Row:
    """``base``: what was counted of a target that had the number before its present one."""

    kind: Kind
    calls: int = 0
    values: Sequence[int] = _NOTHING
    base: Sequence[int] = _NOTHING


class Rows:
    """The counts of all kinds of calls.

    ``cpu``: whether CPU time is counted.
    """

    def __init__(self, counted: Map, owners: Map, cpus: int, cpu: bool) -> None:
        self._counted = counted
        self._owners = Memory(owners)
        self._entries = owners.entries
        self._buffer = ctypes.create_string_buffer(COUNTS.size * cpus)
        whole = memoryview(self._buffer).cast("B")
        self._each = [whole[at : at + COUNTS.size] for at in range(0, len(whole), COUNTS.size)]
        self._cpu = cpu
        self._rows: dict[int, _Row] = {}
        self._kinds: dict[Kind, list[_Row]] = {}
        self._next = 1
        self._sums: dict[Kind, SyscallCounts] = {}

    def read(self, names: Mapping[int, str]) -> list[SyscallCounts]:
        """What was counted so far of these targets, by number.

        Shape: what is as it was is the same object as before.
        """
        for kind in self._refresh(names):
            self._sums[kind] = self._sum(names[kind[0]], kind)
        return [sums for kind, sums in self._sums.items() if kind[0] in names and sums.calls]

    def begin(self, number: int) -> None:
        """A new target has this number from now on: what was counted before is not its own."""
        self._refresh({number: ""})
        for row in self._rows.values():
            if row.kind[0] == number:
                row.base = row.values
        self._sums = {kind: sums for kind, sums in self._sums.items() if kind[0] != number}

    def without_row(self) -> int:
        """How many calls found no row left to be counted in."""
        return sum(_CALLS.unpack_from(raw)[0] for raw in self._values(0))

    def sub_of(self, row: int) -> int:
        """Which call a multiplexer stands for, or what kind of file, of those in a row."""
        return int(ROW_KEY.unpack_from(self._owners.bytes, row * ROW_KEY.size)[-1])

    def _refresh(self, names: Container[int]) -> dict[Kind, None]:
        """Read the rows of these targets; which kinds of calls were made since, in order."""
        self._look_for_rows()
        return {
            row.kind: None
            for place, row in self._rows.items()
            if row.kind[0] in names and self._read_row(place, row)
        }

    def _look_for_rows(self) -> None:
        at, last = self._next, min(self._entries, self._next + _AHEAD)
        while at < last:
            group, abi, used, nr, sub = ROW_KEY.unpack_from(self._owners.bytes, at * ROW_KEY.size)
            if used and at not in self._rows:
                row = self._rows[at] = _Row((group, *named(Abi(abi), nr, sub)))
                self._kinds.setdefault(row.kind, []).append(row)
                last = min(self._entries, at + _AHEAD)
            at += 1
        while self._next in self._rows:
            self._next += 1

    def _values(self, place: int) -> list[memoryview]:
        """The values of those CPUs that have counted anything, until they are asked for again."""
        there = self._counted.lookup_into(struct.pack("<I", place), self._buffer)
        assert there
        return [each for each in self._each if each[: _CALLS.size] != _NONE]

    def _read_row(self, place: int, row: _Row) -> bool:
        each = self._values(place)
        calls = sum(_CALLS.unpack_from(raw)[0] for raw in each)
        if calls == row.calls:
            return False
        # The CPUs' values are added as numbers of thousands of digits: one addition a CPU instead
        # of hundreds. No sum grows out of its 64 bits in the life of a machine.
        total = sum(int.from_bytes(raw, "little") for raw in each)
        row.values = COUNTS.unpack_from(total.to_bytes(COUNTS.size + 8, "little"))
        row.calls = calls
        return True

    def _sum(self, target: str, kind: Kind) -> SyscallCounts:
        values: Sequence[int] = _NOTHING
        for row in self._kinds[kind]:
            values = row.values if values is _NOTHING else list(map(add, values, row.values))
            if row.base is not _NOTHING:
                values = list(map(sub, values, row.base))
        buckets = values[BUCKETS_AT : BUCKETS_AT + BUCKETS]
        failed = values[ERRNOS_AT:]
        return SyscallCounts(
            target,
            kind[1],
            # A call that is counted at this moment may be in one of them and not the other yet.
            sum(buckets),
            {errno_of(place): count for place, count in enumerate(failed) if count}
            if any(failed)
            else {},
            values[1],
            values[2] if self._cpu else None,
            Histogram(list(buckets)),
            kind[2],
        )

    def close(self) -> None:
        """Let go of the memory. Idempotent."""
        self._owners.close()


def named(abi: Abi, nr: int, sub: int) -> tuple[str, str]:
    """The name of a call and, where they are told apart, the type of its descriptor."""
    if nr not in numbers(abi):
        return UNKNOWN, ""
    name = name_of(abi, nr)
    calls = MULTIPLEXERS.get(name) if abi is Abi.I386 else None
    if calls is not None:
        return calls.get(sub, name), ""
    return name, FD_TYPES[sub] if sub < len(FD_TYPES) else ""
