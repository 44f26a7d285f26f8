"""Arrays of which only the beginning means something."""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import FixedArray
from pytracer.spec.context import Context, Decode
from pytracer.spec.type import Scope, Type


class UpTo(FixedArray):
    """As many elements as the sibling ``used`` says, of an array that has room for ``count``.

    ``each``, ``more``: it counts in groups of so many, and there are some besides.
    """

    def __init__(self, element: Type, count: int, used: str, each: int = 1, more: int = 0) -> None:
        super().__init__(element, count)
        self.used = used
        self.each = each
        self.more = more

    def bind(self, scope: Scope) -> Decode:
        decode_array = super().bind(scope)
        size, _, _ = self.element.measure(scope.abi)
        used, each, more = scope.number(self.used), self.each, self.more

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Any:
            count = max(0, used(ctx, frame)) * each + more
            return decode_array(ctx, raw[: count * size], frame)

        return decode
