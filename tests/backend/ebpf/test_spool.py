"""What waits between the two processes: in order, bounded, and whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pytracer.backend.ebpf import spool as spool_module
from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.aside import Aside
from pytracer.backend.ebpf.outline import calls_in, outline
from pytracer.backend.ebpf.spool import DISK, MEMORY, Place, Spool
from pytracer.backend.ebpf.turn import BadTurn, Turn, unpack
from pytracer.backend.recorder import Recording
from pytracer.event.recording import TURN, Frames, Header
from pytracer.event.schema import Clock
from tests.backend.ebpf.test_merge import call, in_flight


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """Room for 100 bytes in memory, and 1,000 in all."""
    monkeypatch.setattr(spool_module, "_MEMORY_BYTES", 100)
    with closing(Spool(1000)) as spool:
        yield spool


def put(spool: Spool, *parts: bytes) -> Place:
    place = spool.put(list(parts))
    assert isinstance(place, Place)
    return place


def test_what_is_put_is_taken_from_memory_first_and_from_the_disk_then(small: Spool) -> None:
    places = [put(small, bytes([n]) * 30, bytes([n]) * 7) for n in range(11)]
    assert [place.file for place in places] == [MEMORY] * 2 + [DISK] * 9
    assert small.waiting() == 11 * 37
    for n, place in enumerate(places):
        assert small.open(place)(5, 32) == bytes([n]) * 32
        small.release(place)
    assert small.waiting() == 0
    assert put(small, b"again").file == MEMORY


def test_it_is_bounded_but_takes_one_turn_of_any_size(small: Spool) -> None:
    assert small.has_room(5000)
    put(small, bytes(900))
    assert small.has_room(100) and not small.has_room(101)


def test_a_file_that_is_full_keeps_what_it_has(
    small: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put(small, b"1" * 70)
    second = put(small, b"2" * 70)
    real = os.pwritev

    def full(fd: int, views: list[memoryview], at: int) -> int:
        if fd == small._files[DISK]:
            if at > 100:
                raise OSError(errno.ENOSPC, "full")
            return real(fd, [views[0][:40]], at)
        return real(fd, views, at)

    monkeypatch.setattr(os, "pwritev", full)
    assert small.put([b"3" * 70]) == errno.ENOSPC
    assert os.fstat(small._files[DISK]).st_size == 70
    for place in (first, second):
        assert len(small.open(place)(0, 70)) == 70
        small.release(place)
    # With nothing else waiting, memory has to do.
    assert put(small, b"3" * 170).file == MEMORY


def turn_of(threads: list[bytes], slices: list[bytes]) -> list[bytes]:
    aside = Aside([(7, 9, (4096, b"text", True))], [(7, 11)])
    return Turn(1_009, threads, (1, 2, 3), aside=aside).pack(slices)


def test_a_turn_travels_whole() -> None:
    slices = [call(10, 40) + call(50, 60), call(20, 30)]
    threads = [in_flight(50), in_flight(70)]
    data = b"".join(turn_of(threads, slices))
    turn = unpack(lambda at, length: data[at : at + length], len(data), True)
    assert (turn.until_ns, turn.counters, turn.threads) == (1_009, (1, 2, 3), threads)
    assert list(turn.slices) == slices
    assert turn.aside == Aside([(7, 9, (4096, b"text", True))], [(7, 11)])


@pytest.mark.parametrize("cut", [0, 7, 23, 40, 100, 300])
def test_a_turn_that_is_cut_off_is_no_turn(cut: int) -> None:
    data = b"".join(turn_of([in_flight(50)], [call(10, 40)]))[:cut]
    with pytest.raises(BadTurn):
        list(unpack(lambda at, length: data[at : at + length], len(data), True).slices)


@pytest.mark.parametrize(
    "data", [bytes(16), call(10, 20)[:-1], rb"\9" + bytes(60), call(10, 20) + bytes(3)]
)
def test_a_slice_of_something_else_is_found_out(data: bytes) -> None:
    assert not wire.is_slice(data)
    assert wire.is_slice(call(10, 20) + call(30, 40))


def test_tasks_are_told_apart_from_calls() -> None:
    event = wire.EVENT.pack(wire.RECORD_EXEC, 0, 7, 7, 7, 99, 0, 0, 0, b"x", b"")
    size = wire.SAMPLE.size + len(event)
    sample = wire.SAMPLE.pack(wire.PERF_RECORD_SAMPLE, 0, size, len(event)) + event
    data = call(10, 20) + sample + call(30, 40) + call(50, 60, flags=wire.CALL_CHUNK)
    assert outline(data) == sample
    assert calls_in(data) == 2


def test_a_recording_is_a_spool_whose_turns_stay(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "recording", os.O_RDWR | os.O_CREAT, 0o600)
    recording = Recording(fd, Header("slices", 5), True)
    recording.begin("slices", Clock(5), False)
    with closing(Spool(0, recording)) as spool:
        spool.begin()
        for n in range(7):
            place = put(spool, bytes([n]) * 13)
            assert spool.open(place)(0, 13) == bytes([n]) * 13
            spool.release(place)
        assert not spool.waiting()
        spool.end()
    recording.finish(now_ns=3)
    os.close(fd)
    with (tmp_path / "recording").open("rb") as file:
        frames = list(Frames(file))
    assert frames[:-1] == [(TURN, bytes([n]) * 13) for n in range(7)]
