"""Requests of raw flash memory, and of volumes on it.

Source: include/uapi/mtd/{mtd-abi,ubi-user}.h.
"""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import Layout
from pytracer.spec.aggregate import Chars, FixedArray, Pad, Placed, StructOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.exchange import Completed, Exchange
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, FlagSet, Hex, Int, Number, Pointer, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Value
from pytracer.tables.constants.block import (
    MTD_FILE_MODES,
    MTD_FLAGS,
    MTD_NAND_ECC,
    MTD_OPS,
    MTD_OTP,
    MTD_TYPES,
    UBI_DATA_TYPES,
    UBI_VOLUME_FLAGS,
    UBI_VOLUME_PROPERTIES,
    UBI_VOLUME_TYPES,
)
from pytracer.tables.structs.futex import WideAddress

X32, X64 = Hex(), Hex("u64")
S16, S32, S64 = Number("short"), Int(), Number("s64")

# Raw flash

ERASE = StructOf(start=X32, length=X32)
ERASE64 = StructOf(start=X64, length=X64)
SPARE = StructOf(start=X32, length=X32, ptr=Pointer())
SPARE64 = StructOf(start=X64, pad=Pad(4, 4), length=X32, usr_ptr=WideAddress())
WRITE = StructOf(
    start=X64,
    len=X64,
    ooblen=X64,
    usr_data=WideAddress(),
    usr_oob=WideAddress(),
    mode=Enum(MTD_OPS, "uchar"),
    rest=Pad(7),
)
OTP = StructOf(start=X32, length=X32, locked=UInt())
INFO = StructOf(
    type=Enum(MTD_TYPES, "uchar"),
    flags=FlagSet(MTD_FLAGS),
    size=X32,
    erasesize=X32,
    writesize=X32,
    oobsize=X32,
    padding=X64,
)
SPARE_INFO = StructOf(
    useecc=Enum(MTD_NAND_ECC),
    eccbytes=X32,
    oobfree=FixedArray(FixedArray(X32, 2), 8),
    eccpos=FixedArray(X32, 32),
)
ECC_LAYOUT = StructOf(
    eccbytes=X32,
    eccpos=FixedArray(X32, 64),
    oobavail=X32,
    oobfree=FixedArray(StructOf(offset=X32, length=X32), 8),
)
ECC_STATS = StructOf(corrected=X32, failed=X32, badblocks=X32, bbtblocks=X32)


def _region(*shown: str) -> StructOf:
    return StructOf(None, shown, offset=X32, erasesize=X32, numblocks=X32, regionindex=X32)


# Volumes


class _Name(Chars):
    """The name of a volume: no more than ``name_len`` says."""

    def __init__(self) -> None:
        super().__init__(128, whole=True)

    def bind(self, scope: Scope) -> Decode:
        decode_whole = super().bind(scope)
        length = scope.number("name_len")

        def decode(ctx: Context, raw: bytes, frame: tuple[Any, ...]) -> Value:
            end = 1 + min(max(length(ctx, frame), 0), self.size - 1)
            value: Value = decode_whole(ctx, raw[:end], frame)
            return value

        return decode


class _Packed(StructOf):
    """A structure that ends with its last field."""

    def place(self, abi: Layout) -> tuple[tuple[Placed, ...], int, int]:
        placed, _, _ = super().place(abi)
        return placed, placed[-1].offset + placed[-1].size, 1


VOLUME = StructOf(
    vol_id=S32,
    alignment=S32,
    bytes=S64,
    vol_type=Enum(UBI_VOLUME_TYPES, "uchar"),
    flags=FlagSet(UBI_VOLUME_FLAGS, "uchar"),
    name_len=S16,
    padding=Pad(4),
    name=_Name(),
)
RESIZE = _Packed(bytes=S64, vol_id=S32)
CHANGE = StructOf(lnum=S32, bytes=S32, dtype=Enum(UBI_DATA_TYPES, "uchar"), padding=Pad(7))
MAP = StructOf(lnum=S32, dtype=Enum(UBI_DATA_TYPES, "uchar"), padding=Pad(3))
ATTACH = StructOf(
    ubi_num=S32, mtd_num=S32, vid_hdr_offset=S32, max_beb_per1024=S16, padding=Pad(10)
)
PROPERTY = StructOf(property=Enum(UBI_VOLUME_PROPERTIES, "uchar"), padding=Pad(7), value=X64)

REQUESTS: dict[str, Type] = {
    **dict.fromkeys(("MEMERASE", "MEMLOCK", "MEMUNLOCK", "MEMISLOCKED"), In(ERASE)),
    "MEMERASE64": In(ERASE64),
    **dict.fromkeys(("MEMWRITEOOB", "MEMREADOOB"), In(SPARE)),
    **dict.fromkeys(("MEMWRITEOOB64", "MEMREADOOB64"), In(SPARE64)),
    "MEMWRITE": In(WRITE),
    "OTPGETREGIONINFO": Out(OTP),
    "OTPLOCK": In(OTP),
    "OTPSELECT": In(Enum(MTD_OTP)),
    "MTDFILEMODE": Enum(MTD_FILE_MODES, "kulong"),
    **dict.fromkeys(("MEMGETBADBLOCK", "MEMSETBADBLOCK"), In(Number("u64"))),
    "MEMGETINFO": Out(INFO),
    "MEMGETOOBSEL": Out(SPARE_INFO),
    "ECCGETLAYOUT": Out(ECC_LAYOUT),
    "ECCGETSTATS": Out(ECC_STATS),
    "OTPGETREGIONCOUNT": Out(UInt()),
    "MEMGETREGIONCOUNT": Out(Int()),
    "MEMGETREGIONINFO": Completed(
        _region("regionindex"), _region("offset", "erasesize", "numblocks")
    ),
    "UBI_IOCMKVOL": Exchange(VOLUME, Int()),
    "UBI_IOCRSVOL": In(RESIZE),
    "UBI_IOCEBCH": In(CHANGE),
    "UBI_IOCATT": Exchange(ATTACH, Int()),
    "UBI_IOCEBMAP": In(MAP),
    "UBI_IOCSETVOLPROP": In(PROPERTY),
    "UBI_IOCVOLUP": In(S64),
    **dict.fromkeys(
        (
            "UBI_IOCDET",
            "UBI_IOCEBER",
            "UBI_IOCEBISMAP",
            "UBI_IOCEBUNMAP",
            "UBI_IOCRMVOL",
            "UBI_IOCRPEB",
            "UBI_IOCSPEB",
        ),
        In(Int()),
    ),
    **dict.fromkeys(("UBI_IOCVOLCRBLK", "UBI_IOCVOLRMBLK"), Absent()),
}
