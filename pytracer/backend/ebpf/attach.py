"""What /proc tells about a process at the moment of attaching."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytracer.backend.capture import capture
from pytracer.backend.ebpf.plan import Plans
from pytracer.backend.ptrace.memory import LiveMemory
from pytracer.event.memory import Snapshot
from pytracer.event.schema import Abi, GroupStop, SyscallEnter, Task
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.plan import Phase
from pytracer.target.selection import Attach, Members, Selection, Target

_X32_BIT = 0x40000000
_ELF_CLASS32 = 1
_LEAST_THREADS = 16384


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread to attach to. ``comm`` as the kernel stores it; ``stopped`` by job control."""

    pid: int
    tid: int
    comm: bytes
    stopped: bool


@dataclass(frozen=True, slots=True)
class InProgress:
    """A system call that a thread is in."""

    abi: Abi
    nr: int
    args: tuple[int, int, int, int, int, int]


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
        case Attach():
            found = sum(len(threads_of(pid, True)) for pid in target.pids)
        case Members():
            # "0.20 0.18 0.12 1/80 11206": running, and all that there are.
            loads = Path("/proc/loadavg").read_text().split()
            found = int(loads[3].rpartition("/")[2])
    return max(_LEAST_THREADS, 4 * found)


def in_progress(thread: Thread) -> InProgress | None:
    """Tell which system call a thread is blocked in; None when it runs, or is in none."""
    folder = Path("/proc", str(thread.pid), "task", str(thread.tid))
    try:
        words = (folder / "syscall").read_text().split()
    except OSError:
        return None
    if len(words) < 9 or words[0] == "-1":
        return None
    nr = int(words[0])
    a, b, c, d, e, f = (int(word, 16) for word in words[1:7])
    abi = Abi.X86_64
    try:
        with (folder / "exe").open("rb") as file:
            if file.read(5)[4:] == bytes([_ELF_CLASS32]):
                abi = Abi.I386
    except OSError:
        pass  # a kernel thread, or a deleted program: its own ABI is the best guess
    if nr & _X32_BIT:
        abi, nr = Abi.X32, nr & ~_X32_BIT
    return InProgress(abi, nr, (a, b, c, d, e, f))


def doing(
    thread: Thread,
    task: Task,
    selection: Selection,
    plans: Plans,
    unchanged: Callable[[], bool],
) -> SyscallEnter | GroupStop | None:
    """Tell what a thread is found at: stopped, or in a call that is wanted.

    ``unchanged``: whether no call has ended or begun since the thread is watched, so that the one
    it was found in goes on.
    """
    now = time.monotonic_ns()
    if thread.stopped:  # a stop comes when the call is over
        return GroupStop(task, now, signal.SIGSTOP)
    call = in_progress(thread)
    if call is None or not unchanged() or selection.by_result:
        return None
    wanted = selection.syscalls
    if wanted is not None and call.nr not in wanted.get(call.abi, ()):
        return None
    return SyscallEnter(task, now, call.abi, call.nr, call.args, _live(thread, call, plans))


def _live(thread: Thread, call: InProgress, plans: Plans) -> Snapshot:
    """What the call's plan would have captured, read now."""
    layout = LAYOUTS[call.abi]
    selector = plans.selector(call.abi, call.nr)
    value = None
    if selector is not None:
        chosen = call.args[selector.register] & selector.mask
        value = chosen if chosen in selector.values else None
    fetches = plans.fetches(call.abi, call.nr, value)
    memory = LiveMemory(thread.tid)
    return Snapshot(capture(fetches, Phase.ENTRY, call.args, 0, memory, layout.word))


def _field(path: Path, name: bytes) -> str:
    for line in path.read_bytes().splitlines():
        if line.startswith(name):
            return line[len(name) :].split()[0].decode()
    raise OSError(f"{path} has no {name.decode()}")
