"""File handles, swapping, quotas and other seldom calls on files."""

from __future__ import annotations

from pytracer.spec.aggregate import StructOf
from pytracer.spec.entry import syscall
from pytracer.spec.pointer import Bytes, In, Out, Path
from pytracer.spec.scalar import DirFd, Fd, FlagSet, Hex, Int, LongLong, Number, Size
from pytracer.tables.constants.files import AT_FLAGS_NAME_TO_HANDLE
from pytracer.tables.structs.handle import FILE_HANDLE, FilledHandle, SwapFlags
from pytracer.tables.structs.openhow import OPEN_FLAGS
from pytracer.tables.structs.quota import DATA, IDS, QuotaCommand

WIDE = Number("u64")

syscall(
    "name_to_handle_at",
    dirfd=DirFd(),
    pathname=Path(at="dirfd"),
    handle=FilledHandle(),
    mount_id=Out(Int()),
    flags=FlagSet(AT_FLAGS_NAME_TO_HANDLE),
)
syscall("open_by_handle_at", mount_fd=Fd(), handle=FILE_HANDLE, flags=OPEN_FLAGS)

syscall("swapon", path=Path(), swapflags=SwapFlags())
syscall("swapoff", path=Path())
syscall("quotactl", op=QuotaCommand(), special=Path(), id=IDS, addr=DATA)
syscall("quotactl_fd", fd=Fd(), op=QuotaCommand(), id=IDS, addr=DATA)

syscall(
    "cachestat",
    fd=Fd(),
    cstat_range=In(StructOf(off=WIDE, len=WIDE)),
    cstat=Out(
        StructOf(
            nr_cache=WIDE,
            nr_dirty=WIDE,
            nr_writeback=WIDE,
            nr_evicted=WIDE,
            nr_recently_evicted=WIDE,
        )
    ),
    flags=Hex(),
)
syscall(
    "lookup_dcookie",
    cookie=LongLong("u64"),
    buffer=Out(Bytes(length="ret")),
    len=Size(),
)
