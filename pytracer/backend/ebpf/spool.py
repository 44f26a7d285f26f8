"""Turns on their way from the process that empties the rings to the one that reads events.

They wait in memory, and in a file when there is too much of them: a consumer that falls behind
loses nothing until the spool is full. A recording is a spool too, of which nothing is removed.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pytracer.backend.ebpf.turn import Fetch
from pytracer.event.recording import TURN, frame, write_at

if TYPE_CHECKING:
    from pytracer.backend.recorder import Recording

DEFAULT_BYTES: Final = 1 << 30
_MEMORY_BYTES: Final = 64 << 20
_FALLOC_KEEP_SIZE_PUNCH_HOLE: Final = 3  # include/uapi/linux/falloc.h
_FOLDERS: Final = ("/var/tmp", "/tmp")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM, errno.EIO})

# Which of the files; below, where the words of the first one lie that both processes see.
MEMORY, DISK = 0, 1
_PUT, _TAKEN = 0, 2

_libc = ctypes.CDLL(None, use_errno=True)


class Place(NamedTuple):
    """Where a turn lies."""

    file: int
    start: int
    length: int


PLACE: Final = struct.Struct("<QQQ")


class Spool:
    """Made before the fork, then written by one process and read by the other.

    ``size``: how many bytes may wait. ``recording``: what to append frames to instead.
    """

    def __init__(self, size: int = DEFAULT_BYTES, recording: Recording | None = None) -> None:
        self._size = size
        self._recording = recording
        self._memory_bytes = min(size, _MEMORY_BYTES)
        self._files = [-1, -1]
        # Bytes put into each file, and taken from each.
        self._shared = mmap.mmap(-1, mmap.PAGESIZE)
        self._words = memoryview(self._shared).cast("Q")
        if recording is not None:
            self._files[DISK] = recording.fd
            return
        self._files[MEMORY] = os.memfd_create("pytracer-spool", os.MFD_CLOEXEC)
        if size > self._memory_bytes:
            self._files[DISK] = _unnamed_file()

    @property
    def recorded(self) -> bool:
        """Whether what is put will be read when the processes are gone."""
        return self._recording is not None

    def begin(self) -> None:
        """Go on where the recording ends by now."""
        if self._recording is not None:
            self._words[_PUT + DISK] = self._words[_TAKEN + DISK] = self._recording.end

    def end(self) -> None:
        """Have the recording go on behind what was put."""
        if self._recording is not None:
            self._recording.end = self._words[_PUT + DISK]

    def waiting(self) -> int:
        """How many bytes wait."""
        words = self._words
        return sum(words[_PUT + file] - words[_TAKEN + file] for file in (MEMORY, DISK))

    def has_room(self, length: int) -> bool:
        """Whether so many bytes can still be taken; what fits in no spool may wait alone."""
        if self._recording is not None:
            return True
        waiting = self.waiting()
        return not waiting or waiting + length <= self._size

    def is_tight(self, more: int) -> bool:
        """Whether, with so many more bytes, little of the room is left."""
        return self._recording is None and self.waiting() + more > self._size // 2

    def is_loose(self) -> bool:
        """Whether most of the room is left."""
        return self._recording is not None or self.waiting() <= self._size // 4

    def put(self, parts: list[bytes]) -> Place | int:
        """Append a turn; where it lies, or an errno when there is no room: nothing is changed."""
        length = sum(map(len, parts))
        if self._recording is not None:
            return self._append(DISK, [frame(TURN, parts), *parts], length)
        words = self._words
        ahead = words[_PUT] - words[_TAKEN]
        if self._files[DISK] < 0 or ahead + length <= self._memory_bytes:
            return self._append(MEMORY, parts, length)
        place = self._append(DISK, parts, length)
        if not isinstance(place, Place) and not self.waiting():
            return self._append(MEMORY, parts, length)
        return place

    def _append(self, file: int, parts: list[bytes], length: int) -> Place | int:
        words = self._words
        try:
            end = write_at(self._files[file], parts, words[_PUT + file])
        except OSError as error:
            if error.errno not in _FULL:
                raise
            return error.errno
        words[_PUT + file] = end
        return Place(file, end - length, length)

    def open(self, place: Place) -> Fetch:
        """What reads a turn."""
        fd = self._files[place.file]
        return lambda at, length: os.pread(fd, length, place.start + at)

    def release(self, place: Place) -> None:
        """Give the room of a turn back. To be called once for each, in order."""
        end = place.start + place.length
        if self._recording is None:
            _libc.fallocate(
                self._files[place.file],
                _FALLOC_KEEP_SIZE_PUNCH_HOLE,
                ctypes.c_long(place.start),
                ctypes.c_long(place.length),
            )
        self._words[_TAKEN + place.file] = end

    def descriptors(self) -> set[int]:
        """The descriptors that it lives in."""
        return {fd for fd in self._files if fd >= 0}

    def close(self) -> None:
        """Let go of everything; a recording belongs to whoever opened it."""
        self._words.release()
        self._shared.close()
        if self._recording is None:
            for fd in self.descriptors():
                os.close(fd)


def _unnamed_file() -> int:
    """A file without a name, on a disk where possible; -1 where nothing may be written."""
    folders = list(filter(None, (os.environ.get("TMPDIR"), *_FOLDERS)))
    for folder in folders:
        with suppress(OSError):  # no such folder, nothing may be written there, or not like this
            return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    import tempfile  # it has a second way, and takes much with it

    for folder in folders:
        with suppress(OSError), tempfile.TemporaryFile(prefix="pytracer-", dir=folder) as file:
            return os.dup(file.fileno())
    return -1
