"""Tables that give numbers their names.

Every generated constant table is an :class:`Xlat`: pure data, ordered as the
names are to be printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache


@dataclass(frozen=True, slots=True, eq=False)
class Xlat:
    """Names of numbers, in the order in which flags are printed.

    Shape: ``unknown`` is the comment put after a value that has no name, such
    as ``O_???``, or empty when there is none to put; ``entries`` are
    ``(value, name)`` pairs, each value within 64 bits, negative when the
    kernel compares it as a signed number.
    """

    unknown: str
    entries: tuple[tuple[int, str], ...]

    def name_of(self, value: int) -> str | None:
        """Name one value; the first of several names wins."""
        return _by_value(self).get(value)

    def value_of(self, name: str) -> int:
        """Give the value of a name of this table.

        Errors: KeyError when the table has no such name.
        """
        return _by_name(self)[name]

    def names_in(self, value: int) -> tuple[tuple[str, ...], int]:
        """Take the flags out of a value.

        Shape: the names whose bits are all set, in table order and each bit
        given away once, then the bits that nobody named. Entries of value 0
        name only the value 0.
        """
        return _split(self, value)


@cache
def _by_value(table: Xlat) -> dict[int, str]:
    names: dict[int, str] = {}
    for value, name in table.entries:
        names.setdefault(value, name)
    return names


@cache
def _by_name(table: Xlat) -> dict[str, int]:
    return {name: value for value, name in reversed(table.entries)}


# Flag words repeat: the few combinations a program uses stay here. Bounded, as
# a target can pass any number it likes.
@lru_cache(maxsize=8192)
def _split(table: Xlat, value: int) -> tuple[tuple[str, ...], int]:
    if not value:
        name = table.name_of(0)
        return ((name,) if name is not None else ()), 0
    names = []
    rest = value
    for bits, name in table.entries:
        if bits and rest & bits == bits:
            names.append(name)
            rest &= ~bits
            if not rest:
                break
    return tuple(names), rest
