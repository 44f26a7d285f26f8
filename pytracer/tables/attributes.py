"""Permissions, owners, times and other attributes of files."""

from __future__ import annotations

from pytracer.spec.abi import I386
from pytracer.spec.choice import ByAbi
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Path
from pytracer.spec.scalar import DirFd, Fd, FlagSet, Mode, Size, Uid
from pytracer.tables.constants.files import AT_FLAGS_PATH
from pytracer.tables.structs.fileattr import GET_ATTR, SET_ATTR
from pytracer.tables.structs.time import UTIMBUF, UTIMENS, UTIMENS64, UTIMES

AT_FLAGS = FlagSet(AT_FLAGS_PATH)

syscall("chmod", pathname=Path(), mode=Mode())
syscall("fchmod", fd=Fd(), mode=Mode())
syscall("fchmodat", dirfd=DirFd(), pathname=Path(at="dirfd"), mode=Mode())
syscall("fchmodat2", dirfd=DirFd(), pathname=Path(at="dirfd"), mode=Mode(), flags=AT_FLAGS)

# i386 kept the calls with 16-bit ids under the old names and has new ones with a suffix.
OWNER = ByAbi(Uid(), i386=Uid("ushort"))
syscall("chown", pathname=Path(), owner=OWNER, group=OWNER)
syscall("lchown", pathname=Path(), owner=OWNER, group=OWNER)
syscall("fchown", fd=Fd(), owner=OWNER, group=OWNER)
syscall("chown32", pathname=Path(), owner=Uid(), group=Uid(), abis=(I386,))
syscall("lchown32", pathname=Path(), owner=Uid(), group=Uid(), abis=(I386,))
syscall("fchown32", fd=Fd(), owner=Uid(), group=Uid(), abis=(I386,))
syscall(
    "fchownat",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    owner=Uid(),
    group=Uid(),
    flags=AT_FLAGS,
)

syscall("utime", filename=Path(), times=In(UTIMBUF))
syscall("utimes", pathname=Path(), times=In(UTIMES))
syscall("futimesat", dirfd=DirFd(), pathname=Path(at="dirfd"), times=In(UTIMES))
syscall("utimensat", dirfd=DirFd(), pathname=Path(at="dirfd"), times=In(UTIMENS), flags=AT_FLAGS)
syscall(
    "utimensat_time64",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    times=In(UTIMENS64),
    flags=AT_FLAGS,
    abis=(I386,),
)

syscall(
    "file_getattr",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    attr=GET_ATTR,
    size=Size(),
    flags=AT_FLAGS,
)
syscall(
    "file_setattr",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    attr=SET_ATTR,
    size=Size(),
    flags=AT_FLAGS,
)
