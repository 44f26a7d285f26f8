"""What the tracer knows about each task, and what /proc tells of one."""

from __future__ import annotations

import os
from typing import Final

from pytracer.event.schema import Task

OUTSIDE: Final = 0
INSIDE: Final = 1
UNWANTED: Final = 2


class Tracee:
    """A traced task.

    ``inside`` tells where the last system-call stop left it: OUTSIDE of any call, INSIDE
    one that was reported, or inside an UNWANTED one. ``between`` is the request that runs
    it up to its next entry. ``hold_exit``: whether it is to be held when the call that it
    is in returns. ``system_ns``: what its process had spent in the kernel when the call
    was entered. ``fresh`` until the first stop of a task that ran before it was
    attached; ``resumes`` is the call that it was then found in, to be restarted.
    """

    __slots__ = ("between", "fresh", "hold_exit", "inside", "resumes", "system_ns", "task", "tid")

    def __init__(self, task: Task, between: int, fresh: bool = False) -> None:
        self.task = task
        self.tid = task.tid
        self.between = between
        self.fresh = fresh
        self.inside = OUTSIDE
        self.hold_exit = True
        self.resumes: int | None = None
        self.system_ns = 0


def _read(path: str) -> bytes:
    # One read gives the whole of such a file. pathlib would be slow to import.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def read_comm(tid: int) -> str:
    """Read the name of a task.

    Errors: empty when the task is gone.
    """
    try:
        raw = _read(f"/proc/{tid}/comm")
    except OSError:
        return ""
    return raw.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def read_ids(tid: int) -> tuple[int, int]:
    """Read a task's thread group and its parent's.

    Errors: (tid, 0) when the task is gone.
    """
    group, parent = tid, 0
    try:
        text = _read(f"/proc/{tid}/status")
    except OSError:
        return group, parent
    for line in text.splitlines():
        if line.startswith(b"Tgid:"):
            group = int(line[5:])
        elif line.startswith(b"PPid:"):
            parent = int(line[5:])
            break
    return group, parent


def is_thread_of(pid: int, tid: int) -> bool:
    """Tell whether ``tid`` belongs to the process ``pid``."""
    return tid != pid and os.access(f"/proc/{pid}/task/{tid}", os.F_OK)


def list_threads(pid: int) -> list[int]:
    """List the tasks of the process that ``pid`` belongs to, ``pid`` left out.

    Errors: empty when it is gone.
    """
    try:
        return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid)
    except OSError:
        return []
