"""Fields that the kernel wants to be zero, and which are shown when they are not."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import FixedArray
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Hex
from pytracer.spec.type import Scope
from pytracer.spec.values import Array


class Reserved(FixedArray):
    """``count`` numbers, shown in hexadecimal unless all are zero.

    ``whole``: all of them, however few elements of arrays are wanted.
    """

    def __init__(self, count: int, ctype: str = "uint", whole: bool = False) -> None:
        super().__init__(Hex(ctype), count)
        self.whole = whole

    def bind(self, scope: Scope) -> Decode:
        decode_array = super().bind(scope)
        whole = self.whole

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Any:
            if not any(raw):
                return None
            value: Array = decode_array(ctx, raw, frame)
            return Array(value.items) if whole else value

        return decode
