"""What the shapes of socket addresses are made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pytracer.spec.context import Context
from pytracer.spec.values import Symbol, Value
from pytracer.spec.xlat import Xlat

Fields: TypeAlias = tuple[tuple[str, Value], ...]
# (call, the address padded with zeros, its true length) -> the fields behind sa_family
Shape: TypeAlias = Callable[[Context, bytes, int], Fields]


def number(data: bytes, at: int, size: int, signed: bool = False) -> int:
    """A little-endian number in an address."""
    return int.from_bytes(data[at : at + size], "little", signed=signed)


def word(data: bytes, at: int) -> int:
    """A number of 16 bits in an address."""
    return number(data, at, 2)


def named(xlat: Xlat, value: int, comment: bool = True) -> Value:
    """A constant, with a comment if it has no name."""
    return Symbol(value, xlat.name_of(value), xlat.unknown if comment else "")
