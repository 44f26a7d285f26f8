"""What a thread is found doing at the moment of attaching."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytracer.backend.capture import capture
from pytracer.backend.ebpf.plan import Plans
from pytracer.backend.ebpf.threads import Thread
from pytracer.backend.ptrace.memory import LiveMemory
from pytracer.event.memory import Snapshot
from pytracer.event.schema import Abi, GroupStop, SyscallEnter, Task
from pytracer.spec.abi import LAYOUTS
from pytracer.spec.plan import Phase
from pytracer.target.selection import Selection

_X32_BIT = 0x40000000
_ELF_CLASS32 = 1


@dataclass(frozen=True, slots=True)
class InProgress:
    """A system call that a thread is in."""

    abi: Abi
    nr: int
    args: tuple[int, int, int, int, int, int]


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
