"""The binary forms that the programs and Python share: bpf/pytracer.h, field by field."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from pytracer.event.schema import Abi

# struct perf_event_header and the length of what the program sent; include/uapi/linux/perf_event.h
SAMPLE: Final = struct.Struct("<IHHI")
PERF_RECORD_SAMPLE: Final = 9

MAX_NR: Final = 1024

RECORD_CALL: Final = 1
RECORD_FORK: Final = 2
RECORD_EXEC: Final = 3
RECORD_EXIT: Final = 4
RECORD_SIGNAL: Final = 5

CALL_CHUNK: Final = 1
CALL_NO_EXIT: Final = 2
CALL_UNSEEN: Final = 4
EXIT_GROUP: Final = 1
SIGNAL_IGNORED: Final = 1
SIGNAL_STOPS: Final = 2

STATE_ATTACHED: Final = 1
STATE_CALL: Final = 2
STATE_LAUNCHING: Final = 5

CALL_WANTED: Final = 1
CALL_SELECTS: Final = 2
CALL_DROP_OK: Final = 4
CALL_DROP_FAILED: Final = 8

REGION_ENTRY: Final = 1
REGION_SHORT: Final = 2
REGION_MORE: Final = 4

RECORD: Final = struct.Struct("<BBBBIIIQQqiI16s6Q")
REGION: Final = struct.Struct("<QII")
EVENT: Final = struct.Struct("<BxBxIIIQI4xQ16s48s")
THREAD_HEAD: Final = struct.Struct("<II8x")
THREAD_BYTES: Final = 16 + RECORD.size + 4128
STATS: Final = struct.Struct("<6Q")

ABIS: Final = tuple(Abi)


class CallRecord(NamedTuple):
    """struct record. Times in nanoseconds of CLOCK_MONOTONIC."""

    type: int
    abi: int
    flags: int
    chunks: int
    tid: int
    tgid: int
    entry_tid: int
    exit_ns: int
    enter_ns: int
    ret: int
    nr: int
    used: int
    comm: bytes
    arg0: int
    arg1: int
    arg2: int
    arg3: int
    arg4: int
    arg5: int


class EventRecord(NamedTuple):
    """struct event: ``other`` and ``other_tgid`` mean what the type says."""

    type: int
    flags: int
    tid: int
    tgid: int
    other: int
    time_ns: int
    other_tgid: int
    call_ns: int
    comm: bytes
    info: bytes


class Stats(NamedTuple):
    """struct stats: what the programs counted on all CPUs."""

    calls: int
    lost_calls: int
    lost_chunks: int
    lost_events: int
    lost_tasks: int
    dropped: int


def thread_value(state: int, tid: int, tgid: int) -> bytes:
    """The map entry of a thread that begins to be traced."""
    record = RECORD.pack(RECORD_CALL, 0, 0, 0, tid, tgid, tid, 0, 0, 0, 0, 0, b"", *(0,) * 6)
    head = THREAD_HEAD.pack(state, 0) + record
    return head.ljust(THREAD_BYTES, b"\0")


Regions = list[tuple[int, bytes, bool]]


def read_regions(data: bytes, offset: int, end: int, entry: Regions, exit_: Regions) -> None:
    """Sort the captured regions of one record into those of the entry and those of the exit.

    Pieces of one block are joined.
    """
    unpack = REGION.unpack_from
    more = False
    while offset < end:
        address, length, flags = unpack(data, offset)
        offset += 16
        piece = data[offset : offset + length]
        offset += length + 7 & ~7
        into = entry if flags & REGION_ENTRY else exit_
        whole = not flags & REGION_SHORT
        if more and into:
            start, before, _ = into[-1]
            into[-1] = start, before + piece, whole
        else:
            into.append((address, piece, whole))
        more = bool(flags & REGION_MORE)
