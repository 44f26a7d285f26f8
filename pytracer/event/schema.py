"""The events that every backend yields, in the order in which they happened.

Times are nanoseconds of CLOCK_MONOTONIC; :class:`Clock` carries the offset to
the wall clock. ``task`` is one shared object per task and name: compare by
``task.tid``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from pytracer.event.abi import Abi as Abi
from pytracer.event.memory import Memory

# (ABI, number) of rt_sigreturn and sigreturn: what they restore lies on the stack.
# Source: arch/x86/entry/syscalls/syscall_64.tbl, syscall_32.tbl.
FRAME_CALLS = frozenset({(Abi.X86_64, 15), (Abi.I386, 119), (Abi.I386, 173), (Abi.X32, 513)})


@dataclass(slots=True)
class Task:
    """A thread of the target, as seen from pytracer's own pid namespace.

    Units: ``pid`` is the thread group's id, ``tid`` the thread's, as in proc(5).
    """

    pid: int
    tid: int
    comm: str = ""


@dataclass(slots=True)
class Clock:
    """How event times relate to the wall clock: wall = monotonic + offset."""

    wall_offset_ns: int


@dataclass(slots=True)
class SyscallEnter:
    """A task entered the kernel.

    Shape: ``args`` are six unsigned registers (32 bits wide for I386), ``nr``
    the number without the x32 bit, -1 when the task asked for none. ``args[0]`` of a call
    in FRAME_CALLS, which takes no arguments, is the stack pointer.
    ``restarting`` names nothing: restart_syscall(2) arrives as its own number.
    ``ip`` is the instruction pointer, where it is known. ``resumes`` is the number of the
    call that a restart_syscall goes on with, where the stream does not show that call
    because the task was attached in the middle of it.
    ptrace moves ``time_ns`` to when the task is let go, so that the time in the call does
    not contain what the consumer did meanwhile: read it again at the exit.
    """

    task: Task
    time_ns: int
    abi: Abi
    nr: int
    args: tuple[int, int, int, int, int, int]
    memory: Memory
    ip: int | None = None
    resumes: int | None = None


@dataclass(slots=True)
class SyscallExit:
    """The call that the task had entered has returned.

    ``ret`` is signed; the kernel's own -512..-516 (ERESTART*) appear as they are.
    ``injected`` is set where fault injection made the value up.
    ``cpu_ns`` is the system time the task spent in the call, where it is known.
    """

    task: Task
    time_ns: int
    ret: int
    memory: Memory
    injected: bool = False
    cpu_ns: int | None = None
    ip: int | None = None


# A call in a Run: the task, when it entered and returned, its content, and its CPU time as a
# SyscallExit has it.
WholeCall: TypeAlias = tuple[Task, int, int, bytes, int | None]
Registers: TypeAlias = tuple[int, int, int, int, int, int]


@dataclass(slots=True)
class Run:
    """Calls that each returned before anything else happened, in order.

    Shape: two calls of one ABI with equal contents are equal in everything but task and times:
    number, registers, result, instruction pointer and the memory that was captured. ``open``
    takes a call apart: number, registers, result, instruction pointer, memory at entry and at exit.
    """

    abi: Abi
    calls: list[WholeCall]
    open: Callable[[WholeCall], tuple[int, Registers, int, int, Memory, Memory]]

    def events(self) -> Iterator[SyscallEnter | SyscallExit]:
        """The entries and exits of the calls, in order."""
        for call in self.calls:
            task, enter_ns, exit_ns, _, cpu_ns = call
            nr, args, ret, ip, before, after = self.open(call)
            yield SyscallEnter(task, enter_ns, self.abi, nr, args, before, ip)
            yield SyscallExit(task, exit_ns, ret, after, False, cpu_ns, ip)


@dataclass(slots=True)
class Signal:
    """A signal was delivered to the task (or would have been, were it not ignored).

    Shape: ``siginfo`` the first 48 bytes or more of siginfo_t; None when it could not be had.
    ``memory`` of the task as the signal reaches it, where the backend can read it then.
    """

    task: Task
    time_ns: int
    signo: int
    siginfo: bytes | None
    ip: int | None = None
    memory: Memory | None = None


@dataclass(slots=True)
class GroupStop:
    """The task stopped for job control because of ``signo``; ``memory`` as for a Signal."""

    task: Task
    time_ns: int
    signo: int
    ip: int | None = None
    memory: Memory | None = None


class NewBy(Enum):
    """How a task came under the tracer's eyes."""

    LAUNCHED = "launched"
    ATTACHED = "attached"
    FORKED = "forked"


@dataclass(slots=True)
class TaskNew:
    """A task is traced from here on. ``parent`` is the creator, where there is one."""

    task: Task
    time_ns: int
    by: NewBy
    parent: Task | None = None


@dataclass(slots=True)
class TaskExec:
    """An execve succeeded: the task runs a new program.

    ``former_tid`` differs from ``task.tid`` when a thread other than the leader
    called execve: it takes over the leader's id, and the leader is gone.
    """

    task: Task
    time_ns: int
    former_tid: int
    ip: int | None = None


@dataclass(slots=True)
class TaskExiting:
    """The task is on its way out: the call it is in, if any, will not return.

    TaskExit follows once the task is gone; events of other tasks may come in between.
    A task that another one's execve replaces, or a crash of the tracer, may skip this.
    """

    task: Task
    time_ns: int


@dataclass(slots=True)
class TaskExit:
    """The task is gone. ``status`` is a wait status as in wait(2).

    Units: exit code << 8, or the killing signal, with 0x80 for a core dump.
    """

    task: Task
    time_ns: int
    status: int


@dataclass(slots=True)
class TaskDetached:
    """The tracer let go of a task that lives on."""

    task: Task
    time_ns: int


# Executable memory: where it begins and ends, what offset of which file it begins with.
Area: TypeAlias = tuple[int, int, int, str]


@dataclass(slots=True)
class Mapped:
    """The process of the task has mapped executable memory; told where stacks are wanted.

    ``fresh``: all that was mapped before is gone, as a new program is executed, or unknown, as
    the process was attached.
    """

    task: Task
    time_ns: int
    areas: tuple[Area, ...]
    fresh: bool = False


@dataclass(slots=True)
class Lost:
    """``count`` events of the tracer's own are missing, because of ``reason``."""

    time_ns: int
    count: int
    reason: str


Event: TypeAlias = (
    SyscallEnter
    | SyscallExit
    | Signal
    | GroupStop
    | TaskNew
    | TaskExec
    | TaskExiting
    | TaskExit
    | TaskDetached
    | Mapped
    | Lost
)
