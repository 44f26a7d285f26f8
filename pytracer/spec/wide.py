"""Pointers that a structure holds in 64 bits, whatever the ABI."""

from __future__ import annotations

from pytracer.spec.abi import Layout
from pytracer.spec.pointer import In
from pytracer.spec.type import Type


class Wide(In):
    """A pointer of 64 bits to ``inner``."""

    def __init__(self, inner: Type) -> None:
        super().__init__(inner)
        self.ctype = "u64"

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return abi.measure("u64")
