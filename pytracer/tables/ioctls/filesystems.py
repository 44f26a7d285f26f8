"""Requests that file systems serve.

Source: include/uapi/linux/{fs,fiemap}.h, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import ArrayOf, Chars, Pad, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Exchange
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Int, Number, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.trailing import Trailing
from pytracer.spec.type import DecodeAt, Scope, Type, signed
from pytracer.spec.values import Array, Text, Value
from pytracer.tables.constants.files import (
    FIEMAP_EXTENT_FLAGS,
    FIEMAP_FLAGS,
    FS_IOC_FLAGS,
    FS_SHUTDOWN_FLAGS,
    FS_XFLAGS,
    LBMD_PI_CAPS,
    LBMD_PI_CSUMS,
)

FSLABEL_MAX = 256  # include/uapi/linux/fs.h
WIDE = Number("u64")
BYTE = Number("uchar")


class WideFd(Fd):
    """A descriptor stored in 64 bits, of which the kernel looks at 32."""

    ctype = "s64"

    def number(self, abi: Layout) -> Callable[[int], int]:
        return signed(4)


class _Few(ArrayOf):
    """An array of which two elements are shown, unless nothing is abbreviated."""

    def bind_at(self, scope: Scope) -> DecodeAt:
        decode_array = super().bind_at(scope)

        def decode_at(ctx: Context, address: int, frame: tuple[Any, ...]) -> Value:
            value: Value = decode_array(ctx, address, frame)
            if isinstance(value, Array):
                value.brief = 2
            return value

        return decode_at


class _Uuid(Chars):
    """The 16 bytes of an identifier, of which ``len`` count."""

    def __init__(self) -> None:
        super().__init__(16, cstr=False, whole=True)

    def bind(self, scope: Scope) -> Decode:
        length = scope.number("len")

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            return Text(raw[: length(ctx, frame)], escaped=True)

        return decode


CLONE_RANGE = StructOf(src_fd=WideFd(), src_offset=WIDE, src_length=WIDE, dest_offset=WIDE)
_RANGE = {
    "src_offset": WIDE,
    "src_length": WIDE,
    "dest_count": Number("ushort"),
    "reserved": Pad(6),
}
DEDUPE_RANGE = Exchange(
    Trailing(
        StructOf(**_RANGE),  # type: ignore[arg-type]
        "info",
        _Few(StructOf(dest_fd=WideFd(), dest_offset=WIDE, answer=Pad(16)), "dest_count"),
    ),
    Trailing(
        StructOf(order=(), **_RANGE),  # type: ignore[arg-type]
        "info",
        _Few(
            StructOf(question=Pad(16), bytes_deduped=WIDE, status=Int(), reserved=Pad(4)),
            "dest_count",
        ),
    ),
)
FIEMAP_ASKED = StructOf(
    fm_start=WIDE,
    fm_length=WIDE,
    fm_flags=FlagSet(FIEMAP_FLAGS),
    mapped=Pad(4),
    fm_extent_count=UInt(),
    reserved=Pad(4),
)
FIEMAP_FOUND = Trailing(
    StructOf(
        brief=("fm_flags", "fm_mapped_extents"),
        asked=Pad(16),
        fm_flags=FlagSet(FIEMAP_FLAGS),
        fm_mapped_extents=UInt(),
        count=Pad(8),
    ),
    "fm_extents",
    ArrayOf(
        StructOf(
            fe_logical=WIDE,
            fe_physical=WIDE,
            fe_length=WIDE,
            reserved64=Pad(16),
            fe_flags=FlagSet(FIEMAP_EXTENT_FLAGS),
            reserved=Pad(12),
        ),
        "fm_mapped_extents",
    ),
    rarely=True,
)
INODE_FLAGS = FlagSet(FS_IOC_FLAGS)
TRIM_RANGE = StructOf(start=Hex("u64"), len=WIDE, minlen=WIDE)
LABEL = Chars(FSLABEL_MAX, whole=True)


def _fsxattr(extents: Type) -> StructOf:
    return StructOf(
        fsx_xflags=FlagSet(FS_XFLAGS),
        fsx_extsize=UInt(),
        fsx_nextents=extents,
        fsx_projid=Hex(),
        fsx_cowextsize=UInt(),
        fsx_pad=Pad(8),
    )


METADATA_CAPABILITY = StructOf(
    lbmd_flags=FlagSet(LBMD_PI_CAPS),
    lbmd_interval=Number("ushort"),
    lbmd_size=BYTE,
    lbmd_opaque_size=BYTE,
    lbmd_opaque_offset=BYTE,
    lbmd_pi_size=BYTE,
    lbmd_pi_offset=BYTE,
    lbmd_guard_tag_type=Enum(LBMD_PI_CSUMS, "uchar"),
    lbmd_app_tag_size=BYTE,
    lbmd_ref_tag_size=BYTE,
    lbmd_storage_tag_size=BYTE,
    pad=Pad(1),
)

REQUESTS: dict[str, Type] = {
    "FICLONE": Int(),
    "FICLONERANGE": In(CLONE_RANGE),
    "FIDEDUPERANGE": DEDUPE_RANGE,
    "FS_IOC_FIEMAP": Exchange(FIEMAP_ASKED, FIEMAP_FOUND),
    "FS_IOC_GETFSLABEL": Out(LABEL),
    "FS_IOC_SETFSLABEL": In(LABEL),
    **dict.fromkeys(("FS_IOC_GETFLAGS", "FS_IOC32_GETFLAGS"), Out(INODE_FLAGS)),
    **dict.fromkeys(("FS_IOC_SETFLAGS", "FS_IOC32_SETFLAGS"), In(INODE_FLAGS)),
    "FS_IOC_FSGETXATTR": Out(_fsxattr(UInt())),
    "FS_IOC_FSSETXATTR": In(_fsxattr(Pad(4))),
    "FS_IOC_GETFSUUID": Out(StructOf(len=BYTE, uuid=_Uuid())),
    "FS_IOC_GETFSSYSFSPATH": Out(StructOf(len=BYTE, name=Chars(128, whole=True))),
    "FS_IOC_GETLBMD_CAP": Out(METADATA_CAPABILITY),
    "FS_IOC_SHUTDOWN": In(Enum(FS_SHUTDOWN_FLAGS)),
    "FITRIM": In(TRIM_RANGE),
    **dict.fromkeys(("FIFREEZE", "FITHAW"), Absent()),
}
