"""Clocks: which one is meant, how it is disciplined, and what time it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import LATER, Context, Decode
from pytracer.spec.pointer import OutIf
from pytracer.spec.scalar import FlagSet, Number, Scalar
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address, Integer, Value
from pytracer.tables.constants.times import (
    ADJTIMEX_MODES,
    ADJTIMEX_STATUS,
)
from pytracer.tables.structs.time import TIMEVAL, TIMEVAL64, dated


class TimeAt(Scalar):
    """A time_t, with its date."""

    def __init__(self) -> None:
        super().__init__("klong")

    def make(self, number: int) -> Value:
        return dated(Integer(number), number)


class Remaining(OutIf):
    """The time left of a sleep: told when a signal ended it, unless it was to last until a point.

    ``flags`` is the sibling that tells.
    """

    def __init__(self, inner: Type, holds: Callable[[int], bool]) -> None:
        super().__init__(inner, holds)

    def bind(self, scope: Scope) -> Decode:
        decode_out = super().bind(scope)
        flags = scope.number("flags")

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            if not ctx.exiting:
                return LATER
            return Address(raw) if flags(ctx, frame) else decode_out(ctx, raw, frame)

        return decode


TIMEZONE = StructOf(tz_minuteswest=Number("int"), tz_dsttime=Number("int"))


def _timex(word: str, time: Type, gap: int) -> StructOf:
    """struct timex with longs of one kind. ``gap``: bytes of padding behind each int."""
    long = Number(word)
    fields: dict[str, Any] = {
        "modes": FlagSet(ADJTIMEX_MODES),
        "gap1": Pad(gap),
        "offset": long,
        "freq": long,
        "maxerror": long,
        "esterror": long,
        "status": FlagSet(ADJTIMEX_STATUS),
        "gap2": Pad(gap),
        "constant": long,
        "precision": long,
        "tolerance": long,
        "time": time,
        "tick": long,
        "ppsfreq": long,
        "jitter": long,
        "shift": Number("int"),
        "gap3": Pad(gap),
        "stabil": long,
        "jitcnt": long,
        "calcnt": long,
        "errcnt": long,
        "stbcnt": long,
        "tai": Number("int"),
        "tail": Pad(44),
    }
    return StructOf(**fields)


TIMEX = _timex("klong", TIMEVAL, 0)  # struct timex, include/uapi/linux/timex.h
TIMEX64 = _timex("s64", TIMEVAL64, 4)  # struct __kernel_timex, there too
