"""Requests of which a device has but a few: random, inotify, epoll, watchdogs.

Source: include/uapi/linux/{random,inotify,eventpoll,watchdog}.h, Linux 6.18.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.aggregate import Chars, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.pointer import Bytes, In, Out
from pytracer.spec.scalar import FlagSet, Hex, Int, Number, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.trailing import Trailing
from pytracer.spec.type import NonZero, Scope, Type
from pytracer.spec.values import Integer, Noted, Value
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
}
