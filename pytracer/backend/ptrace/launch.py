"""Starting a program so that the first thing seen of it is its own execve.

The child waits at a gate, already traced; what it does between the gate and execve is
ours and is never shown. No descriptor, handler or mask of ours reaches the program.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import struct
from collections.abc import Callable
from errno import ESRCH
from typing import Final

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace import api
from pytracer.target.selection import Launch

_JOB_SIGNALS: Final = (
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
_failure = struct.Struct("<ii")

_ENTRY_OF_EXECVE: Final = (api.ARCH_X86_64, 59)  # __NR_execve, asm/unistd_64.h


class Dispositions:
    """Signals that were ignored at one moment, to be ignored again in the program."""

    def __init__(self) -> None:
        self._ignored = frozenset(
            number for number in _JOB_SIGNALS if signal.getsignal(number) is signal.SIG_IGN
        )

    def restore(self) -> None:
        """Make them so in this process; all others that were handled get their default."""
        for number in _JOB_SIGNALS:
            wanted = signal.SIG_IGN if number in self._ignored else signal.SIG_DFL
            signal.signal(number, wanted)
        for number in _PYTHON_IGNORES:
            signal.signal(number, signal.SIG_DFL)


class _Image:
    """The arguments of execve, laid out before the fork."""

    def __init__(self, launch: Launch) -> None:
        self.path = launch.path
        self._argv = _vector(launch.argv)
        self._env = _vector(launch.env)
        self.argv = ctypes.addressof(self._argv)
        self.env = ctypes.addressof(self._env)


def _vector(strings: tuple[bytes, ...]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(strings) + 1))(*strings, None)


class Child:
    """A program that was launched and is traced, held at the entry of its execve.

    ``pid``: its process. ``exec_error``: filled in by :meth:`failure`.
    """

    def __init__(self, pid: int, errors: int) -> None:
        self.pid = pid
        self._errors = errors

    def failure(self) -> TargetError | None:
        """Tell what the child could not do before or at its execve, once it is over."""
        record = os.read(self._errors, _failure.size)
        os.close(self._errors)
        if len(record) < _failure.size:
            return None
        stage, errno = _failure.unpack(record)
        return TargetError(0, errno, _STAGES[stage])


def launch(
    target: Launch,
    options: int,
    dispositions: Dispositions,
    install_filter: Callable[[], bool] | None,
) -> Child:
    """Start the program and trace it up to the entry of its execve.

    Errors: TargetError when it cannot be forked, traced or given its user.
    """
    image = _Image(target)
    gate_read, gate_write = os.pipe()
    errors_read, errors_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _run_child(target, image, dispositions, install_filter, gate_read, gate_write, errors_write)
    os.close(gate_read)
    os.close(errors_write)
    child = Child(pid, errors_read)
    try:
        _seize(pid, options)
        _reach_execve(child, gate_write)
    finally:
        os.close(gate_write)
    return child


def _seize(pid: int, options: int) -> None:
    for request, name, data in (
        (api.PTRACE_SEIZE, "PTRACE_SEIZE", options),
        (api.PTRACE_INTERRUPT, "PTRACE_INTERRUPT", 0),
    ):
        if api.ptrace(request, pid, None, data) < 0:
            errno = api.last_errno()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TargetError(pid, errno, f"attach: ptrace({name}, {pid})")


def _reach_execve(child: Child, gate_write: int) -> None:
    # The child may be interrupted anywhere before the gate: let it go on from stop to stop.
    opened = False
    info = api.Buffer(api.SYSCALL_INFO_SIZE)
    while True:
        _, status = os.waitpid(child.pid, 0x40000000)
        if not os.WIFSTOPPED(status):
            raise child.failure() or TargetError(child.pid, ESRCH, "exec")
        if not opened:
            os.write(gate_write, b"\0")
            opened = True
        inject = 0
        if status == api.STATUS_SYSCALL:
            size = api.SYSCALL_INFO_SIZE
            api.ptrace(api.PTRACE_GET_SYSCALL_INFO, child.pid, size, info.address)
            op, arch, _, _, number, *_ = api.unpack_entry(info.data)
            if op == api.OP_ENTRY and (arch, number) == _ENTRY_OF_EXECVE:
                return
        elif not status >> 16:
            inject = status >> 8
        api.ptrace(api.PTRACE_SYSCALL, child.pid, None, inject)


def _run_child(
    target: Launch,
    image: _Image,
    dispositions: Dispositions,
    install_filter: Callable[[], bool] | None,
    gate_read: int,
    gate_write: int,
    errors: int,
) -> None:
    """Be the child: never returns."""
    stage = 0
    try:
        gc.disable()
        os.close(gate_write)
        dispositions.restore()
        if target.user is not None:
            uid, gid, name = target.user
            effective_uid, effective_gid = _effective(target.path, uid, gid)
            stage = 1
            if name:
                os.initgroups(name, gid)
            else:
                os.setgroups([gid])
            stage = 2
            os.setregid(gid, effective_gid)
            stage = 3
            os.setreuid(uid, effective_uid)
            stage = 0
        if not os.read(gate_read, 1):
            os._exit(1)  # the tracer is gone
        if install_filter is not None and not install_filter():
            stage = 4
        else:
            api.execve(image.path, image.argv, image.env)
        os.write(errors, _failure.pack(stage, api.last_errno()))
    except OSError as error:
        os.write(errors, _failure.pack(stage, error.errno or 0))
    finally:
        os._exit(1)


def _effective(path: bytes, uid: int, gid: int) -> tuple[int, int]:
    # A setuid program keeps its effect although a traced exec ignores the bit.
    status = os.stat(path)
    effective_uid = status.st_uid if status.st_mode & 0o4000 else uid
    effective_gid = status.st_gid if status.st_mode & 0o2000 else gid
    return effective_uid, effective_gid
