"""Reads of a held task's memory, at the edges of what is mapped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytracer.backend.ptrace.memory import LiveMemory
from pytracer.event.memory import Absent, CString, Reason, Snapshot
from pytracer.event.schema import SyscallEnter
from tests.backend.ptrace.scenes import GETPPID, play, scenes

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(60)]

PAGE = 4096
CHECKOUT = Path(__file__).resolve().parents[3]


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


FORBIDDEN = """
import ctypes, struct, sys
from tests.backend.ptrace import test_memory
from pytracer.backend.ptrace import api
code = b"".join(struct.pack("<HBBI", *each) for each in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 310), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)))
program = ctypes.create_string_buffer(code, len(code))
header = ctypes.create_string_buffer(struct.pack("<H6xQ", 4, ctypes.addressof(program)), 16)
api.prctl(38, 1, 0, 0, 0)
assert api.prctl(22, 2, ctypes.addressof(header), 0, 0) == 0
assert api.process_vm_readv(1, None, 0, None, 0, 0) == -1, "process_vm_readv must fail with EPERM"
test_memory.test_strings_of_execve_are_read()
"""


def test_memory_is_read_where_process_vm_readv_is_forbidden() -> None:
    scenes()
    subprocess.run([sys.executable, "-c", FORBIDDEN], check=True, timeout=30, cwd=CHECKOUT)
