"""Strings of the target in C's notation, safe to show on a terminal."""

from __future__ import annotations

import re

from pytracer.output.style import Quoting

_NAMED = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_PRINTABLE = {code: chr(code) for code in range(32, 127)}


def _table(escape: str, brackets: bool) -> list[str]:
    """How each byte is written. ``brackets``: those that would end a text between them, too."""
    table = [escape.format(code) for code in range(256)]
    for code, text in (_PRINTABLE | _NAMED).items():
        if not brackets or text not in "<>":
            table[code] = text
    return table


_OCTAL = _table("\\{:o}", False)
_OCTAL_INSIDE = _table("\\{:o}", True)
_HEX = _table("\\x{:02x}", False)
_HEX_INSIDE = _table("\\x{:02x}", True)
# An escape of fewer than three octal digits would swallow an octal digit that follows it.
_ambiguous = re.compile(rb"[\x00-\x08\x0e-\x1f](?=[0-7])").finditer
_ambiguous_inside = re.compile(rb"[\x00-\x08\x0e-\x1f<>](?=[0-7])").finditer
# Bytes to be taken out of a string to see whether others are in it: far quicker than a pattern.
_PLAIN = bytes(code for code in range(32, 127) if code not in _NAMED)
_PLAIN_INSIDE = _PLAIN.translate(None, b"<>")
_TEXT = bytes(range(9, 14)) + bytes(range(32, 127))
_OCTAL_DIGITS = b"01234567"


# Enumeration members are slow to look up on Python 3.11.
_HEX_ALL, _HEX_UNPRINTABLE = Quoting.HEX_ALL, Quoting.HEX_UNPRINTABLE
_HEX_CHARACTERS = Quoting.HEX_CHARACTERS


def quote(data: bytes, quoting: Quoting = Quoting.ESCAPED) -> str:
    """Write bytes as a C string literal without its quotes.

    Source: strace(1), --strings-in-hex: octal escapes by default.
    """
    if quoting is _HEX_ALL:
        return hexadecimal(data)
    if not data.translate(None, _PLAIN):
        return data.decode("ascii")
    if quoting is _HEX_UNPRINTABLE and data.translate(None, _TEXT):
        return hexadecimal(data)
    if quoting is _HEX_CHARACTERS:
        return "".join([_HEX[byte] for byte in data])
    parts = [_OCTAL[byte] for byte in data]
    if len(data.translate(None, _OCTAL_DIGITS)) != len(data):
        for found in _ambiguous(data):
            parts[found.start()] = f"\\{data[found.start()]:03o}"
    return "".join(parts)


def quote_inside(data: bytes, quoting: Quoting = Quoting.ESCAPED) -> str:
    """Write bytes that stand between angle brackets: a path behind a descriptor, a task's name."""
    if quoting is _HEX_ALL:
        return hexadecimal(data)
    if not data.translate(None, _PLAIN_INSIDE):
        return data.decode("ascii")
    if quoting is _HEX_UNPRINTABLE and data.translate(None, _TEXT):
        return hexadecimal(data)
    if quoting is _HEX_CHARACTERS:
        return "".join([_HEX_INSIDE[byte] for byte in data])
    parts = [_OCTAL_INSIDE[byte] for byte in data]
    for found in _ambiguous_inside(data):
        parts[found.start()] = f"\\{data[found.start()]:03o}"
    return "".join(parts)


def hexadecimal(data: bytes) -> str:
    """Write every byte as \\x and two digits."""
    return "\\x" + data.hex(" ").replace(" ", "\\x") if data else ""
