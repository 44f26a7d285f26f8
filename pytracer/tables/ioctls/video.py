"""Requests of video devices: what they are, their inputs, standards, controls and areas.

Source: include/uapi/linux/videodev2.h.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import Chars, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Completed
from pytracer.spec.pointer import In, Out, merge
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Number, Pointer, Scalar, UInt
from pytracer.spec.type import NonZero, Scope, Type
from pytracer.spec.values import Base, Integer, Joined, Struct, Symbol, Value
from pytracer.tables.constants.v4l2 import (
    V4L2_BUF_TYPES,
    V4L2_CAPABILITIES,
    V4L2_CONTROL_CLASSES,
    V4L2_CONTROL_IDS,
    V4L2_INPUT_TYPES,
    V4L2_MEMORIES,
    V4L2_TUNER_AUDIO_MODES,
    V4L2_TUNER_CAPABILITIES,
    V4L2_TUNER_SUBCHANNELS,
    V4L2_TUNER_TYPES,
)
from pytracer.tables.structs.bpfparts import KernelVersion

_CLASSES = sorted(number for number, _ in V4L2_CONTROL_CLASSES.entries)
# Controls of a class begin with its number, as V4L2_CTRL_ID2CLASS has it.
_OF_CLASS = 0x10000


class _Control(Scalar):
    """A control: its name, or its place in its class."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        name = V4L2_CONTROL_IDS.name_of(number)
        place = bisect_right(_CLASSES, number)
        if name is None and place and number - _CLASSES[place - 1] < _OF_CLASS:
            first = _CLASSES[place - 1]
            name = f"{V4L2_CONTROL_CLASSES.name_of(first)}+{number - first:#x}"
        return Symbol(number, name, "V4L2_CID_???", Base.HEX)


class _Fraction(Type):
    """A fraction of two numbers."""

    def measure(self, abi: Layout) -> tuple[int, int, str]:
        return 8, 4, "8s"

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            parts = (int.from_bytes(part, "little") for part in (raw[:4], raw[4:]))
            return Joined(tuple(map(Integer, parts)), "/")

        return decode


class _Answered(Completed):
    """A structure whose last field the kernel may change, before it fills in others."""

    def join(self, before: Value, after: Value) -> Value:
        if not isinstance(before, Struct) or not isinstance(after, Struct):
            return before
        (name, asked), (_, told) = before.fields[-1], after.fields[0]
        last = name, merge(asked, told)
        return Struct((*before.fields[:-1], last), before.address)


_FLAGS = FlagSet(V4L2_CAPABILITIES)
_BUFFERS = Enum(V4L2_BUF_TYPES)
CAPABILITY = StructOf(
    driver=Chars(16, whole=True),
    card=Chars(32, whole=True),
    bus_info=Chars(32, whole=True),
    version=KernelVersion(),
    capabilities=_FLAGS,
    device_caps=NonZero(_FLAGS),
    reserved=Pad(12, 4),
)
AREA = StructOf(left=Int(), top=Int(), width=UInt(), height=UInt())
FRAME_BUFFER = StructOf(capability=Hex(), flags=Hex(), base=Pointer(), fmt=Pad(32, 4))


def _request(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        count=UInt(),
        type=_BUFFERS,
        memory=Enum(V4L2_MEMORIES),
        capabilities=Pad(8, 4),
    )


def _standard(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        index=UInt(),
        id=Number("u64"),
        name=Chars(24, whole=True),
        frameperiod=_Fraction(),
        framelines=UInt(),
        reserved=Pad(16, 4),
    )


def _input(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        index=UInt(),
        name=Chars(32, whole=True),
        type=Enum(V4L2_INPUT_TYPES),
        audioset=Pad(8, 4),
        std=Number("u64"),
        status=Pad(20, 4),
    )


def _control(*shown: str) -> StructOf:
    return StructOf(None, shown, id=_Control(), value=Int())


def _tuner(*shown: str) -> StructOf:
    return StructOf(
        None,
        shown,
        index=UInt(),
        name=Chars(32, whole=True),
        type=Enum(V4L2_TUNER_TYPES),
        capability=FlagSet(V4L2_TUNER_CAPABILITIES),
        rangelow=UInt(),
        rangehigh=UInt(),
        rxsubchans=FlagSet(V4L2_TUNER_SUBCHANNELS),
        audmode=Enum(V4L2_TUNER_AUDIO_MODES),
        signal=Int(),
        afc=Int(),
        reserved=Pad(16, 4),
    )


def _crop(*shown: str) -> StructOf:
    return StructOf(None, shown, type=_BUFFERS, c=AREA)


def _croppable(*shown: str) -> StructOf:
    return StructOf(None, shown, type=_BUFFERS, bounds=AREA, defrect=AREA, pixelaspect=_Fraction())


REQUESTS: dict[str, Type] = {
    "VIDIOC_QUERYCAP": Out(CAPABILITY),
    "VIDIOC_REQBUFS": _Answered(_request("type", "memory", "count"), _request("count")),
    **dict.fromkeys(("VIDIOC_STREAMON", "VIDIOC_STREAMOFF"), In(_BUFFERS)),
    "VIDIOC_G_FBUF": Out(FRAME_BUFFER),
    "VIDIOC_S_FBUF": In(FRAME_BUFFER),
    "VIDIOC_G_STD": Out(Hex("u64")),
    "VIDIOC_S_STD": In(Hex("u64")),
    "VIDIOC_ENUMSTD": Completed(_standard("index"), _standard("name", "frameperiod", "framelines")),
    "VIDIOC_ENUMINPUT": Completed(_input("index"), _input("name", "type")),
    "VIDIOC_G_INPUT": Out(UInt()),
    "VIDIOC_S_INPUT": In(UInt()),
    "VIDIOC_G_CTRL": Completed(_control("id"), _control("value")),
    "VIDIOC_S_CTRL": _Answered(_control("id", "value"), _control("value")),
    "VIDIOC_G_TUNER": Completed(
        _tuner("index"),
        _tuner(
            *("name", "type", "capability", "rangelow", "rangehigh", "rxsubchans", "audmode"),
            *("signal", "afc"),
        ),
    ),
    "VIDIOC_CROPCAP": Completed(_croppable("type"), _croppable("bounds", "defrect", "pixelaspect")),
    "VIDIOC_G_CROP": Completed(_crop("type"), _crop("c")),
    "VIDIOC_S_CROP": In(_crop("type", "c")),
}
