"""Names of files: making, moving and removing them, and working directories."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Bytes, Out, Path
from pytracer.spec.returns import Count
from pytracer.spec.scalar import DirFd, Fd, FlagSet, Mode, Size, UInt
from pytracer.spec.type import Differs, Equals
from pytracer.tables.constants.files import (
    AT_FLAGS_LINKAT,
    AT_FLAGS_UNLINKAT,
    RENAME_FLAGS,
    S_IFBLK,
    S_IFCHR,
    S_IFMT,
)
from pytracer.tables.structs.dirent import DIRENTS, DIRENTS64, OldDirent
from pytracer.tables.structs.mode import Device, FileMode

DEVICE = Device("uint").when(Equals("mode", S_IFCHR, S_IFBLK, mask=S_IFMT))
LINK = Out(Bytes(length="ret"))

syscall("rename", oldpath=Path(), newpath=Path())
syscall(
    "renameat",
    olddirfd=DirFd(),
    oldpath=Path(at="olddirfd"),
    newdirfd=DirFd(),
    newpath=Path(at="newdirfd"),
)
syscall(
    "renameat2",
    olddirfd=DirFd(),
    oldpath=Path(at="olddirfd"),
    newdirfd=DirFd(),
    newpath=Path(at="newdirfd"),
    flags=FlagSet(RENAME_FLAGS),
)
syscall("link", oldpath=Path(), newpath=Path())
syscall(
    "linkat",
    olddirfd=DirFd(),
    oldpath=Path(at="olddirfd"),
    newdirfd=DirFd(),
    newpath=Path(at="newdirfd"),
    flags=FlagSet(AT_FLAGS_LINKAT),
)
syscall("symlink", oldpath=Path(accessed=False), newpath=Path())
syscall(
    "symlinkat",
    target=Path(accessed=False),
    newdirfd=DirFd(),
    linkpath=Path(at="newdirfd"),
)
syscall("unlink", path=Path())
syscall("unlinkat", dirfd=DirFd(), pathname=Path(at="dirfd"), flags=FlagSet(AT_FLAGS_UNLINKAT))
syscall("readlink", pathname=Path(), buf=LINK, bufsiz=Size())
syscall("readlinkat", dirfd=DirFd(), pathname=Path(at="dirfd"), buf=LINK, bufsiz=Size())

syscall("mkdir", pathname=Path(), mode=Mode())
syscall("mkdirat", dirfd=DirFd(), pathname=Path(at="dirfd"), mode=Mode())
syscall("rmdir", path=Path())
syscall("mknod", pathname=Path(), mode=FileMode("ushort"), dev=DEVICE)
syscall("mknodat", dirfd=DirFd(), pathname=Path(at="dirfd"), mode=FileMode("ushort"), dev=DEVICE)

syscall("chdir", path=Path())
syscall("fchdir", fd=Fd())
syscall("chroot", path=Path())
syscall("pivot_root", oldpath=Path(), newpath=Path())
syscall("getcwd", buf=Out(Path()), size=Size(), classes="file")
syscall("getdents", fd=Fd(), dirp=Out(DIRENTS), count=UInt())
syscall("getdents64", fd=Fd(), dirp=Out(DIRENTS64), count=UInt())
syscall(
    "readdir",
    fd=Fd(),
    dirp=OldDirent(),
    count=UInt().when(Differs("count", 1)),
    returns=Count(),
    abis=(I386,),
)

syscall("uselib", path=Path())
syscall("acct", path=Path())
