"""Whom to trace and what is wanted, as data: what the command line hands to a backend."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from pytracer.event.abi import Abi


class Launch(NamedTuple):
    """A program to start.

    ``path`` is the resolved file to execute, ``argv`` its arguments, ``env`` its whole
    environment. ``user`` is (uid, gid, name) to run as; setuid programs keep their effect.
    ``daemon`` is how often -D was given: 0 keeps the program a child of pytracer's caller's view,
    1 runs the tracer as a grandchild, 2 in its own process group, 3 in its own session.
    ``besides``: running processes to trace together with the program.
    """

    path: bytes
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]
    user: tuple[int, int, str] | None = None
    daemon: int = 0
    besides: tuple[int, ...] = ()


class Attach(NamedTuple):
    """Running processes to trace; with following, all of their threads."""

    pids: tuple[int, ...]


class Cgroup(NamedTuple):
    """A control group, whether it exists at the moment or not.

    ``hierarchy``: the kernel's number of the tree it is in, 0 for the unified one of version 2.
    ``mount``: where that is mounted. ``path``: from there, beginning with a slash.
    """

    hierarchy: int
    mount: str
    path: str

    @property
    def folder(self) -> str:
        """Its directory."""
        return self.mount if self.path == "/" else f"{self.mount}{self.path}"


class Members(NamedTuple):
    """Whatever belongs to something, for as long as it does.

    ``cgroups``: what is in one of these control groups or in one below, and will be: a group that
    is removed and made again under its path is the same. ``comms``: processes and threads whose
    command name fits one of these patterns. ``everyone``: all but the tracer itself and what it
    has started, such as ``spared``. ``pids``: running processes to trace besides.
    """

    cgroups: tuple[Cgroup, ...] = ()
    comms: tuple[str, ...] = ()
    everyone: bool = False
    pids: tuple[int, ...] = ()
    spared: tuple[int, ...] = ()


Target: TypeAlias = Launch | Attach | Members


# System call numbers below this one are listed in a Selection. The highest in use is x32's 547.
LISTED: Final = 1024


class Selection(NamedTuple):
    """What of the targets is wanted, so that a backend can leave out the rest early.

    ``syscalls``: numbers wanted per ABI; None for all. Numbers of LISTED and above, which no
    table knows, are always wanted. A backend may use it to stop less often; it must then still
    deliver what following needs (it sees forks and execs by its own means).
    ``signals``: signal numbers wanted; None for all.
    ``succeeded``/``failed``: whether calls that return, or fail, are wanted.
    ``slower_than_ns``: only calls that have ended and took at least so long are wanted.
    ``follow``: trace children and, when attaching, all threads.
    ``leave_at_execve``: let go of a task once it executes a program (ptrace); the program that a
    launch is about is not meant.
    ``seccomp_bpf``: leave unwanted calls unstopped by a seccomp filter (ptrace).
    ``string_bytes``: how much of a string the outputs will show (-s).
    ``verbose``: whether abbreviated structures will be shown whole (-v).
    """

    syscalls: dict[Abi, frozenset[int]] | None = None
    signals: frozenset[int] | None = None
    succeeded: bool = True
    failed: bool = True
    slower_than_ns: int = 0
    follow: bool = False
    leave_at_execve: bool = False
    seccomp_bpf: bool = False
    string_bytes: int = 32
    verbose: bool = False

    @property
    def by_result(self) -> bool:
        """Whether it is known only when a call has ended that it is wanted."""
        return not (self.succeeded and self.failed) or bool(self.slower_than_ns)
