"""Calls with the stack that they were made from (-k)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pytracer.decode.call import Call
from pytracer.decode.frames.frame import Frame
from pytracer.decode.frames.stacks import Stacks
from pytracer.event.schema import GroupStop, Signal, TaskExit
from pytracer.output.style import LineStyle, Style
from pytracer.output.text.calls import CallWriter

_MOST_EARLY: Final = 4096


def lines_of(frames: Iterable[Frame]) -> str:
    """Write frames, a line each."""
    return "".join(map(_line, frames))


def _line(frame: Frame) -> str:
    if frame.remark:
        return (
            f" > {_safe(frame.remark)} [{frame.address:#x}]\n"
            if frame.address
            else f" > {_safe(frame.remark)}\n"
        )
    where = "" if frame.function is None else f"{_safe(frame.function)}+{frame.offset:#x}"
    return f" > {_safe(frame.file)}({where}) [{frame.address:#x}]\n"


def _safe(name: str) -> str:
    """A name without what a terminal might obey: the bytes of that are written in octal."""
    if name.isprintable():
        return name
    return "".join(
        character
        if character.isprintable()
        else "".join(f"\\{byte:o}" for byte in _bytes_of(character))
        for character in name
    )


def _bytes_of(character: str) -> bytes:
    if "\udc80" <= character <= "\udcff":
        return character.encode("utf-8", "surrogateescape")
    return character.encode("utf-8", "surrogatepass")


class StackWriter(CallWriter):
    """Writes the frames of a call below its line."""

    def __init__(self, style: Style, lines: LineStyle, stacks: Stacks) -> None:
        super().__init__(style, lines)
        self._stacks = stacks
        # By the entry that began them: the number of a task changes when a thread calls execve.
        self._early: dict[int, str] = {}
        self._parting: dict[int, str] = {}
        self.uniform = False  # each line has lines of its own below

    def begin(self, call: Call) -> str:
        """Write the call as far as its entry tells."""
        if self._stacks.early(call):
            if len(self._early) > _MOST_EARLY:  # of tasks that were killed meanwhile
                self._early.clear()
            self._early[id(call.entry)] = lines_of(self._stacks.of_call(call))
        return super().begin(call)

    def end(self, call: Call, column: int) -> str:
        """Write the rest of the line, and the frames."""
        text = super().end(call, column)
        frames = self._early.pop(id(call.entry), None)
        self._stacks.over(call)
        return text + (lines_of(self._stacks.of_call(call)) if frames is None else frames)

    def gone(self, call: Call, column: int) -> str:
        """Write the end of a call that does not come back: its frames follow the task's end."""
        frames = self._early.pop(id(call.entry), "")
        if frames and call.compiled.never_returns:
            self._parting[call.tid] = frames
        return super().gone(call, column)

    def below(self, event: Signal | GroupStop | TaskExit) -> str:
        """Write the frames that a signal meets, or that a task ended in."""
        if isinstance(event, TaskExit):
            return self._parting.pop(event.task.tid, "")
        return lines_of(self._stacks.of_signal(event))
