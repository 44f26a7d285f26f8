"""Requests of SCSI, ATA and network block devices that pass a number, or little more.

Source: include/scsi/sg.h, include/uapi/linux/{hdreg,nbd}.h.
"""

from __future__ import annotations

from pytracer.spec.aggregate import ArrayOf, Pad, StructOf
from pytracer.spec.choice import ByAbi
from pytracer.spec.pointer import Bytes, In, Out
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Int, Number, Scalar, Size
from pytracer.spec.switch import Absent
from pytracer.spec.type import Type
from pytracer.spec.values import Joined, Symbol, Value
from pytracer.tables.constants.block import (
    HDIO_BUS_STATES,
    HDIO_NICE,
    NBD_FLAGS,
    SG_RESETS,
    SG_SCSI_RESET_NO_ESCALATE,
)

BYTE = Number("uchar")
GEOMETRY = StructOf(heads=BYTE, sectors=BYTE, cylinders=Number("ushort"), start=Number("ulong"))

SCSI_ID = StructOf(
    host_no=Int(),
    channel=Int(),
    scsi_id=Hex(),
    lun=Int(),
    scsi_type=Hex(),
    h_cmd_per_lun=Number("short"),
    d_queue_depth=Number("short"),
    unused=Pad(8),
)


class Reset(Scalar):
    """What is to be reset, and whether more than that may be."""

    def __init__(self) -> None:
        super().__init__("uint")

    def make(self, number: int) -> Value:
        alone = number & SG_SCSI_RESET_NO_ESCALATE
        what = number & ~SG_SCSI_RESET_NO_ESCALATE
        kind = Symbol(what, SG_RESETS.name_of(what), SG_RESETS.unknown)
        if not alone:
            return kind
        return Joined((Symbol(alone, SG_RESETS.name_of(alone)), kind))


_SETTINGS = ("32BIT", "ACOUSTIC", "ADDRESS", "DMA", "NOWERR", "WCACHE")


def _native(kind: Type) -> Type:
    """What the kernel never had for 32-bit callers of another."""
    return ByAbi(kind, i386=Hex("kulong"))


_WORD = Number("kulong")
_STATE = Enum(HDIO_BUS_STATES, "kulong")
_NICE = FlagSet(HDIO_NICE, "kulong")

REQUESTS: dict[str, Type] = {
    "HDIO_GETGEO": Out(GEOMETRY),
    "HDIO_GET_IDENTITY": _native(Out(Bytes(512))),
    "HDIO_OBSOLETE_IDENTITY": _native(Out(Bytes(142))),
    "HDIO_GET_BUSSTATE": _native(Out(_STATE)),
    "HDIO_SET_BUSSTATE": _native(_STATE),
    "HDIO_GET_NICE": _native(Out(_NICE)),
    "HDIO_SET_NICE": _native(_NICE),
    **dict.fromkeys(("HDIO_DRIVE_RESET", "HDIO_SCAN_HWIF"), _native(ArrayOf(Hex(), 3))),
    **{
        f"HDIO_GET_{name}": _native(Out(_WORD))
        for name in (*_SETTINGS, "MULTCOUNT", "KEEPSETTINGS", "UNMASKINTR")
    },
    **{
        f"HDIO_SET_{name}": _native(_WORD)
        for name in (*_SETTINGS, "MULTCOUNT", "KEEPSETTINGS", "UNMASKINTR", "PIO_MODE")
    },
    "HDIO_UNREGISTER_HWIF": _native(_WORD),
    "SG_GET_SCSI_ID": Out(SCSI_ID),
    "SG_SCSI_RESET": In(Reset()),
    **dict.fromkeys(
        (
            "SG_NEXT_CMD_LEN",
            "SG_SET_COMMAND_Q",
            "SG_SET_DEBUG",
            "SG_SET_FORCE_LOW_DMA",
            "SG_SET_FORCE_PACK_ID",
            "SG_SET_KEEP_ORPHAN",
            "SG_SET_RESERVED_SIZE",
            "SG_SET_TIMEOUT",
        ),
        In(Int()),
    ),
    **dict.fromkeys(
        (
            "SG_EMULATED_HOST",
            "SG_GET_COMMAND_Q",
            "SG_GET_KEEP_ORPHAN",
            "SG_GET_LOW_DMA",
            "SG_GET_NUM_WAITING",
            "SG_GET_PACK_ID",
            "SG_GET_RESERVED_SIZE",
            "SG_GET_SG_TABLESIZE",
            "SG_GET_TRANSFORM",
            "SG_GET_VERSION_NUM",
        ),
        Out(Int()),
    ),
    "SG_SET_TRANSFORM": Hex(),
    "SG_GET_TIMEOUT": Absent(),
    **dict.fromkeys(
        (
            "NBD_DISCONNECT",
            "NBD_CLEAR_SOCK",
            "NBD_DO_IT",
            "NBD_CLEAR_QUE",
            "NBD_PRINT_DEBUG",
        ),
        Absent(),
    ),
    "NBD_SET_SOCK": Fd(),
    **dict.fromkeys(
        ("NBD_SET_BLKSIZE", "NBD_SET_SIZE", "NBD_SET_SIZE_BLOCKS", "NBD_SET_TIMEOUT"), Size()
    ),
    "NBD_SET_FLAGS": FlagSet(NBD_FLAGS),
}
