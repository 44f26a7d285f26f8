"""Requests of precise hardware clocks.

Source: include/uapi/linux/ptp_clock.h, Linux 7.2.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import Chars, FixedArray, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Completed
from pytracer.spec.pointer import In, Out
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Number, UInt
from pytracer.spec.type import NonZero, Scope, Type, Wrapper
from pytracer.spec.upto import UpTo
from pytracer.spec.values import Integer, Noted, Value
from pytracer.tables.constants.boards import (
    PTP_EXTTS_FLAGS,
    PTP_PEROUT_DUTY_CYCLE,
    PTP_PEROUT_FLAGS,
    PTP_PEROUT_PHASE,
    PTP_PIN_FUNCTIONS,
)
from pytracer.tables.constants.times import CLOCKS
from pytracer.tables.structs.time import date

PTP_MAX_SAMPLES = 25  # include/uapi/linux/ptp_clock.h
_NS = 1_000_000_000


class _Nanoseconds(Number):
    """A span of time, with its length in seconds."""

    def __init__(self) -> None:
        super().__init__("int")

    def make(self, number: int) -> Value:
        seconds, part = divmod(abs(number), _NS)
        sign = "-" if number < 0 else ""
        note = f"{sign}{seconds}.{part:09d} s" if number else ""
        return Noted(Integer(number), note, unless_raw=True)


TIME = StructOf(sec=Number("s64"), nsec=UInt(), reserved=NonZero(Hex()))


class _Moment(Wrapper):
    """A point in time, with its date."""

    def __init__(self) -> None:
        super().__init__(TIME)

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return self.inner.measure(abi)

    def bind(self, scope: Scope) -> Decode:
        decode_time = self.inner.bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            seconds = int.from_bytes(raw[:8], "little", signed=True)
            note = date(seconds, int.from_bytes(raw[8:12], "little"))
            return Noted(decode_time(ctx, raw, frame), note, unless_raw=True)

        return decode


MOMENT = _Moment()


def _output(phase: bool, duty: bool, second: bool) -> StructOf:
    last: dict[str, Type] = {"on": TIME} if duty else {"rsv": Reserved(4) if second else Pad(16)}
    first: dict[str, Type] = {"phase": TIME} if phase else {"start": MOMENT}
    flags = FlagSet(PTP_PEROUT_FLAGS)
    return StructOf(None, None, **first, period=TIME, index=UInt(), flags=flags, **last)


class _Output(StructOf):
    """A periodic output: its flags decide what the first and the last time are.

    ``second``: the request wants what is reserved to be zero.
    """

    _FLAGS_AT = 36

    def __init__(self, second: bool) -> None:
        super().__init__(None, None, **_output(False, False, second).fields)
        self.second = second

    def bind(self, scope: Scope) -> Decode:
        forms = {
            (phase, duty): _output(bool(phase), bool(duty), self.second).bind(scope)
            for phase in (0, PTP_PEROUT_PHASE)
            for duty in (0, PTP_PEROUT_DUTY_CYCLE)
        }

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            flags = raw[self._FLAGS_AT]
            form = forms[flags & PTP_PEROUT_PHASE, flags & PTP_PEROUT_DUTY_CYCLE]
            value: Value = form(ctx, raw, frame)
            return value

        return decode


CAPABILITIES = StructOf(
    max_adj=Int(),
    n_alarm=Int(),
    n_ext_ts=Int(),
    n_per_out=Int(),
    pps=Int(),
    n_pins=Int(),
    cross_timestamping=Int(),
    adjust_phase=Int(),
    max_phase_adj=_Nanoseconds(),
    rsv=Reserved(11),
)
_EXTTS = FlagSet(PTP_EXTTS_FLAGS)
STAMPS = StructOf(index=UInt(), flags=_EXTTS, rsv=Pad(8))
STAMPS2 = StructOf(index=UInt(), flags=_EXTTS, rsv=Reserved(2))

_SAMPLES = UpTo(MOMENT, 2 * PTP_MAX_SAMPLES + 1, "n_samples", each=2, more=1)
_TRIPLES = UpTo(FixedArray(MOMENT, 3), PTP_MAX_SAMPLES, "n_samples")
OFFSET_ASKED = StructOf(
    n_samples=UInt(), rsv=Reserved(3), ts=Pad(16 * (2 * PTP_MAX_SAMPLES + 1), 8)
)
OFFSET_TOLD = StructOf(None, ("ts",), n_samples=UInt(), rsv=Pad(12), ts=_SAMPLES)
EXTENDED_ASKED = StructOf(
    n_samples=UInt(),
    clockid=Enum(CLOCKS),
    rsv=Reserved(2),
    ts=Pad(48 * PTP_MAX_SAMPLES, 8),
)
EXTENDED_TOLD = StructOf(None, ("ts",), n_samples=UInt(), rsv=Pad(12), ts=_TRIPLES)
PRECISE = StructOf(device=MOMENT, sys_realtime=MOMENT, sys_monoraw=TIME, rsv=Reserved(4))


def _pin(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        name=Chars(64, whole=True),
        index=UInt(),
        func=Enum(PTP_PIN_FUNCTIONS),
        chan=UInt(),
        rsv=Reserved(5),
    )


_PIN = _pin("name", "func", "chan")


def _both(name: str, kind: Type) -> dict[str, Type]:
    return {name: kind, f"{name}2": kind}


REQUESTS: dict[str, Type] = {
    **_both("PTP_CLOCK_GETCAPS", Out(CAPABILITIES)),
    "PTP_EXTTS_REQUEST": In(STAMPS),
    "PTP_EXTTS_REQUEST2": In(STAMPS2),
    "PTP_PEROUT_REQUEST": In(_Output(False)),
    "PTP_PEROUT_REQUEST2": In(_Output(True)),
    **_both("PTP_ENABLE_PPS", Hex("kulong")),
    **_both("PTP_SYS_OFFSET", Completed(OFFSET_ASKED, OFFSET_TOLD)),
    **_both("PTP_SYS_OFFSET_PRECISE", Out(PRECISE)),
    **_both("PTP_SYS_OFFSET_EXTENDED", Completed(EXTENDED_ASKED, EXTENDED_TOLD)),
    "PTP_PIN_GETFUNC": Completed(_pin("index"), _PIN),
    "PTP_PIN_GETFUNC2": Completed(_pin("index", "rsv"), _PIN),
    "PTP_PIN_SETFUNC": In(_pin("index", "func", "chan")),
    "PTP_PIN_SETFUNC2": In(_pin("index", "func", "chan", "rsv")),
}
