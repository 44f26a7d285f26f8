"""Start a program that waits at a gate until a tracer is ready for it.

What the child does between its birth and its execve is ours; no descriptor, handler or mask of
ours reaches the program.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import struct
from typing import Final

from pytracer.target.selection import Launch

_HANDLED: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGCHLD,
    signal.SIGALRM,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
# Python ignores these at its start, whatever they were before.
_PYTHON_IGNORES: Final = (signal.SIGPIPE, signal.SIGXFSZ)
_STAGES: Final = ("exec", "initgroups", "setregid", "setreuid")
_FAILURE: Final = struct.Struct("<ii")

_libc = ctypes.CDLL(None, use_errno=True)


class Dispositions:
    """Signals that were ignored at one moment, to be ignored again in the program."""

    def __init__(self) -> None:
        self._ignored = frozenset(
            number for number in _HANDLED if signal.getsignal(number) is signal.SIG_IGN
        )

    def restore(self) -> None:
        """Make them so in this process; all others that were handled get their default."""
        for number in _HANDLED:
            wanted = signal.SIG_IGN if number in self._ignored else signal.SIG_DFL
            signal.signal(number, wanted)
        for number in _PYTHON_IGNORES:
            signal.signal(number, signal.SIG_DFL)


class Spawned:
    """A child that waits to become the program. ``pid``: its process."""

    def __init__(self, pid: int, gate: int, errors: int) -> None:
        self.pid = pid
        self._gate = gate
        self._errors = errors
        self._failure: tuple[str, int] | None = None

    def release(self) -> None:
        """Let it execute the program."""
        os.write(self._gate, b"\0")
        os.close(self._gate)
        self._gate = -1

    def failure(self) -> tuple[str, int] | None:
        """Tell what could not be done, once it is over: (what, errno)."""
        if self._errors >= 0:
            record = os.read(self._errors, _FAILURE.size)
            os.close(self._errors)
            self._errors = -1
            if len(record) == _FAILURE.size:
                stage, errno = _FAILURE.unpack(record)
                self._failure = _STAGES[stage], errno
        return self._failure

    def close(self) -> None:
        """Let go of the pipes; a child that still waits ends. Idempotent."""
        for fd in (self._gate, self._errors):
            if fd >= 0:
                os.close(fd)
        self._gate = self._errors = -1


def spawn(launch: Launch, dispositions: Dispositions) -> Spawned:
    """Start the child; it waits for :meth:`Spawned.release`.

    Errors: OSError when it cannot be forked.
    """
    argv = _vector(launch.argv)
    env = _vector(launch.env)
    gate_read, gate_write = os.pipe()
    errors_read, errors_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate_write)
        _become(launch, argv, env, dispositions, gate_read, errors_write)
    os.close(gate_read)
    os.close(errors_write)
    return Spawned(pid, gate_write, errors_read)


def _vector(strings: tuple[bytes, ...]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(strings) + 1))(*strings, None)


def _become(
    launch: Launch,
    argv: ctypes.Array[ctypes.c_char_p],
    env: ctypes.Array[ctypes.c_char_p],
    dispositions: Dispositions,
    gate: int,
    errors: int,
) -> None:
    """Be the child: never returns."""
    stage = 0
    try:
        gc.disable()
        dispositions.restore()
        if launch.user is not None:
            uid, gid, name = launch.user
            stage = 1
            if name:
                os.initgroups(name, gid)
            else:
                os.setgroups([gid])
            stage = 2
            os.setregid(gid, gid)
            stage = 3
            os.setreuid(uid, uid)
            stage = 0
        if not os.read(gate, 1):
            os._exit(1)  # the tracer is gone
        # The arguments lie where they lay before the fork, in memory that this process has not
        # touched: read them once, or a tracer that cannot fault pages in finds nothing there.
        _touch(launch.path, argv, env)
        _libc.execve(launch.path, argv, env)
        os.write(errors, _FAILURE.pack(stage, ctypes.get_errno()))
    except OSError as error:
        os.write(errors, _FAILURE.pack(stage, error.errno or 0))
    finally:
        os._exit(1)


def _touch(
    path: bytes, argv: ctypes.Array[ctypes.c_char_p], env: ctypes.Array[ctypes.c_char_p]
) -> int:
    return len(path) + sum(len(s) for s in (*argv, *env) if s is not None)
