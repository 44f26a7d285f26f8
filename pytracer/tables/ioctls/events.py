"""Requests of input devices: those whose argument has a fixed size.

Source: include/uapi/linux/input.h.
"""

from __future__ import annotations

import struct
from typing import Any

from pytracer.spec.aggregate import FixedArray, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, Hex, Int, Number, Pointer, Size, UInt
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Array, Integer, Value
from pytracer.tables.constants.input import EV_KEYS

SHORT = Number("ushort")
IDENTITY = StructOf(bustype=SHORT, vendor=SHORT, product=SHORT, version=SHORT)
AXIS = StructOf(
    brief=("value", "minimum"),
    value=UInt(),
    minimum=UInt(),
    maximum=UInt(),
    fuzz=UInt(),
    flat=UInt(),
    resolution=UInt(),
)
PAIR = FixedArray(UInt(), 2)
ABS_CNT = 0x40

KEY = Enum(EV_KEYS)


class Keycode(FixedArray):
    """What a keyboard sends, and the key that it stands for."""

    def __init__(self) -> None:
        super().__init__(UInt(), 2)

    def bind(self, scope: Scope) -> Decode:
        decode_key = KEY.bind(scope)

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            scan, key = struct.unpack("<II", raw)
            return Array((Integer(scan), decode_key(ctx, key, frame)))

        return decode


KEYMAP_ENTRY = StructOf(
    ("flags", "len"),
    flags=Number("uchar"),
    len=Number("uchar"),
    index=Number("ushort"),
    keycode=KEY,
    scancode=FixedArray(Hex("uchar"), 32),
)

REQUESTS: dict[str, Type] = {
    "EVIOCGKEYCODE": Out(Keycode()),
    "EVIOCSKEYCODE": In(Keycode()),
    "EVIOCGKEYCODE_V2": Out(KEYMAP_ENTRY),
    "EVIOCSKEYCODE_V2": In(KEYMAP_ENTRY),
    "EVIOCGVERSION": Out(Hex()),
    "EVIOCGEFFECTS": Out(UInt()),
    "EVIOCGID": Out(IDENTITY),
    "EVIOCGREP": Out(PAIR),
    "EVIOCSREP": In(PAIR),
    "EVIOCRMFF": Int(),
    **dict.fromkeys(("EVIOCGRAB", "EVIOCREVOKE"), Size()),
    "EVIOCSCLOCKID": In(UInt()),
}
# EVIOCGABS(axis) and EVIOCSABS(axis), for each of the axes.
CODES: dict[int, Type] = {
    **{0x80184540 + axis: Out(AXIS) for axis in range(ABS_CNT)},
    **{0x401845C0 + axis: In(AXIS) for axis in range(ABS_CNT)},
}
# The others are shown as pointers.
DEFAULT = Pointer()
