"""The choices that change how text looks, never what was decoded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Xlats(Enum):
    """How constants are written (-X)."""

    ABBREV = "abbrev"
    RAW = "raw"
    VERBOSE = "verbose"


class Quoting(Enum):
    """Which strings are written in hexadecimal (-x, -xx)."""

    ESCAPED = 0
    HEX_UNPRINTABLE = 1
    HEX_ALL = 2


@dataclass(frozen=True, slots=True)
class Style:
    """How values are written.

    ``abbreviate``: structures and arrays are shortened (all but -v); ``whole``: names of calls that
    are not (-e abbrev=).
    ``undecoded``: names of calls whose structures are shown as addresses (-e verbose=).
    ``arg_names``: -N. ``column``: where results are aligned (-a).
    """

    quoting: Quoting = Quoting.ESCAPED
    xlats: Xlats = Xlats.ABBREV
    abbreviate: bool = True
    arg_names: bool = False
    column: int = 40
