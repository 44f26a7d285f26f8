"""Fields that the kernel wants to be zero, and which are shown when they are not."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import FixedArray
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Hex
from pytracer.spec.type import Scope


class Reserved(FixedArray):
    """``count`` numbers, shown in hexadecimal unless all are zero."""

    def __init__(self, count: int, ctype: str = "uint") -> None:
        super().__init__(Hex(ctype), count)

    def bind(self, scope: Scope) -> Decode:
        decode_array = super().bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Any:
            return decode_array(ctx, raw, frame) if any(raw) else None

        return decode
