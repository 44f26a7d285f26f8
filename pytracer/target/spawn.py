"""Start a program that waits at a gate until a tracer is ready for it."""

from __future__ import annotations

import gc
import os

from pytracer.target.orphan import fork_orphan
from pytracer.target.selection import Launch
from pytracer.target.start import Dispositions, Failure, FailurePipe, Image, execute


class ExecuteFailed(Exception):
    """This process was to be the program, and is not. ``stage``: what failed."""

    def __init__(self, stage: str, errno: int) -> None:
        super().__init__(f"{stage}: errno {errno}")
        self.stage = stage
        self.errno = errno


class Spawned:
    """A process that waits to become the program. ``pid``: its number.

    ``ours``: it is a child of this process; with ``Launch.daemon`` it was this process, and is not.
    """

    def __init__(self, pid: int, gate: int, errors: FailurePipe, ours: bool = True) -> None:
        self.pid = pid
        self.ours = ours
        self._gate = gate
        self._errors = errors

    def release(self) -> None:
        """Let it execute the program."""
        os.write(self._gate, b"\0")
        os.close(self._gate)
        self._gate = -1

    def failure(self) -> Failure | None:
        """Tell what could not be done, once it is over."""
        return self._errors.failure()

    def close(self) -> None:
        """Let go of the pipes; a child that still waits ends. Idempotent."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1
        self._errors.close()


def spawn(launch: Launch, dispositions: Dispositions) -> Spawned:
    """Start the child; it waits for :meth:`Spawned.release`.

    With ``Launch.daemon`` this returns in an orphan: the calling process becomes the program, and
    has it for its end that it could not.

    Errors: OSError when there can be no process; ExecuteFailed.
    """
    image = Image(launch)
    gate_read, gate_write = os.pipe()
    errors = FailurePipe()
    if launch.daemon:
        pid = os.getpid()
        if not fork_orphan(launch.daemon):
            os.close(gate_write)
            raise ExecuteFailed(*execute(launch, image, dispositions, gate_read))
    else:
        pid = os.fork()
    if pid == 0:
        try:
            gc.disable()
            os.close(gate_write)
            errors.tell(execute(launch, image, dispositions, gate_read))
        finally:
            os._exit(1)
    os.close(gate_read)
    errors.keep_reading()
    return Spawned(pid, gate_write, errors, not launch.daemon)
