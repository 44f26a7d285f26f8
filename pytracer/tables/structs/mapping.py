"""How memory is mapped and where it is placed."""

from __future__ import annotations

from typing import Any

from pytracer.spec.context import Context
from pytracer.spec.plan import At, Fetch, From, Length, Planning
from pytracer.spec.pointer import CAPTURE_LIMIT, Pointee, unreadable
from pytracer.spec.scalar import Scalar
from pytracer.spec.type import DecodeAt, Scope
from pytracer.spec.values import Address, Array, Base, Flags, Integer, Phrase, Symbol, Value
from pytracer.tables.constants.memory import (
    MAP_FLAGS,
    MAP_HUGE_MASK,
    MAP_HUGE_SHIFT,
    MAP_TYPE,
    MAP_TYPES,
    MPOL_MODE_FLAGS,
    MPOL_MODES,
)
from pytracer.tables.structs.padded import padded_hex

_HUGE = MAP_HUGE_MASK << MAP_HUGE_SHIFT
_MODE_FLAGS = 0
for _bit, _ in MPOL_MODE_FLAGS.entries:
    _MODE_FLAGS |= _bit


class MapFlags(Scalar):
    """Flags of a mapping: its kind first, the logarithm of a huge page's size last."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        kind = number & MAP_TYPE
        name = MAP_TYPES.name_of(kind)
        if name is None:
            name = f"{kind:#x} /* {MAP_TYPES.unknown} */"
        names, rest = MAP_FLAGS.names_in(number & ~(MAP_TYPE | _HUGE))
        if not number & ~(MAP_TYPE | _HUGE):
            names = ()
        huge = (number & _HUGE) >> MAP_HUGE_SHIFT
        tail = Phrase(f"{huge}<<MAP_HUGE_SHIFT", huge << MAP_HUGE_SHIFT) if huge else None
        return Flags(number, (name, *names), rest, "", Base.HEX, tail)


class PolicyMode(Scalar):
    """A memory policy: its mode, then the flags that modify it."""

    def __init__(self, ctype: str = "kulong") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        mode = number & ~_MODE_FLAGS
        flags = number & _MODE_FLAGS
        name = MPOL_MODES.name_of(mode)
        if not flags:
            return Symbol(number, name, MPOL_MODES.unknown)
        if name is None:
            names, rest = MPOL_MODE_FLAGS.names_in(number)
            return Flags(number, names, rest, MPOL_MODES.unknown)
        return Flags(number, (name, *MPOL_MODE_FLAGS.names_in(flags)[0]), 0)


class NodeMask(Pointee):
    """A set of NUMA nodes, as the words that hold its bits. ``maxnode``: the sibling with their
    number.
    """

    def __init__(self, maxnode: str) -> None:
        self.maxnode = maxnode

    def bind_at(self, scope: Scope) -> DecodeAt:
        word = scope.abi.word
        number = scope.number(self.maxnode)
        limit = 1 << 64

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            nodes = number(ctx, frame)
            bits = 8 * word
            # The kernel counts one node more than it looks at; a huge number wraps around.
            count = (nodes + bits - 2) % limit // bits
            if not address or count < nodes // bits or (nodes and not count):
                return Address(address)
            if not count:
                return Array((), address)
            wanted = min(count, ctx.elements)
            data = ctx.memory.read_some(address, wanted * word)
            if not isinstance(data, bytes):
                return unreadable(address, data)
            got = len(data) // word
            if not got:
                return Address(address)
            items = tuple(
                padded_hex(int.from_bytes(data[i * word : (i + 1) * word], "little"), word)
                for i in range(got)
            )
            broken = address + got * word if got < wanted else 0
            return Array(items, address, count > wanted and not broken, broken, ctx.string_bytes)

        return decode_at

    def fetches_at(self, at: At, planning: Planning) -> tuple[Fetch, ...]:
        # How many words hold that many nodes is more than a plan can say: all that may be shown.
        words = 4096 if planning.whole else planning.string_bytes + 1
        limit = min(words * planning.abi.word, CAPTURE_LIMIT)
        length = Length(From.CONST, limit)
        return (Fetch(at, planning.phase, length, limit, False, planning.always),)


class PageState(Scalar):
    """Whether a page is resident: the lowest bit of mincore's byte."""

    def __init__(self) -> None:
        super().__init__("uchar")

    def make(self, number: int) -> Value:
        return Integer(number & 1)
