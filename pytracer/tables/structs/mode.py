"""File modes, device numbers and the stat family's structures."""

from __future__ import annotations

from pytracer.spec.scalar import Scalar
from pytracer.spec.values import Base, Flags, Function, Integer, Value
from pytracer.tables.constants.files import MODE_TYPES, S_IFMT, S_ISGID, S_ISUID, S_ISVTX


class FileMode(Scalar):
    """A file's type and permissions: S_IFREG|0644."""

    def __init__(self, ctype: str = "uint") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        kind = MODE_TYPES.name_of(number & S_IFMT)
        if kind is None:
            return Integer(number, Base.MODE)
        names = [kind]
        for bit, name in ((S_ISUID, "S_ISUID"), (S_ISGID, "S_ISGID"), (S_ISVTX, "S_ISVTX")):
            if number & bit:
                names.append(name)
        rest = number & ~(S_IFMT | S_ISUID | S_ISGID | S_ISVTX)
        return Flags(number, tuple(names), 0, "", Base.OCT, Integer(rest, Base.MODE))


class Device(Scalar):
    """A device number, in the form that user space knows: makedev(major, minor).

    Source: new_encode_dev, include/linux/kdev_t.h; gnu_dev_major of the C library for 64 bits.
    """

    def __init__(self, ctype: str = "ulong") -> None:
        super().__init__(ctype)

    def make(self, number: int) -> Value:
        major = (number >> 8 & 0xFFF) | (number >> 32 & ~0xFFF)
        minor = (number & 0xFF) | (number >> 12 & ~0xFF)
        return Function(
            "makedev",
            (Integer(major & 0xFFFFFFFF, Base.HEX), Integer(minor & 0xFFFFFFFF, Base.HEX)),
        )
