"""What the stat and statfs families fill in.

``STAT`` is the structure of the calls without a suffix, ``STAT64`` that of i386's *64 calls,
``OLD_STAT`` that of i386's old* calls.

Source: arch/x86/include/uapi/asm/stat.h, include/uapi/linux/stat.h,
include/uapi/asm-generic/statfs.h, arch/x86/include/uapi/asm/statfs.h.
"""

from __future__ import annotations

from pytracer.spec.aggregate import FixedArray, Pad, StructOf
from pytracer.spec.choice import ByAbi
from pytracer.spec.context import Decode
from pytracer.spec.scalar import Enum, FlagSet, Hex, Number, Uid
from pytracer.spec.type import AnyBit, Differs, Equals, Scope, Type
from pytracer.spec.values import Integer
from pytracer.tables.constants.files import (
    FS_MAGIC,
    S_IFBLK,
    S_IFCHR,
    S_IFMT,
    ST_VALID,
    STATFS_FLAGS,
    STATX_ATIME,
    STATX_ATTR,
    STATX_BLOCKS,
    STATX_BTIME,
    STATX_CTIME,
    STATX_DIO_READ_ALIGN,
    STATX_DIOALIGN,
    STATX_GID,
    STATX_INO,
    STATX_MASK,
    STATX_MNT_ID,
    STATX_MNT_ID_UNIQUE,
    STATX_MODE,
    STATX_MTIME,
    STATX_NLINK,
    STATX_SIZE,
    STATX_SUBVOL,
    STATX_TYPE,
    STATX_UID,
    STATX_WRITE_ATOMIC,
)
from pytracer.tables.structs.mode import Device, FileMode
from pytracer.tables.structs.time import Dated, Timestamp

_IS_DEVICE = Equals("st_mode", S_IFCHR, S_IFBLK, mask=S_IFMT)
_NO_DEVICE = Differs("st_mode", S_IFCHR, S_IFBLK, mask=S_IFMT)
_BRIEF = ("st_mode", "st_rdev", "st_size")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ORDER = _names(
    "st_dev st_ino st_mode st_nlink st_uid st_gid st_blksize st_blocks st_rdev st_size"
    " st_atime st_atime_nsec st_mtime st_mtime_nsec st_ctime st_ctime_nsec"
)

_LONG = Number("kulong")
_INT = Number("uint")
_SHORT = Number("ushort")
_WIDE = Number("u64")
_TIMES: dict[str, Type] = {
    "st_atime": Timestamp("klong", part="st_atime_nsec"),
    "st_atime_nsec": _LONG,
    "st_mtime": Timestamp("klong", part="st_mtime_nsec"),
    "st_mtime_nsec": _LONG,
    "st_ctime": Timestamp("klong", part="st_ctime_nsec"),
    "st_ctime_nsec": _LONG,
}

_STAT_LONG = StructOf(
    brief=_BRIEF,
    order=_ORDER,
    st_dev=Device(),
    st_ino=_LONG,
    st_nlink=_LONG,
    st_mode=FileMode(),
    st_uid=_INT,
    st_gid=_INT,
    pad0=Pad(4),
    st_rdev=Device().when(_IS_DEVICE),
    st_size=_LONG.when(_NO_DEVICE),
    st_blksize=_LONG,
    st_blocks=_LONG,
    **_TIMES,
    unused=Pad(24),
)
_STAT_I386 = StructOf(
    brief=_BRIEF,
    order=_ORDER,
    st_dev=Device(),
    st_ino=_LONG,
    st_mode=FileMode("ushort"),
    st_nlink=_SHORT,
    st_uid=_SHORT,
    st_gid=_SHORT,
    st_rdev=Device().when(_IS_DEVICE),
    st_size=_LONG.when(_NO_DEVICE),
    st_blksize=_LONG,
    st_blocks=_LONG,
    **_TIMES,
    unused=Pad(8),
)
STAT = ByAbi(_STAT_LONG, i386=_STAT_I386)

STAT64 = StructOf(
    brief=_BRIEF,
    order=_ORDER,
    st_dev=Device("u64"),
    pad0=Pad(4),
    old_ino=Pad(4),
    st_mode=FileMode(),
    st_nlink=_INT,
    st_uid=_INT,
    st_gid=_INT,
    st_rdev=Device("u64").when(_IS_DEVICE),
    pad3=Pad(4),
    st_size=_WIDE.when(_NO_DEVICE),
    st_blksize=_LONG,
    st_blocks=_WIDE,
    **_TIMES,
    st_ino=_WIDE,
)


class _Nothing(Pad):
    """A field that the structure has no room for, shown as zero."""

    def __init__(self) -> None:
        super().__init__(0)

    def bind(self, scope: Scope) -> Decode:
        return lambda ctx, raw, frame: Integer(0)


OLD_STAT = StructOf(
    brief=_BRIEF,
    order=tuple(name for name in _ORDER if not name.endswith("_nsec")),
    st_dev=Device("ushort"),
    st_ino=_SHORT,
    st_mode=FileMode("ushort"),
    st_nlink=_SHORT,
    st_uid=_SHORT,
    st_gid=_SHORT,
    st_rdev=Device("ushort").when(_IS_DEVICE),
    st_size=_INT.when(_NO_DEVICE),
    st_atime=Timestamp("int"),
    st_mtime=Timestamp("int"),
    st_ctime=Timestamp("int"),
    st_blksize=_Nothing(),
    st_blocks=_Nothing(),
)

_STATX_TIME = Dated(StructOf(tv_sec=Number("s64"), tv_nsec=_INT, reserved=Pad(4)), 9)


def _if(bits: int, kind: Type) -> Type:
    """A field of statx that is there only where the mask of the answer says so."""
    return kind.when(AnyBit("stx_mask", bits))


STATX = StructOf(
    brief=("stx_mask", "stx_attributes", "stx_mode", "stx_size"),
    order=_names(
        "stx_mask stx_blksize stx_attributes stx_nlink stx_uid stx_gid stx_mode stx_ino stx_size"
        " stx_blocks stx_attributes_mask stx_atime stx_btime stx_ctime stx_mtime"
        " stx_rdev_major stx_rdev_minor stx_dev_major stx_dev_minor stx_mnt_id"
        " stx_dio_mem_align stx_dio_offset_align stx_subvol stx_atomic_write_unit_min"
        " stx_atomic_write_unit_max stx_atomic_write_segments_max stx_dio_read_offset_align"
        " stx_atomic_write_unit_max_opt"
    ),
    stx_mask=FlagSet(STATX_MASK),
    stx_blksize=_INT,
    stx_attributes=FlagSet(STATX_ATTR, "u64"),
    stx_nlink=_if(STATX_NLINK, _INT),
    stx_uid=_if(STATX_UID, Uid()),
    stx_gid=_if(STATX_GID, Uid()),
    stx_mode=_if(STATX_TYPE | STATX_MODE, FileMode("ushort")),
    spare0=Pad(2),
    stx_ino=_if(STATX_INO, _WIDE),
    stx_size=_if(STATX_SIZE, _WIDE),
    stx_blocks=_if(STATX_BLOCKS, _WIDE),
    stx_attributes_mask=FlagSet(STATX_ATTR, "u64"),
    stx_atime=_if(STATX_ATIME, _STATX_TIME),
    stx_btime=_if(STATX_BTIME, _STATX_TIME),
    stx_ctime=_if(STATX_CTIME, _STATX_TIME),
    stx_mtime=_if(STATX_MTIME, _STATX_TIME),
    stx_rdev_major=_INT,
    stx_rdev_minor=_INT,
    stx_dev_major=_INT,
    stx_dev_minor=_INT,
    stx_mnt_id=_if(STATX_MNT_ID | STATX_MNT_ID_UNIQUE, Hex("u64")),
    stx_dio_mem_align=_if(STATX_DIOALIGN, _INT),
    stx_dio_offset_align=_if(STATX_DIOALIGN, _INT),
    stx_subvol=_if(STATX_SUBVOL, Hex("u64")),
    stx_atomic_write_unit_min=_if(STATX_WRITE_ATOMIC, _INT),
    stx_atomic_write_unit_max=_if(STATX_WRITE_ATOMIC, _INT),
    stx_atomic_write_segments_max=_if(STATX_WRITE_ATOMIC, _INT),
    stx_dio_read_offset_align=_if(STATX_DIO_READ_ALIGN, _INT),
    stx_atomic_write_unit_max_opt=_if(STATX_WRITE_ATOMIC, _INT),
    spare=Pad(68),
)


def _statfs(word: str) -> StructOf:
    count = Number("kulong" if word == "kulong" else "u64")
    small = Number(word)
    return StructOf(
        f_type=Enum(FS_MAGIC, word),
        f_bsize=small,
        f_blocks=count,
        f_bfree=count,
        f_bavail=count,
        f_files=count,
        f_ffree=count,
        f_fsid=StructOf(val=FixedArray(Hex(), 2)),
        f_namelen=small,
        f_frsize=small,
        f_flags=FlagSet(STATFS_FLAGS, word).when(AnyBit("f_flags", ST_VALID)),
        f_spare=FixedArray(small, 4),
    )


def _shown(inner: StructOf) -> StructOf:
    """A structure without its last field, which pads it."""
    inner.order = tuple(inner.fields)[:-1]
    return inner


STATFS = _shown(_statfs("kulong"))
STATFS64 = _shown(_statfs("uint"))
STATFS64_BYTES = 84  # sizeof(struct compat_statfs64)
