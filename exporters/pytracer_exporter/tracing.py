"""Counting by ptrace, in a process of its own: it has the privilege to trace, and serves nobody.

Who serves has none, and asks through a socket: what it says is JSON, whatever it may have become;
what it is told is a pickle. Each call of a process that is traced this way costs tens of
microseconds: it is for where there is no eBPF.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import select
import signal
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import Abi
from pytracer.target.cgroups import processes
from pytracer.target.selection import Attach, Selection
from pytracer_exporter.counting import Counting
from pytracer_exporter.reading import Unwatchable, Watched
from pytracer_exporter.source_events import Tally
from pytracer_exporter.source_targets import Resolved, resolve

LENGTH: Final = struct.Struct("<I")
MOST_BYTES: Final = 1 << 24
_TICK_S: Final = 1.0


class Tracer:
    """Traces processes, and answers what it is asked. Runs in the main thread."""

    def __init__(self, asked: socket.socket, counting: Counting) -> None:
        self._socket = asked
        self._counting = counting
        self._tally = Tally(counting.cpu)
        self._targets: dict[str, Resolved] = {}
        # Processes that were named and are over: others may have their numbers.
        self._ended: set[tuple[str, int]] = set()
        self._backend: PtraceBackend | None = None
        self._due = self._over = self._changed = False
        self._looked_s = 0.0

    def watch(self, targets: Sequence[Watched]) -> None:
        """Trace these from now on.

        Errors: Unwatchable, and all is as before.
        """
        for target in targets:
            if target.comms or target.everyone:
                raise Unwatchable(
                    target.name,
                    "processes by their command names, or all of them, cannot be watched with "
                    "ptrace: have eBPF work (pytracer --doctor), or name a pid, unit, cgroup "
                    "or container",
                )
        before = self._targets
        self._targets = {each.name: resolve(each, before.get(each.name)) for each in targets}
        self._note_ended()
        self._ended &= {(name, pid) for name, each in before.items() for pid in each.watched.pids}
        if self._backend is not None:
            self._changed = True
            self._backend.stop()

    def _note_ended(self) -> None:
        before = self._tally.pids
        self._tally.forget()
        self._ended |= {(before[pid], pid) for pid in before.keys() - self._tally.pids.keys()}

    def run(self) -> None:
        """Trace and answer until nobody asks any more, or SIGTERM comes."""
        for number in (signal.SIGIO, signal.SIGALRM):
            signal.signal(number, self._have_a_look)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        _signal_when_readable(self._socket)
        signal.setitimer(signal.ITIMER_REAL, _TICK_S, _TICK_S)
        while not self._over:
            if not self._changed:  # if so, who was let go of has not ended
                self._note_ended()
            self._changed = False
            self._tally.threads.clear()
            self._tally.pids.clear()
            pids = self._new_pids()
            began_s = time.monotonic()
            if pids:
                self._trace(pids)
            # Nobody is there, or nobody may be attached to: soon somebody may.
            if not (self._over or self._changed) and time.monotonic() - began_s < _TICK_S:
                select.select([self._socket], [], [], _TICK_S)
            self._answer()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _trace(self, pids: tuple[int, ...]) -> None:
        counting = self._counting
        syscalls = None if counting.syscalls is None else dict(counting.syscalls)
        self._backend = PtraceBackend(
            Attach(pids),
            Selection(syscalls=syscalls, follow=True),
            count_cpu=counting.cpu,
            holds=_holds_nobody,
            refuse=_ended_meanwhile,
        )
        self._looked_s = time.monotonic()
        take = self._tally.take
        with suppress(TargetError):  # all of them have ended meanwhile
            for event in self._backend.events():
                take(event)
                if self._due:
                    self._due = False
                    self._answer()
                    self._look_for_more(self._backend)
        self._backend = None

    def _look_for_more(self, backend: PtraceBackend) -> None:
        if time.monotonic() - self._looked_s < _TICK_S:
            return
        self._looked_s = time.monotonic()
        self._note_ended()
        for event in backend.attach(self._new_pids()):
            self._tally.take(event)

    def _new_pids(self) -> tuple[int, ...]:
        """Processes of the targets that are not traced yet; each is the first target's."""
        found: dict[int, str] = {}
        for name, target in self._targets.items():
            target.look_again()
            for pid in target.watched.pids:
                if (name, pid) not in self._ended:
                    found.setdefault(pid, name)
            for cgroup in target.cgroups:
                for pid in processes(cgroup):
                    found.setdefault(pid, name)
        new = {pid: name for pid, name in found.items() if pid not in self._tally.pids}
        self._tally.pids.update(new)
        return tuple(new)

    def _answer(self) -> None:
        while select.select([self._socket], [], [], 0)[0]:
            question = receive(self._socket)
            if question is None:
                self._end()
                return
            send(self._socket, pickle.dumps(self._answer_to(json.loads(question))))

    def _answer_to(self, question: dict[str, Any]) -> object:
        try:
            if question["ask"] == "watch":
                self.watch([Watched(**_tuples(each)) for each in question["targets"]])
                return None
            return self._tally.read(self._targets)
        except Unwatchable as error:
            return error

    def _have_a_look(self, *_: object) -> None:
        self._due = True

    def _end(self, *_: object) -> None:
        self._over = True
        if self._backend is not None:
            self._backend.stop()


def _tuples(told: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}


def _holds_nobody(abi: Abi, nr: int) -> tuple[bool, bool]:
    return False, False


def _ended_meanwhile(error: TargetError) -> None:
    """Let it be: it was there when it was looked for."""


def _signal_when_readable(each: socket.socket) -> None:
    fcntl.fcntl(each, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(each, fcntl.F_SETFL, fcntl.fcntl(each, fcntl.F_GETFL) | os.O_ASYNC)


def send(to: socket.socket, data: bytes) -> None:
    """Send a message."""
    to.sendall(LENGTH.pack(len(data)) + data)


def receive(by: socket.socket) -> bytes | None:
    """Receive a message; None when the other side is gone."""
    head = _exactly(by, LENGTH.size)
    if head is None:
        return None
    (length,) = LENGTH.unpack(head)
    return _exactly(by, length) if length <= MOST_BYTES else None


def _exactly(by: socket.socket, length: int) -> bytes | None:
    parts = []
    while length:
        try:
            part = by.recv(length)
        except ConnectionError:
            return None
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
