"""Messages of NETLINK_KOBJECT_UEVENT: what the kernel tells of devices, and udev passes on.

Source: struct udev_monitor_netlink_header, src/libsystemd/sd-device/device-monitor.c, systemd 252.
"""

from __future__ import annotations

from typing import Final

from pytracer.spec.abi import X86_64
from pytracer.spec.aggregate import Chars, StructOf
from pytracer.spec.context import Context
from pytracer.spec.scalar import Number, Scalar
from pytracer.spec.type import Scope
from pytracer.spec.values import Array, Base, Function, Integer, Value
from pytracer.tables.netlink.attributes import plain


class _Swapped(Scalar):
    """A number in network byte order, in hexadecimal: htonl(0xfeedcafe)."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        host = int.from_bytes(number.to_bytes(4, "little"), "big")
        return Function("htonl", (Integer(host, Base.HEX),))


_UINT = Number("uint")
_HEADER = StructOf(
    prefix=Chars(8, whole=True),
    magic=_Swapped(),
    header_size=_UINT,
    properties_off=_UINT,
    properties_len=_UINT,
    filter_subsystem_hash=_Swapped(),
    filter_devtype_hash=_Swapped(),
    filter_tag_bloom_hi=_Swapped(),
    filter_tag_bloom_lo=_Swapped(),
)
HEADER_BYTES: Final = _HEADER.measure(X86_64)[0]
PREFIX: Final = b"libudev\0"


def udev_message(ctx: Context, data: bytes) -> Value:
    """Decode a message that begins with udev's header, all of which is there."""
    header: Value = _HEADER.bind(Scope(X86_64, {}))(ctx, data[:HEADER_BYTES], ())
    rest = data[HEADER_BYTES:]
    if not rest:
        return header
    text = plain(ctx, rest, 0)
    assert text is not None
    return Array((header, text))
