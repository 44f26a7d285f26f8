"""Seizing tasks that run already."""

from __future__ import annotations

from errno import ESRCH
from typing import Final

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.tracee import Tracee, list_threads, read_comm, read_ids
from pytracer.event.schema import Task

_QUIET_LISTS: Final = 2
_MOST_LISTS: Final = 1000


def seize(tid: int, options: int) -> TargetError | None:
    """Trace a task and ask it to stop once.

    Errors: returned, worded as strace words them.
    """
    for request, name, data in (
        (api.PTRACE_SEIZE, "PTRACE_SEIZE", options),
        (api.PTRACE_INTERRUPT, "PTRACE_INTERRUPT", 0),
    ):
        if api.ptrace_exact(request, tid, None, data) < 0:
            return TargetError(tid, api.last_errno(), f"attach: ptrace({name}, {tid})")
    return None


def seize_process(
    pid: int, options: int, threads: bool, known: dict[int, Tracee]
) -> list[Tracee] | TargetError:
    """Trace a running task and, with ``threads``, all others of its process.

    Seized threads stop and what they began before is listed, so the list is read again
    until it holds nobody new, twice: a list that is read while threads end may have gaps.
    """
    error = seize(pid, options)
    if error is not None:
        return error
    group, _ = read_ids(pid)
    found = [Tracee(Task(group, pid, read_comm(pid)), api.PTRACE_SYSCALL, fresh=True)]
    taken = {pid}
    quiet = 0 if threads else _QUIET_LISTS
    for _ in range(_MOST_LISTS):
        if quiet >= _QUIET_LISTS:
            break
        quiet += 1
        for tid in list_threads(pid):
            if tid in taken or tid in known:
                continue
            refusal = seize(tid, options)
            if refusal is None:
                found.append(Tracee(Task(group, tid, read_comm(tid)), api.PTRACE_SYSCALL, True))
            if refusal is None or refusal.errno != ESRCH:
                # Refused otherwise: traced by us since its creation.
                taken.add(tid)
            # One that is gone may have begun another before.
            quiet = 0
    return found
