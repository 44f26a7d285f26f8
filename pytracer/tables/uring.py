"""io_uring: rings of requests and answers."""

from __future__ import annotations

from pytracer.spec.aggregate import ArrayOf
from pytracer.spec.entry import syscall
from pytracer.spec.exchange import Completed, Exchange
from pytracer.spec.pointer import In, Out
from pytracer.spec.returns import NewFd
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Pointer, Size, Split, UInt
from pytracer.spec.switch import Choice, Switch
from pytracer.spec.type import Type
from pytracer.tables.constants import io_uring as u
from pytracer.tables.structs import uring as s
from pytracer.tables.structs.iovec import Places
from pytracer.tables.structs.sched import CpuSet
from pytracer.tables.structs.signal import SigSetAt
from pytracer.tables.structs.uringtypes import Probe, Workers

syscall(
    "io_uring_setup",
    entries=UInt(),
    params=Completed(s.PARAMS_GIVEN, s.PARAMS_MADE),
    returns=NewFd(),
    classes="desc",
)
_EXTENDED = u.IORING_ENTER_EXT_ARG
_REGISTERED = u.IORING_ENTER_EXT_ARG_REG
syscall(
    "io_uring_enter",
    fd=Fd(),
    to_submit=UInt(),
    min_complete=UInt(),
    flags=FlagSet(u.IORING_ENTER),
    sigset=Switch(
        "flags",
        {
            _EXTENDED: In(s.GETEVENTS),
            _EXTENDED | _REGISTERED: Hex("kulong"),
            _REGISTERED: Size(),
        },
        In(SigSetAt("sigsetsize")),
        mask=_EXTENDED | _REGISTERED,
    ),
    sigsetsize=Size(),
    classes="signal",
)

_FDS = ArrayOf(Fd(), "nr_args")
# A ring is only looked at where there is one.
_BUFFER_RING = Choice("nr_args", {1: In(s.BUFFER_RING)}, Pointer())
OPERATIONS: dict[int | tuple[int, ...], Type] = {
    u.IORING_REGISTER_BUFFERS: Places("nr_args"),
    (
        u.IORING_REGISTER_FILES,
        u.IORING_REGISTER_EVENTFD,
        u.IORING_REGISTER_EVENTFD_ASYNC,
    ): _FDS,
    u.IORING_REGISTER_FILES_UPDATE: In(s.FILES_UPDATE),
    u.IORING_REGISTER_PROBE: Probe("nr_args"),
    u.IORING_REGISTER_RESTRICTIONS: s.RESTRICTIONS,
    u.IORING_REGISTER_FILES2: s.FILES2,
    u.IORING_REGISTER_FILES_UPDATE2: s.FILES_UPDATE2,
    u.IORING_REGISTER_BUFFERS2: s.BUFFERS2,
    u.IORING_REGISTER_BUFFERS_UPDATE: s.BUFFERS_UPDATE,
    u.IORING_REGISTER_IOWQ_AFF: CpuSet("nr_args"),
    u.IORING_REGISTER_IOWQ_MAX_WORKERS: Workers(),
    u.IORING_REGISTER_RING_FDS: ArrayOf(s.RING_FD, "nr_args"),
    u.IORING_UNREGISTER_RING_FDS: ArrayOf(s.RING_FD_GONE, "nr_args"),
    (u.IORING_REGISTER_PBUF_RING, u.IORING_UNREGISTER_PBUF_RING): _BUFFER_RING,
    u.IORING_REGISTER_SYNC_CANCEL: In(s.SYNC_CANCEL),
    u.IORING_REGISTER_FILE_ALLOC_RANGE: In(s.ALLOC_RANGE),
    u.IORING_REGISTER_NAPI: Exchange(s.NAPI, s.NAPI),
    u.IORING_REGISTER_CLOCK: In(s.CLOCK),
    u.IORING_REGISTER_CLONE_BUFFERS: In(s.CLONE_BUFFERS),
    u.IORING_REGISTER_SEND_MSG_RING: In(s.SEND_MESSAGE),
    u.IORING_REGISTER_ZCRX_IFQ: In(s.ZCRX_IFQ),
    u.IORING_REGISTER_RESIZE_RINGS: In(s.RESIZE),
    u.IORING_REGISTER_MEM_REGION: In(s.MEM_REGION),
    u.IORING_REGISTER_QUERY: Out(s.QUERY),
    u.IORING_REGISTER_ZCRX_CTRL: In(s.ZCRX_CONTROL),
}
_OPCODE_MASK = u.IORING_REGISTER_USE_REGISTERED_RING - 1
syscall(
    "io_uring_register",
    fd=Fd(),
    opcode=Split(_OPCODE_MASK, Enum(u.IORING_REGISTER_OPS), FlagSet(u.IORING_REGISTER_FLAGS)),
    arg=Switch("opcode", OPERATIONS, Pointer(), mask=_OPCODE_MASK),
    nr_args=UInt(),
    classes="desc memory",
)
