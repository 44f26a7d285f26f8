"""Extended attributes of files."""

from __future__ import annotations

from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Cstr, Out, Path
from pytracer.spec.scalar import DirFd, Fd, FlagSet, Size
from pytracer.tables.constants.files import AT_FLAGS_PATH, XATTR_FLAGS
from pytracer.tables.structs.xattr import GET_ARGS, SET_ARGS, AttributeNames, AttributeValue

FLAGS = FlagSet(XATTR_FLAGS)
AT_FLAGS = FlagSet(AT_FLAGS_PATH)
GIVEN = AttributeValue(length="size")
ANSWER = Out(AttributeValue(length="ret", room="size"))
NAMES = Out(AttributeNames())

for name in ("setxattr", "lsetxattr"):
    syscall(name, pathname=Path(), name=Cstr(), value=GIVEN, size=Size(), flags=FLAGS)
syscall("fsetxattr", fd=Fd(), name=Cstr(), value=GIVEN, size=Size(), flags=FLAGS)
syscall(
    "setxattrat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=AT_FLAGS,
    name=Cstr(),
    args=SET_ARGS,
    size=Size(),
)

for name in ("getxattr", "lgetxattr"):
    syscall(name, pathname=Path(), name=Cstr(), value=ANSWER, size=Size())
syscall("fgetxattr", fd=Fd(), name=Cstr(), value=ANSWER, size=Size())
syscall(
    "getxattrat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=AT_FLAGS,
    name=Cstr(),
    args=GET_ARGS,
    size=Size(),
)

for name in ("listxattr", "llistxattr"):
    syscall(name, pathname=Path(), list=NAMES, size=Size())
syscall("flistxattr", fd=Fd(), list=NAMES, size=Size())
syscall(
    "listxattrat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    flags=AT_FLAGS,
    list=NAMES,
    size=Size(),
)

for name in ("removexattr", "lremovexattr"):
    syscall(name, pathname=Path(), name=Cstr())
syscall("fremovexattr", fd=Fd(), name=Cstr())
syscall("removexattrat", dirfd=DirFd(), pathname=Path(at="dirfd"), flags=AT_FLAGS, name=Cstr())
