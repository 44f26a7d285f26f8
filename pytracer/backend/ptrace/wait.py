"""Waiting for stops: look a few times, then sleep, and never miss a request to end.

A sleeping tracer costs tens of microseconds to wake on another CPU, far more than the
stop itself. So it polls for about as long as a wake-up takes and only then sleeps.
Between two looks it yields: a target on the same CPU runs at once.
Nothing is pinned: the target never sees another affinity mask.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, TypeAlias

from pytracer.backend.ptrace import api

_SIG_BLOCK: Final = 0
_SIG_SETMASK: Final = 2
_SIGCHLD_SET: Final = (ctypes.c_ulong * 16)(1 << (signal.SIGCHLD - 1))
_SIGCHLD_ADDRESS: Final = ctypes.addressof(_SIGCHLD_SET)
_DESCRIPTOR_FLAGS: Final = os.O_CLOEXEC | os.O_NONBLOCK
_BACKSTOP_MS: Final = 11
_siginfo = api.Buffer(128)  # struct signalfd_siginfo


# What a wake-up across CPUs costs.
_SPIN_NS: Final = 50_000
_PEEK_FLAGS: Final = api.WALL | api.WNOHANG | api.WNOWAIT | api.WEXITED | api.WSTOPPED
_peeked = api.Buffer(128)


def spin_ns() -> int:
    """Tell how long to look for a stop before sleeping: not at all on a single CPU."""
    return _SPIN_NS if len(os.sched_getaffinity(0)) > 1 else 0


def peek() -> bool:
    """Tell whether a child has a change of state to report, or there is no child at all."""
    _peeked.data[0] = 0  # si_signo, which stays zero when there is nothing
    failed = api.waitid(api.P_ALL, 0, _peeked.address, _PEEK_FLAGS) < 0
    return failed or _peeked.data[0] != 0


class Waiter:
    """Asks for changes of state, and for the system time of the process that changed."""

    def __init__(self, counting: bool) -> None:
        self.counting = counting
        self._usage = api.Buffer(api.RUSAGE_SIZE)
        self._status = ctypes.c_int()
        self._status_pointer = ctypes.byref(self._status)
        # The built-in is cheaper than any call through ctypes.
        self.wait: Callable[[int, int], tuple[int, int]] = (
            self._wait_counting if counting else os.waitpid
        )

    def _wait_counting(self, pid: int, flags: int) -> tuple[int, int]:
        tid = api.wait4(pid, self._status_pointer, flags, self._usage.pointer)
        if tid < 0:
            raise ChildProcessError
        return tid, self._status.value

    def system_ns(self) -> int:
        """Tell how long the process last waited for has been in the kernel; 0 if not counting."""
        return api.system_time_ns(self._usage) if self.counting else 0


_Handler: TypeAlias = Callable[[int, FrameType | None], Any] | int | None


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Let the signal be: that it was written to the wake-up descriptor is enough."""


class Bell:
    """Something to sleep on: rung by a child's change of state or by :meth:`ring`.

    wait4 can be interrupted by a signal only while it sleeps: one that comes just before
    would be noticed at the next stop, maybe never. poll on descriptors has no such gap.
    """

    def __init__(self) -> None:
        self._child = -1
        self._read, self._write = os.pipe2(_DESCRIPTOR_FLAGS)
        self._poll = select.poll()
        self._poll.register(self._read, select.POLLIN)
        self._former_wakeup: int | None = None
        self._former_mask = (ctypes.c_ulong * 16)()
        self._former_handler: _Handler = None
        self._timeout_ms: int | None = None

    def open(self) -> None:
        """Hear of children, and of signals when this is the main thread.

        SIGCHLD stays blocked until :meth:`close`; threads that begin meanwhile inherit that.
        """
        mask = ctypes.addressof(self._former_mask)
        api.sigprocmask(_SIG_BLOCK, _SIGCHLD_ADDRESS, mask)
        self._child = api.signalfd(-1, _SIGCHLD_ADDRESS, _DESCRIPTOR_FLAGS)
        self._poll.register(self._child, select.POLLIN)
        main = threading.current_thread() is threading.main_thread()
        if main:
            self._former_wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
                # Ignored by who started the tracer: no stop would be told of.
                self._former_handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if threading.active_count() > 1:
            # A thread that began earlier may be given the signal and would drop it, but for
            # a handler. It is slower: more wakes up at every stop.
            self._timeout_ms = _BACKSTOP_MS
            if main:
                former = signal.signal(signal.SIGCHLD, _heard)
                self._former_handler = self._former_handler or former

    def ring(self) -> None:
        """Wake the sleeper, or keep it from falling asleep. Safe in a signal handler."""
        if self._write < 0:
            return
        try:
            os.write(self._write, b"\0")
        except BlockingIOError:
            return  # full: it will not sleep

    def sleep(self) -> None:
        """Sleep until a child changes its state or the bell is rung, or briefly if neither.

        What changed before the call counts: it is looked for once more.
        """
        api.read(self._child, _siginfo.address, _siginfo.size)
        if peek():
            return
        for descriptor, _ in self._poll.poll(self._timeout_ms):
            if descriptor == self._read:
                os.read(self._read, 4096)

    def close(self) -> None:
        """Give everything back. Idempotent."""
        if self._former_wakeup is not None:
            signal.set_wakeup_fd(self._former_wakeup)
            self._former_wakeup = None
        if self._former_handler is not None:
            signal.signal(signal.SIGCHLD, self._former_handler)
            self._former_handler = None
        if self._child >= 0:
            api.sigprocmask(_SIG_SETMASK, ctypes.addressof(self._former_mask), None)
        for descriptor in (self._child, self._read, self._write):
            if descriptor >= 0:
                os.close(descriptor)
        self._child = self._read = self._write = -1
