"""Time in the clock ticks that user space counts in."""

from __future__ import annotations

from typing import Final

from pytracer.spec.scalar import Scalar
from pytracer.spec.values import Integer, Noted, Value

USER_HZ: Final = 100  # arch/x86/include/uapi/asm/param.h, whatever HZ the kernel runs at


def ticks(number: int) -> Value:
    """A number of ticks and, unless it is zero, the seconds that it makes."""
    shown = Integer(number)
    if not number:
        return shown
    seconds = f"{number // USER_HZ}.{number % USER_HZ:02d} s"
    return Noted(shown, seconds, unless_raw=True)


class Ticks(Scalar):
    """A clock_t."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        return ticks(number)
