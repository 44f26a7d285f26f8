"""A process that empties the rings while events are being formatted.

A thread would have to wait for the interpreter's lock, which the formatting thread may hold while
the scheduler keeps it from running; the rings wait for nobody. The process is small, as it shares
all memory that it does not write to, and it ends with its parent, however that ends.

Each turn takes the clock, waits until no program runs that began before, looks which calls are in
flight, and takes what the rings hold. All that happened before the clock's reading is then
known: in flight, or in the slices of this turn or an earlier one. What the rings held is given
back to them once it is in the spool: while that is full, the kernel counts what finds no room.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import struct
import time
from contextlib import suppress
from errno import ECHILD
from typing import TYPE_CHECKING, Final

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.aside import look
from pytracer.backend.ebpf.bpf import BpfError, Map, MapReader
from pytracer.backend.ebpf.ring import Rings, possible_cpus
from pytracer.backend.ebpf.shared import Gates
from pytracer.backend.ebpf.spool import PLACE, Place, Spool
from pytracer.backend.ebpf.turn import SPOOL_FULL, Turn, unpack

if TYPE_CHECKING:
    from pytracer.backend.ebpf.mappings import Sieve

_BUSY_MS: Final = 10
_IDLE_MS: Final = 40
_RENEW_NS: Final = 1_000_000_000
_PR_SET_PDEATHSIG: Final = 1  # include/uapi/linux/prctl.h
_ZERO: Final = bytes(4)

# A turn in the pipe: its time, the errno that ended the reading, why nothing was taken, and whether
# a place follows, as there is news.
_TURN: Final = struct.Struct("<QIH?x")

_libc = ctypes.CDLL(None, use_errno=True)


class News:
    """What of the threads was told already: with thousands of them, most have nothing new."""

    def __init__(self) -> None:
        self._told: dict[bytes, bytes] = {}

    def among(self, threads: list[bytes], until_ns: int) -> tuple[list[bytes], dict[bytes, bytes]]:
        """Pick the threads with news: a call in flight, or an end. Then what :meth:`told` takes."""
        found = []
        told = {}
        key, moment = wire.THREAD_KEY, wire.THREAD_MOMENT
        for thread in threads:
            if thread[0] not in (wire.STATE_CALL, wire.STATE_GONE):
                continue
            when = thread[moment]
            if int.from_bytes(when[8:], "little") >= until_ns:
                found.append(thread)  # it will be told again, as it comes later than this turn
            elif self._told.get(thread[key]) == when:
                told[thread[key]] = when
            else:
                told[thread[key]] = when
                found.append(thread)
        return found, told

    def remember(self, told: dict[bytes, bytes]) -> None:
        """Take note that these were told."""
        self._told = told


class _Drain:
    """The child's side."""

    def __init__(
        self,
        rings: Rings,
        maps: dict[str, Map],
        gates: Gates,
        spool: Spool,
        holds: bool,
        joining: bool | None,
    ) -> None:
        self._sieve: Sieve | None = None
        if joining is not None:
            from pytracer.backend.ebpf.mappings import sieve_beside

            self._sieve = sieve_beside(rings, joining)
        self._holds = holds
        self._held = False
        self._renewed_ns = 0
        self._recorded = spool.recorded
        self._rings = rings
        self.threads = MapReader(maps["threads"])
        self._stats = maps["stats"]
        self._cpus = possible_cpus()
        self._gates = gates
        self._spool = spool
        self._news = News()
        self._counted = wire.Stats(*[0] * len(wire.Stats._fields))
        self._refused = False
        # As they were after the slices of the last turn, and of the one before.
        self._seen = self._seen_before = self._counted
        self._unsent = b""

    def run(self, turns: int, bell: int, watched: set[int]) -> None:
        """Read until killed. ``bell``, or the end of what is watched, asks for a turn at once."""
        while True:
            started = time.monotonic_ns()
            try:
                busy = self._look(started)
            except BpfError as error:
                self._unsent += _TURN.pack(started, error.errno, 0, False)
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
        # First: of what was lost by now, the threads tell.
        counters = wire.total(self._stats.lookup(_ZERO, self._cpus))
        threads: list[bytes] = []
        self.threads.read(lambda values, at: threads.append(wire.thread_part(values, at)))
        used = self._rings.used()
        if self._holds:
            self._hold_back(used)
        if not self._spool.has_room(used):
            return self._without_news(until_ns, SPOOL_FULL)
        ends, slices = self._rings.look()
        if self._sieve is not None:
            # Last: what was mapped before a call began is there by now, if the call is.
            mapped = self._sieve.look(until_ns, threads, slices)
            slices += [mapped] if mapped else []
        whole = counters.losses() != self._counted.losses()
        news, told = self._news.among(threads, until_ns)
        if not slices and not news and counters == self._counted:
            if self._sieve is not None:
                self._sieve.take()
            return self._without_news(until_ns, 0)
        turn = Turn(until_ns, threads if whole else news, counters, whole=whole)
        # Now, after the slices: what is counted here may be in them.
        now = wire.total(self._stats.lookup(_ZERO, self._cpus))
        # What was counted by the last turn may have been sent after its slices were taken, but not
        # after this turn's as well: the gates see to that.
        turn.has_events = now.events != self._seen_before.events
        if self._recorded and (turn.has_events or now.unreadable != self._seen_before.unreadable):
            turn.aside = look(slices)
        place = self._spool.put(turn.pack(slices))
        if isinstance(place, int):
            return self._without_news(until_ns, place)
        due = until_ns > self._renewed_ns + _RENEW_NS
        if whole and due and used < self._rings.size // 2 and not self._recorded:
            # Something is lost, but not for want of room. (What a recording has no room for at its
            # end is counted in the rings that the parent knows.)
            self._renewed_ns = until_ns
            self._rings.release(ends)
            self._rings.renew(self._gates.wait)
            ends = []
        self._refused = False
        if ends:
            self._rings.release(ends)
        if self._sieve is not None:
            self._sieve.take()
        self._news.remember(told)
        self._counted = counters
        self._seen_before, self._seen = self._seen, now
        self._unsent += _TURN.pack(until_ns, 0, 0, True) + PLACE.pack(*place)
        return bool(slices)

    def _hold_back(self, used: int) -> None:
        """Have the target wait while there is little room, rather than lose something."""
        tight = self._refused or used > self._rings.size // 2 or self._spool.is_tight(used)
        if tight or (self._held and self._spool.is_loose()):
            self._held = tight
            self._gates.hold(tight)

    def _without_news(self, until_ns: int, refused: int) -> bool:
        self._refused = bool(refused)
        if not self._unsent:  # else the consumer is behind: this turn would say nothing new
            self._unsent += _TURN.pack(until_ns, 0, refused, False)
        return False


class Reader:
    """The parent's side: starts the process and takes its turns.

    ``holds``: the target is to be held back when there is little room. ``joining``: it is
    told what is mapped, and whether processes may join the targets; None where it is not told.
    """

    def __init__(
        self,
        rings: Rings,
        maps: dict[str, Map],
        gates: Gates,
        spool: Spool,
        holds: bool = False,
        joining: bool | None = None,
    ) -> None:
        self._rings = rings
        self._kept = {maps[name].fd for name in ("threads", "stats", "events")}
        self.spool = spool
        self._drain = _Drain(rings, maps, gates, spool, holds, joining)
        self._turns, self._turns_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._bell_read, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        rings.poll.register(self._bell_read, select.POLLIN)
        self._watched: set[int] = set()
        self._received = b""
        self._open: Place | None = None
        self._pid = 0
        self.failure: BpfError | None = None

    def listen(self) -> None:
        """Have told what is mapped from now on, where that is wanted."""
        if self._rings.beside is not None:
            self._rings.beside.begin()

    def watch(self, fd: int) -> None:
        """Take a turn at once when this descriptor becomes readable; before :meth:`start`."""
        self._watched.add(fd)
        self._rings.poll.register(fd, select.POLLIN)

    def start(self) -> None:
        """Begin to read.

        Errors: OSError when there can be no process.
        """
        self.spool.begin()
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
        ours = {self._turns_write, self._bell_read, *self._kept, *self._watched}
        ours.update(self._rings.descriptors())
        ours.update(self.spool.descriptors())
        for name in os.listdir("/proc/self/fd"):
            if int(name) not in ours:
                with suppress(OSError):  # of the list itself
                    os.close(int(name))

    def hasten(self) -> None:
        """Have the next turn taken now. May be called from a signal handler."""
        with suppress(BlockingIOError):  # it has been told already
            os.write(self._bell, b"\0")

    def take(self, timeout: float) -> Turn | None:
        """The next turn, None when there is none yet. The slices of the one before are gone."""
        if self._open is not None:
            self.spool.release(self._open)
            self._open = None
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
        until_ns, errno, refused, more = _TURN.unpack_from(self._received)
        end = _TURN.size + (PLACE.size if more else 0)
        if len(self._received) < end:
            return None
        head, self._received = self._received[:end], self._received[end:]
        if errno:
            self.failure = BpfError("cannot read a BPF map", errno)
            return None
        if not more:
            return Turn(until_ns, refused=refused)
        self._open = place = Place(*PLACE.unpack_from(head, _TURN.size))
        return unpack(self.spool.open(place), place.length)

    def any_goes_on(self) -> bool:
        """Whether the programs know of a thread that has not ended."""
        states: list[int] = []
        self._drain.threads.read(lambda values, at: states.append(values[at]))
        return any(state != wire.STATE_GONE for state in states)

    def left(self) -> list[bytes]:
        """What lies in the rings once the process has ended."""
        return self._rings.look()[1]

    def end(self) -> None:
        """End the process."""
        if self._pid > 0:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self.spool.end()
        self._pid = -1

    def close(self) -> None:
        """End the process, and let go of everything. Idempotent."""
        self.end()
        if self._bell < 0:
            return
        self._rings.poll.unregister(self._bell_read)
        for fd in (self._turns, self._turns_write, self._bell_read, self._bell):
            if fd >= 0:
                os.close(fd)
        self._bell = -1
        self.spool.close()
