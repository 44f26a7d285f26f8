"""What there is to know about files and file systems."""

from __future__ import annotations

from pytracer.spec.abi import I386, X32, X86_64
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Out, Path
from pytracer.spec.scalar import DirFd, Fd, FlagSet, Pointer, Size, Split
from pytracer.spec.switch import Switch
from pytracer.spec.xlat import Xlat
from pytracer.tables.constants.files import (
    AT_FLAGS_STATX,
    AT_STATX_SYNC,
    AT_STATX_SYNC_TYPE,
    STATX_MASK,
)
from pytracer.tables.structs.mode import Device
from pytracer.tables.structs.stat import (
    OLD_STAT,
    STAT,
    STAT64,
    STATFS,
    STATFS64,
    STATFS64_BYTES,
    STATX,
)

AT_FLAGS = FlagSet(AT_FLAGS_STATX)
# Behind another part of the argument, unknown flags have no comment.
UNREMARKED = Xlat("", AT_FLAGS_STATX.entries)
FS64 = Switch(on="size", cases={STATFS64_BYTES: Out(STATFS64)}, default=Pointer())

syscall("stat", pathname=Path(), statbuf=Out(STAT), classes="stat stat_like")
syscall("lstat", pathname=Path(), statbuf=Out(STAT), classes="lstat stat_like")
syscall("fstat", fd=Fd(), statbuf=Out(STAT), classes="fstat stat_like")
syscall("stat64", pathname=Path(), statbuf=Out(STAT64), classes="stat stat_like", abis=(I386,))
syscall("lstat64", pathname=Path(), statbuf=Out(STAT64), classes="lstat stat_like", abis=(I386,))
syscall("fstat64", fd=Fd(), statbuf=Out(STAT64), classes="fstat stat_like", abis=(I386,))
syscall("oldstat", filename=Path(), statbuf=Out(OLD_STAT), classes="stat stat_like", abis=(I386,))
syscall("oldlstat", filename=Path(), statbuf=Out(OLD_STAT), classes="lstat stat_like", abis=(I386,))
syscall("oldfstat", fd=Fd(), statbuf=Out(OLD_STAT), classes="fstat stat_like", abis=(I386,))
syscall(
    "newfstatat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    statbuf=Out(STAT),
    flags=AT_FLAGS,
    classes="fstat stat_like",
    abis=(X86_64, X32),
)
syscall(
    "fstatat64",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    statbuf=Out(STAT64),
    flags=AT_FLAGS,
    classes="fstat stat_like",
    abis=(I386,),
)
syscall(
    "statx",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=Split(AT_STATX_SYNC_TYPE, FlagSet(AT_STATX_SYNC, silent=True), FlagSet(UNREMARKED)),
    mask=FlagSet(STATX_MASK),
    statxbuf=Out(STATX),
    classes="fstat stat_like",
)

syscall("statfs", pathname=Path(), buf=Out(STATFS), classes="statfs statfs_like")
syscall("fstatfs", fd=Fd(), buf=Out(STATFS), classes="fstatfs statfs_like")
syscall(
    "statfs64",
    pathname=Path(),
    size=Size(),
    buf=FS64,
    classes="statfs statfs_like",
    abis=(I386,),
)
syscall(
    "fstatfs64",
    fd=Fd(),
    size=Size(),
    buf=FS64,
    classes="fstatfs statfs_like",
    abis=(I386,),
)
# struct ustat is gone from the C library's headers, and strace shows its address alone.
syscall("ustat", dev=Device("uint"), ubuf=Pointer(), classes="statfs_like")
