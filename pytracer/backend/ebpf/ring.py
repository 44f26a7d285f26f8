"""The perf rings, read without a library: whole slices, not events.

Source: perf_event_open(2); include/uapi/linux/perf_event.h for the layouts.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import select
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf.bpf import Map

_SYS_PERF_EVENT_OPEN = 298
_TYPE_SOFTWARE = 1
_COUNT_SW_BPF_OUTPUT = 10
_SAMPLE_RAW = 1 << 10
_FLAG_WATERMARK = 1 << 14
_FLAG_FD_CLOEXEC = 8
_ATTR_BYTES = 112
_IOC_ENABLE = 0x2400
# In words of the control page.
_DATA_HEAD = 1024 // 8
_DATA_TAIL = 1032 // 8

_PAGE = mmap.PAGESIZE
_TOTAL_BYTES = 64 << 20
_MOST_BYTES = 16 << 20
_LEAST_BYTES = 256 << 10
_SMALLEST_BYTES = 8 << 10  # more than any record takes

# Mappings of the process that this one was forked from. They must never be unmapped here, not even
# with their ring: something else may lie there now.
_GONE: list[object] = []

_libc = ctypes.CDLL(None, use_errno=True)


def online_cpus() -> list[int]:
    """The CPUs that can run a task, by number."""
    found: list[int] = []
    for part in Path("/sys/devices/system/cpu/online").read_text().strip().split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def possible_cpus() -> int:
    """How many values a per-CPU map holds."""
    text = Path("/sys/devices/system/cpu/possible").read_text().strip()
    return int(text.replace(",", "-").rsplit("-", 1)[-1]) + 1


def ring_bytes(cpus: int) -> int:
    """Size of one CPU's ring: as much as 64 MiB in all allow, a power of two."""
    size = _MOST_BYTES
    while size > _LEAST_BYTES and size * cpus > _TOTAL_BYTES:
        size //= 2
    return size


def software(event: int, sampled: int, flags: int, size: int, clock: int = 0) -> bytes:
    """The struct perf_event_attr of an event of the kernel's, for a ring of that size."""
    return struct.pack(
        "<IIQQQQQII36xi",
        _TYPE_SOFTWARE,
        _ATTR_BYTES,
        event,
        1,  # a sample for every event
        sampled,
        0,
        _FLAG_WATERMARK | flags,
        size // 4,  # wake the reader when a quarter is full
        0,
        clock,
    ).ljust(_ATTR_BYTES, b"\0")


class Ring:
    """One CPU's ring. ``attr``: what comes into it, if that is not what programs send."""

    def __init__(self, cpu: int, size: int, attr: bytes = b"") -> None:
        attr = attr or software(_COUNT_SW_BPF_OUTPUT, _SAMPLE_RAW, 0, size)
        self.fd: int = _libc.syscall(
            _SYS_PERF_EVENT_OPEN, attr, -1, cpu, -1, ctypes.c_ulong(_FLAG_FD_CLOEXEC)
        )
        if self.fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self.size = size
        self.cpu = cpu
        try:
            self._map = mmap.mmap(self.fd, _PAGE + size)
        except OSError:
            os.close(self.fd)
            raise
        self._words = memoryview(self._map)[:_PAGE].cast("Q")
        if not attr:
            self.enable()

    def enable(self) -> None:
        """Have the kernel begin to fill it."""
        _libc.ioctl(self.fd, _IOC_ENABLE, 0)

    def reopen(self) -> None:
        """Map the ring again after a fork, which does not copy such mappings (VM_DONTCOPY)."""
        _GONE.append((self._map, self._words))
        self._map = mmap.mmap(self.fd, _PAGE + self.size)
        self._words = memoryview(self._map)[:_PAGE].cast("Q")

    def used(self) -> int:
        """How many bytes wait."""
        return self._words[_DATA_HEAD] - self._words[_DATA_TAIL]

    def look(self) -> tuple[int, bytes]:
        """Copy all that is there: where it ends, and whole records, oldest first."""
        head = self._words[_DATA_HEAD]
        tail = self._words[_DATA_TAIL]
        if head == tail:
            return head, b""
        first = tail % self.size
        last = head % self.size
        if first < last:
            return head, self._map[_PAGE + first : _PAGE + last]
        return head, self._map[_PAGE + first :] + self._map[_PAGE : _PAGE + last]

    def release(self, end: int) -> None:
        """Give the room up to there back."""
        self._words[_DATA_TAIL] = end

    def close(self) -> None:
        self._words.release()
        self._map.close()
        os.close(self.fd)


class Beside(Protocol):
    """Further rings, which live as long as :class:`Rings`."""

    def begin(self) -> None: ...

    def descriptors(self) -> list[int]: ...

    def reopen(self) -> None: ...

    def kernel_bytes(self) -> int: ...

    def close(self) -> None: ...


class Rings:
    """The rings of all CPUs, entered into a map of the programs.

    ``size``: of each, rounded down to a power of two; None for as much as is reasonable.
    ``beside``: rings that the programs do not know.
    """

    def __init__(self, target: Map, size: int | None = None) -> None:
        cpus = online_cpus()
        self.beside: Beside | None = None
        self._rings: list[Ring] = []
        self.poll = select.poll()
        size = max(_SMALLEST_BYTES, 1 << size.bit_length() - 1) if size else ring_bytes(len(cpus))
        try:
            for cpu in cpus:
                self._rings.append(self._open(cpu, size))
        except OSError as error:
            self.close()
            raise BackendUnavailable(
                "ebpf",
                f"cannot make a ring for the events: {os.strerror(error.errno or 0)}",
                "raise kernel.perf_event_mlock_kb or RLIMIT_MEMLOCK, or grant CAP_PERFMON",
            ) from error
        self.size = min(ring.size for ring in self._rings)
        self._target = target
        self._late: list[bytes] = []
        for ring in self._rings:
            self._enter(ring)

    def _enter(self, ring: Ring) -> None:
        self._target.update(struct.pack("<I", ring.cpu), struct.pack("<i", ring.fd))
        self.poll.register(ring.fd, select.POLLIN)

    def renew(self, settle: Callable[[], None]) -> None:
        """Make new rings for the CPUs of which nothing comes.

        The ring of a CPU that was switched off is dead for good, and a CPU that was not there at
        the start has none; what runs there is lost. ``settle`` returns when no program runs any
        more that may know a former ring.
        """
        rings = {ring.cpu: ring for ring in self._rings}
        gone: list[Ring] = []
        for cpu in online_cpus():
            former = rings.get(cpu)
            if former is not None and former.used():
                continue
            try:
                rings[cpu] = ring = Ring(cpu, self.size)
            except OSError:
                continue  # it has gone again, or there is no memory: it stays counted
            self._enter(ring)
            if former is not None:
                gone.append(former)
        self._rings = list(rings.values())
        settle()
        for former in gone:
            self.poll.unregister(former.fd)
            self._late.append(former.look()[1])
            former.close()

    @staticmethod
    def _open(cpu: int, size: int) -> Ring:
        while True:
            try:
                return Ring(cpu, size)
            except OSError as error:
                if error.errno not in (errno.ENOMEM, errno.EPERM) or size <= _LEAST_BYTES:
                    raise
                size //= 2

    def kernel_bytes(self) -> int:
        """The memory that the rings take."""
        beside = self.beside.kernel_bytes() if self.beside is not None else 0
        return sum(ring.size for ring in self._rings) + beside

    def descriptors(self) -> list[int]:
        """The descriptors of all rings."""
        beside = self.beside.descriptors() if self.beside is not None else []
        return [ring.fd for ring in self._rings] + beside

    def reopen(self) -> None:
        """Make the rings usable in a forked process."""
        for ring in self._rings:
            ring.reopen()
        if self.beside is not None:
            self.beside.reopen()

    def used(self) -> int:
        """How many bytes wait."""
        return sum(ring.used() for ring in self._rings)

    def look(self) -> tuple[list[int], list[bytes]]:
        """Copy all that is there: what :meth:`release` takes, and a slice for each busy CPU."""
        found = [ring.look() for ring in self._rings]
        return [end for end, _ in found], [
            data for data in (*self._late, *(data for _, data in found)) if data
        ]

    def release(self, ends: list[int]) -> None:
        """Give the room of what was copied back: it is in safety."""
        self._late.clear()
        for ring, end in zip(self._rings, ends, strict=True):
            ring.release(end)

    def close(self) -> None:
        """Let go of the rings. Idempotent."""
        while self._rings:
            self._rings.pop().close()
        if self.beside is not None:
            self.beside.close()
