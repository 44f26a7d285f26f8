"""Opening and closing of files, and what is done with a descriptor as a whole."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.aggregate import FixedArray
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Cstr, Out, Path
from pytracer.spec.returns import NewFd, OctalResult
from pytracer.spec.scalar import DirFd, Enum, Fd, FlagSet, LongLong, Mode, Number, Size, UInt
from pytracer.spec.type import AnyBit
from pytracer.tables.constants.files import (
    __O_TMPFILE,
    ACCESS_MODES,
    AT_FLAGS_FACCESSAT,
    CLOSE_RANGE_FLAGS,
    FALLOC_FLAGS,
    FLOCK_OPERATIONS,
    O_CREAT,
    POSIX_FADV,
    SEEK_WHENCE,
    SYNC_FILE_RANGE_FLAGS,
)
from pytracer.tables.structs.fileargs import HighLow, MemfdFlags
from pytracer.tables.structs.openhow import FD_STATUS_FLAGS, OPEN_FLAGS, OPEN_HOW

CREATION_MODE = Mode().when(AnyBit("flags", O_CREAT | __O_TMPFILE))
WHENCE = Enum(SEEK_WHENCE)
FD = NewFd()

syscall(
    "open",
    pathname=Path(),
    flags=OPEN_FLAGS,
    mode=CREATION_MODE,
    returns=FD,
    classes="desc",
)
syscall(
    "openat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=OPEN_FLAGS,
    mode=CREATION_MODE,
    returns=FD,
)
syscall(
    "openat2",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    how=OPEN_HOW,
    size=Size(),
    returns=FD,
)
syscall("creat", pathname=Path(), mode=Mode(), returns=FD, classes="desc")
syscall("memfd_create", name=Cstr(), flags=MemfdFlags(), returns=FD, classes="desc")
syscall("close", fd=Fd())
syscall(
    "close_range",
    first=UInt(),
    last=UInt(),
    flags=FlagSet(CLOSE_RANGE_FLAGS),
)
syscall("dup", oldfd=Fd(), returns=FD)
syscall("dup2", oldfd=Fd(), newfd=Fd(), returns=FD)
syscall("dup3", oldfd=Fd(), newfd=Fd(), flags=FD_STATUS_FLAGS, returns=FD)
syscall("pipe", pipefd=Out(FixedArray(Fd(), 2)), classes="desc")
syscall("pipe2", pipefd=Out(FixedArray(Fd(), 2)), flags=FD_STATUS_FLAGS, classes="desc")

syscall("access", pathname=Path(), mode=FlagSet(ACCESS_MODES))
syscall("faccessat", dirfd=DirFd(), pathname=Path(at="dirfd"), mode=FlagSet(ACCESS_MODES))
syscall(
    "faccessat2",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    mode=FlagSet(ACCESS_MODES),
    flags=FlagSet(AT_FLAGS_FACCESSAT),
)
syscall("umask", mask=Mode(), returns=OctalResult())

syscall("lseek", fd=Fd(), offset=Number("klong"), whence=WHENCE)
syscall(
    "_llseek",
    fd=Fd(),
    offset=HighLow(),
    result=Out(Number("u64")),
    whence=WHENCE,
    abis=(I386,),
)
syscall("truncate", path=Path(), length=Size())
syscall("ftruncate", fd=Fd(), length=Size())
syscall("truncate64", path=Path(), length=LongLong("u64"), abis=(I386,))
syscall("ftruncate64", fd=Fd(), length=LongLong("u64"), abis=(I386,))
syscall("fallocate", fd=Fd(), mode=FlagSet(FALLOC_FLAGS), offset=LongLong(), len=LongLong())
syscall("fadvise64", fd=Fd(), offset=LongLong(), len=Size(), advice=Enum(POSIX_FADV))
syscall(
    "fadvise64_64",
    fd=Fd(),
    offset=LongLong(),
    len=LongLong(),
    advice=Enum(POSIX_FADV),
    abis=(I386,),
)
syscall("readahead", fd=Fd(), offset=LongLong(), count=Size())

syscall("fsync", fd=Fd())
syscall("fdatasync", fd=Fd())
syscall("syncfs", fd=Fd())
syscall("sync")
syscall(
    "sync_file_range",
    fd=Fd(),
    offset=LongLong(),
    nbytes=LongLong(),
    flags=FlagSet(SYNC_FILE_RANGE_FLAGS),
)
syscall("flock", fd=Fd(), op=FlagSet(FLOCK_OPERATIONS))
