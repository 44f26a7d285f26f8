"""Mapping, protecting, advising, locking and placing memory."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import I386, X32, X86_64
from pytracer.spec.aggregate import ArrayOf
from pytracer.spec.context import Context, Decode
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import In, Out
from pytracer.spec.returns import Count, HexResult, NewFd
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Int, Number, Pid, Pointer, Scalar, Size
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Base, Integer, Symbol, Value
from pytracer.tables.constants.errno import ERRNO
from pytracer.tables.constants.memory import (
    GET_MEMPOLICY_FLAGS,
    MADV,
    MBIND_FLAGS,
    MEMFD_SECRET_FLAGS,
    MLOCK_FLAGS,
    MLOCKALL_FLAGS,
    MOVE_PAGES_FLAGS,
    MPOL_MODES,
    MREMAP_DONTUNMAP,
    MREMAP_FIXED,
    MREMAP_FLAGS,
    MREMAP_MAYMOVE,
    MSYNC_FLAGS,
    PKEY_RIGHTS,
    PROT_FLAGS,
    SHADOW_STACK_FLAGS,
)
from pytracer.tables.structs.indirect import Indirect
from pytracer.tables.structs.iovec import Filled, Places, Vector
from pytracer.tables.structs.mapping import MapFlags, NodeMask, PageState, PolicyMode

PAGE_SHIFT = 12
PROT = FlagSet(PROT_FLAGS, "kulong")


class Pages(Number):
    """An offset in pages, shown in bytes."""

    def __init__(self) -> None:
        super().__init__("kulong", Base.HEX)

    def make(self, number: int) -> Value:
        return Integer(number << PAGE_SHIFT, Base.HEX)


def _mapping(offset: Type) -> dict[str, Any]:
    return {
        "addr": Pointer(),
        "length": Size(),
        "prot": PROT,
        "flags": MapFlags(),
        "fd": Fd(),
        "offset": offset,
    }


mmap = syscall(
    "mmap",
    returns=HexResult(),
    classes="memory",
    abis=(X86_64, X32),
    **_mapping(Hex("kulong")),
)
mmap2 = syscall(
    "mmap2", returns=HexResult(), classes="memory desc", abis=(I386,), **_mapping(Pages())
)
# The first mmap of i386 gets its six arguments through a pointer.
old_mmap = syscall(
    "mmap",
    _=Indirect(_mapping(Hex("kulong"))),
    returns=HexResult(),
    classes="memory desc",
    abis=(I386,),
)
munmap = syscall("munmap", addr=Pointer(), length=Size(), classes="memory")
mprotect = syscall("mprotect", addr=Pointer(), length=Size(), prot=PROT, classes="memory")
pkey_mprotect = syscall(
    "pkey_mprotect", addr=Pointer(), length=Size(), prot=PROT, pkey=Int(), classes="memory"
)
pkey_alloc = syscall(
    "pkey_alloc", flags=Hex("kulong"), access_rights=FlagSet(PKEY_RIGHTS, "kulong")
)
pkey_free = syscall("pkey_free", pkey=Int())


class NewAddress(Pointer):
    """Where a mapping is to go, for the flags that make the kernel look at it."""

    def bind(self, scope: Scope) -> Decode:
        show = super().bind(scope)
        number = scope.number("flags")
        moved = MREMAP_MAYMOVE | MREMAP_FIXED

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            flags = number(ctx, frame)
            if flags & moved == moved or flags & MREMAP_DONTUNMAP:
                return show(ctx, raw, frame)
            return None

        return decode


mremap = syscall(
    "mremap",
    old_address=Pointer(),
    old_size=Size(),
    new_size=Size(),
    flags=FlagSet(MREMAP_FLAGS, "kulong"),
    new_address=NewAddress(),
    returns=HexResult(),
    classes="memory",
)
remap_file_pages = syscall(
    "remap_file_pages",
    addr=Pointer(),
    size=Size(),
    prot=PROT,
    pgoff=Size(),
    flags=MapFlags(),
    classes="memory",
)
brk = syscall("brk", addr=Pointer(), returns=HexResult(), classes="memory")
madvise = syscall("madvise", addr=Pointer(), length=Size(), advice=Enum(MADV), classes="memory")
process_madvise = syscall(
    "process_madvise",
    pidfd=Fd(),
    iovec=Places("n"),
    n=Size(),
    advice=Enum(MADV),
    flags=Hex(),
)
process_mrelease = syscall("process_mrelease", pidfd=Fd(), flags=Hex())
msync = syscall(
    "msync", addr=Pointer(), length=Size(), flags=FlagSet(MSYNC_FLAGS), classes="memory"
)


class PageStates(ArrayOf):
    """One byte for each page of a range of ``length`` bytes."""

    def __init__(self, length: str) -> None:
        super().__init__(PageState(), length)

    def bind_at(self, scope: Scope) -> Any:
        length = scope.number(str(self.count))
        whole = (1 << PAGE_SHIFT) - 1

        class _Pages(Scope):
            """The scope in which a length is a number of pages."""

            def number(self, name: str | int) -> Any:
                return lambda ctx, frame: (length(ctx, frame) + whole) >> PAGE_SHIFT

        return ArrayOf.bind_at(self, _Pages(scope.abi, scope.places, scope.call))


mincore = syscall(
    "mincore", addr=Pointer(), length=Size(), vec=Out(PageStates("length")), classes="memory"
)
mlock = syscall("mlock", addr=Pointer(), length=Size(), classes="memory")
munlock = syscall("munlock", addr=Pointer(), length=Size(), classes="memory")
mlock2 = syscall(
    "mlock2", addr=Pointer(), length=Size(), flags=FlagSet(MLOCK_FLAGS), classes="memory"
)
mlockall = syscall("mlockall", flags=FlagSet(MLOCKALL_FLAGS), classes="memory")
munlockall = syscall("munlockall", classes="memory")
mseal = syscall("mseal", addr=Pointer(), length=Size(), flags=Hex("kulong"), classes="memory")
memfd_secret = syscall(
    "memfd_secret", flags=FlagSet(MEMFD_SECRET_FLAGS), returns=NewFd(), classes="desc"
)
map_shadow_stack = syscall(
    "map_shadow_stack",
    addr=Pointer(),
    len=Size(),
    flags=FlagSet(SHADOW_STACK_FLAGS),
    returns=Count(),
    classes="memory",
)

mbind = syscall(
    "mbind",
    addr=Pointer(),
    len=Size(),
    mode=PolicyMode(),
    nodemask=NodeMask("maxnode"),
    maxnode=Size(),
    flags=FlagSet(MBIND_FLAGS),
    classes="memory",
)
set_mempolicy = syscall(
    "set_mempolicy",
    mode=PolicyMode("uint"),
    nodemask=NodeMask("maxnode"),
    maxnode=Size(),
    classes="memory",
)
get_mempolicy = syscall(
    "get_mempolicy",
    mode=Out(Enum(MPOL_MODES)),
    nodemask=Out(NodeMask("maxnode")),
    maxnode=Size(),
    addr=Pointer(),
    flags=FlagSet(GET_MEMPOLICY_FLAGS, "kulong"),
    classes="memory",
)
set_mempolicy_home_node = syscall(
    "set_mempolicy_home_node",
    start=Pointer(),
    len=Size(),
    home_node=Size(),
    flags=Hex("kulong"),
    classes="memory",
)
migrate_pages = syscall(
    "migrate_pages",
    pid=Pid(),
    maxnode=Size(),
    old_nodes=NodeMask("maxnode"),
    new_nodes=NodeMask("maxnode"),
    classes="memory",
)


class PageResult(Scalar):
    """What became of a page: the node it is on, or the negative of an errno."""

    def __init__(self) -> None:
        super().__init__("int")

    def make(self, number: int) -> Value:
        name = ERRNO.name_of(-number) if number < 0 else None
        return Integer(number) if name is None else Symbol(number, f"-{name}", "", Base.DEC)


move_pages = syscall(
    "move_pages",
    pid=Pid(),
    count=Size(),
    pages=ArrayOf(Pointer(), "count"),
    nodes=ArrayOf(Int(), "count"),
    status=Out(ArrayOf(PageResult(), "count")),
    flags=FlagSet(MOVE_PAGES_FLAGS),
    classes="memory",
)

process_vm_readv = syscall(
    "process_vm_readv",
    pid=Pid(),
    local_iov=Filled("liovcnt"),
    liovcnt=Size(),
    remote_iov=In(Places("riovcnt")),
    riovcnt=Size(),
    flags=Size(),
)
process_vm_writev = syscall(
    "process_vm_writev",
    pid=Pid(),
    local_iov=In(Vector("liovcnt")),
    liovcnt=Size(),
    remote_iov=In(Places("riovcnt")),
    riovcnt=Size(),
    flags=Size(),
)
