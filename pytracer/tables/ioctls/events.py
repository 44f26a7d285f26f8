"""Requests of input devices: those whose argument has a fixed size.

Source: include/uapi/linux/input.h.
"""

from __future__ import annotations

from pytracer.spec.aggregate import FixedArray, StructOf
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Hex, Int, Number, Pointer, Size, UInt
from pytracer.spec.type import Type

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

REQUESTS: dict[str, Type] = {
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
