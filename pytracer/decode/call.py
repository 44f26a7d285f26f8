"""A decoded call: what outputs print."""

from __future__ import annotations

from pytracer.event.schema import Task
from pytracer.spec.context import Context
from pytracer.spec.entry import Compiled
from pytracer.spec.values import Returned, Value


class Call(Context):
    """A system call, decoded as far as it has come.

    Shape:  ``args`` are the raw registers; ``values`` the decoded arguments with their names, in
    printing
            order; the first ``at_entry`` of them were known before the call ran. ``result`` is None
            until the call has returned.
    Units:  ``enter_ns`` and ``exit_ns`` on CLOCK_MONOTONIC; ``cpu_ns`` of system time where it is
    known.
    """

    __slots__ = (
        "at_entry",
        "compiled",
        "cpu_ns",
        "enter_ns",
        "exit_ns",
        "injected",
        "result",
        "step",
        "task",
        "values",
    )

    task: Task
    compiled: Compiled
    enter_ns: int
    exit_ns: int
    cpu_ns: int | None
    values: list[tuple[str, Value]]
    at_entry: int
    step: int
    result: Returned | None
    injected: bool

    @property
    def name(self) -> str:
        """The call's name, as strace prints it."""
        return self.compiled.name

    @property
    def duration_ns(self) -> int:
        """Time between entry and exit, wall clock."""
        return self.exit_ns - self.enter_ns
