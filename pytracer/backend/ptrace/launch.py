"""Starting a program so that the first thing seen of it is its own execve.

The child waits at a gate, already traced; what it does between the gate and execve is
ours and is never shown. No descriptor, handler or mask of ours reaches the program.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from errno import ESRCH
from typing import Final

from pytracer.backend.base import NotExecuted, TargetError
from pytracer.backend.ptrace import api
from pytracer.backend.ptrace.attach import seize
from pytracer.target.orphan import fork_orphan
from pytracer.target.selection import Launch
from pytracer.target.start import Dispositions, Failure, FailurePipe, Image, execute

_PR_SET_PTRACER: Final = 0x59616D61  # include/uapi/linux/prctl.h
_PR_SET_PTRACER_ANY: Final = (1 << 64) - 1

_ENTRY_OF_EXECVE: Final = (api.ARCH_X86_64, 59)  # __NR_execve, asm/unistd_64.h


class Child:
    """A program that was launched and is traced, held at the entry of its execve."""

    def __init__(self, pid: int, errors: FailurePipe) -> None:
        self.pid = pid
        self._errors = errors

    def failure(self) -> TargetError | None:
        """Tell what the child could not do before or at its execve, once that is over."""
        told = self._errors.failure()
        return TargetError(0, told[1], told[0]) if told is not None else None


class Launcher:
    """Forks into program and tracer.

    With ``Launch.daemon`` the calling process becomes the program and the tracer lives on
    as an orphan, so that the caller's parent has the program itself for a child.
    """

    def __init__(
        self,
        target: Launch,
        options: int,
        dispositions: Dispositions,
        install_filter: Callable[[], bool] | None,
    ) -> None:
        self._target = target
        self._options = options
        self._dispositions = dispositions
        self._install_filter = install_filter
        self._image = Image(target)

    def launch(self) -> Child:
        """Start the program and trace it up to the entry of its execve.

        Errors: TargetError when it cannot be traced or given its user. With ``daemon`` it
            is also what becomes of the calling process when the program is not executed.
        """
        gate_read, gate_write = os.pipe()
        errors = FailurePipe()
        if self._target.daemon:
            pid = os.getpid()
            api.prctl(_PR_SET_PTRACER, _PR_SET_PTRACER_ANY, 0, 0, 0)
            if not _fork(lambda: fork_orphan(self._target.daemon)):
                os.close(gate_write)
                stage, errno = self._execute(gate_read)
                raise NotExecuted(0, errno, stage)
        else:
            pid = _fork(os.fork)
            if pid == 0:
                try:
                    gc.disable()
                    os.close(gate_write)
                    errors.tell(self._execute(gate_read))
                finally:
                    os._exit(1)
        os.close(gate_read)
        errors.keep_reading()
        child = Child(pid, errors)
        try:
            error = seize(pid, self._options)
            if error is not None:
                if not self._target.daemon:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                raise error
            _reach_execve(child, gate_write)
        finally:
            os.close(gate_write)
        return child

    def _execute(self, gate_read: int) -> Failure:
        # In the child: returns only when it failed.
        return execute(
            self._target,
            self._image,
            self._dispositions,
            gate_read,
            _effective,
            self._install_filter,
        )


def _fork(how: Callable[[], int]) -> int:
    try:
        return how()
    except OSError as error:
        raise TargetError(0, error.errno or 0, "fork") from error


def _reach_execve(child: Child, gate_write: int) -> None:
    # The child may be interrupted anywhere before the gate: let it go on from stop to stop.
    opened = False
    info = api.Buffer(api.SYSCALL_INFO_SIZE)
    while True:
        _, status = os.waitpid(child.pid, api.WALL)
        if not os.WIFSTOPPED(status):
            raise child.failure() or TargetError(child.pid, ESRCH, "exec")
        if not opened:
            os.write(gate_write, b"\0")
            opened = True
        inject = 0
        if status == api.STATUS_SYSCALL:
            api.ptrace_exact(api.PTRACE_GET_SYSCALL_INFO, child.pid, info.size, info.address)
            op, arch, _, _, number, *_ = api.unpack_entry(info.data)
            if op == api.OP_ENTRY and (arch, number) == _ENTRY_OF_EXECVE:
                return
        elif not status >> 16:
            inject = status >> 8
        api.ptrace_exact(api.PTRACE_SYSCALL, child.pid, None, inject)


def _effective(path: bytes, uid: int, gid: int) -> tuple[int, int]:
    # A setuid program keeps its effect although a traced exec ignores the bit.
    status = os.stat(path)
    effective_uid = status.st_uid if status.st_mode & 0o4000 else uid
    effective_gid = status.st_gid if status.st_mode & 0o2000 else gid
    return effective_uid, effective_gid
