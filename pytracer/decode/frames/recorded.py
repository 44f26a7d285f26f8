"""Stacks in recordings of a backend whose memory is live: frames, as they were found then."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any, Final

from pytracer.decode.call import Call
from pytracer.decode.frames.frame import Frame
from pytracer.decode.frames.stacks import Stacks, shortened
from pytracer.event.schema import Event, GroupStop, Signal, SyscallEnter, SyscallExit
from pytracer.event.written import Answers, Known

_FRAMES: Final = "frames"
_MOST_EARLY: Final = 4096


class KeptStacks:
    """Walks stacks while they can be read, for a recording."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        # By the entry that began them: the number of a task changes when a thread calls execve.
        self._early: set[int] = set()

    def of(self, event: Event, call: Call | None) -> Answers:
        """Give the frames that are to be told with an event, if any are."""
        match event:
            case SyscallEnter() | SyscallExit() if call is not None:
                found = self._of_call(event, call)
            case Signal() | GroupStop():
                found = self._stacks.of_signal(event)
            case _:
                return {}
        if found is None:
            return {}
        key = _FRAMES, event.task.pid, event.task.tid
        return {key: [event.time_ns, [astuple(frame) for frame in found]]}

    def _of_call(self, event: SyscallEnter | SyscallExit, call: Call) -> list[Frame] | None:
        key = id(call.entry)
        if isinstance(event, SyscallExit):
            self._stacks.over(call)
            if key in self._early:
                self._early.discard(key)
                return None
        elif self._stacks.early(call):
            if len(self._early) > _MOST_EARLY:  # of tasks that were killed meanwhile
                self._early.clear()
            self._early.add(key)
        else:
            return None
        regions = getattr(event.memory, "regions", list)
        read = len(regions())
        found = self._stacks.of_call(call)
        # What was read for frames alone need not be kept.
        del regions()[read:]
        return found


class RecordedStacks(Stacks):
    """Tells the frames that a recording has. ``known``: what it tells of the current event."""

    def __init__(self, known: Known, limit: int) -> None:
        super().__init__(limit)
        self._known = known

    def early(self, call: Call) -> bool:
        """Whether the frames of a call were told as it began."""
        return self._told(call.entry) is not None

    def of_call(self, call: Call) -> list[Frame]:
        """The frames of a call that was entered, or has returned."""
        return self._told(call.end or call.entry) or []

    def of_signal(self, event: Signal | GroupStop) -> list[Frame]:
        """The frames of what a signal interrupts."""
        return self._told(event) or []

    def _told(self, event: SyscallEnter | SyscallExit | Signal | GroupStop) -> list[Frame] | None:
        answer = self._known.get(event.task.pid, {}).get((_FRAMES, event.task.tid))
        try:
            time_ns, written = answer or (0, ())
            frames = [_frame(*frame) for frame in written]
        except (TypeError, ValueError):
            return None  # nobody has to believe a recording
        # What was told with an event that is not shown is still there.
        return shortened(frames, self.limit) if time_ns == event.time_ns else None


def _frame(file: Any, function: Any, offset: Any, address: Any, remark: Any) -> Frame:
    named = None if function is None else str(function)
    return Frame(str(file), named, int(offset), int(address), str(remark))
