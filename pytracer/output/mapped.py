"""An output to events that tell, beside what it writes, what is mapped where (-k)."""

from __future__ import annotations

from typing import Protocol

from pytracer.decode.call import Call
from pytracer.decode.frames.seen import Seen
from pytracer.event.schema import Event, Mapped


class Output(Protocol):
    """What takes events."""

    def handle(self, event: Event, call: Call | None = None) -> None: ...

    def flush(self) -> None: ...


class MappedOutput:
    """Has ``seen`` know, as each event is written, what was mapped then."""

    def __init__(self, output: Output, seen: Seen) -> None:
        self._output = output
        self._seen = seen
        self.flush = output.flush

    def handle(self, event: Event, call: Call | None = None) -> None:
        """Hand on an event."""
        self._seen.before(event)
        if type(event) is not Mapped:
            self._output.handle(event, call)
            self._seen.after(event)
