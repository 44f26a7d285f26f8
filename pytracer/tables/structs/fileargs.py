"""Arguments of file calls that are written in a way of their own."""

from __future__ import annotations

from pytracer.spec.context import Decode
from pytracer.spec.scalar import LongLong, Scalar
from pytracer.spec.type import Scope
from pytracer.spec.values import Base, Flags, Integer, Noted, Value
from pytracer.tables.constants.memory import MFD_FLAGS, MFD_HUGE_MASK, MFD_HUGE_SHIFT


class HighLow(LongLong):
    """A 64-bit number in two registers, the high half first.

    Source: SYSCALL_DEFINE5(llseek), fs/read_write.c.
    """

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)
        return lambda ctx, raw, frame: Integer(number(raw >> 32 | raw << 32))


class MemfdFlags(Scalar):
    """The flags of memfd_create, which hold the logarithm of a page size."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        size = number & MFD_HUGE_MASK << MFD_HUGE_SHIFT
        names, rest = MFD_FLAGS.names_in(number - size)
        if not size and (names or not rest):
            return Flags(number, names, rest, MFD_FLAGS.unknown)
        words = list(names)
        if rest:
            words.append(f"{rest:#x}" if names else f"{rest:#x} /* {MFD_FLAGS.unknown} */")
        if size:
            words.append(f"{size >> MFD_HUGE_SHIFT}<<MFD_HUGE_SHIFT")
        return Noted(Integer(number, Base.HEX), "|".join(words), instead=True)
