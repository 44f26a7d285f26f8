"""A value whose type depends on another one: the argument of ioctl, fcntl, prctl."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode
from pytracer.spec.plan import At, Fetch, Planning
from pytracer.spec.scalar import Hex
from pytracer.spec.type import Scope, SpecError, Type


class Absent(Type):
    """An argument that this form of the call does not have."""

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, raw, frame: None


class Switch(Type):
    """The type that ``cases`` has for the value of the sibling ``on``, or else ``default``.

    Shape: a key may be a tuple of values that share a type. ``mask`` is applied to the sibling
    first.
    """

    def __init__(
        self,
        on: str,
        cases: dict[int | tuple[int, ...], Type],
        default: Type | None = None,
        mask: int = 0xFFFFFFFF,
    ) -> None:
        self.on = on
        self.mask = mask
        self.default = default or Hex("kulong")
        self.cases: dict[int, Type] = {}
        for key, kind in cases.items():
            for value in key if isinstance(key, tuple) else (key,):
                if value & mask in self.cases:
                    raise SpecError(f"two cases for {on}={value:#x}")
                self.cases[value & mask] = kind
        self.ctype = self.default.ctype

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.default.measure(abi)

    def number(self, abi: Layout) -> Callable[[int], int]:
        return self.default.number(abi)

    def bind(self, scope: Scope) -> Decode:
        number = scope.number(self.on)
        mask = self.mask
        kinds = self.cases
        # Most programs use two or three of hundreds of cases: each is bound when it first occurs.
        bound: dict[int, Decode] = {}
        default = self.default.bind(scope)

        def decode(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Any:
            key = number(ctx, frame) & mask
            one = bound.get(key)
            if one is None:
                kind = kinds.get(key)
                if kind is None:
                    return default(ctx, raw, frame)
                one = bound[key] = kind.bind(scope)
            return one(ctx, raw, frame)

        return decode

    def selector(self) -> tuple[str, int, tuple[int, ...]] | None:
        return self.on, self.mask, tuple(self.cases)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        if planning.selector is None:
            return self.default.fetches(at, planning)
        kind = self.cases.get(planning.selector & self.mask, self.default)
        return kind.fetches(at, planning)

    def prefetch(self, scope: Scope, index: int) -> Callable[[Context], None] | None:
        number = scope.number(self.on)
        keepers = {}
        for key, kind in self.cases.items():
            keep = kind.prefetch(scope, index)
            if keep is not None:
                keepers[key] = keep
        if not keepers:
            return None
        mask = self.mask

        def keep_one(ctx: Context) -> None:
            keeper = keepers.get(number(ctx, ctx.args) & mask)
            if keeper is not None:
                keeper(ctx)

        return keep_one

    def parts(self) -> Iterator[Type]:
        yield self.default
        yield from self.cases.values()


class Choice(Switch):
    """A switch on something that depends on a switch itself: plans cover all its cases at once."""

    def selector(self) -> tuple[str, int, tuple[int, ...]] | None:
        return None

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        found = dict.fromkeys(self.default.fetches(at, planning))
        for kind in self.cases.values():
            found.update(dict.fromkeys(kind.fetches(at, planning)))
        return tuple(found)
