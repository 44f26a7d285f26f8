"""What descriptors refer to, for events that are decoded some time after they happened."""

from __future__ import annotations

import os

from pytracer.decode.call import Call
from pytracer.decode.descriptors import AT_FDCWD, LiveDescriptors, Told
from pytracer.event.schema import Event, NewBy, TaskExec, TaskExit, TaskNew
from pytracer.spec.effects import Closes, Moves, Opens
from pytracer.spec.values import Descriptor, Integer, Text, Value

# Names that mean something else to every process that uses them.
_PERSONAL = (
    b"/proc/self/",
    b"/proc/thread-self/",
    b"/dev/fd/",
    b"/dev/std",
    b"/dev/tty",
    b"/dev/ptmx",
)
_STANDARD = (0, 1, 2)
_OURS = 0  # no process has this id


class TrackedDescriptors(LiveDescriptors):
    """Remembers what descriptors were when they were made, as /proc will have moved on since.

    It has to be told of every event in order, and of every call that returned, by whoever decodes;
    no call that makes or closes descriptors may be filtered out.

    Known are the names by which files were opened, their copies, and what a process held when it
    was attached or launched. What a call made without naming it (a socket, a pipe), and what
    may have been closed on execve, is unknown: /proc would tell what has its number now.
    """

    def __init__(self, told: frozenset[Told], comm: bool = False, proc: str = "/proc") -> None:
        super().__init__(told, comm, proc)
        self._known: dict[int, dict[int, bytes]] = {}
        self._directories: dict[int, bytes] = {}
        # A launched program starts with ours, which we may let go of before it is seen.
        self._learn(_OURS, os.getpid(), _STANDARD)

    def target(self, pid: int, fd: int) -> bytes | None:
        """The name of what a descriptor refers to, as it was made."""
        return self._known.get(pid, {}).get(fd)

    def directory(self, pid: int) -> bytes | None:
        """The working directory of a process."""
        return self._directories.get(pid)

    def follow(self, event: Event) -> None:
        """Take note of what became of a task."""
        match event:
            case TaskNew(task=task, parent=parent) if parent is not None:
                if parent.pid != task.pid:
                    self._inherit(task.pid, parent.pid)
            case TaskNew(task=task, by=NewBy.ATTACHED):
                self._learn(task.pid, task.pid)
            case TaskNew(task=task, by=NewBy.LAUNCHED):
                self._inherit(task.pid, _OURS)
            case TaskExec(task=task):
                known = self._known.get(task.pid, {})
                self._known[task.pid] = {fd: known[fd] for fd in _STANDARD if fd in known}
            case TaskExit(task=task) if task.pid == task.tid:
                self._known.pop(task.pid, None)
                self._directories.pop(task.pid, None)
            case _:
                pass

    def _inherit(self, pid: int, parent: int) -> None:
        self._known[pid] = dict(self._known.get(parent, {}))
        if parent in self._directories:
            self._directories[pid] = self._directories[parent]

    def _learn(self, pid: int, source: int, only: tuple[int, ...] | None = None) -> None:
        directory = super().directory(source)
        if directory is not None:
            self._directories[pid] = directory
        known = self._known.setdefault(pid, {})
        for fd in self._open_in(source) if only is None else only:
            target = super().target(source, fd)
            if target is not None:
                known[fd] = target

    def _open_in(self, pid: int) -> list[int]:
        try:
            return [int(name) for name in os.listdir(f"{self.proc}/{pid}/fd")]
        except OSError:
            return []

    def returned(self, call: Call) -> None:
        """Take note of what a successful call did, before its result is decoded."""
        values = dict(call.values)
        pid = call.task.pid
        match call.compiled.effect:
            case Opens() as opens:
                self._opened(pid, call.ret, opens, values)
            case Closes(first=first, last=last):
                known = self._known.get(pid, {})
                low = _number(values.get(first))
                high = low if last is None else _number(values.get(last))
                for fd in [fd for fd in known if low <= fd <= high]:
                    del known[fd]
            case Moves(to=to):
                named = self._path(pid, values.get(to), None)
                self._directories.pop(pid, None)
                if named is not None:
                    self._directories[pid] = os.path.realpath(named)
            case None:
                pass

    def _opened(self, pid: int, fd: int, opens: Opens, values: dict[str, Value]) -> None:
        known = self._known.setdefault(pid, {})
        known.pop(fd, None)
        made: bytes | None = None
        if opens.copy_of is not None:
            made = known.get(_number(values.get(opens.copy_of)))
        elif opens.named_by is not None:
            start = values.get(opens.at) if opens.at is not None else None
            named = self._path(pid, values.get(opens.named_by), start)
            if named is not None and not named.startswith(_PERSONAL):
                # As /proc has it: without links on the way.
                made = os.path.realpath(named)
        if made is not None:
            known[fd] = made

    def _path(self, pid: int, named: Value | None, start: Value | None) -> bytes | None:
        """The whole path that a call gave; None when it cannot be told."""
        if isinstance(named, Descriptor):
            return self.target(pid, named.value)
        if not isinstance(named, Text) or named.more:
            return None
        if named.data.startswith(b"/"):
            return named.data
        if isinstance(start, Descriptor) and start.value != AT_FDCWD:
            folder = self.target(pid, start.value)
        else:
            folder = self.directory(pid)
        return None if folder is None else os.path.join(folder, named.data)


def _number(value: Value | None) -> int:
    return value.value if isinstance(value, Descriptor | Integer) else -1
