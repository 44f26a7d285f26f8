"""A recording that is being written."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pytracer.event.memory import Memory, Snapshot
from pytracer.event.recording import END, EVENTS, HEADER, MAGIC, Header, frame, write_at
from pytracer.event.schema import Event, SyscallEnter, SyscallExit
from pytracer.event.written import write_event


class Recording:
    """An open file to record into, empty, and what is to stand in its header.

    ``alone``: nobody wants to see the calls meanwhile. ``end``: how long the file is.
    ``failure``: the errno of what could not be written, 0 while everything could.
    """

    def __init__(self, fd: int, header: Header, alone: bool) -> None:
        self.fd = fd
        self.header = header
        self.alone = alone
        self.end = 0
        self.failure = 0

    def begin(self, events: str, layout: int = 0, counters: Sequence[str] = ()) -> None:
        """Write the header. Errors: OSError."""
        header = replace(
            self.header,
            events=events,
            layout=layout,
            counters=tuple(counters),
            kernel=platform.release(),
            machine=platform.machine(),
            cpus=os.cpu_count() or 0,
        ).encode()
        self.end = write_at(self.fd, [MAGIC, frame(HEADER, [header]), header], 0)

    def append(self, kind: int, parts: Sequence[bytes]) -> None:
        """Write a frame, unless there is no room for it."""
        try:
            self.end = write_at(self.fd, [frame(kind, parts), *parts], self.end)
        except OSError as error:
            self.failure = error.errno or 0

    def first(self, events: Iterable[Event]) -> None:
        """Write the events that come before all others."""
        self.append(EVENTS, [write_event(event, _captured(event)) for event in events])

    def finish(self, **about: Any) -> None:
        """Write that this is the end. ``about``: what is known then."""
        self.append(END, [json.dumps(about).encode() + b"\n"])


def _captured(event: Event) -> list[tuple[int, bytes, bool]]:
    """What of an event's memory is known."""
    if not isinstance(event, SyscallEnter | SyscallExit):
        return []
    memory: Memory = event.memory
    if isinstance(memory, Snapshot):
        return memory.regions
    regions = getattr(memory, "regions", None)
    return [] if regions is None else regions()
