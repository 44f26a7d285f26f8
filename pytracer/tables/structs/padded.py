"""Numbers written with all their digits."""

from __future__ import annotations

from pytracer.spec.values import Integer, Phrase


def padded_hex(number: int, size: int) -> Phrase:
    """A number of ``size`` bytes in hexadecimal, padded with zeros.

    Shape: two characters a byte, the prefix included, as printf's %#0*x pads; zero has no prefix.
    """
    width = 2 * size
    words = f"{number:#0{width}x}" if number else "0" * width
    return Phrase(words, number, Integer(number))
