"""Whether a signal for job control stops a process."""

from __future__ import annotations

from pathlib import Path


def orphaned(pid: int) -> bool:
    """Whether the process's group has nobody outside who could continue it: such never stop.

    Source: will_becomeorphaned_pgrp(), kernel/exit.c.
    """
    relations: dict[int, tuple[int, int, int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_bytes().rpartition(b") ")[2].split()
        except OSError:
            continue  # it has just ended
        parent, group, session = map(int, fields[1:4])
        relations[int(entry.parent.name)] = parent, group, session
    if pid not in relations:
        return True  # it ran on to its end
    _, mine, session = relations[pid]
    for parent, group, _ in relations.values():
        if group == mine and parent in relations:
            _, outer, its_session = relations[parent]
            if outer != mine and its_session == session:
                return False
    return True


def stops_now(pid: int, time_ns: int) -> bool:
    """Whether such a signal, of just now, stops the process."""
    return not orphaned(pid)
