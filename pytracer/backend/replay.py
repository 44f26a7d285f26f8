"""A recording as a backend: what was seen then, event by event."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

from pytracer.backend.base import TargetError
from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.digest import Digest, Given
from pytracer.backend.ebpf.turn import BadTurn, Fetch, Turn, unpack
from pytracer.event.recording import END, EVENTS, SLICES, TURN, BadRecording, Frames
from pytracer.event.schema import (
    Clock,
    Event,
    GroupStop,
    Lost,
    Mapped,
    Run,
    SyscallEnter,
    Task,
    TaskDetached,
    TaskExit,
    TaskNew,
)
from pytracer.event.written import EventReader, Known
from pytracer.target.selection import Selection

DAMAGED: Final = "the recording is damaged"
UNWRITTEN: Final = "they could not be written to the recording"

OfTurn: TypeAlias = Callable[[Digest, Turn], Iterator[Given | Event]]


def _part_of(data: bytes) -> Fetch:
    return lambda at, length: data[at : at + length]


class ReplayBackend:
    """Yields the events of a recording; nothing of the live system is looked at.

    ``header``: what the recording says about itself. ``known``: what the live system had
    told about the processes, up to the current event. ``damage``: what is wrong with the file,
    once it was read; empty when nothing is.

    Errors: OSError, BadRecording for a file that cannot be replayed.
    """

    name = "replay"

    def __init__(self, path: str) -> None:
        self._selection = Selection()
        self._file: BinaryIO = Path(path).open("rb")  # noqa: SIM115 - closed with the backend
        try:
            self._frames = Frames(self._file)
            self.header = self._frames.header
            self._slices = self.header.events == SLICES
            if self._slices and self.header.layout != wire.LAYOUT:
                raise BadRecording("another version of pytracer made it, with other slices")
            if self._slices and self.header.counters != wire.Stats._fields:
                raise BadRecording("another version of pytracer made it, with other counters")
        except (OSError, BadRecording):
            self.close()
            raise
        self.clock = Clock(self.header.wall_offset_ns)
        self.known: Known = {}
        self.damage = ""
        self._reader = EventReader(self.known)
        self._stopping = False
        self._failure: TargetError | None = None

    def select(self, selection: Selection) -> None:
        """Say what is wanted, before :meth:`events`."""
        self._selection = selection

    def events(self) -> Iterator[Event | None]:
        """Yield all events that can be read, or those until :meth:`stop` was called.

        Errors: TargetError for a program that was not executed, after all events.
        """
        return self._all(Digest.turn)

    def runs(self) -> Iterator[Run | Event | None]:
        """Yield what :meth:`events` yields, calls that nothing interrupts together."""
        return self._all(Digest.runs)

    def _all(self, make: OfTurn[Given]) -> Iterator[Given | Event | None]:
        try:
            if self._slices:
                yield from self._of_slices(make)
            else:
                yield from self._of_events()
        except (BadRecording, BadTurn, struct.error) as error:
            self._frames.damage = self._frames.damage or str(error) or "a part of it is damaged"
        self.damage = self._frames.damage
        if self._failure is not None and not self._stopping:
            raise self._failure

    def _of_events(self) -> Iterator[Event | None]:
        alive: dict[int, Task] = {}
        now_ns = 0
        for kind, payload in self._frames:
            if self._frames.damage:
                break  # what comes after a gap would be misunderstood
            if kind == END:
                self._end(payload)
            if kind != EVENTS:
                continue
            for event, let_go_ns in self._reader.read(payload):
                if self._stopping:
                    break
                now_ns = event.time_ns
                match event:
                    case TaskNew(task=task):
                        alive[task.tid] = task
                    case TaskExit(task=task) | TaskDetached(task=task):
                        alive.pop(task.tid, None)
                    case _:
                        pass
                yield event
                if let_go_ns is not None:
                    event.time_ns = let_go_ns
            if self._stopping:
                break
            yield None
        for task in alive.values():
            yield TaskDetached(task, now_ns)

    def _of_slices(self, make: OfTurn[Given]) -> Iterator[Given | Event | None]:
        selection = self._selection
        digest = Digest(selection.by_result, selection.signals, False, self.header.cpu_times)
        end: dict[str, Any] | None = None
        last_ns = 0
        for kind, payload in self._frames:
            if kind == TURN:
                turn = unpack(_part_of(payload), len(payload), True)
                last_ns = turn.until_ns
                if turn.counters and len(turn.counters) != len(wire.Stats._fields):
                    raise BadTurn
                yield from self._shown(make(digest, turn))
            elif kind == EVENTS:
                yield from self._first(digest, payload)
            elif kind == END:
                end = self._end(payload)
            digest.merger.gone.clear()
            if self._stopping:
                break
            yield None
        counters = digest.counted
        if end is not None and not self._stopping:
            yield from digest.turn(Turn(int(end["until_ns"])))
            last_ns = int(end["now_ns"])
            counters = wire.Stats(*map(int, end["counters"]))
            if end["unwritten"]:
                yield Lost(last_ns, int(end["unwritten"]), UNWRITTEN)
        if self._frames.damage and end is not None:
            missing = counters.calls - counters.lost_calls - end["unwritten"] - digest.merger.ended
            if missing > 0:
                yield Lost(last_ns, missing, DAMAGED)
        yield from digest.over(last_ns, counters, True)

    def _first(self, digest: Digest, payload: bytes) -> Iterator[Event]:
        """Take in whom the recording began with, and what they were doing."""
        for event, _ in self._reader.read(payload):
            match event:
                case TaskNew(task=task):
                    yield digest.begin(task, event.time_ns, event.by)
                case SyscallEnter() | GroupStop():
                    digest.add(event)
                case Mapped():
                    yield event
                case _:
                    raise BadRecording("an event in it cannot be read")

    def _shown(self, events: Iterator[Given]) -> Iterator[Given]:
        """Hand on events until it is enough; forked processes have what their parents have."""
        for event in events:
            if self._stopping:
                return
            match event:
                case TaskNew(task=task, parent=Task(pid=pid)) if pid != task.pid:
                    if pid in self.known:
                        self.known[task.pid] = self.known[pid]
                case TaskExit(task=task) if task.pid == task.tid:
                    self.known.pop(task.pid, None)
                case _:
                    pass
            yield event

    def _end(self, payload: bytes) -> dict[str, Any]:
        try:
            end: dict[str, Any] = json.loads(payload)
            if end.get("failure"):
                call, errno = end["failure"]
                self._failure = TargetError(0, int(errno), str(call))
            if self._slices:
                for name in ("until_ns", "now_ns", "unwritten"):
                    end[name] = int(end[name])
                if len(end["counters"]) != len(wire.Stats._fields):
                    raise ValueError("counters")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadRecording("its end cannot be read") from error
        return end

    def stop(self) -> None:
        """Read no further."""
        self._stopping = True

    def give_up(self) -> None:
        """Nothing is taken in advance."""

    def waiting(self) -> int:
        """Tell how much was taken in advance: nothing."""
        return 0

    def failure(self) -> TargetError | None:
        """Tell why the launched process did not execute its program, once that was read."""
        return self._failure

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._file.close()
