"""Reading, writing and moving of data between descriptors."""

from __future__ import annotations

from typing import Any

from pytracer.spec.abi import I386, X32, X86_64
from pytracer.spec.context import Context, Decode
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Bytes, In, InOut, Out
from pytracer.spec.scalar import Fd, FlagSet, LongLong, Number, Size, UInt
from pytracer.spec.switch import Absent
from pytracer.spec.type import Scope, Type
from pytracer.spec.values import Address
from pytracer.tables.constants.files import RWF_FLAGS, SPLICE_FLAGS
from pytracer.tables.structs.iovec import Filled, Vector


class _Offset(InOut):
    """An offset that the call moves; where none is given, that is known at entry."""

    def bind(self, scope: Scope) -> Decode:
        decode_offset = super().bind(scope)

        def decode(ctx: Context, raw: int, frame: tuple[Any, ...]) -> Any:
            return decode_offset(ctx, raw, frame) if raw else Address(0)

        return decode


SPLICE = FlagSet(SPLICE_FLAGS)
RWF = FlagSet(RWF_FLAGS)
FILLED: Type = Out(Bytes(length="ret"))

syscall("read", fd=Fd(), buf=FILLED, count=Size())
syscall("write", fd=Fd(), buf=Bytes(length="count"), count=Size())
syscall("pread64", fd=Fd(), buf=FILLED, count=Size(), offset=LongLong())
syscall("pwrite64", fd=Fd(), buf=Bytes(length="count"), count=Size(), offset=LongLong())
syscall("readv", fd=Fd(), iov=Filled("iovcnt"), iovcnt=Size())
syscall("writev", fd=Fd(), iov=Vector("iovcnt"), iovcnt=Size())
syscall("preadv", fd=Fd(), iov=Filled("iovcnt"), iovcnt=Size(), offset=LongLong())
syscall("pwritev", fd=Fd(), iov=Vector("iovcnt"), iovcnt=Size(), offset=LongLong())

# x86_64 passes the offset's upper half in a register of its own, although the lower holds it all.
syscall(
    "preadv2",
    fd=Fd(),
    iov=Filled("iovcnt"),
    iovcnt=Size(),
    offset=LongLong(),
    upper=Absent(),
    flags=RWF,
    abis=(X86_64,),
)
syscall(
    "preadv2",
    fd=Fd(),
    iov=Filled("iovcnt"),
    iovcnt=Size(),
    offset=LongLong(),
    flags=RWF,
    abis=(I386, X32),
)
syscall(
    "pwritev2",
    fd=Fd(),
    iov=Vector("iovcnt"),
    iovcnt=Size(),
    offset=LongLong(),
    upper=Absent(),
    flags=RWF,
    abis=(X86_64,),
)
syscall(
    "pwritev2",
    fd=Fd(),
    iov=Vector("iovcnt"),
    iovcnt=Size(),
    offset=LongLong(),
    flags=RWF,
    abis=(I386, X32),
)

syscall(
    "sendfile",
    out_fd=Fd(),
    in_fd=Fd(),
    offset=_Offset(Number("kulong")),
    count=Size(),
    classes="network desc",
)
syscall(
    "sendfile64",
    out_fd=Fd(),
    in_fd=Fd(),
    offset=_Offset(Number("u64")),
    count=Size(),
    classes="network desc",
    abis=(I386,),
)
syscall(
    "splice",
    fd_in=Fd(),
    off_in=In(Number("s64")),
    fd_out=Fd(),
    off_out=In(Number("s64")),
    len=Size(),
    flags=SPLICE,
)
syscall("tee", fd_in=Fd(), fd_out=Fd(), len=Size(), flags=SPLICE)
syscall("vmsplice", fd=Fd(), iov=Vector("nr_segs"), nr_segs=Size(), flags=SPLICE)
syscall(
    "copy_file_range",
    fd_in=Fd(),
    off_in=In(Number("s64")),
    fd_out=Fd(),
    off_out=In(Number("s64")),
    len=Size(),
    flags=UInt(),
)
