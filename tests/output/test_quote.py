"""Strings in C's notation."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytracer.output.style import Quoting
from pytracer.output.text.quote import quote, quote_inside


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"plain ~", "plain ~"),
        (b'"\\', '\\"\\\\'),
        (b"\t\n\v\f\r", "\\t\\n\\v\\f\\r"),
        (b"\0\1\33\177\377", "\\0\\1\\33\\177\\377"),
        # As few digits as the next character allows: 8 and 9 are no octal digits.
        (b"\0008", "\\08"),
        (b"\0007", "\\0007"),
        (b"\0337", "\\0337"),
        (b"\1770", "\\1770"),
        (b"\0\0001", "\\0\\0001"),
    ],
)
def test_octal(data: bytes, text: str) -> None:
    assert quote(data) == text


@pytest.mark.parametrize(
    ("quoting", "data", "text"),
    [
        (Quoting.HEX_UNPRINTABLE, b"a\n\tb", "a\\n\\tb"),
        (Quoting.HEX_UNPRINTABLE, b"a\0", "\\x61\\x00"),
        (Quoting.HEX_UNPRINTABLE, b"\177", "\\x7f"),
        (Quoting.HEX_ALL, b"a", "\\x61"),
        (Quoting.HEX_ALL, b"", ""),
        (Quoting.HEX_CHARACTERS, b'a\0"\n\377', 'a\\x00\\"\\n\\xff'),
    ],
)
def test_hexadecimal(quoting: Quoting, data: bytes, text: str) -> None:
    assert quote(data, quoting) == text


@pytest.mark.parametrize(
    ("quoting", "text"),
    [
        (Quoting.ESCAPED, "\\74\\0767\\n"),
        (Quoting.HEX_UNPRINTABLE, "\\74\\0767\\n"),
        (Quoting.HEX_ALL, "\\x3c\\x3e\\x37\\x0a"),
        (Quoting.HEX_CHARACTERS, "\\x3c\\x3e7\\n"),
    ],
)
def test_between_angle_brackets(quoting: Quoting, text: str) -> None:
    assert quote_inside(b"<>7\n", quoting) == text


@given(st.binary(max_size=64), st.sampled_from([Quoting.ESCAPED, Quoting.HEX_ALL]))
def test_nothing_but_printable_ascii_and_it_reads_back(data: bytes, quoting: Quoting) -> None:
    for text in (quote(data, quoting), quote_inside(data, quoting)):
        assert text.isascii()
        assert text.isprintable()
        assert ast.literal_eval(f'b"{text}"') == data
