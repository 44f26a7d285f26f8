"""A process that empties the rings while events are being formatted.

A thread would have to wait for the interpreter's lock, which the formatting thread may hold while
the scheduler keeps it from running; the rings wait for nobody. The process is small, as it shares
all memory that it does not write to, and it ends with its parent, however that ends.

Each turn takes the clock, waits until no program runs that began before, looks which calls are in
flight, and takes what the rings hold. All that happened before the clock's reading is then
known: in flight, or in the slices of this turn or an earlier one.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from errno import ECHILD
from typing import Final

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.bpf import BpfError, Map, MapReader
from pytracer.backend.ebpf.ring import Rings
from pytracer.backend.ebpf.shared import Gates
from pytracer.backend.ebpf.spool import Place, Spool

_BUSY_MS: Final = 10
_IDLE_MS: Final = 40
_PR_SET_PDEATHSIG: Final = 1  # include/uapi/linux/prctl.h

# A turn in the pipe: its time, how many places follow, the errno that ended the reading.
_TURN: Final = struct.Struct("<QII")
_PLACE: Final = struct.Struct("<?7xQQ")
_LENGTH: Final = struct.Struct("<I")

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Turn:
    """What one look brought.

    ``until_ns``: everything that happened before is known. ``threads``: the used part of each
    value of the threads' map. ``slices``: of the rings, to be taken once.
    """

    until_ns: int
    threads: list[bytes]
    slices: Iterator[bytes]


class _Drain:
    """The child's side."""

    def __init__(self, rings: Rings, threads: Map, gates: Gates, spool: Spool) -> None:
        self._rings = rings
        self._threads = MapReader(threads)
        self._gates = gates
        self._spool = spool
        self._unsent = b""

    def run(self, turns: int, bell: int, watched: set[int]) -> None:
        """Read until killed. ``bell``, or the end of what is watched, asks for a turn at once."""
        while True:
            started = time.monotonic_ns()
            try:
                busy = self._look(started)
            except BpfError as error:
                self._unsent += _TURN.pack(started, 0, error.errno)
                busy = False
            with suppress(BlockingIOError):
                self._unsent = self._unsent[os.write(turns, self._unsent) :]
            # With thousands of threads a look takes its time: it must not take all of it.
            spent_ns = time.monotonic_ns() - started
            self._pause(max(_BUSY_MS if busy else _IDLE_MS, spent_ns // 100_000), bell, watched)

    def _pause(self, milliseconds: int, bell: int, watched: set[int]) -> None:
        for fd, _ in self._rings.poll.poll(milliseconds):
            if fd == bell:
                os.read(fd, 4096)
            elif fd in watched:
                self._rings.poll.unregister(fd)
                watched.discard(fd)

    def _look(self, until_ns: int) -> bool:
        self._gates.wait()
        threads: list[bytes] = []
        self._threads.read(lambda values, at: threads.append(wire.thread_part(values, at)))
        slices = self._rings.drain() if self._spool.has_room() else []
        if self._unsent and not slices:
            return False  # the consumer is behind: this turn would say nothing new
        known = b"".join([_LENGTH.pack(len(each)) + each for each in threads])
        places = [self._spool.put(data) for data in (known, *slices)]
        self._unsent += _TURN.pack(until_ns, len(places), 0)
        self._unsent += b"".join([_PLACE.pack(*place) for place in places])
        return bool(slices)


class Reader:
    """The parent's side: starts the process and takes its turns."""

    def __init__(self, rings: Rings, threads: Map, gates: Gates) -> None:
        self._rings = rings
        self._threads = threads
        self._spool = Spool()
        self._drain = _Drain(rings, threads, gates, self._spool)
        self._turns, self._turns_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._bell_read, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        rings.poll.register(self._bell_read, select.POLLIN)
        self._watched: set[int] = set()
        self._received = b""
        self._pid = 0
        self.failure: BpfError | None = None

    def watch(self, fd: int) -> None:
        """Take a turn at once when this descriptor becomes readable; before :meth:`start`."""
        self._watched.add(fd)
        self._rings.poll.register(fd, select.POLLIN)

    def start(self) -> None:
        """Begin to read.

        Errors: OSError when there can be no process.
        """
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid:
            os.close(self._turns_write)
            self._turns_write = -1
            return
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() == parent:
                self._close_others()
                self._rings.reopen()
                with suppress(PermissionError):
                    os.setpriority(os.PRIO_PROCESS, 0, -20)
                self._drain.run(self._turns_write, self._bell_read, self._watched)
        finally:
            os._exit(1)

    def _close_others(self) -> None:
        # Whatever else the parent has open would not end with it: pipes, the programs' links.
        ours = {self._turns_write, self._bell_read, self._threads.fd, *self._watched}
        ours.update(self._rings.descriptors())
        ours.update(self._spool.descriptors())
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in ours:
                with suppress(OSError):  # of the list itself
                    os.close(int(name))

    def hasten(self) -> None:
        """Have the next turn taken now. May be called from a signal handler."""
        with suppress(BlockingIOError):  # it has been told already
            os.write(self._bell, b"\0")

    def take(self, timeout: float) -> Turn | None:
        """The next turn, None when there is none yet."""
        turn = self._next()
        if turn is None and select.select([self._turns], [], [], timeout)[0]:
            data = os.read(self._turns, 1 << 16)
            if not data:
                self.failure = BpfError("the process that reads the rings has ended", ECHILD)
            self._received += data
            turn = self._next()
        return turn

    def _next(self) -> Turn | None:
        if len(self._received) < _TURN.size:
            return None
        until_ns, count, errno = _TURN.unpack_from(self._received)
        end = _TURN.size + count * _PLACE.size
        if len(self._received) < end:
            return None
        places: list[Place] = list(_PLACE.iter_unpack(self._received[_TURN.size : end]))
        self._received = self._received[end:]
        if errno:
            self.failure = BpfError("cannot read a BPF map", errno)
            return None
        known = self._spool.take(places[0])
        threads = []
        at = 0
        while at < len(known):
            (length,) = _LENGTH.unpack_from(known, at)
            threads.append(known[at + 4 : at + 4 + length])
            at += 4 + length
        return Turn(until_ns, threads, map(self._spool.take, places[1:]))

    def close(self) -> None:
        """End the process. Idempotent."""
        if self._pid < 0:
            return
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        self._pid = -1
        self._rings.poll.unregister(self._bell_read)
        for fd in (self._turns, self._turns_write, self._bell_read, self._bell):
            if fd >= 0:
                os.close(fd)
        self._spool.close()
