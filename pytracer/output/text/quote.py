"""Strings of the target in C's notation, safe to show on a terminal."""

from __future__ import annotations

import re

from pytracer.output.text.style import Quoting

_NAMED = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_ESCAPES = {
    code: _NAMED.get(code, f"\\{code:o}")
    for code in range(256)
    if code in _NAMED or not 32 <= code < 127
}
# An escape of fewer than three octal digits would swallow a digit that follows it.
_AMBIGUOUS = re.compile(r"([\x00-\x08\x0e-\x1f])(?=[0-9])")
_PLAIN = re.compile(rb"[ !#-\[\]-~]*\Z")
_TEXT_ONLY = re.compile(rb"[\t-\r -~]*\Z")


def quote(data: bytes, quoting: Quoting = Quoting.ESCAPED) -> str:
    """Write bytes as a C string literal without its quotes.

    Source: strace(1), -x and -xx: octal escapes by default, hexadecimal for the whole string on
    demand.
    """
    if quoting is Quoting.HEX_ALL:
        return hexadecimal(data)
    if _PLAIN.match(data):
        return data.decode("ascii")
    if quoting is Quoting.HEX_UNPRINTABLE and not _TEXT_ONLY.match(data):
        return hexadecimal(data)
    text = data.decode("latin-1")
    if _AMBIGUOUS.search(text):
        parts = _AMBIGUOUS.split(text)
        return "".join(
            f"\\{ord(part):03o}" if i % 2 else part.translate(_ESCAPES)
            for i, part in enumerate(parts)
        )
    return text.translate(_ESCAPES)


def hexadecimal(data: bytes) -> str:
    """Write every byte as \\x and two digits."""
    return "\\x" + data.hex(" ").replace(" ", "\\x") if data else ""
