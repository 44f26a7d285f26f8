"""Start a program that waits at a gate until a tracer is ready for it."""

from __future__ import annotations

import gc
import os

from pytracer.target.selection import Launch
from pytracer.target.start import Dispositions, Failure, FailurePipe, Image, execute


class Spawned:
    """A child that waits to become the program. ``pid``: its process."""

    def __init__(self, pid: int, gate: int, errors: FailurePipe) -> None:
        self.pid = pid
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

    Errors: OSError when it cannot be forked.
    """
    image = Image(launch)
    gate_read, gate_write = os.pipe()
    errors = FailurePipe()
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
    return Spawned(pid, gate_write, errors)
