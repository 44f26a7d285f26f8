"""Maps of the programs that user space sees as memory."""

from __future__ import annotations

import mmap
import time
from pathlib import Path
from typing import Final

from pytracer.backend.ebpf.bpf import Map

MARKS: Final = 4096  # in one value of the map marked
SPARED: Final = {1: 0xFF, 2: 0xFFFF}  # MARK_SPARED, by the bytes of a mark
_GATE_WORDS: Final = 8
_PID_MAX_LIMIT: Final = 1 << 22  # include/linux/threads.h
# A program takes microseconds; a virtual CPU that is not scheduled may take this long.
_GATE_TIMEOUT_NS: Final = 2_000_000_000


def pid_max() -> int:
    """One more than the greatest thread number of the kernel's own."""
    # The file speaks of the reader's pid namespace since 6.14; the initial one may have more.
    try:
        told = int(Path("/proc/sys/kernel/pid_max").read_text())
    except FileNotFoundError:  # mounted with subset=pid
        told = 0
    return max(told, _PID_MAX_LIMIT)


class Gates:
    """The programs' per-CPU counters, odd while one runs; and whether they hold tasks back."""

    def __init__(self, source: Map) -> None:
        # An array map's values lie at multiples of eight bytes, in whole pages.
        size = -(-source.entries * source.value_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map = mmap.mmap(source.fd, size)
        self._words = memoryview(self._map).cast("Q")
        self._cpus = range(0, source.entries * _GATE_WORDS, _GATE_WORDS)

    def wait(self) -> None:
        """Return once every program that runs now has ended."""
        words = self._words
        for at in self._cpus:
            turns = words[at]
            if turns & 1:
                limit = time.monotonic_ns() + _GATE_TIMEOUT_NS
                while words[at] == turns and time.monotonic_ns() < limit:
                    time.sleep(0)

    def hold(self, held: bool) -> None:
        """Have the traced tasks held back at the end of each call, or not any more."""
        for at in self._cpus:
            self._words[at + 1] = held

    def close(self) -> None:
        self._words.release()
        self._map.close()


class Marks:
    """A mark for every thread number: whether it is traced, and as what."""

    def __init__(self, source: Map) -> None:
        self._map = mmap.mmap(source.fd, source.entries * source.value_bytes)
        view = memoryview(self._map)
        self._marks: memoryview[int] = view if source.value_bytes == MARKS else view.cast("H")
        self._spared = SPARED[self._marks.itemsize]

    def set(self, tid: int, mark: int = 1) -> None:
        """Trace the thread from now on; its entry in the map of threads is there."""
        self._marks[tid] = mark

    def get(self, tid: int) -> int:
        """The mark of a thread."""
        return self._marks[tid]

    def spare(self, tid: int) -> None:
        """Never trace the thread, nor what it starts, for what they belong to."""
        self._marks[tid] = self._spared

    def close(self) -> None:
        self._marks.release()
        self._map.close()
