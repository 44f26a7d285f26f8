"""Requests of real-time clocks.

Source: include/uapi/linux/rtc.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Number, Size, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.type import NonZero, Scope, Type
from pytracer.spec.values import Struct, Value
from pytracer.tables.constants.boards import (
    RTC_BACKUP_SWITCH_MODES,
    RTC_FEATURES,
    RTC_PARAM_BACKUP_SWITCH_MODE,
    RTC_PARAM_CORRECTION,
    RTC_PARAM_FEATURES,
    RTC_PARAMETERS,
    RTC_VL_FLAGS,
)

TIME = StructOf(
    brief=("tm_sec", "tm_min", "tm_hour", "tm_mday", "tm_mon", "tm_year"),
    tm_sec=Int(),
    tm_min=Int(),
    tm_hour=Int(),
    tm_mday=Int(),
    tm_mon=Int(),
    tm_year=Int(),
    tm_wday=Int(),
    tm_yday=Int(),
    tm_isdst=Int(),
)
ALARM = StructOf(enabled=Number("uchar"), pending=Number("uchar"), time=TIME)
PLL = StructOf(
    pll_ctrl=Int(),
    pll_value=Int(),
    pll_max=Int(),
    pll_min=Int(),
    pll_posmult=Int(),
    pll_negmult=Int(),
    pll_clock=Number("long"),
)


class _Parameter(Type):
    """The value of a parameter of a clock, stored as ``param`` says; that is asked before."""

    ctype = "u64"

    def bind(self, scope: Scope) -> Decode:
        parameter = scope.number("param")
        kinds = {
            RTC_PARAM_FEATURES: FlagSet(RTC_FEATURES, "u64").bind(scope),
            RTC_PARAM_CORRECTION: Number("s64").bind(scope),
            RTC_PARAM_BACKUP_SWITCH_MODE: Enum(RTC_BACKUP_SWITCH_MODES, "u64").bind(scope),
        }
        unknown = Hex("u64").bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            chosen = kinds.get(parameter(ctx, frame), unknown)
            value: Value = chosen(ctx, raw, frame)
            return value

        return decode


class _ParameterOf(StructOf):
    """A parameter; the correction is the one whose value has a sign, and another name."""

    def bind(self, scope: Scope) -> Decode:
        decode_struct = super().bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            value = decode_struct(ctx, raw, frame)
            assert isinstance(value, Struct)
            if int.from_bytes(raw[:8], "little") == RTC_PARAM_CORRECTION:
                names = {"uvalue": "svalue"}
                value.fields = tuple((names.get(name, name), v) for name, v in value.fields)
            return value

        return decode


_PARAM = Enum(RTC_PARAMETERS, "u64")
_PADDING = NonZero(Hex())
SET_PARAMETER = _ParameterOf(param=_PARAM, uvalue=_Parameter(), index=UInt(), __pad=_PADDING)
ASKED_PARAMETER = StructOf(param=_PARAM, value=Pad(8), index=UInt(), __pad=_PADDING)
TOLD_PARAMETER = _ParameterOf(
    order=("uvalue", "__pad"), param=_PARAM, uvalue=_Parameter(), index=UInt(), __pad=_PADDING
)

REQUESTS: dict[str, Type] = {
    **dict.fromkeys(("RTC_ALM_READ", "RTC_RD_TIME"), Out(TIME)),
    **dict.fromkeys(("RTC_ALM_SET", "RTC_SET_TIME"), In(TIME)),
    **dict.fromkeys(("RTC_IRQP_SET", "RTC_EPOCH_SET"), Size()),
    **dict.fromkeys(("RTC_IRQP_READ", "RTC_EPOCH_READ"), Out(Number("kulong"))),
    "RTC_WKALM_RD": Out(ALARM),
    "RTC_WKALM_SET": In(ALARM),
    "RTC_PLL_GET": Out(PLL),
    "RTC_PLL_SET": In(PLL),
    "RTC_VL_READ": Out(FlagSet(RTC_VL_FLAGS)),
    "RTC_PARAM_GET": Exchange(ASKED_PARAMETER, TOLD_PARAMETER, always=True),
    "RTC_PARAM_SET": In(SET_PARAMETER),
    **dict.fromkeys(
        (
            "RTC_AIE_ON",
            "RTC_AIE_OFF",
            "RTC_UIE_ON",
            "RTC_UIE_OFF",
            "RTC_PIE_ON",
            "RTC_PIE_OFF",
            "RTC_WIE_ON",
            "RTC_WIE_OFF",
            "RTC_VL_CLR",
        ),
        Absent(),
    ),
}
