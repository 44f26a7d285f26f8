"""Priorities of input and output."""

from __future__ import annotations

from typing import Final

from pytracer.spec.scalar import Scalar
from pytracer.spec.values import Function, Integer, Symbol, Value
from pytracer.tables.constants.process import IOPRIO_CLASS, IOPRIO_CLASS_SHIFT

_LEVEL: Final = (1 << IOPRIO_CLASS_SHIFT) - 1


def io_priority(number: int) -> Function:
    """What a priority is made of: a class and a level in it."""
    kind = (number & 0xFFFFFFFF) >> IOPRIO_CLASS_SHIFT
    name = Symbol(kind, IOPRIO_CLASS.name_of(kind), IOPRIO_CLASS.unknown)
    return Function("IOPRIO_PRIO_VALUE", (name, Integer(number & _LEVEL)))


class IoPriority(Scalar):
    """A class and a level of priority, in one number."""

    def __init__(self) -> None:
        super().__init__("int")

    def make(self, number: int) -> Value:
        value = io_priority(number)
        value.raw = Integer(number)
        return value
