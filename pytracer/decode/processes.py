"""The names of processes (-Y)."""

from __future__ import annotations

from pathlib import Path

from pytracer.decode.call import Call
from pytracer.decode.decoder import DecodeOptions, Decoder
from pytracer.event.schema import Event, Lost, SyscallExit, TaskExec, TaskExit, TaskNew
from pytracer.spec.context import Descriptors, Sockets


class LiveProcesses:
    """Looks names up at the moment of decoding. ``proc`` is where procfs is mounted."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self.proc = proc

    def comm(self, pid: int) -> str | None:
        """The name of a task; None when there is none of this id, or no longer."""
        if pid <= 0:
            return None
        try:
            raw = (self.proc / str(pid) / "comm").read_bytes()
        except OSError:
            return None
        return raw.removesuffix(b"\n").decode("utf-8", "surrogateescape")

    def reaped(self, pid: int, by: int) -> None:
        """Nothing: /proc knows."""


class SeenProcesses(LiveProcesses):
    """Remembers the names of those that are traced, as their events tell; others are looked up.

    What a task is called when its call is decoded is not what it was called then.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        super().__init__(proc)
        # None for those that are gone: their number may be another's by now.
        self._known: dict[int, str | None] = {}
        # Over, and not waited for yet: as long as that they have a name.
        self._ended: set[int] = set()
        self._parents: dict[int, int] = {}

    def comm(self, pid: int) -> str | None:
        """The name of a task."""
        if pid in self._known:
            return self._known[pid]
        return super().comm(pid)

    def reaped(self, pid: int, by: int) -> None:
        """Take note that a process, if it has ended, is gone for good."""
        # A tracer that is not the parent is told of the end, too.
        parent = self._parents.get(pid, by)
        if pid in self._ended and (parent == by or self._known.get(parent) is None):
            self._ended.discard(pid)
            self._known[pid] = None
            self._parents.pop(pid, None)

    def follow(self, event: Event) -> None:
        """Take note of what a task is called, and that it is over."""
        # What a call's end says of its task is what it was called when it began.
        if isinstance(event, Lost | SyscallExit):
            return
        task = event.task
        if isinstance(event, TaskExit):
            if task.tid == task.pid:
                self._ended.add(task.tid)
            else:
                self._known[task.tid] = None
            return
        self._known[task.tid] = task.comm
        self._ended.discard(task.tid)
        if isinstance(event, TaskNew):
            if event.parent is not None and task.tid == task.pid:
                self._parents[task.pid] = event.parent.pid
        elif isinstance(event, TaskExec) and event.former_tid != task.tid:
            self._known[event.former_tid] = None


class NamingDecoder(Decoder):
    """A decoder that tells what it comes by to whoever remembers names."""

    def __init__(
        self,
        seen: SeenProcesses,
        options: DecodeOptions,
        descriptors: Descriptors | None,
        sockets: Sockets | None = None,
    ) -> None:
        super().__init__(options, descriptors, sockets)
        self._seen = seen

    def handle(self, event: Event) -> Call | None:
        """Take in one event."""
        self._seen.follow(event)
        return super().handle(event)
