"""Numbers as strace's options take them."""

from __future__ import annotations

import re
from typing import Final

from pytracer.event.units import UNITS_NS

INT_MAX: Final = 0x7FFFFFFF

# What strtoll(3) accepts in base 10; a negative zero is one.
_INTEGER = re.compile(r"[ \t-\r]*([+-]?[0-9]+)")
_FLOAT = re.compile(r"[ \t-\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_FLOAT_CHARACTERS = re.compile(r"[-eE.+0-9]*")
_INTEGER_CHARACTERS = re.compile(r"[+0-9]*")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:([kKmMgG])(?:i?B)?)?")

# Suffix -> digits after the decimal point of a time printed so precisely.
PRECISIONS: Final = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def unsigned(text: str, most: int = INT_MAX) -> int | None:
    """Read a whole number of 0 to ``most``; None when it is none."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        return None
    value = int(found[1])
    return value if 0 <= value <= most else None


def size_bytes(text: str) -> int | None:
    """Read a size such as ``4096``, ``64k``, ``1.5G`` or ``16MiB``; None when it is none.

    Units:  bytes; k, M and G are powers of 1024.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    return int(float(found[1]) * (1 << 10 * "kmg".find((found[2] or " ").lower()) + 10))


def time_ns(text: str) -> int | None:
    """Read a time such as ``5``, ``2.5ms`` or ``1e3ns``: microseconds without a unit.

    Units:  nanoseconds. Errors: none raised; None when it is no time.
    Source: strace(1), "Time specification format description"
    """
    floating = _prefix(_FLOAT_CHARACTERS, text) > _prefix(_INTEGER_CHARACTERS, text)
    found = (_FLOAT if floating else _INTEGER).match(text)
    if found is None:
        return None
    unit = UNITS_NS.get(text[found.end() :] or "us")
    value = float(found[1]) if floating else int(found[1])
    return None if unit is None or value < 0 else int(value * unit)


def _prefix(characters: re.Pattern[str], text: str) -> int:
    found = characters.match(text)
    return found.end() if found is not None else 0
