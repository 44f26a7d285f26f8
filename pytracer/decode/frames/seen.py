"""What processes have mapped, from the events that tell of it: for backends that stop nobody."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from pytracer.decode.frames.maps import Mapping
from pytracer.event.schema import Event, Mapped, NewBy, TaskDetached, TaskExit, TaskNew


class SeenMaps:
    """The executable mappings of one process, as far as was told.

    ``since``: nothing older counts. ``former``: what was mapped before that, where it is known.
    ``files``: what is mapped, in the order of its coming.
    """

    def __init__(self, since: int = 0, former: SeenMaps | None = None) -> None:
        self.since = since
        self.former = former
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
    """The mappings of all processes that events tell of."""

    def __init__(self) -> None:
        self._maps: dict[int, SeenMaps] = {}
        # When those that were launched began with their program.
        self._launched: dict[int, int | None] = {}

    def of(self, pid: int, time_ns: int) -> SeenMaps | None:
        """What a process has, or had then, mapped; None when nothing is known of it.

        A call may be told of late, such as an execve when its end is known.
        """
        maps = self._maps.get(pid)
        if maps is not None and time_ns < maps.since:
            return maps.former or maps
        return maps

    def launching(self, pid: int, time_ns: int) -> bool:
        """Whether a process did not yet run then the program that it was launched for."""
        if pid not in self._launched:
            return False
        since = self._launched[pid]
        return since is None or time_ns < since

    def before(self, event: Event) -> None:
        """Take in an event that is about to be written."""
        match event:
            case Mapped(task=task, fresh=True):
                former = self._maps.get(task.pid)
                if former is not None:
                    former.former = None
                self._maps[task.pid] = SeenMaps(event.time_ns, former)
                self._add(event)
                if self._launched.get(task.pid, 0) is None:
                    self._launched[task.pid] = event.time_ns
            case Mapped():
                self._add(event)
            case TaskNew(task=task, by=NewBy.LAUNCHED):
                self._launched[task.pid] = None
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
            self._launched.pop(event.task.pid, None)

    def _add(self, event: Mapped) -> None:
        maps = self._maps.setdefault(event.task.pid, SeenMaps())
        if event.time_ns >= maps.since:
            for area in event.areas:
                maps.add(*area)
