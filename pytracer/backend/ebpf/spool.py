"""Bytes on their way from the process that empties the rings to the one that reads events.

They wait in memory, and on disk when there is too much of them: a consumer that falls behind
loses nothing.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import tempfile
from typing import Final, TypeAlias

_MEMORY_BYTES: Final = 256 << 20
_DISK_BYTES: Final = 8 << 30
_FALLOC_KEEP_SIZE_PUNCH_HOLE: Final = 3  # include/uapi/linux/falloc.h

# (whether on disk, offset, length)
Place: TypeAlias = tuple[bool, int, int]

_libc = ctypes.CDLL(None, use_errno=True)


class Spool:
    """Made before the fork, then written by one process and read by the other."""

    def __init__(self) -> None:
        self._memory = os.memfd_create("pytracer-spool", os.MFD_CLOEXEC)
        self._disk_bytes = _DISK_BYTES
        try:
            with tempfile.TemporaryFile(prefix="pytracer-", dir="/var/tmp") as file:
                self._disk = os.dup(file.fileno())
        except OSError:  # no such folder, or nothing may be written there: memory has to do
            self._disk = os.memfd_create("pytracer-spool", os.MFD_CLOEXEC)
            self._disk_bytes = _MEMORY_BYTES
        self._ends = [0, 0]
        # How far the reader has come in the memory and on the disk.
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)
        self._done = memoryview(self._shared).cast("Q")

    def has_room(self) -> bool:
        """Whether a ring's worth of bytes can still be taken."""
        return self._ends[1] - self._done[1] < self._disk_bytes

    def put(self, data: bytes) -> Place:
        """Append bytes.

        Errors: OSError when the disk is full.
        """
        on_disk = self._ends[0] - self._done[0] + len(data) > _MEMORY_BYTES
        fd = self._disk if on_disk else self._memory
        start = self._ends[on_disk]
        at = 0
        while at < len(data):
            at += os.pwrite(fd, memoryview(data)[at:], start + at)
        self._ends[on_disk] = start + len(data)
        return on_disk, start, len(data)

    def take(self, place: Place) -> bytes:
        """Read bytes and give their room back. To be called once for each place, in order."""
        on_disk, start, length = place
        fd = self._disk if on_disk else self._memory
        data = os.pread(fd, length, start)
        self._done[on_disk] = start + length
        _libc.fallocate(
            fd, _FALLOC_KEEP_SIZE_PUNCH_HOLE, ctypes.c_long(start), ctypes.c_long(length)
        )
        return data

    def descriptors(self) -> tuple[int, int]:
        """The descriptors that it lives in."""
        return self._memory, self._disk

    def close(self) -> None:
        """Let go of everything."""
        self._done.release()
        self._shared.close()
        os.close(self._memory)
        os.close(self._disk)
