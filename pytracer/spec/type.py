"""What every type of the language has in common.

A type describes one value: an argument in a register or a field of a structure. It says how it is
stored (``measure``), what has to be read of the target to understand it (``fetches``) and
what it means (``bind``, which compiles it to a closure for one ABI).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytracer.spec.abi import Layout
from pytracer.spec.context import Context, Decode, Number
from pytracer.spec.plan import At, AtOffset, Fetch, From, Length, Planning

# Conditions read as types do, hence their names.

# (call, address, raw siblings) -> what lies there
DecodeAt: TypeAlias = Callable[[Context, int, tuple[Any, ...]], Any]
Test: TypeAlias = Callable[[Context, tuple[Any, ...]], bool]


class SpecError(Exception):
    """A description contradicts itself: an unknown sibling, a length that cannot be known."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The siblings of a value, by name: the arguments of a call or the fields of a structure.

    ``places`` maps a name to its register or field number and its type.
    ``call`` is the scope of the call's arguments, None when this is it.
    """

    abi: Layout
    places: dict[str, tuple[int, Type]]
    call: Scope | None = None

    def number(self, name: str | int) -> Number:
        """Compile a reference: "ret", a sibling's name, "*name" for the 32-bit number it points to.

        A constant stands for itself.
        """
        if isinstance(name, int):
            return lambda ctx, frame: name
        if name == "ret":
            return lambda ctx, frame: ctx.ret
        if name.startswith("*"):
            return _pointed(self.number(name[1:]))
        place = self.places.get(name)
        if place is not None:
            index, kind = place
            normal = kind.number(self.abi)
            if kind.registers(self.abi) == 2 and self.call is None:
                return lambda ctx, frame: normal(frame[index] | frame[index + 1] << 32)
            return lambda ctx, frame: normal(frame[index])
        if self.call is not None:
            outer = self.call.number(name)
            return lambda ctx, frame: outer(ctx, ctx.args)
        raise SpecError(f"no sibling is called {name!r}; there are {', '.join(self.places)}")

    def within(self, places: dict[str, tuple[int, Type]]) -> Scope:
        """The scope of the fields of a structure that belongs to this call."""
        return Scope(self.abi, places, self.call or self)


def _pointed(address: Number) -> Number:
    def number(ctx: Context, frame: tuple[Any, ...]) -> int:
        data = ctx.memory.read(address(ctx, frame), 4)
        return int.from_bytes(data, "little") if isinstance(data, bytes) else 0

    return number


class Type:
    """One value of a description. Subclasses say what it means.

    ``ctype``: the C type it is stored as in a structure. ``classes``: the
    groups (desc, file, ...) to which an argument of this type makes a call belong.
    """

    ctype: str = "long"
    classes: frozenset[str] = frozenset()

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        """Size in bytes, alignment and ``struct`` format as a field."""
        return abi.measure(self.ctype)

    def registers(self, abi: Layout) -> int:
        """How many registers it takes as an argument."""
        return 1

    def number(self, abi: Layout) -> Callable[[int], int]:
        """The integer that siblings refer to, from the raw register or field."""
        size, _, code = self.measure(abi)
        return signed(size) if code.islower() else unsigned(size)

    def bind(self, scope: Scope) -> Decode:
        """Compile to a decoder of the raw value: (call, raw, raw siblings) -> value."""
        raise NotImplementedError(type(self).__name__)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        """What must be read to decode the value that stands at ``at``."""
        return ()

    def bind_at(self, scope: Scope) -> DecodeAt:
        """Compile to a decoder of what lies at an address."""
        size, _, code = self.measure(scope.abi)
        decode = self.bind(scope)
        from pytracer.spec.pointer import read_block

        return read_block(size, code, decode)

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        """What must be read to decode the value to which ``at`` points."""
        size, _, _ = self.measure(planning.abi)
        inside = self.fetches(AtOffset(0), planning)
        length = Length(From.CONST, size)
        return (Fetch(at, planning.phase, length, size, False, planning.always, inside),)

    def parts(self) -> Iterator[Type]:
        """The types that this one is made of."""
        return iter(())

    def selector(self) -> tuple[str, int, tuple[int, ...]] | None:
        """The sibling on which this type's shape depends, the mask applied to it, the values told
        apart.
        """
        return None

    def by_number(self) -> bool:
        """Whether its value depends on the raw number alone, but for what was told of descriptors
        and processes.
        """
        return False

    def prefetch(self, scope: Scope, index: int) -> Callable[[Context], None] | None:
        """What to keep from the entry for decoding at the exit; None for nothing."""
        return None

    def when(self, condition: Condition) -> Type:
        """This type, present only where the condition holds."""
        return Conditional(self, condition)


def signed(size: int) -> Callable[[int], int]:
    """Compile the truncation of a register to a signed integer of ``size`` bytes."""
    mask = (1 << 8 * size) - 1
    sign = 1 << 8 * size - 1

    def number(raw: int) -> int:
        raw &= mask
        return raw - mask - 1 if raw & sign else raw

    return number


def unsigned(size: int) -> Callable[[int], int]:
    """Compile the truncation of a register to an unsigned integer of ``size`` bytes."""
    mask = (1 << 8 * size) - 1
    return lambda raw: raw & mask


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of a sibling: any of ``mask``'s bits set, or equal to one of ``values``; ``negated``
    turns it round.
    """

    name: str
    mask: int = 0
    values: tuple[int, ...] = ()
    negated: bool = False

    def bind(self, scope: Scope) -> Test:
        """Compile for one call's siblings."""
        number = scope.number(self.name)
        mask, values, negated = self.mask, frozenset(self.values), self.negated
        place = scope.places.get(self.name)
        if mask and place is not None and place[1].registers(scope.abi) == 1:
            # Bits of a sibling need no more than its raw value, cut to its size.
            index, kind = place
            bits = mask & (1 << 8 * kind.measure(scope.abi)[0]) - 1
            if not values:
                return lambda ctx, frame: bool(frame[index] & bits) != negated
            return lambda ctx, frame: (frame[index] & bits in values) != negated
        if mask and values:
            return lambda ctx, frame: (number(ctx, frame) & mask in values) != negated
        if mask:
            return lambda ctx, frame: bool(number(ctx, frame) & mask) != negated
        return lambda ctx, frame: (number(ctx, frame) in values) != negated


def AnyBit(name: str, mask: int) -> Condition:
    """Holds when the sibling has any of these bits."""
    return Condition(name, mask)


def NoBit(name: str, mask: int) -> Condition:
    """Holds when the sibling has none of these bits."""
    return Condition(name, mask, negated=True)


def Equals(name: str, *values: int, mask: int = 0) -> Condition:
    """Holds when the sibling (its bits under ``mask``, if given) is one of these values."""
    return Condition(name, mask, values)


def Differs(name: str, *values: int, mask: int = 0) -> Condition:
    """Holds when the sibling is none of these values."""
    return Condition(name, mask, values, negated=True)


class Wrapper(Type):
    """A type that is stored and fetched like another."""

    def __init__(self, inner: Type) -> None:
        self.inner = inner
        self.ctype = inner.ctype

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.inner.measure(abi)

    def registers(self, abi: Layout) -> int:
        return self.inner.registers(abi)

    def number(self, abi: Layout) -> Callable[[int], int]:
        return self.inner.number(abi)

    def bind(self, scope: Scope) -> Decode:
        return self.inner.bind(scope)

    def fetches(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        return self.inner.fetches(at, planning)

    def parts(self) -> Iterator[Type]:
        yield self.inner

    def selector(self) -> tuple[str, int, tuple[int, ...]] | None:
        return self.inner.selector()

    def prefetch(self, scope: Scope, index: int) -> Callable[[Context], None] | None:
        return self.inner.prefetch(scope, index)


class Conditional(Wrapper):
    """A value that is there only where a condition on a sibling holds."""

    def __init__(self, inner: Type, condition: Condition) -> None:
        super().__init__(inner)
        self.condition = condition

    def bind(self, scope: Scope) -> Decode:
        decode = self.inner.bind(scope)
        holds = self.condition.bind(scope)
        return lambda ctx, raw, frame: decode(ctx, raw, frame) if holds(ctx, frame) else None


class NonZero(Wrapper):
    """A number that is there only where it is not zero: reserved fields, rare flags."""

    def bind(self, scope: Scope) -> Decode:
        decode = self.inner.bind(scope)
        return lambda ctx, raw, frame: decode(ctx, raw, frame) if raw else None
