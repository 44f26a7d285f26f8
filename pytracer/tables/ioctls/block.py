"""Requests of block devices.

Source: include/uapi/linux/{fs,blkpg,blkzoned,blktrace_api}.h.
"""

from __future__ import annotations

from pytracer.spec.aggregate import Chars, FixedArray, Pad, StructOf
from pytracer.spec.exchange import Completed
from pytracer.spec.pointer import In, Out
from pytracer.spec.scalar import Enum, Int, Number, Pid, Size, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.type import Type
from pytracer.tables.constants.devices import BLKPG_OPERATIONS

BLKTRACE_BDEV_SIZE = 32  # include/uapi/linux/blktrace_api.h
WIDE = Number("u64")
PAIR = In(FixedArray(WIDE, 2))
LONG = Number("klong")
PARTITION = StructOf(
    start=Number("s64"),
    length=Number("s64"),
    pno=Int(),
    devname=Chars(64, whole=True),
    volname=Chars(64, whole=True),
)
PARTITION_CHANGE = StructOf(
    op=Enum(BLKPG_OPERATIONS), flags=Int(), datalen=Int(), data=In(PARTITION)
)
TRACE_SETUP = Completed(
    StructOf(
        name=Pad(BLKTRACE_BDEV_SIZE),
        act_mask=Number("ushort"),
        buf_size=UInt(),
        buf_nr=UInt(),
        start_lba=WIDE,
        end_lba=WIDE,
        pid=Pid(),
    ),
    StructOf(name=Chars(BLKTRACE_BDEV_SIZE, whole=True)),
)

REQUESTS: dict[str, Type] = {
    **dict.fromkeys(("BLKRASET", "BLKFRASET"), Size()),
    **dict.fromkeys(("BLKSECTGET", "BLKROTATIONAL"), Out(Number("ushort"))),
    **dict.fromkeys(("BLKROGET", "BLKBSZGET", "BLKSSZGET", "BLKALIGNOFF"), Out(Int())),
    **dict.fromkeys(("BLKROSET", "BLKBSZSET"), In(Int())),
    **dict.fromkeys(
        (
            "BLKPBSZGET",
            "BLKIOMIN",
            "BLKIOOPT",
            "BLKDISCARDZEROES",
            "BLKGETZONESZ",
            "BLKGETNRZONES",
        ),
        Out(UInt()),
    ),
    **dict.fromkeys(("BLKRAGET", "BLKFRAGET"), Out(LONG)),
    "BLKGETSIZE": Out(Number("kulong")),
    **dict.fromkeys(("BLKGETSIZE64", "BLKGETDISKSEQ"), Out(WIDE)),
    **dict.fromkeys(("BLKDISCARD", "BLKSECDISCARD", "BLKZEROOUT"), PAIR),
    "BLKPG": In(PARTITION_CHANGE),
    "BLKTRACESETUP": TRACE_SETUP,
    **dict.fromkeys(
        ("BLKRRPART", "BLKFLSBUF", "BLKTRACESTART", "BLKTRACESTOP", "BLKTRACETEARDOWN"),
        Absent(),
    ),
}
