"""Requests of SCSI, ATA and network block devices that pass a number or nothing.

Source: include/scsi/sg.h, include/uapi/linux/{hdreg,nbd}.h.
"""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Fd, FlagSet, Hex, Int, Number, Size
from pytracer.spec.switch import Absent
from pytracer.spec.type import Type
from pytracer.tables.constants.block import NBD_FLAGS

BYTE = Number("uchar")
GEOMETRY = StructOf(heads=BYTE, sectors=BYTE, cylinders=Number("ushort"), start=Number("ulong"))

REQUESTS: dict[str, Type] = {
    "HDIO_GETGEO": Out(GEOMETRY),
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
