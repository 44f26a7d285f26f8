"""What a line begins with: who speaks, and when."""

from __future__ import annotations

import time

from pytracer.event.schema import Abi, Task
from pytracer.output.style import LineStyle, Stamp
from pytracer.output.text.quote import quote_inside

NS = 1_000_000_000


def seconds(ns: int, digits: int) -> str:
    """Write a duration in seconds, cut (not rounded) to so many decimals.

    Shape: digits 0 to 9; 0 leaves out the point.
    """
    whole, rest = divmod(ns, NS)
    if not digits:
        return str(whole)
    return f"{whole}.{rest // 10 ** (9 - digits):0{digits}}"


class Leader:
    """Makes the beginnings of lines.

    ``bare``: lines begin with nothing at the moment. ``previous_ns``: when the last line began,
    None for none. The wall clock is ``offset_ns`` ahead of the
    events' times.
    """

    def __init__(self, style: LineStyle, offset_ns: int = 0) -> None:
        self.style = style
        self.offset_ns = offset_ns
        self.bare = True
        self.abis: dict[int, Abi] = {}
        self.numbers: dict[int, int] = {}
        # Whether anything but a task's id can stand there.
        self.timed = bool(
            style.stamp is not Stamp.NONE or style.relative is not None or style.number or style.ip
        )
        self.several(False)
        self._second = -1
        self._second_text = ""
        self.previous_ns: int | None = None

    def several(self, several: bool) -> None:
        """Take note whether more than one task is traced."""
        self._several = several
        style = self.style
        self.bare = not (self.timed or style.pid_prefix or (several and style.bracket_pid))

    def make(self, task: Task, time_ns: int, ip: int | None = None) -> str:
        """Begin a line of a task."""
        text = self._who(task)
        return text + self._when(task, time_ns, ip) if self.timed else text

    def _who(self, task: Task) -> str:
        style = self.style
        if style.pid_prefix:
            if style.comm and task.comm:
                return f"{task.tid}<{self._comm(task)}> "
            return f"{task.tid:<5} "
        if self._several and style.bracket_pid:
            comm = f"<{self._comm(task)}>" if style.comm and task.comm else ""
            return f"[pid {task.tid:5}{comm}] "
        return ""

    def _comm(self, task: Task) -> str:
        return quote_inside(task.comm.encode("utf-8", "surrogateescape"))

    def _when(self, task: Task, time_ns: int, ip: int | None) -> str:
        style = self.style
        text = ""
        if style.stamp is not Stamp.NONE:
            text = self._absolute(time_ns + self.offset_ns) + " "
        if style.relative is not None:
            passed = time_ns - (time_ns if self.previous_ns is None else self.previous_ns)
            passed = max(passed, 0)
            self.previous_ns = time_ns
            # Six places for the seconds, as strace has it; the decimals come on top.
            written = seconds(passed, style.relative)
            written = written.rjust(6 + (style.relative + 1 if style.relative else 0))
            text = f"{text}(+{written}) " if text else f"{written} "
        if style.number:
            text = f"{text}[{self.numbers.get(task.tid, 0):4}] "
        if style.ip:
            digits = 16 if self.abis.get(task.tid, Abi.X86_64) is Abi.X86_64 else 8
            text = f"{text}[{'?' * digits if ip is None else f'{ip:0{digits}x}'}] "
        return text

    def _absolute(self, wall_ns: int) -> str:
        style = self.style
        second, rest = divmod(wall_ns, NS)
        if second != self._second:
            self._second = second
            if style.stamp is Stamp.UNIX:
                self._second_text = str(second)
            else:
                self._second_text = time.strftime("%H:%M:%S", time.localtime(second))
        digits = style.stamp_digits
        if not digits:
            return self._second_text
        return f"{self._second_text}.{rest // 10 ** (9 - digits):0{digits}}"
