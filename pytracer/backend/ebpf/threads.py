"""What /proc tells of the threads of processes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from pytracer.target.selection import Attach, Launch, Members, Target

_LEAST_THREADS = 16384


class Thread(NamedTuple):
    """A thread to attach to. ``comm`` as the kernel stores it; ``stopped`` by job control."""

    pid: int
    tid: int
    comm: bytes
    stopped: bool


def threads_of(pid: int, every: bool) -> list[Thread]:
    """List a thread of this id, or ``every`` thread of the process; none when it is not there."""
    folder = Path("/proc", str(pid))
    try:
        tgid = int(_field(folder / "status", b"Tgid:"))
        if every:
            tids = sorted(int(entry.name) for entry in (folder / "task").iterdir())
        else:
            tids = [pid]
    except OSError:
        return []
    found = []
    for tid in tids:
        try:
            comm = (folder / "task" / str(tid) / "comm").read_bytes().rstrip(b"\n")
            state = _field(folder / "task" / str(tid) / "status", b"State:")
            if state in "ZX":
                continue
        except OSError:
            continue  # it has just ended
        found.append(Thread(tgid, tid, comm.ljust(16, b"\0"), state == "T"))
    return found


def ran_ns(tid: int) -> int:
    """For how long a thread has run in its life; 0 where the kernel does not tell."""
    try:
        return int(Path("/proc", str(tid), "schedstat").read_bytes().split()[0])
    except (OSError, IndexError):
        return 0


def is_over(pid: int, tid: int) -> bool:
    """Whether a thread has ended."""
    try:
        return _field(Path("/proc", str(pid), "task", str(tid), "status"), b"State:") in "ZX"
    except OSError:
        return True


def room_for(target: Target) -> int:
    """How many threads it must be possible to trace at once."""
    found = 0
    match target:
        case Attach(pids=pids) | Launch(besides=pids):
            found = sum(len(threads_of(pid, True)) for pid in pids)
        case Members():
            found = _all_there_are()
    return max(_LEAST_THREADS, 4 * found)


def _all_there_are() -> int:
    """How many threads the host has; processes alone where /proc tells of nothing else."""
    try:
        loads = Path("/proc/loadavg").read_text().split()
    except FileNotFoundError:  # mounted with subset=pid
        return sum(name.isdecimal() for name in os.listdir("/proc"))
    # "0.20 0.18 0.12 1/80 11206": running, and all that there are.
    return int(loads[3].rpartition("/")[2])


def _field(path: Path, name: bytes) -> str:
    for line in path.read_bytes().splitlines():
        if line.startswith(name):
            return line[len(name) :].split()[0].decode()
    raise OSError(f"{path} has no {name.decode()}")
