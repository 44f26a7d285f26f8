"""Lengths of time as people write them."""

from __future__ import annotations

import re
from typing import Final

# Suffix -> nanoseconds in the unit.
UNITS_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def duration_ns(text: str) -> int | None:
    """Read a length of time such as ``10ms``, ``250us``, ``1.5s`` or ``1m``.

    Units:  nanoseconds. Errors: none raised; None when it is none, or has no unit.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)(ns|us|ms|s|m|h)", text)
    if found is None:
        return None
    unit = {**UNITS_NS, "m": 60 * UNITS_NS["s"], "h": 3600 * UNITS_NS["s"]}[found[2]]
    value = round(float(found[1]) * unit)
    return value if value < 1 << 63 else None
