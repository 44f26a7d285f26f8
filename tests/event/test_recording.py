"""The container of recordings: what is whole is read, what is not is found out."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytracer.event.recording import (
    END,
    EVENTS,
    FRAME_BYTES,
    HEADER,
    MAGIC,
    TURN,
    BadRecording,
    Frames,
    Header,
    frame,
    write_at,
)

FULL = Header("slices", 17, 3, "ab", ("calls", "lost"), {"follow": True}, ("ls", "/"), (5, 7))
FRAMES = [(EVENTS, b"one"), (TURN, b"two" * 1009), (TURN, b""), (END, b"{}")]


def recording(header: Header = FULL, frames: list[tuple[int, bytes]] = FRAMES) -> bytes:
    parts = [MAGIC]
    for kind, payload in [(HEADER, header.encode()), *frames]:
        parts += [frame(kind, [payload]), payload]
    return b"".join(parts)


def read(data: bytes) -> tuple[list[tuple[int, bytes]], str]:
    frames = Frames(io.BytesIO(data))
    return list(frames), frames.damage


def test_what_is_written_is_read() -> None:
    data = recording()
    assert Frames(io.BytesIO(data)).header == FULL
    assert read(data) == (FRAMES, "")


def test_the_header_can_be_read_by_people() -> None:
    start = recording()[len(MAGIC) + FRAME_BYTES :]
    assert json.loads(start.partition(b"\n")[0])["program"] == ["ls", "/"]


@pytest.mark.parametrize("left", [1, 7, FRAME_BYTES + 2, FRAME_BYTES + 3, 1009])
def test_what_is_cut_off_is_read_up_to_there(left: int) -> None:
    whole = recording()
    found, damage = read(whole[:-left])
    assert found == FRAMES[: len(found)] and len(found) < len(FRAMES)
    assert damage == "it ends too early"


def test_a_damaged_frame_is_passed_over() -> None:
    data = bytearray(recording())
    data[data.index(b"two") + 500] ^= 1
    assert read(bytes(data)) == ([FRAMES[0], *FRAMES[2:]], "a part of it is damaged")


def test_a_damaged_frame_head_is_passed_over() -> None:
    data = bytearray(recording())
    data[data.index(b"two") - 9] ^= 1
    assert read(bytes(data)) == ([FRAMES[0], *FRAMES[2:]], "a part of it is damaged")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_damage_is_taken_for_what_was_written(data: st.DataObject) -> None:
    broken = bytearray(recording())
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        found, damage = read(bytes(broken))
    except BadRecording:
        return
    assert all(one in FRAMES for one in found)
    assert damage or bytes(broken) == recording()


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"[" * 100_000, "its header cannot be read"),
        (b"[]", "its header cannot be read"),
        (b"{}", "its header cannot be read"),
        (b'{"events": "slices", "wall_offset_ns": "1"}', "its header cannot be read"),
        (b'{"events": "slices", "wall_offset_ns": 1, "pids": 5}', "its header cannot be read"),
        (b'{"events": "slices", "wall_offset_ns": 1, "format": 2}', "its format is 2"),
    ],
)
def test_a_header_of_something_else(header: bytes, why: str) -> None:
    with pytest.raises(BadRecording, match=why):
        Frames(io.BytesIO(MAGIC + frame(HEADER, [header]) + header))


@pytest.mark.parametrize("data", [b"", b"\x7fELF", MAGIC, recording()[1:]])
def test_other_files_are_no_recordings(data: bytes) -> None:
    with pytest.raises(BadRecording):
        Frames(io.BytesIO(data))


def test_a_header_of_a_later_version_may_say_more() -> None:
    fields = json.loads(FULL.encode()) | {"weather": "fine"}
    assert Header.decode(json.dumps(fields).encode()) == FULL


def test_many_parts_are_written_in_order(tmp_path: Path) -> None:
    parts = [bytes([n % 251]) * (n % 7) for n in range(2003)]
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        end = write_at(fd, parts, 13)
        assert os.pread(fd, end, 13) == b"".join(parts)
        assert end == 13 + sum(map(len, parts))
    finally:
        os.close(fd)
