"""What a delivered signal tells."""

from __future__ import annotations

from functools import lru_cache

from pytracer.event.schema import Abi
from pytracer.spec.abi import X86_64
from pytracer.spec.values import Struct
from pytracer.tables.structs.siginfo import siginfo
from pytracer.tables.structs.signal import signal_name


@lru_cache(maxsize=128)
def name_of_signal(number: int) -> str:
    """The name of a signal; the number itself where it has none."""
    return signal_name(number) or str(number)


def explain(data: bytes, abi: Abi = Abi.X86_64) -> Struct:
    """Decode the siginfo_t of a delivered signal, as the tracer's own kernel ABI lays it out.

    Shape: ``abi`` is the convention by which the task makes calls.
    """
    return siginfo(data, X86_64, int(abi))
