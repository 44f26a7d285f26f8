"""Strings of the target in C's notation, safe to show on a terminal."""

from __future__ import annotations

import re

from pytracer.output.text.style import Quoting

_NAMED = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_UNPRINTABLE = [code for code in range(256) if code not in _NAMED and not 32 <= code < 127]
_OCTAL = _NAMED | {code: f"\\{code:o}" for code in _UNPRINTABLE}
_HEX = _NAMED | {code: f"\\x{code:02x}" for code in _UNPRINTABLE}
# What would end the text between angle brackets.
_BRACKETS = (ord("<"), ord(">"))
_OCTAL_INSIDE = _OCTAL | {code: f"\\{code:o}" for code in _BRACKETS}
_HEX_INSIDE = _HEX | {code: f"\\x{code:02x}" for code in _BRACKETS}
# An escape of fewer than three octal digits would swallow an octal digit that follows it.
_AMBIGUOUS = re.compile(r"([\x00-\x08\x0e-\x1f])(?=[0-7])")
_AMBIGUOUS_INSIDE = re.compile(r"([\x00-\x08\x0e-\x1f<>])(?=[0-7])")
_plain = re.compile(rb"[ !#-\[\]-~]*\Z").match
_plain_inside = re.compile(rb"[ !#-;=?-\[\]-~]*\Z").match
_text_only = re.compile(rb"[\t-\r -~]*\Z").match


def quote(data: bytes, quoting: Quoting = Quoting.ESCAPED) -> str:
    """Write bytes as a C string literal without its quotes.

    Source: strace(1), --strings-in-hex: octal escapes by default.
    """
    if quoting is Quoting.HEX_ALL:
        return hexadecimal(data)
    if _plain(data):
        return data.decode("ascii")
    if quoting is Quoting.HEX_UNPRINTABLE and not _text_only(data):
        return hexadecimal(data)
    if quoting is Quoting.HEX_CHARACTERS:
        return data.decode("latin-1").translate(_HEX)
    return _octal(data.decode("latin-1"), _AMBIGUOUS, _OCTAL)


def quote_inside(data: bytes, quoting: Quoting = Quoting.ESCAPED) -> str:
    """Write bytes that stand between angle brackets: a path behind a descriptor, a task's name."""
    if quoting is Quoting.HEX_ALL:
        return hexadecimal(data)
    if _plain_inside(data):
        return data.decode("ascii")
    if quoting is Quoting.HEX_UNPRINTABLE and not _text_only(data):
        return hexadecimal(data)
    if quoting is Quoting.HEX_CHARACTERS:
        return data.decode("latin-1").translate(_HEX_INSIDE)
    return _octal(data.decode("latin-1"), _AMBIGUOUS_INSIDE, _OCTAL_INSIDE)


def _octal(text: str, ambiguous: re.Pattern[str], escapes: dict[int, str]) -> str:
    parts = ambiguous.split(text)
    if len(parts) == 1:
        return text.translate(escapes)
    return "".join(
        f"\\{ord(part):03o}" if i % 2 else part.translate(escapes) for i, part in enumerate(parts)
    )


def hexadecimal(data: bytes) -> str:
    """Write every byte as \\x and two digits."""
    return "\\x" + data.hex(" ").replace(" ", "\\x") if data else ""
