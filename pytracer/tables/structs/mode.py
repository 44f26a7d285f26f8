"""File modes and device numbers."""

from __future__ import annotations

from pytracer.spec.scalar import Scalar
from pytracer.spec.values import Base, Flags, Function, Integer, Noted, Value
from pytracer.tables.constants.files import MODE_TYPES, S_IFMT, S_ISGID, S_ISUID, S_ISVTX

_SPECIAL_BITS = ((S_ISUID, "S_ISUID"), (S_ISGID, "S_ISGID"), (S_ISVTX, "S_ISVTX"))
_ALL_NAMED = S_IFMT | S_ISUID | S_ISGID | S_ISVTX


class FileMode(Scalar):
    """A file's type and permissions: S_IFREG|0644."""

    def __init__(self, ctype: str = "uint") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        kind = MODE_TYPES.name_of(number & S_IFMT)
        if kind is None and number & S_IFMT:
            return Integer(number, Base.MODE)
        names = [] if kind is None else [kind]
        names += [name for bit, name in _SPECIAL_BITS if number & bit]
        rest = Integer(number & ~_ALL_NAMED, Base.MODE)
        if not names:
            return Noted(rest, f"0{number:o}" if number > 0o77 else f"{number:03o}", instead=True)
        return Flags(number, tuple(names), 0, "", Base.MODE, rest)


class Device(Scalar):
    """A device number, in the form that user space knows: makedev(major, minor).

    Source: new_encode_dev, include/linux/kdev_t.h; gnu_dev_major of the C library for 64 bits.
    """

    def __init__(self, ctype: str = "kulong") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        major = (number >> 8 & 0xFFF) | (number >> 32 & ~0xFFF)
        minor = (number & 0xFF) | (number >> 12 & ~0xFF)
        parts = (
            Integer(major & 0xFFFFFFFF, Base.HEX),
            Integer(minor & 0xFFFFFFFF, Base.HEX),
        )
        return Function("makedev", parts, Integer(number, Base.HEX))
