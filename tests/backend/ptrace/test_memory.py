"""Reads of a held task's memory, at the edges of what is mapped."""

from __future__ import annotations

import pytest

from pytracer.backend.ptrace.memory import LiveMemory
from pytracer.event.memory import Absent, CString, Reason, Snapshot
from pytracer.event.schema import SyscallEnter
from tests.backend.ptrace.scenes import GETPPID, play

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(60)]

PAGE = 4096


def test_reads_end_where_the_mapping_ends() -> None:
    seen: list[int] = []

    def each(event: object) -> None:
        if not isinstance(event, SyscallEnter) or event.nr != GETPPID:
            return
        memory = event.memory
        start, length, forbidden = event.args[:3]
        end = start + length
        assert isinstance(memory, LiveMemory)
        assert memory.read(start + 17, 29) == b"a" * 29
        assert memory.read(start, length) == b"a" * (length - 1) + b"z"
        assert memory.read(start + PAGE - 3, 7) == b"aaaaaaa"
        assert memory.read(end - 2, 2) == b"az"
        assert memory.read(start, 0) == b""
        assert memory.read_some(end - 5, 100) == b"aaaaz"
        assert memory.read_some(start + 11, 3 * PAGE) == b"a" * (length - 12) + b"z"
        for absent in (
            memory.read(end - 2, 3),
            memory.read(end, 1),
            memory.read_some(end, 1),
            memory.read(forbidden, 1),
            memory.read_cstr(forbidden, 7),
            memory.read_cstr(end - 5, 100),
            memory.read((1 << 64) - 5, 3),
            memory.read((1 << 64) - 3, 7),
        ):
            assert isinstance(absent, Absent) and absent.reason is Reason.UNMAPPED
        for absent in (memory.read(0, 1), memory.read_some(0, 1), memory.read_cstr(0, 1)):
            assert isinstance(absent, Absent) and absent.reason is Reason.NULL
        text = memory.read_cstr(end - 5, 5)
        assert isinstance(text, CString) and (text.data, text.terminated) == (b"aaaaz", False)
        text = memory.read_cstr(start + PAGE - 2, 6)
        assert isinstance(text, CString) and (text.data, text.terminated) == (b"aaaaaa", False)
        _check_recording(memory, end)
        seen.append(event.task.tid)

    play("memory", each=each)
    assert len(seen) == 1


def _check_recording(memory: LiveMemory, end: int) -> None:
    # What was read lives can be read again from what was remembered, and nothing else.
    recorded = Snapshot(memory.regions())
    assert recorded.read(end - 2, 2) == b"az"
    assert isinstance(recorded.read(end, 1), Absent)
    assert isinstance(recorded.read(end + 5 * PAGE, 1), Absent)


def test_strings_of_execve_are_read() -> None:
    paths: list[bytes] = []

    def each(event: object) -> None:
        if isinstance(event, SyscallEnter) and event.nr == 59:
            text = event.memory.read_cstr(event.args[0], PAGE)
            assert isinstance(text, CString) and text.terminated
            paths.append(text.data)

    play("plain", each=each)
    assert len(paths) == 1 and b"/ptrace_scenes-" in paths[0]
