"""Requests of general-purpose input and output lines.

Source: include/uapi/linux/gpio.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import Chars, FixedArray, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.pointer import In, Out
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Fd, FlagSet, Hex, Number, UInt
from pytracer.spec.type import AnyBit, NonZero, Scope, Type
from pytracer.spec.upto import UpTo
from pytracer.spec.values import Struct, Value
from pytracer.tables.constants.boards import (
    GPIO_EVENT_FLAGS,
    GPIO_HANDLE_FLAGS,
    GPIO_LINE_FLAGS,
    GPIO_V2_LINE_ATTR_ID_DEBOUNCE,
    GPIO_V2_LINE_ATTR_ID_FLAGS,
    GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES,
    GPIO_V2_LINE_FLAGS,
)

LINES = 64  # GPIOHANDLES_MAX, GPIO_V2_LINES_MAX
ATTRIBUTES = 10  # GPIO_V2_LINE_NUM_ATTRS_MAX
NAME = Chars(32, whole=True)
_BYTE = Number("uchar")
_WIDE = Hex("u64")

# The first version

CHIP = StructOf(name=NAME, label=NAME, lines=UInt())


def _line(*shown: str) -> StructOf:
    flags = FlagSet(GPIO_LINE_FLAGS)
    return StructOf(None, shown, line_offset=UInt(), flags=flags, name=NAME, consumer=NAME)


def _handle(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        lineoffsets=UpTo(UInt(), LINES, "lines"),
        flags=FlagSet(GPIO_HANDLE_FLAGS),
        default_values=UpTo(_BYTE, LINES, "lines"),
        consumer_label=NAME,
        lines=UInt(),
        fd=Fd(),
    )


def _event(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        lineoffset=UInt(),
        handleflags=FlagSet(GPIO_HANDLE_FLAGS),
        eventflags=FlagSet(GPIO_EVENT_FLAGS),
        consumer_label=NAME,
        fd=Fd(),
    )


VALUES = StructOf(values=FixedArray(_BYTE, LINES))
HANDLE_CONFIG = StructOf(
    flags=FlagSet(GPIO_HANDLE_FLAGS), default_values=FixedArray(_BYTE, LINES), padding=Pad(16, 4)
)

# The second version

_FLAGS2 = FlagSet(GPIO_V2_LINE_FLAGS, "u64")


class _Attribute(StructOf):
    """What lines are to be like, in one respect: its number decides what is told of it."""

    def __init__(self) -> None:
        super().__init__(id=UInt(), padding=NonZero(Hex()), data=_WIDE)

    def bind(self, scope: Scope) -> Decode:
        decode_plain = super().bind(scope)
        known = {
            GPIO_V2_LINE_ATTR_ID_FLAGS: ("flags", _FLAGS2.make),
            GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES: ("values", _WIDE.make),
            GPIO_V2_LINE_ATTR_ID_DEBOUNCE: ("debounce_period_us", UInt().make),
        }

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            form = known.get(int.from_bytes(raw[:4], "little"))
            if form is None or any(raw[4:8]):
                plain: Value = decode_plain(ctx, raw, frame)
                return plain
            name, make = form
            data = raw[8:12] if name == "debounce_period_us" else raw[8:]
            return Struct(((name, make(int.from_bytes(data, "little"))),))

        return decode


class _Masked(StructOf):
    """An attribute of some of the lines; what is known of it stands beside the mask."""

    def __init__(self) -> None:
        super().__init__(attr=_Attribute(), mask=_WIDE)

    def bind(self, scope: Scope) -> Decode:
        decode_plain = super().bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            value: Struct = decode_plain(ctx, raw, frame)
            (_, attribute), mask = value.fields
            if isinstance(attribute, Struct) and attribute.fields[0][0] != "id":
                value.fields = *attribute.fields, mask
            return value

        return decode


def _attributes(element: Type) -> Type:
    return UpTo(element, ATTRIBUTES, "num_attrs").when(AnyBit("num_attrs", 0xFFFFFFFF))


CONFIG = StructOf(
    flags=_FLAGS2,
    num_attrs=UInt(),
    padding=Reserved(5, whole=True),
    attrs=_attributes(_Masked()),
)


def _line2(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        name=NAME,
        consumer=NAME,
        offset=UInt(),
        num_attrs=UInt(),
        flags=_FLAGS2,
        attrs=_attributes(_Attribute()),
        padding=Reserved(4, whole=True),
    )


def _request2(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        offsets=UpTo(UInt(), LINES, "num_lines"),
        consumer=NAME,
        config=CONFIG,
        num_lines=UInt(),
        event_buffer_size=NonZero(UInt()),
        padding=Reserved(5, whole=True),
        fd=Fd(),
    )


def _values2(*shown: str) -> StructOf:
    return StructOf(None, shown, bits=_WIDE, mask=_WIDE)


_LINE = Exchange(_line("line_offset"), _line("flags", "name", "consumer"))
_LINE2 = Exchange(
    _line2("offset"), _line2("name", "consumer", "flags", "num_attrs", "attrs", "padding")
)

REQUESTS: dict[str, Type] = {
    "GPIO_GET_CHIPINFO_IOCTL": Out(CHIP),
    **dict.fromkeys(("GPIO_GET_LINEINFO_IOCTL", "GPIO_GET_LINEINFO_WATCH_IOCTL"), _LINE),
    "GPIO_GET_LINEINFO_UNWATCH_IOCTL": In(StructOf(offset=UInt())),
    "GPIO_GET_LINEHANDLE_IOCTL": Exchange(
        _handle("lines", "lineoffsets", "flags", "default_values", "consumer_label"),
        _handle("fd"),
    ),
    "GPIO_GET_LINEEVENT_IOCTL": Exchange(
        _event("lineoffset", "handleflags", "eventflags", "consumer_label"), _event("fd")
    ),
    "GPIOHANDLE_GET_LINE_VALUES_IOCTL": Out(VALUES),
    "GPIOHANDLE_SET_LINE_VALUES_IOCTL": In(VALUES),
    "GPIOHANDLE_SET_CONFIG_IOCTL": In(HANDLE_CONFIG),
    **dict.fromkeys(("GPIO_V2_GET_LINEINFO_IOCTL", "GPIO_V2_GET_LINEINFO_WATCH_IOCTL"), _LINE2),
    "GPIO_V2_GET_LINE_IOCTL": Exchange(
        _request2("num_lines", "offsets", "consumer", "config", "event_buffer_size", "padding"),
        _request2("fd"),
    ),
    "GPIO_V2_LINE_SET_CONFIG_IOCTL": In(CONFIG),
    "GPIO_V2_LINE_GET_VALUES_IOCTL": Exchange(_values2("mask"), _values2("bits")),
    "GPIO_V2_LINE_SET_VALUES_IOCTL": In(_values2("bits", "mask")),
}
