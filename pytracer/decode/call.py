"""A decoded call: what outputs print."""

from __future__ import annotations

from pytracer.event.schema import SyscallEnter, SyscallExit, Task
from pytracer.spec.abi import LAYOUTS, Layout
from pytracer.spec.context import Context
from pytracer.spec.entry import Compiled
from pytracer.spec.values import Returned, Value


class Call(Context):
    """A system call, decoded as far as it has come.

    Shape:  ``args`` are the raw registers; ``values`` the decoded arguments with their names, in
            printing order; the first ``at_entry`` of them were known before the call ran. An
            argument without a name has an empty one. ``entry`` and ``end`` are the two events.
            ``end`` and ``result`` are None until the call has returned.
    Units:  ``enter_ns`` and ``exit_ns`` on CLOCK_MONOTONIC; ``cpu_ns`` of system time where it is
            known.
    """

    __slots__ = ("at_entry", "compiled", "end", "entry", "result", "step", "task", "values")

    entry: SyscallEnter
    end: SyscallExit | None
    task: Task
    compiled: Compiled
    values: list[tuple[str, Value]]
    at_entry: int
    step: int
    result: Returned | None

    @property
    def abi(self) -> Layout:
        """How the caller stores C types."""
        return LAYOUTS[self.entry.abi]

    @property
    def nr(self) -> int:
        """The call's number."""
        return self.entry.nr

    @property
    def pid(self) -> int:
        """The process that makes the call."""
        return self.task.pid

    @property
    def tid(self) -> int:
        """The thread that makes the call."""
        return self.task.tid

    @property
    def name(self) -> str:
        """The call's name, as strace prints it."""
        return self.compiled.name

    @property
    def enter_ns(self) -> int:
        """When the task entered the kernel."""
        return self.entry.time_ns

    @property
    def exit_ns(self) -> int:
        """When the call returned; when it was entered while it has not."""
        return self.entry.time_ns if self.end is None else self.end.time_ns

    @property
    def duration_ns(self) -> int:
        """Time between entry and exit, wall clock."""
        return self.exit_ns - self.entry.time_ns

    @property
    def cpu_ns(self) -> int | None:
        """System time that the task spent in the call."""
        return None if self.end is None else self.end.cpu_ns

    @property
    def injected(self) -> bool:
        """Whether the result was made up by fault injection."""
        return self.end is not None and self.end.injected

    @property
    def told(self) -> bool:
        """Whether the entry told everything, so that the exit adds only the result."""
        return self.step >= len(self.compiled.steps)
