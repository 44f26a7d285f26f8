"""What a delivered signal tells."""

from __future__ import annotations

from functools import lru_cache

from pytracer.event.schema import Abi, Signal
from pytracer.spec.abi import X86_64
from pytracer.spec.context import Descriptors, Processes
from pytracer.spec.values import Struct
from pytracer.tables.structs.siginfo import Knowledge, siginfo
from pytracer.tables.structs.signal import signal_name


@lru_cache(maxsize=128)
def name_of_signal(number: int) -> str:
    """The name of a signal; the number itself where it has none."""
    return signal_name(number) or str(number)


class SignalDecoder:
    """Decodes the siginfo_t of delivered signals.

    ``processes`` and ``descriptors`` explain those that it speaks of, where that was asked for.
    """

    def __init__(
        self, processes: Processes | None = None, descriptors: Descriptors | None = None
    ) -> None:
        self.processes = processes
        self.descriptors = descriptors

    def explain(self, event: Signal, abi: Abi = Abi.X86_64) -> Struct | None:
        """Decode what came with a signal; None where nothing did.

        Shape: ``abi`` is the convention by which the task makes calls. The bytes are laid out as
        the kernel has them, whatever the task's own convention.
        """
        if event.siginfo is None:
            return None
        known = Knowledge(event.task.pid, self.processes, self.descriptors)
        return siginfo(event.siginfo, X86_64, int(abi), known)
