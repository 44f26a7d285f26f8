"""Capture plans: which bytes of the target a description will want to read, and when.

A backend that cannot read the target while it decodes brings these bytes along with the
event. The plan of a call is a forest of fetches; a fetch of a block may hold further fetches, whose
pointers lie inside the block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from typing import TypeAlias

from pytracer.spec.abi import Layout


class Phase(IntEnum):
    """When bytes are read."""

    ENTRY = 0
    EXIT = 1


@dataclass(frozen=True, slots=True)
class AtRegister:
    """The pointer is the register ``index`` of the call."""

    index: int


@dataclass(frozen=True, slots=True)
class AtOffset:
    """The pointer is stored in the enclosing block (element), ``offset`` bytes from its start."""

    offset: int


@dataclass(frozen=True, slots=True)
class AtResult:
    """The result of the call."""


@dataclass(frozen=True, slots=True)
class AtStack:
    """The stack pointer of the caller."""


At: TypeAlias = AtRegister | AtOffset | AtResult | AtStack


class Numbers(Enum):
    """Where the numbers of descriptors stand that are to be told about."""

    ONE = "one"  # at the place itself
    SET = "set"  # the members of a set of bits, which the enclosing block is
    PASSED = "passed"  # in control messages, which the enclosing block holds
    REGISTERS = "registers"  # none: the caller's registers are wanted instead


class From(Enum):
    """Where a length comes from."""

    CONST = "const"  # ``value`` bytes
    REGISTER = "register"  # register number ``value``, times ``unit``
    RETURN = "return"  # the result, times ``unit``
    # an unsigned integer of ``width`` bytes, ``value`` bytes into the enclosing block
    PARENT = "parent"


@dataclass(frozen=True, slots=True)
class Length:
    """A number of bytes: the source's value times ``unit``.

    ``brought``: no more than the result, which says how many bytes a call has brought.
    """

    source: From
    value: int = 0
    unit: int = 1
    width: int = 0
    brought: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bytes to be read.

    ``at``: where their address stands. ``length``: how many; ``limit``: how many at most,
    ``netlink`` of a netlink socket, which is the call's first argument.
    ``cstr``: they end with the first NUL, if that comes earlier.
    ``always``: at exit, read them even if the call failed.
    ``inside``: fetches whose pointers lie in these bytes: in the first element only when ``stride``
    is 0, else in
    each element of ``stride`` bytes, at most ``elements`` of them, and, when
    ``until_null``, up to the first element that is a NULL pointer.
    ``describes``: no bytes are wanted, but what the descriptors refer to whose numbers stand there;
    the number of those of a set is the register that ``length`` names.
    """

    at: At
    phase: Phase
    length: Length
    limit: int
    cstr: bool = False
    always: bool = False
    inside: tuple[Fetch, ...] = ()
    stride: int = 0
    elements: int = 0
    until_null: bool = False
    describes: Numbers | None = None
    netlink: int = 0


@dataclass(frozen=True, slots=True)
class Planning:
    """What a type needs to know to say what it fetches.

    ``phase``: when the value will be decoded. ``string_bytes``: how much of a string is
    wanted. ``whole``: abbreviated structures will be shown whole. ``selector``: the value of the
    register on which the call's shape depends, None for the shape of unlisted values.
    ``lengths``: the names that lengths may refer to, as registers or as fields of the enclosing
    block.
    ``always``: what is read at exit is wanted of failed calls too.
    ``descriptors``: what descriptors refer to is wanted.
    """

    abi: Layout
    phase: Phase
    string_bytes: int
    whole: bool
    selector: int | None
    lengths: dict[str, Length]
    parent: Planning | None = None
    always: bool = False
    descriptors: bool = False

    def describe(
        self, at: At, numbers: Numbers = Numbers.ONE, length: Length | None = None
    ) -> tuple[Fetch, ...]:
        """What has to be told about the descriptors whose numbers stand at a place."""
        if not self.descriptors:
            return ()
        length = length or Length(From.CONST, 4)
        return (Fetch(at, self.phase, length, 4, always=self.always, describes=numbers),)

    def length(self, name: str, unit: int = 1) -> Length | None:
        """Find a length by the name of a sibling; None when it is not to be had in the kernel."""
        if name == "ret":
            return Length(From.RETURN, 0, unit)
        found = self.lengths.get(name)
        if found is not None:
            return replace(found, unit=found.unit * unit)
        if self.parent is not None:
            found = self.parent.length(name, unit)
            # A field of an outer block is out of reach from here; a register is not.
            return found if found is None or found.source is not From.PARENT else None
        return None

    def within(self, lengths: dict[str, Length]) -> Planning:
        """The same plan, seen from inside a block with these fields."""
        return replace(self, lengths=lengths, parent=self)

    def at_exit(self, always: bool = False) -> Planning:
        """The same plan for bytes that are decoded when the call has returned."""
        return replace(self, phase=Phase.EXIT, always=always)

    def at_entry(self) -> Planning:
        """The same plan for bytes that are decoded before the call runs."""
        return replace(self, phase=Phase.ENTRY)


# Deeper than most stacks; what lies beyond is not told.
STACK_BYTES = 16384
# What it takes to unwind the caller's stack (-k).
STACK = (
    Fetch(AtStack(), Phase.ENTRY, Length(From.CONST, 8), 8, describes=Numbers.REGISTERS),
    Fetch(AtStack(), Phase.ENTRY, Length(From.CONST, STACK_BYTES), STACK_BYTES),
)
