"""Requests of which a device has but a few: random, inotify, epoll, watchdogs, counters,
udmabuf.

Source: include/uapi/linux/{random,inotify,eventpoll,watchdog,counter,udmabuf}.h, Linux 6.18.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import ArrayOf, Chars, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import Bytes, In, Out
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Int, Number, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.trailing import Trailing
from pytracer.spec.type import NonZero, Scope, Type
from pytracer.spec.values import Integer, Noted, Value
from pytracer.tables.constants.boards import (
    COUNTER_COMPONENTS,
    COUNTER_EVENTS,
    COUNTER_SCOPES,
    UDMABUF_FLAGS,
)
from pytracer.tables.constants.watchdog import WATCHDOG_OPTIONS, WATCHDOG_SETTINGS


class _Microseconds(Number):
    """A span of time, with its length in seconds."""

    def __init__(self) -> None:
        super().__init__("uint")

    def bind(self, scope: Scope) -> Decode:
        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Value:
            seconds, part = divmod(raw, 1000000)
            return Noted(Integer(raw), f"{seconds}.{part:06d} s")

        return decode


EPOLL_PARAMS = StructOf(
    busy_poll_usecs=_Microseconds(),
    busy_poll_budget=Number("ushort"),
    prefer_busy_poll=Hex("uchar"),
    __pad=NonZero(Hex("uchar")),
)
ENTROPY = Trailing(StructOf(entropy_count=Int(), buf_size=Int()), "buf", Bytes(length="buf_size"))
WATCHDOG = StructOf(
    options=FlagSet(WATCHDOG_OPTIONS), firmware_version=UInt(), identity=Chars(32, whole=True)
)
_BYTE = Number("uchar")
COUNTER_WATCH = StructOf(
    component=StructOf(
        type=Enum(COUNTER_COMPONENTS, "uchar"),
        scope=Enum(COUNTER_SCOPES, "uchar"),
        parent=_BYTE,
        id=_BYTE,
    ),
    event=Enum(COUNTER_EVENTS, "uchar"),
    channel=_BYTE,
)
_MEMORY = StructOf(
    memfd=Fd(), flags=FlagSet(UDMABUF_FLAGS), offset=Number("u64"), size=Number("u64")
)
_ITEM = StructOf(memfd=Fd(), pad=Pad(4, 4), offset=Number("u64"), size=Number("u64"))
UDMABUF_LIST = Trailing(
    StructOf(flags=FlagSet(UDMABUF_FLAGS), count=UInt()), "list", ArrayOf(_ITEM, "count")
)

REQUESTS: dict[str, Type] = {
    "RNDGETENTCNT": Out(Int()),
    "RNDADDTOENTCNT": In(Int()),
    "RNDADDENTROPY": ENTROPY,
    **dict.fromkeys(("RNDZAPENTCNT", "RNDCLEARPOOL", "RNDRESEEDCRNG"), Absent()),
    "INOTIFY_IOC_SETNEXTWD": Int(),
    "EPIOCSPARAMS": In(EPOLL_PARAMS),
    "EPIOCGPARAMS": Out(EPOLL_PARAMS),
    **dict.fromkeys(
        (
            "WDIOC_GETSTATUS",
            "WDIOC_GETBOOTSTATUS",
            "WDIOC_GETTEMP",
            "WDIOC_GETTIMEOUT",
            "WDIOC_GETPRETIMEOUT",
            "WDIOC_GETTIMELEFT",
        ),
        Out(Int()),
    ),
    **dict.fromkeys(("WDIOC_SETTIMEOUT", "WDIOC_SETPRETIMEOUT"), In(Int())),
    "WDIOC_SETOPTIONS": In(FlagSet(WATCHDOG_SETTINGS)),
    "WDIOC_GETSUPPORT": Out(WATCHDOG),
    "WDIOC_KEEPALIVE": Absent(),
    "UDMABUF_CREATE": In(_MEMORY),
    "UDMABUF_CREATE_LIST": UDMABUF_LIST,
    "COUNTER_ADD_WATCH_IOCTL": In(COUNTER_WATCH),
    **dict.fromkeys(("COUNTER_ENABLE_EVENTS_IOCTL", "COUNTER_DISABLE_EVENTS_IOCTL"), Absent()),
}
