"""The binary forms that the programs and Python share: bpf/{pytracer,stream}.h, field by field."""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final, NamedTuple, TypeAlias

from pytracer.event.memory import descriptor_address
from pytracer.event.registers import REGISTERS
from pytracer.event.schema import Abi, Area

# struct perf_event_header and the length of what the program sent; include/uapi/linux/perf_event.h
SAMPLE: Final = struct.Struct("<IHHI")
SAMPLE_SIZE: Final = struct.Struct("<6xH")
PERF_RECORD_SAMPLE: Final = 9

MAX_NR: Final = 1024

RECORD_CALL: Final = 1
RECORD_FORK: Final = 2
RECORD_EXEC: Final = 3
RECORD_EXIT: Final = 4
RECORD_SIGNAL: Final = 5
RECORD_JOIN: Final = 6
RECORD_LEAVE: Final = 7
RECORD_AGAIN: Final = 8
RECORD_MAPPED: Final = 9  # made in user space: pytracer/backend/ebpf/mappings.py

CALL_CHUNK: Final = 1
CALL_NO_EXIT: Final = 2
CALL_UNSEEN: Final = 4
EXIT_GROUP: Final = 1
EXIT_EXECUTED: Final = 2
JOIN_RUNNING: Final = 1
SIGNAL_UNSEEN: Final = 1
SIGNAL_STOPS: Final = 2
MAPPED_FRESH: Final = 1
MAPPED_LOST: Final = 2

STATE_ATTACHED: Final = 1
STATE_CALL: Final = 2
STATE_LAUNCHING: Final = 5
STATE_GONE: Final = 7

WHY_NOBODYS: Final = 0x10
WHY_LEAVING: Final = 0x80

CALL_WANTED: Final = 1
CALL_SELECTS: Final = 2
CALL_DROP_OK: Final = 4
CALL_DROP_FAILED: Final = 8
CALL_FRAME: Final = 16
CALL_DROP_FAST: Final = 32

REGION_ENTRY: Final = 1
REGION_SHORT: Final = 2
REGION_MORE: Final = 4
REGION_ARGUMENTS: Final = 8
REGION_DESCRIBES: Final = 16
REGION_REGISTERS: Final = 32
_BEYOND: Final = REGION_DESCRIBES | REGION_REGISTERS

RECORD: Final = struct.Struct("<BBBBIIIQQQqiI16sQ6Q")
REGION: Final = struct.Struct("<QII")
SAMPLE_RECORD: Final = struct.Struct(SAMPLE.format + RECORD.format[1:])
# What SAMPLE_RECORD gives, a tuple for its speed: the places of struct record's fields.
Record: TypeAlias = tuple[Any, ...]
ABI: Final = 5
FLAGS: Final = 6
TID: Final = 8
TGID: Final = 9
ENTRY_TID: Final = 10
EXIT_NS: Final = 11
ENTER_NS: Final = 12
CPU_NS: Final = 13
RET: Final = 14
NR: Final = 15
USED: Final = 16
COMM: Final = 17
IP: Final = 18
ARGS: Final = 19

# The same in two steps: what every call is ordered by, and the rest of a record (from its result
# on), which two equal calls have in common.
CALL_HEAD: Final = struct.Struct("<6xH5xBBxIIIQQQ12xI")
HEAD_ABI: Final = 1
HEAD_FLAGS: Final = 2
HEAD_TID: Final = 3
HEAD_TGID: Final = 4
HEAD_ENTRY_TID: Final = 5
HEAD_ENTER_NS: Final = 7
HEAD_CPU_NS: Final = 8
CALL_REST: Final = struct.Struct("<qiI16sQ6Q")
CALL_REST_AT: Final = RECORD.size - CALL_REST.size
REST_RET: Final = 0
REST_NR: Final = 1
REST_IP: Final = 4
REST_ARGS: Final = 5
# The same without the name and what is not needed any more.
CALL_WORDS: Final = struct.Struct("<qi20xQ6Q")
COMM_IN_REST: Final = 16
COMM_BYTES: Final = 16

EVENT: Final = struct.Struct("<BxBxIIIQI4xQQ16s48s")
# Of a record of RECORD_MAPPED: where its info begins, which the path follows.
AREA: Final = struct.Struct("<QQQ24x")
INFO_AT: Final = EVENT.size - AREA.size
THREAD_HEAD: Final = struct.Struct("<II8xI4x24x")
# The same with left_ns and ran_ns.
_THREAD_OFF: Final = struct.Struct("<II8xI4x8xQQ")
THREAD_BYTES: Final = THREAD_HEAD.size + RECORD.size + 4128
# Where SAMPLE_RECORD finds the record in struct thread: what is before it is not looked at.
THREAD_RECORD: Final = THREAD_HEAD.size - SAMPLE.size
_USED_AT: Final = THREAD_HEAD.size + 52  # of record.used in struct thread
# Of struct thread: its key; when its record's call ended (or the thread) and began.
THREAD_KEY: Final = slice(16, 20)
THREAD_MOMENT: Final = slice(THREAD_HEAD.size + 16, THREAD_HEAD.size + 32)
# Its process, in struct thread.
THREAD_TGID: Final = slice(THREAD_HEAD.size + 8, THREAD_HEAD.size + 12)
STATS: Final = struct.Struct("<8Q")

ABIS: Final = tuple(Abi)

# A number for all of these forms together: recordings of another one cannot be read.
LAYOUT: Final = zlib.crc32(
    b"".join(form.format.encode() for form in (SAMPLE, RECORD, REGION, EVENT, THREAD_HEAD))
)

Region: TypeAlias = tuple[int, bytes, bool]


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
    ip: int
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
    events: int
    unreadable: int

    def losses(self) -> tuple[int, ...]:
        """Those that say that something is missing."""
        return self.lost_calls, self.lost_chunks, self.lost_events, self.lost_tasks


def total(values: bytes | None) -> Stats:
    """Add up what the CPUs counted."""
    assert values is not None
    return Stats(*map(sum, zip(*STATS.iter_unpack(values), strict=True)))


def thread_value(
    key: bytes, state: int, tid: int, tgid: int, now_ns: int = 0, ran_ns: int = 0
) -> bytes:
    """The map entry of a thread that begins to be traced.

    ``ran_ns``: for how long it has run in its life, up to ``now_ns``.
    """
    about = RECORD_CALL, 0, 0, 0, tid, tgid, tid, 0, now_ns
    record = RECORD.pack(*about, 0, 0, 0, 0, b"", 0, *(0,) * 6)
    head = _THREAD_OFF.pack(state, 0, int.from_bytes(key, "little"), now_ns, ran_ns) + record
    return head.ljust(THREAD_BYTES, b"\0")


def area_of(info: bytes) -> Area:
    """Read the mapping of a record, whose info it is with all that follows."""
    start, end, offset = AREA.unpack_from(info)
    path = info[AREA.size :].rstrip(b"\0").decode("utf-8", "surrogateescape")
    # As /proc/PID/maps has it.
    return (start, end, 0, "") if path == "//anon" else (start, end, offset, path)


def unread(thread: bytes) -> bool:
    """Whether something that the call in flight was given could not be read as it entered."""
    return any(thread[4:8])


def thread_part(values: bytearray, at: int) -> bytes:
    """Copy what matters of a struct thread: the captured bytes only while a call is in flight."""
    end = at + THREAD_HEAD.size + RECORD.size
    if values[at] == STATE_CALL:
        end += int.from_bytes(values[at + _USED_AT : at + _USED_AT + 4], "little")
    return bytes(values[at:end])


def is_thread(part: bytes) -> bool:
    """Whether bytes can be what :func:`thread_part` gives."""
    return len(part) >= THREAD_HEAD.size + RECORD.size and part[THREAD_HEAD.size + 1] < len(ABIS)


def is_slice(data: bytes) -> bool:
    """Whether bytes can be the slice of a ring: whole records, one after the other."""
    at = 0
    end = len(data)
    unpack = SAMPLE.unpack_from
    while at + SAMPLE.size < end:
        kind, _, size, _ = unpack(data, at)
        if size > end - at or size <= SAMPLE.size:
            return False
        if kind == PERF_RECORD_SAMPLE:
            if data[at + SAMPLE.size] != RECORD_CALL:
                if size < SAMPLE.size + EVENT.size:
                    return False
            elif size < SAMPLE_RECORD.size or data[at + SAMPLE.size + 1] >= len(ABIS):
                return False
        at += size
    return at == end


def with_ahead(rest: bytes, ahead: bytes) -> bytes:
    """Put captured bytes that were sent ahead of a record before those that came with it."""
    return rest[: CALL_REST.size] + ahead + rest[CALL_REST.size :]


def phases(rest: bytes) -> tuple[list[Region], list[Region]]:
    """The captured memory of a call, at its entry and at its exit; it follows CALL_REST."""
    before: list[Region] = []
    after: list[Region] = []
    unpack = REGION.unpack_from
    offset = CALL_REST.size
    end = len(rest) - REGION.size
    while offset <= end:
        address, length, flags = unpack(rest, offset)
        if flags > REGION_ENTRY | REGION_SHORT:
            return regions(rest, True, CALL_REST.size), regions(rest, False, CALL_REST.size)
        offset += 16
        found = before if flags & REGION_ENTRY else after
        found.append((address, rest[offset : offset + length], flags <= REGION_ENTRY))
        offset += length + 7 & ~7
    return before, after


def regions(data: bytes, at_entry: bool, offset: int = 0) -> list[Region]:
    """The captured memory of one phase of a call: (address, bytes, whole).

    Pieces of one block are joined.
    """
    found: list[Region] = []
    unpack = REGION.unpack_from
    phase = REGION_ENTRY if at_entry else 0
    end = len(data) - REGION.size
    more = False
    while offset <= end:
        address, length, flags = unpack(data, offset)
        offset += 16
        if flags & REGION_ARGUMENTS:
            if at_entry:
                _add_arguments(found, address, data[offset : offset + length])
        elif flags & REGION_ENTRY == phase:
            piece = data[offset : offset + length]
            if flags & _BEYOND:
                address = descriptor_address(address) if flags & REGION_DESCRIBES else REGISTERS
            if more:
                address, before, _ = found.pop()
                piece = before + piece
            found.append((address, piece, not flags & REGION_SHORT))
            more = bool(flags & REGION_MORE)
        offset += length + 7 & ~7
    return found


def _add_arguments(found: list[Region], array: int, strings: bytes) -> None:
    """Supply the strings of an execve that could not be read where they were.

    Without the array of their pointers nothing is added: nothing would say how many there are.
    """
    pointers = next((data for start, data, _ in found if start == array and data), b"")
    words = strings.split(b"\0")[:-1]
    if pointers:
        for (pointer,), word in zip(struct.iter_unpack("<Q", pointers), words, strict=False):
            if not pointer:
                break
            found.append((pointer, word + b"\0", True))
