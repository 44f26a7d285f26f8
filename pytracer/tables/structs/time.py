"""Points in time and spans of time, in the forms that the kernel has for them.

``TIMESPEC`` and ``TIMEVAL`` are those of the calls without a suffix: 64 bits wide but on i386.
``TIMESPEC64`` is that of the *_time64 calls, the same everywhere.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import FixedArray, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.scalar import Number
from pytracer.spec.type import Scope, Type, Wrapper
from pytracer.spec.values import Integer, Noted, Struct, Value
from pytracer.tables.constants.times import UTIME_NOW, UTIME_OMIT

TIMESPEC = StructOf(tv_sec=Number("klong"), tv_nsec=Number("kulong"))
TIMESPEC64 = StructOf(tv_sec=Number("s64"), tv_nsec=Number("u64"))
TIMEVAL = StructOf(tv_sec=Number("klong"), tv_usec=Number("kulong"))
TIMEVAL64 = StructOf(tv_sec=Number("s64"), tv_usec=Number("u64"))
ITIMERSPEC = StructOf(it_interval=TIMESPEC, it_value=TIMESPEC)
ITIMERSPEC64 = StructOf(it_interval=TIMESPEC64, it_value=TIMESPEC64)
ITIMERVAL = StructOf(it_interval=TIMEVAL, it_value=TIMEVAL)


@lru_cache(maxsize=4096)
def date(seconds: int, part: int = 0, digits: int = 9) -> str:
    """Write a point in time as a date in the local time zone; "" for the epoch and for nonsense.

    Units:  ``seconds`` since the epoch and ``part`` of a second in units of 10 to the -``digits``.
    """
    if (not seconds and not part) or not 0 <= part < 10**digits:
        return ""
    try:
        local = time.localtime(seconds)
    except (OverflowError, ValueError, OSError):
        return ""
    fraction = f".{part:0{digits}d}" if part else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", local) + fraction + time.strftime("%z", local)


def dated(value: Value, seconds: int, part: int = 0, digits: int = 9) -> Value:
    """A value with the date that it stands for, if it stands for one."""
    note = date(seconds, part, digits)
    return Noted(value, note) if note else value


class Timestamp(Type):
    """Seconds since the epoch, with their date. ``part``: the sibling that holds nanoseconds."""

    def __init__(self, ctype: str = "klong", part: str | None = None) -> None:
        self.ctype = ctype
        self.part = part

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)
        part = scope.number(self.part or 0)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            seconds = number(raw)
            return dated(Integer(seconds), seconds, part(ctx, frame))

        return decode


class Dated(Wrapper):
    """A timespec or timeval of a file's time, with its date."""

    def __init__(self, inner: StructOf, digits: int) -> None:
        super().__init__(inner)
        self.digits = digits

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.inner.measure(abi)

    def bind(self, scope: Scope) -> Decode:
        decode_struct = self.inner.bind(scope)
        digits = self.digits

        def decode(ctx: Context, raw: Any, frame: tuple[Any, ...]) -> Value:
            value = decode_struct(ctx, raw, frame)
            assert isinstance(value, Struct)
            seconds, part = (v.value for _, v in value.fields if isinstance(v, Integer))
            if digits == 9 and part in _SPECIAL:
                return Noted(value, _SPECIAL[part], instead=True)
            return dated(value, seconds, part, digits)

        return decode


_SPECIAL = {UTIME_NOW: "UTIME_NOW", UTIME_OMIT: "UTIME_OMIT"}


class _Pair(FixedArray):
    """Access and modification time of a file, as the utimes family passes them."""

    def __init__(self, inner: StructOf, digits: int) -> None:
        super().__init__(Dated(inner, digits), 2)


UTIMENS = _Pair(TIMESPEC, 9)
UTIMENS64 = _Pair(TIMESPEC64, 9)
UTIMES = _Pair(TIMEVAL, 6)
UTIMBUF = StructOf(actime=Timestamp("klong"), modtime=Timestamp("klong"))
