"""Structures of io_uring.

Source: include/uapi/linux/io_uring.h, Linux 7.2.
"""

from __future__ import annotations

from pytracer.spec.aggregate import ArrayOf, Pad, StructOf
from pytracer.spec.reserved import Reserved
from pytracer.spec.scalar import Enum, Fd, FlagSet, Hex, Number
from pytracer.spec.type import AnyBit, NonZero, Type
from pytracer.spec.versioned import Versioned
from pytracer.spec.wide import Wide
from pytracer.tables.constants import io_uring as u
from pytracer.tables.constants.times import CLOCKS
from pytracer.tables.structs.futex import WideAddress
from pytracer.tables.structs.iovec import Places
from pytracer.tables.structs.signal import SigSetAt
from pytracer.tables.structs.time import TIMESPEC64
from pytracer.tables.structs.uringtypes import OPCODE, Flush, Offset, Restriction, UpdateFd, WideFd

U8, U16, U32 = Number("uchar"), Number("ushort"), Number("uint")
X8, X32, X64 = Hex("uchar"), Hex(), Hex("u64")
_PARAMS_REST = 80

PARAMS_GIVEN = StructOf(
    None,
    ("flags", "sq_thread_cpu", "sq_thread_idle", "wq_fd", "resv"),
    entries=Pad(8),
    flags=FlagSet(u.IORING_SETUP),
    sq_thread_cpu=X32,
    sq_thread_idle=U32,
    features=Pad(4),
    wq_fd=Fd().when(AnyBit("flags", u.IORING_SETUP_ATTACH_WQ)),
    resv=Reserved(3),
    offsets=Pad(_PARAMS_REST),
)
_SQ_OFFSETS = StructOf(
    head=U32,
    tail=U32,
    ring_mask=U32,
    ring_entries=U32,
    flags=U32,
    dropped=U32,
    array=U32,
    resv1=NonZero(X32),
    user_addr=X64,
)
_CQ_OFFSETS = StructOf(
    head=U32,
    tail=U32,
    ring_mask=U32,
    ring_entries=U32,
    overflow=U32,
    cqes=U32,
    flags=U32,
    resv1=NonZero(X32),
    user_addr=X64,
)
PARAMS_MADE = StructOf(
    sq_entries=U32,
    cq_entries=U32,
    given=Pad(12),
    features=FlagSet(u.IORING_FEATURES),
    more=Pad(16),
    sq_off=_SQ_OFFSETS,
    cq_off=_CQ_OFFSETS,
)
GETEVENTS = StructOf(
    sigmask=Wide(SigSetAt("sigmask_sz")),
    sigmask_sz=U32,
    min_wait_usec=U32,
    ts=Wide(TIMESPEC64),
)


_TAGS = Wide(ArrayOf(X64, "nr"))


def resources(data: Type) -> Versioned:
    """struct io_uring_rsrc_register with such data."""
    layout = StructOf(
        nr=U32,
        flags=FlagSet(u.IORING_RSRC_FLAGS),
        resv2=NonZero(X64),
        data=Wide(data),
        tags=_TAGS,
    )
    return Versioned(layout, size="nr_args", least=32)


def updates(data: Type) -> Versioned:
    """struct io_uring_rsrc_update2 with such data."""
    layout = StructOf(
        offset=U32,
        resv=NonZero(X32),
        data=Wide(data),
        tags=_TAGS,
        nr=U32,
        resv2=NonZero(X32),
    )
    return Versioned(layout, size="nr_args", least=32)


UPDATED_FDS = ArrayOf(UpdateFd(), "nr")
FILES_UPDATE = StructOf(offset=U32, resv=NonZero(X32), fds=Wide(ArrayOf(UpdateFd(), "nr_args")))
RING_FD = StructOf(offset=Offset(), resv=NonZero(X32), data=WideFd())
RING_FD_GONE = StructOf(offset=U32, resv=NonZero(X32), data=NonZero(X64))
FILES2 = resources(ArrayOf(Fd(), "nr"))
BUFFERS2 = resources(Places("nr"))
FILES_UPDATE2 = updates(UPDATED_FDS)
BUFFERS_UPDATE = updates(Places("nr"))
RESTRICTIONS = ArrayOf(Restriction(), "nr_args")
BUFFER_RING = StructOf(
    ring_addr=WideAddress(),
    ring_entries=U32,
    bgid=U16,
    flags=Hex("ushort"),
    min_left=U32,
    resv=Reserved(5),
)
SYNC_CANCEL = StructOf(
    addr=X64,
    fd=Fd(),
    flags=FlagSet(u.IORING_ASYNC_CANCEL),
    timeout=TIMESPEC64,
    opcode=OPCODE,
    pad=Reserved(7, "uchar"),
    pad2=Reserved(3, "u64"),
)
ALLOC_RANGE = StructOf(off=U32, len=U32, resv=NonZero(X64))


NAPI = StructOf(
    busy_poll_to=X32,
    prefer_busy_poll=X8,
    opcode=Enum(u.IORING_NAPI_OPS, "uchar"),
    pad=Reserved(2, "uchar"),
    op_param=Enum(u.IORING_NAPI_TRACKING),
    resv=NonZero(X32),
)
CLOCK = StructOf(clockid=Enum(CLOCKS), resv=Reserved(3))
CLONE_BUFFERS = StructOf(
    src_fd=Fd(),
    flags=FlagSet(u.IORING_CLONE_FLAGS),
    src_off=U32,
    dst_off=U32,
    nr=U32,
    pad=Reserved(3),
)
SEND_MESSAGE = StructOf(
    opcode=OPCODE,
    flags=FlagSet(u.IOSQE_FLAGS, "uchar"),
    ioprio=U16,
    fd=Fd(),
    off=X64,
    addr=X64,
    len=U32,
    msg_ring_flags=FlagSet(u.IORING_MSG_RING_FLAGS),
    user_data=X64,
    buf_index=U16,
    personality=U16,
    file_index=U32,
    optval=X64,
    pad=Pad(8),
)
ZCRX_IFQ = StructOf(
    if_idx=U32,
    if_rxq=U32,
    rq_entries=U32,
    flags=FlagSet(u.ZCRX_REG_FLAGS),
    area_ptr=WideAddress(),
    region_ptr=WideAddress(),
    offsets=StructOf(head=U32, tail=U32, rqes=U32, __resv2=NonZero(X32), __resv=Reserved(2, "u64")),
    zcrx_id=U32,
    rx_buf_len=U32,
    event_desc=WideAddress(),
    __resv=Reserved(2, "u64"),
)
RESIZE = StructOf(sq_entries=U32, cq_entries=U32, flags=FlagSet(u.IORING_SETUP))
MEM_REGION = StructOf(
    region_uptr=WideAddress(),
    flags=FlagSet(u.IORING_MEM_REGION_FLAGS, "u64"),
    __resv=Reserved(2, "u64"),
)
QUERY = StructOf(
    None,
    ("query_data", "query_op", "size", "result", "__resv", "next_entry"),
    next_entry=WideAddress(),
    query_data=WideAddress(),
    query_op=Enum(u.IORING_QUERY_OPS),
    size=U32,
    result=Number("int"),
    __resv=Reserved(3),
)


ZCRX_CONTROL = StructOf(
    zcrx_id=U32, op=Enum(u.ZCRX_CTRL_OPS), __resv=Reserved(2, "u64"), zc_flush=Flush()
)
