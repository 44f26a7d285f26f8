"""Requests of virtual consoles and their keyboards, those with arguments of one piece.

Source: include/uapi/linux/kd.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import Bytes, In, InOut, Out
from pytracer.spec.scalar import Enum, FlagSet, Int, Number
from pytracer.spec.switch import Absent
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Base, Integer, Joined, Noted, Value
from pytracer.tables.constants.console import (
    KD_KEYBOARD_MODES,
    KD_KEYBOARD_TYPES,
    KD_LED_DEFAULTS,
    KD_LEDS,
    KD_META,
    KD_MODES,
)
from pytracer.tables.structs.signal import SignalNumber

PIT_TICK_RATE = 1193182  # include/linux/timex.h
E_TABSZ = 256  # include/uapi/linux/kd.h
COLORS_BYTES = 3 * 16
FONT_BYTES = 8192
PORTS = range(0x3B4, 0x3E0)  # GPFIRST to GPLAST, drivers/tty/vt/vt_ioctl.c


class _Sound(Number):
    """The period of a sound in ticks of the timer, with its frequency."""

    def __init__(self) -> None:
        super().__init__("kulong")

    def make(self, number: int) -> Value:
        frequency = PIT_TICK_RATE // number if number else 0
        note = f"{frequency & 0xFFFFFFFF} Hz" if frequency & 0xFFFFFFFF else "off"
        return Noted(Integer(number), note, unless_raw=True)


class _Tone(Number):
    """A sound and how long it lasts."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        ticks, count = number >> 16, number & 0xFFFF
        if not ticks:
            return Noted(Integer(count), "off", unless_raw=True)
        shifted = Joined((Integer(ticks), Integer(16)), "<<")
        frequency = PIT_TICK_RATE // count if count else 0
        note = f"{frequency} Hz, {ticks} ms" if frequency else "off"
        return Joined((shifted, Noted(Integer(count), note, unless_raw=True)))


class _Port(Number):
    """A port of the video card, with its place among them."""

    def __init__(self) -> None:
        super().__init__("kulong", Base.HEX)

    def bind(self, scope: Scope) -> Decode:
        number = self.number(scope.abi)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            port = number(raw)
            plain = Integer(port, Base.HEX)
            if port not in PORTS:
                return plain
            return Noted(plain, f"GPFIRST + {port - PORTS.start}", unless_raw=True)

        return decode


def _bytes(count: int) -> Bytes:
    return Bytes(count, escaped=True)


REPEAT = StructOf(delay=Int(), period=Int())
HASH = StructOf(
    advised_hashsize=Number("ushort"),
    advised_hashstep=Number("ushort"),
    advised_hashlevel=Number("ushort"),
)
KEYBOARD_MODE = Enum(KD_KEYBOARD_MODES, "uint", Base.DEC)

REQUESTS: dict[str, Type] = {
    "KIOCSOUND": _Sound(),
    "KDMKTONE": _Tone(),
    "KDGETLED": Out(FlagSet(KD_LEDS, "uchar")),
    "KDSETLED": FlagSet(KD_LEDS, "uchar"),
    "KDGKBLED": Out(FlagSet(KD_LED_DEFAULTS, "uchar")),
    "KDSKBLED": FlagSet(KD_LED_DEFAULTS, "uchar"),
    "KDGKBTYPE": Out(Enum(KD_KEYBOARD_TYPES, "uchar")),
    **dict.fromkeys(("KDADDIO", "KDDELIO"), _Port()),
    "KDSETMODE": Enum(KD_MODES),
    "KDGETMODE": Out(Enum(KD_MODES)),
    "GIO_SCRNMAP": Out(_bytes(E_TABSZ)),
    "PIO_SCRNMAP": _bytes(E_TABSZ),
    "KDGKBMODE": Out(KEYBOARD_MODE),
    "KDSKBMODE": KEYBOARD_MODE,
    "KDGKBMETA": Out(Enum(KD_META)),
    "KDSKBMETA": Enum(KD_META),
    "KDSIGACCEPT": SignalNumber(),
    "KDKBDREP": InOut(REPEAT),
    "PIO_UNIMAPCLR": In(HASH),
    "GIO_CMAP": Out(_bytes(COLORS_BYTES)),
    "PIO_CMAP": _bytes(COLORS_BYTES),
    "GIO_FONT": Out(_bytes(FONT_BYTES)),
    "PIO_FONT": _bytes(FONT_BYTES),
    **dict.fromkeys(
        ("KDENABIO", "KDDISABIO", "KDMAPDISP", "KDUNMAPDISP", "PIO_FONTRESET"), Absent()
    ),
}
