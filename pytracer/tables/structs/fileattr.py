"""Extended flags of files: struct file_attr, include/uapi/linux/fs.h, Linux 6.17."""

from __future__ import annotations

from pytracer.spec.aggregate import Pad, StructOf
from pytracer.spec.pointer import Out
from pytracer.spec.scalar import FlagSet, Hex, UInt
from pytracer.spec.versioned import Versioned
from pytracer.tables.constants.files import FS_XFLAGS

FILE_ATTR_SIZE_VER0 = 24  # include/uapi/linux/fs.h, Linux 6.17

GET_ATTR = Out(
    Versioned(
        StructOf(
            fa_xflags=FlagSet(FS_XFLAGS, "u64"),
            fa_extsize=UInt(),
            fa_nextents=UInt(),
            fa_projid=Hex(),
            fa_cowextsize=UInt(),
        ),
        size="size",
        least=FILE_ATTR_SIZE_VER0,
    )
)
SET_ATTR = Versioned(
    StructOf(
        fa_xflags=FlagSet(FS_XFLAGS, "u64"),
        fa_extsize=UInt(),
        nextents=Pad(4),
        fa_projid=Hex(),
        fa_cowextsize=UInt(),
    ),
    size="size",
    least=FILE_ATTR_SIZE_VER0,
)
