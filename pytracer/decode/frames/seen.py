"""What processes have mapped, from the events that tell of it: for backends that stop nobody."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from pytracer.decode.frames.maps import Mapping
from pytracer.event.schema import Event, Mapped, NewBy, TaskDetached, TaskExit, TaskNew


class SeenMaps:
    """The executable mappings of one process, as far as was told.

    ``since``: nothing older counts. ``files``: what is mapped, in the order of its coming.
    """

    def __init__(self, since: int = 0) -> None:
        self.since = since
        self.files: dict[str, None] = {}
        self._starts: list[int] = []
        self._mappings: list[Mapping] = []

    def find(self, address: int) -> Mapping | None:
        """The mapping that an address is in."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address >= self._mappings[at].end:
            return None
        return self._mappings[at]

    def add(self, start: int, end: int, offset: int, path: str) -> None:
        """Take in a mapping; what was mapped there before is gone."""
        if start >= end:
            return
        self.files[path] = None
        first = bisect_left(self._starts, start)
        if first and self._mappings[first - 1].end > start:
            first -= 1
        last = bisect_left(self._starts, end)
        rest = [Mapping(start, end, offset, True, path)]
        for former in self._mappings[first:last]:
            if former.start < start:
                rest.insert(0, Mapping(former.start, start, former.offset, True, former.path))
            if former.end > end:
                more = former.offset + end - former.start if former.path else 0
                rest.append(Mapping(end, former.end, more, True, former.path))
        self._mappings[first:last] = rest
        self._starts[first:last] = [mapping.start for mapping in rest]

    def copy(self) -> SeenMaps:
        """Make what a forked process begins with."""
        other = SeenMaps(self.since)
        other.files = self.files.copy()
        other._starts = self._starts.copy()
        other._mappings = self._mappings.copy()
        return other


class Seen:
    """The mappings of all processes that events tell of.

    ``launching``: those that do not yet run the program that they were launched for.
    """

    def __init__(self) -> None:
        self.launching: set[int] = set()
        self._maps: dict[int, SeenMaps] = {}

    def of(self, pid: int) -> SeenMaps | None:
        """What a process has mapped; None when nothing is known of it."""
        return self._maps.get(pid)

    def before(self, event: Event) -> None:
        """Take in an event that is about to be written."""
        match event:
            case Mapped(task=task, fresh=True):
                self._maps[task.pid] = SeenMaps(event.time_ns)
                self._add(event)
                self.launching.discard(task.pid)
            case Mapped():
                self._add(event)
            case TaskNew(task=task, by=NewBy.LAUNCHED):
                self.launching.add(task.pid)
            case TaskNew(task=task, parent=parent) if parent and parent.pid != task.pid:
                inherited = self._maps.get(parent.pid)
                self._maps.pop(task.pid, None)
                if inherited is not None:
                    self._maps[task.pid] = inherited.copy()
            case _:
                pass

    def after(self, event: Event) -> None:
        """Take note of an event that was written."""
        if isinstance(event, TaskExit | TaskDetached) and event.task.tid == event.task.pid:
            self._maps.pop(event.task.pid, None)

    def _add(self, event: Mapped) -> None:
        maps = self._maps.setdefault(event.task.pid, SeenMaps())
        if event.time_ns >= maps.since:
            for area in event.areas:
                maps.add(*area)
