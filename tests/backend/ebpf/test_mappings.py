"""What the kernel tells of mappings: its records, and whose they are."""

from __future__ import annotations

import os
import struct
from typing import Any

import pytest

from pytracer.backend.ebpf import mappings, wire
from pytracer.backend.ebpf.digest import Digest
from pytracer.backend.ebpf.mappings import MappingRings, Sieve, Told
from pytracer.backend.ebpf.turn import Turn
from pytracer.event.schema import Lost, Mapped, NewBy, Task
from pytracer.event.written import EventReader, write_event

PATH = b"/usr/lib/a b\xff.so"


def perf(kind: int, misc: int, body: bytes, time_ns: int) -> bytes:
    """A record as include/uapi/linux/perf_event.h has it."""
    body += struct.pack("<Q", time_ns)
    return struct.pack("<IHH", kind, misc, 8 + len(body)) + body


def mmap2(pid: int, time_ns: int, start: int, length: int, offset: int, path: bytes) -> bytes:
    name = path + bytes(8 - len(path) % 8)
    body = struct.pack("<IIQQQIIQQII", pid, pid, start, length, offset, 8, 2, 77, 1, 5, 2)
    return perf(10, 2, body + name, time_ns)


def comm(pid: int, time_ns: int, executed: bool) -> bytes:
    return perf(3, executed << 13, struct.pack("<II", pid, pid) + b"name\0\0\0\0", time_ns)


def lost(count: int, time_ns: int) -> bytes:
    return perf(2, 0, struct.pack("<QQ", 1, count), time_ns)


class Given(MappingRings):
    """Rings that hold what a test puts there."""

    def __init__(self) -> None:
        self.data = b""
        self.released = 0

    def look(self) -> tuple[list[int], list[Told]]:
        return [len(self.data)], list(mappings._told(self.data))

    def release(self, ends: Any) -> None:
        self.data = self.data[ends[0] :]
        self.released += 1


def events(data: bytes, *traced: int) -> list[Mapped | Lost]:
    digest = Digest(False, None)
    for pid in traced:
        digest.begin(Task(pid, pid, "name"), 1, NewBy.ATTACHED)
    assert wire.is_slice(data)
    return list(digest.turn(Turn(1 << 40, slices=[data])))  # type: ignore[arg-type]


def test_records_become_events() -> None:
    rings = Given()
    rings.data = (
        mmap2(7, 30, 0x7F00_0000_0000, 0x3000, 0x1000, PATH)
        + comm(7, 20, True)
        + comm(7, 25, False)
        + mmap2(7, 40, 0x1000, 0x1000, 0x1000, b"//anon")
        + lost(13, 50)
    )
    _, told = rings.look()
    found = events(b"".join(each.record for each in told), 7)
    fresh, mapped, anonymous, missing = found
    assert isinstance(fresh, Mapped) and (fresh.fresh, fresh.areas) == (True, ())
    assert isinstance(mapped, Mapped) and (mapped.time_ns, mapped.fresh) == (30, False)
    path = PATH.decode("utf-8", "surrogateescape")
    assert mapped.areas == ((0x7F00_0000_0000, 0x7F00_0000_3000, 0x1000, path),)
    assert isinstance(anonymous, Mapped) and anonymous.areas == ((0x1000, 0x2000, 0, ""),)
    assert isinstance(missing, Lost) and missing.count == 13
    assert events(b"".join(each.record for each in told), 11) == [missing]
    ((again, _),) = EventReader({}).read(write_event(mapped))
    assert again == mapped


def forked(tgid: int, child: int) -> bytes:
    event = wire.EVENT.pack(wire.RECORD_FORK, 0, tgid, tgid, child, 1, child, 0, 0, b"name", b"")
    head = wire.SAMPLE.pack(wire.PERF_RECORD_SAMPLE, 0, wire.SAMPLE.size + len(event), len(event))
    return head + event


def pids(data: bytes) -> list[int]:
    found = []
    at = 0
    while at < len(data):
        event = wire.EVENT.unpack_from(data, at + wire.SAMPLE.size)
        found.append(event[3])
        at += wire.SAMPLE_SIZE.unpack_from(data, at)[0]
    return found


def test_what_is_of_traced_processes_is_picked() -> None:
    rings = Given()
    sieve = Sieve(rings)
    thread = wire.thread_value(bytes(4), wire.STATE_CALL, 7, 7)
    rings.data = b"".join(mmap2(pid, 10, 0x1000, 0x1000, 0, b"/a") for pid in (7, 11, 13, 0))
    assert pids(sieve.look(100, [thread], [forked(7, 13)])) == [7, 13]
    # Not taken: there was no room for it.
    assert pids(sieve.look(100, [thread], [forked(7, 13)])) == [7, 13]
    sieve.take()
    assert (rings.data, rings.released) == (b"", 1)
    # 13 is over by now. What is later than the look waits: of 17 it is not known yet.
    rings.data = mmap2(13, 150, 0x1000, 0x1000, 0, b"/a") + mmap2(17, 250, 0x1000, 0x1000, 0, b"/a")
    assert pids(sieve.look(200, [thread], [])) == [13]
    sieve.take()
    assert pids(sieve.look(300, [thread], [forked(7, 17)])) == [17]
    sieve.take()
    rings.data = mmap2(13, 350, 0x1000, 0x1000, 0, b"/a") + lost(1, 360)
    assert pids(sieve.look(400, [thread], [])) == [0]


@pytest.mark.parametrize("cut", [1, 8, 60])
def test_damaged_records_are_no_slice(cut: int) -> None:
    whole = mappings.record(1, 7, 7, area=wire.AREA.pack(1, 2, 3) + b"/a")
    assert wire.is_slice(whole)
    assert not wire.is_slice(whole[:-cut])


def joined(tgid: int, time_ns: int) -> bytes:
    event = wire.EVENT.pack(wire.RECORD_JOIN, 0, tgid, tgid, 0, time_ns, 0, 0, 0, b"name", b"")
    head = wire.SAMPLE.pack(wire.PERF_RECORD_SAMPLE, 0, wire.SAMPLE.size + len(event), len(event))
    return head + event


def test_who_joins_brings_what_it_has_mapped() -> None:
    rings = Given()
    sieve = Sieve(rings, joining=True)
    no_process = (1 << 22) + 1  # PID_MAX_LIMIT
    rings.data = mmap2(no_process, 10, 0x1000, 0x1000, 0, b"/before") + comm(no_process, 20, True)
    rings.data += mmap2(no_process, 30, 0x3000, 0x1000, 0, b"/program")
    assert not sieve.look(100, [], [])
    sieve.take()
    rings.data = mmap2(no_process, 130, 0x4000, 0x1000, 0, b"/library")
    rings.data += mmap2(no_process, 160, 0x5000, 0x1000, 0, b"/late")
    joins = joined(no_process, 150)
    told = events(joins + sieve.look(200, [], [joins]))
    sieve.take()
    assert [type(each) for each in told[1:]] == [Mapped] * 4
    files = [(each.time_ns, each.fresh, each.areas) for each in told if isinstance(each, Mapped)]
    assert [(time_ns, fresh) for time_ns, fresh, _ in files] == [
        (150, True), (150, False), (150, False), (160, False),
    ]  # fmt: skip
    paths = [path for _, _, areas in files for _, _, _, path in areas]
    assert paths == ["/program", "/library", "/late"]
    # Another thread of it does, too.
    assert not sieve.look(300, [], [joins])


def test_who_joins_and_was_there_before_is_looked_up() -> None:
    sieve = Sieve(Given(), joining=True)
    joins = joined(os.getpid(), 150)
    told = events(joins + sieve.look(200, [], [joins]))
    areas = [area for each in told if isinstance(each, Mapped) for area in each.areas]
    assert set(areas) == set(mappings.mapped_now(os.getpid()))
    assert any("libc" in path for _, _, _, path in areas)
