"""A thread that empties the rings while events are being formatted.

Each turn takes the clock, waits until no program runs that began before, looks which calls are in
flight, and takes what the rings hold. All that happened before the clock's reading is then
known: in flight, or in the slices of this turn or an earlier one.
"""

from __future__ import annotations

import os
import select
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.bpf import BpfError, Map, MapReader
from pytracer.backend.ebpf.ring import Rings
from pytracer.backend.ebpf.shared import Gates

_BUSY_MS: Final = 10
_IDLE_MS: Final = 40
_MEMORY_BYTES: Final = 256 << 20
_SPOOL_BYTES: Final = 8 << 30


@dataclass(slots=True)
class Turn:
    """What one look brought.

    ``until_ns``: everything that happened before is known. ``threads``: the used part of each
    value of the threads' map. ``slices``: of the rings, or the place of each in the spool.
    """

    until_ns: int
    threads: list[bytes]
    slices: list[bytes | tuple[int, int]]


class Reader:
    """The thread and the turns that wait to be looked at."""

    def __init__(self, rings: Rings, threads: Map, gates: Gates) -> None:
        self._rings = rings
        self._threads = MapReader(threads)
        self._gates = gates
        self._turns: deque[Turn] = deque()
        self._held_bytes = 0
        self._spool: int | None = None
        self._spool_end = 0
        self._arrived = threading.Condition()
        self._ending = False
        self._watched: set[int] = set()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        rings.poll.register(self._wake_read, select.POLLIN)
        self._thread = threading.Thread(target=self._run, name="pytracer-rings", daemon=True)
        self.failure: BpfError | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def watch(self, fd: int) -> None:
        """Take the next turn at once when this descriptor becomes readable, a single time."""
        self._watched.add(fd)
        self._rings.poll.register(fd, select.POLLIN)

    def hasten(self) -> None:
        """Take the next turn now. May be called from a signal handler."""
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            return  # it has been told already

    def take(self, timeout: float) -> Turn | None:
        """The next turn, None when there is none yet."""
        with self._arrived:
            if not self._turns:
                self._arrived.wait(timeout)
            if not self._turns:
                return None
            turn = self._turns.popleft()
            self._held_bytes -= sum(len(s) for s in turn.slices if isinstance(s, bytes))
        return turn

    def slice(self, place: bytes | tuple[int, int]) -> bytes:
        """The bytes of a slice, from memory or from the spool."""
        if isinstance(place, bytes):
            return place
        assert self._spool is not None
        return os.pread(self._spool, place[1], place[0])

    def close(self) -> None:
        """End the thread. Idempotent."""
        if not self._ending:
            self._ending = True
            self.hasten()
            if self._thread.is_alive():
                self._thread.join()
            self._rings.poll.unregister(self._wake_read)
            os.close(self._wake_read)
            os.close(self._wake_write)
            if self._spool is not None:
                os.close(self._spool)

    def _run(self) -> None:
        busy = False
        while not self._ending:
            try:
                turn = self._look()
            except BpfError as error:
                self.failure = error
                break
            busy = bool(turn.slices)
            with self._arrived:
                last = self._turns[-1] if self._turns else None
                if last is not None and not turn.slices:
                    # The consumer is behind: an empty turn would only say the same later.
                    last.until_ns, last.threads = turn.until_ns, turn.threads
                else:
                    self._turns.append(turn)
                self._arrived.notify()
            # With thousands of threads a look takes its time: it must not take all of it.
            least = _BUSY_MS if busy else _IDLE_MS
            self._pause(max(least, (time.monotonic_ns() - turn.until_ns) // 100_000))

    def _pause(self, milliseconds: int) -> None:
        for fd, _ in self._rings.poll.poll(milliseconds):
            if fd == self._wake_read:
                os.read(fd, 4096)
            elif fd in self._watched:
                self._rings.poll.unregister(fd)
                self._watched.discard(fd)

    def _look(self) -> Turn:
        until = time.monotonic_ns()
        self._gates.wait()
        threads: list[bytes] = []
        self._threads.read(lambda values, at: threads.append(wire.thread_part(values, at)))
        slices: list[bytes | tuple[int, int]] = [*self._rings.drain()]
        taken = sum(len(s) for s in slices if isinstance(s, bytes))
        if self._held_bytes + taken > _MEMORY_BYTES:
            slices = [self._store(s) for s in slices if isinstance(s, bytes)]
        else:
            self._held_bytes += taken
        return Turn(until, threads, slices)

    def _store(self, data: bytes) -> bytes | tuple[int, int]:
        if self._spool is None:
            with tempfile.TemporaryFile(prefix="pytracer-", dir="/var/tmp") as file:
                self._spool = os.dup(file.fileno())
        if self._spool_end + len(data) > _SPOOL_BYTES:
            return data
        place = self._spool_end, len(data)
        at = 0
        while at < len(data):
            at += os.pwrite(self._spool, memoryview(data)[at:], place[0] + at)
        self._spool_end += len(data)
        return place
