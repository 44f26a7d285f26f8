"""Stacks (-k) as members of objects."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as encode
from typing import Final

from pytracer.decode.call import Call
from pytracer.decode.frames.frame import Frame
from pytracer.decode.frames.stacks import Stacks
from pytracer.event.schema import GroupStop, Signal
from pytracer.output.ndjson.values import name

_MOST_EARLY: Final = 4096


class StackMembers:
    """Writes the member ``stack`` of calls and signals, with the comma before it."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        # By the entry that began them: the number of a task changes when a thread calls execve.
        self._early: dict[int, list[Frame]] = {}

    def entered(self, call: Call) -> None:
        """Look at the stack of a call as it begins, where that has to be."""
        if self._stacks.early(call):
            if len(self._early) > _MOST_EARLY:  # of tasks that were killed meanwhile
                self._early.clear()
            self._early[id(call.entry)] = self._stacks.of_call(call)

    def over(self, call: Call) -> str:
        """Write the stack of a call that is over, however it ended."""
        frames = self._early.pop(id(call.entry), None)
        if call.end is not None:
            self._stacks.over(call)
            if frames is None:
                frames = self._stacks.of_call(call)
        return _member(frames or [])

    def of_signal(self, event: Signal | GroupStop) -> str:
        """Write the stack that a signal meets."""
        return _member(self._stacks.of_signal(event))


def _member(frames: list[Frame]) -> str:
    return f',"stack":[{",".join(map(_frame, frames))}]' if frames else ""


def _frame(frame: Frame) -> str:
    if frame.remark:
        address = f',"address":"{frame.address:#x}"' if frame.address else ""
        return f'{{"remark":{encode(frame.remark)}{address}}}'
    function = "null" if frame.function is None else name(frame.function)
    return (
        f'{{"file":{name(frame.file)},"function":{function},"offset":{frame.offset},'
        f'"address":"{frame.address:#x}"}}'
    )
