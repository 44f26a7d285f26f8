"""What a child does between its birth and its execve, whichever backend started it.

No descriptor, handler or mask of ours reaches the program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Callable
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
_STAGES: Final = ("exec", "initgroups", "setregid", "setreuid", "seccomp")
_FAILURE: Final = struct.Struct("<ii")

_libc = ctypes.CDLL(None, use_errno=True)

# What could not be done, as strace names it, and the errno.
Failure = tuple[str, int]


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


def _vector(strings: tuple[bytes, ...]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(strings) + 1))(*strings, None)


class Image:
    """The arguments of execve, laid out before the fork."""

    def __init__(self, launch: Launch) -> None:
        self._path = launch.path
        self._argv = _vector(launch.argv)
        self._env = _vector(launch.env)

    def execute(self) -> int:
        """Become the program. Returns only when that failed: the errno."""
        # The arguments lie where they lay before the fork, in memory that this process has not
        # touched: read them once, or a tracer that cannot fault pages in finds nothing there.
        sum(len(s) for s in (self._path, *self._argv, *self._env) if s is not None)
        _libc.execve(self._path, self._argv, self._env)
        return ctypes.get_errno()


def execute(
    launch: Launch,
    image: Image,
    dispositions: Dispositions,
    gate: int,
    effective: Callable[[bytes, int, int], tuple[int, int]] | None = None,
    prepare: Callable[[], bool] | None = None,
) -> Failure:
    """Be the child: wait at the gate, then execute the program.

    Shape: ``effective`` tells the user and group to take effect, from the file and those that
        were asked for; the latter without it. ``prepare`` is the last thing before execve.
        Returns only what failed. The process ends when the gate's other end is closed unwritten.
    """
    stage = "exec"
    try:
        dispositions.restore()
        if launch.user is not None:
            uid, gid, name = launch.user
            with_uid, with_gid = effective(launch.path, uid, gid) if effective else (uid, gid)
            stage = "initgroups"
            if name:
                os.initgroups(name, gid)
            else:
                os.setgroups([gid])
            stage = "setregid"
            os.setregid(gid, with_gid)
            stage = "setreuid"
            os.setreuid(uid, with_uid)
        if not os.read(gate, 1):
            os._exit(1)  # the tracer is gone
        stage = "seccomp"
        if prepare is not None and not prepare():
            return stage, ctypes.get_errno()
        return "exec", image.execute()
    except OSError as error:
        return stage, error.errno or 0


class FailurePipe:
    """How a child that could not become the program tells why. ``writer``: the child's end."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        self._told: Failure | None = None

    def tell(self, failure: Failure) -> None:
        """Say it, in the child."""
        os.write(self.writer, _FAILURE.pack(_STAGES.index(failure[0]), failure[1]))

    def keep_reading(self) -> None:
        """Let go of the child's end, once the child has its own."""
        os.close(self.writer)

    def failure(self) -> Failure | None:
        """Tell what was said, once the child is over or has executed the program."""
        if self._reader >= 0:
            record = os.read(self._reader, _FAILURE.size)
            self.close()
            if len(record) == _FAILURE.size:
                stage, errno = _FAILURE.unpack(record)
                self._told = _STAGES[stage], errno
        return self._told

    def close(self) -> None:
        """Let go of the reader's end. Idempotent."""
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1
