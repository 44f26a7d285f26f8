"""A recording that is being written."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from pytracer.backend.base import Backend, TargetError
from pytracer.event.memory import Memory, Snapshot
from pytracer.event.recording import END, EVENTS, HEADER, MAGIC, SLICES, Header, frame, write_at
from pytracer.event.schema import Clock, Event, SyscallEnter, SyscallExit
from pytracer.event.written import Answers, Region, write_event

# Events wait until there are so many bytes of them.
_BATCH_BYTES: Final = 1 << 16


def _nothing(event: Event) -> Answers:
    return {}


class Recording:
    """An open file to record into, empty, and what is to stand in its header.

    ``alone``: nobody wants to see the calls meanwhile. ``witness`` is shown each event before it is
    written (of a recording of slices, those that come before all slices): it reads what decoding
    will read, and gives what it had to ask the live system.
    ``end``: how long the file is. ``failure``: the errno of what could not be written, else 0.
    """

    def __init__(
        self,
        fd: int,
        header: Header,
        alone: bool = True,
        witness: Callable[[Event], Answers] = _nothing,
    ) -> None:
        self.fd = fd
        self.header = header
        self.alone = alone
        self.witness = witness
        self.end = 0
        self.failure = 0

    def begin(
        self,
        events: str,
        clock: Clock,
        cpu: bool,
        layout: int = 0,
        counters: Sequence[str] = (),
    ) -> None:
        """Write the header. ``cpu``: CPU times will be known. Errors: OSError."""
        header = self.header._replace(
            events=events,
            selection=self.header.selection if events == SLICES else self._without_descriptors(),
            wall_offset_ns=clock.wall_offset_ns,
            cpu_times=cpu,
            layout=layout,
            counters=tuple(counters),
            kernel=platform.release(),
            machine=platform.machine(),
            cpus=os.cpu_count() or 0,
        ).encode()
        self.end = write_at(self.fd, [MAGIC, frame(HEADER, [header]), header], 0)

    def _without_descriptors(self) -> dict[str, Any]:
        # They are looked up where they are shown, and nowhere else.
        return {**self.header.selection, "descriptors": False}

    def append(self, kind: int, parts: Sequence[bytes]) -> None:
        """Write a frame, unless there is no room for it."""
        try:
            self.end = write_at(self.fd, [frame(kind, parts), *parts], self.end)
        except OSError as error:
            self.failure = error.errno or 0

    def first(self, events: Iterable[Event]) -> None:
        """Write the events that come before all others."""
        self.append(EVENTS, [self.written(event) for event in events])

    def written(self, event: Event) -> bytes:
        """Write an event with all that is known about it."""
        answers = self.witness(event)
        return write_event(event, captured(event), answers)

    def finish(self, **about: Any) -> None:
        """Write that this is the end. ``about``: what is known then."""
        self.append(END, [json.dumps(about).encode() + b"\n"])


def captured(event: Event) -> list[tuple[int, bytes, bool]]:
    """What of an event's memory is known."""
    if not isinstance(event, SyscallEnter | SyscallExit):
        return []
    memory: Memory = event.memory
    if isinstance(memory, Snapshot):
        return memory.regions
    regions = getattr(memory, "regions", None)
    return [] if regions is None else regions()


class RecordedBackend:
    """A backend whose memory is live, and whose events are recorded on their way.

    An event is written when the next one has come.
    """

    def __init__(self, backend: Backend, recording: Recording) -> None:
        self.name = backend.name
        self.clock = backend.clock
        self.stop = backend.stop
        self.give_up = backend.give_up
        self.failure = backend.failure
        self.waiting = backend.waiting
        self._backend = backend
        self._recording = recording
        self._held: tuple[Event, int, list[Region], Answers] | None = None
        self._batch: list[bytes] = []
        self._bytes = 0
        recording.begin("events", backend.clock, True)

    def events(self) -> Iterator[Event | None]:
        """Yield events; those of calls only if somebody wants to see them.

        Errors: as the backend's.
        """
        recording = self._recording
        failure: TargetError | None = None
        try:
            for event in self._backend.events():
                self._keep()
                if event is None:
                    self._flush()
                    yield None
                    continue
                answers = recording.witness(event)
                self._held = event, event.time_ns, list(captured(event)), answers
                if not recording.alone or not isinstance(event, SyscallEnter | SyscallExit):
                    yield event
        except TargetError as error:
            failure = error
            raise
        finally:
            self._keep()
            self._flush()
            recording.finish(
                now_ns=time.monotonic_ns(),
                failure=None if failure is None else (failure.call, failure.errno),
            )

    def _keep(self) -> None:
        """Write the event before, whose time has moved to when its task was let go."""
        if self._held is None:
            return
        event, time_ns, regions, answers = self._held
        self._held = None
        moved = event.time_ns
        event.time_ns = time_ns
        written = write_event(event, regions, answers, None if moved == time_ns else moved)
        event.time_ns = moved
        self._batch.append(written)
        self._bytes += len(written)
        if self._bytes >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._batch:
            self._recording.append(EVENTS, self._batch)
            self._batch = []
            self._bytes = 0

    def close(self) -> None:
        """Let go of the targets, and end the recording. Idempotent."""
        self._backend.close()
