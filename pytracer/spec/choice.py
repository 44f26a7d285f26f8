"""A value that the ABIs store differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.type import DecodeAt, Scope, Type


class ByAbi(Type):
    """The type that ``others`` has under the ABI's name (i386, x32), or else ``default``."""

    def __init__(self, default: Type, **others: Type) -> None:
        self.default = default
        self.others = others
        self.ctype = default.ctype
        self.classes = default.classes

    def under(self, abi: Layout) -> Type:
        """The type that holds for an ABI."""
        return self.others.get(abi.name, self.default)

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.under(abi).measure(abi)

    def registers(self, abi: Layout) -> int:
        return self.under(abi).registers(abi)

    def number(self, abi: Layout) -> Callable[[int], int]:
        return self.under(abi).number(abi)

    def bind(self, scope: Scope) -> Decode:
        return self.under(scope.abi).bind(scope)

    def bind_at(self, scope: Scope) -> DecodeAt:
        return self.under(scope.abi).bind_at(scope)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.under(planning.abi).fetches(at, planning)

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.under(planning.abi).fetches_at(at, planning)

    def prefetch(self, scope: Scope, index: int) -> Callable[[Context], None] | None:
        return self.under(scope.abi).prefetch(scope, index)

    def parts(self) -> Iterator[Type]:
        yield self.default
        yield from self.others.values()
