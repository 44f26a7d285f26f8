"""Opening, reading, writing and closing of files."""

from __future__ import annotations

from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Bytes, Out, Path
from pytracer.spec.returns import Count, NewFd
from pytracer.spec.scalar import DirFd, Fd, FlagSet, LongLong, Mode, Size
from pytracer.spec.type import AnyBit
from pytracer.tables.constants.files import (
    __O_TMPFILE,
    ACCESS_MODES,
    O_ACCESS_MODES,
    O_ACCMODE,
    O_CREAT,
    O_FLAGS,
)

OPEN_FLAGS = FlagSet(O_FLAGS, low=O_ACCMODE, choices=O_ACCESS_MODES)
CREATION_MODE = Mode().when(AnyBit("flags", O_CREAT | __O_TMPFILE))

openat = syscall(
    "openat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=OPEN_FLAGS,
    mode=CREATION_MODE,
    returns=NewFd(named_by="pathname"),
)
open_ = syscall(
    "open",
    pathname=Path(),
    flags=OPEN_FLAGS,
    mode=CREATION_MODE,
    returns=NewFd(named_by="pathname"),
)
read = syscall("read", fd=Fd(), buf=Out(Bytes(length="ret")), count=Size(), returns=Count())
write = syscall("write", fd=Fd(), buf=Bytes(length="count"), count=Size(), returns=Count())
pread64 = syscall(
    "pread64",
    fd=Fd(),
    buf=Out(Bytes(length="ret")),
    count=Size(),
    offset=LongLong(),
    returns=Count(),
)
close = syscall("close", fd=Fd())
access = syscall("access", pathname=Path(), mode=FlagSet(ACCESS_MODES))
