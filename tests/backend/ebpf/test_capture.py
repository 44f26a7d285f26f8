"""What the kernel program brings of the target's memory."""

from __future__ import annotations

import functools
import os

import pytest

from pytracer.event.memory import Absent, CString, Reason, Snapshot
from pytracer.event.schema import SyscallEnter
from pytracer.target.selection import Launch, Selection
from tests.backend.ebpf.scenes import collect, launch
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("gcc"),
    pytest.mark.timeout(60),
]

WRITE, WRITEV, EXECVE, OPENAT = 1, 20, 59, 257


@functools.cache
def entries(string_bytes: int = 32) -> tuple[SyscallEnter, ...]:
    """The calls of captures.c, from its own open("/dev/null") on."""
    path = os.fsencode(build("captures.c"))
    events = collect(Launch(path, (path,), ()), Selection(string_bytes=string_bytes))
    found = [event for event in events if isinstance(event, SyscallEnter)]
    for i, event in enumerate(found):
        if event.nr == OPENAT and string(event) == b"/dev/null":
            return tuple(found[i:])
    raise AssertionError("the program did not run")


def string(event: SyscallEnter) -> bytes | Absent:
    """The path of an openat."""
    found = event.memory.read_cstr(event.args[1], 4096)
    return found.data if isinstance(found, CString) else found


def numbered(nr: int, string_bytes: int = 32) -> list[SyscallEnter]:
    """The calls of one number."""
    return [event for event in entries(string_bytes) if event.nr == nr]


def test_a_string_that_was_not_resident_is_read() -> None:
    assert string(numbered(OPENAT)[1]) == b"/cold"


def test_a_buffer_is_captured_as_far_as_it_is_shown() -> None:
    big = numbered(WRITE)[0]
    assert big.args[2] == 12345
    assert big.memory.read(big.args[1], 32) == b"b" * 32
    beyond = big.memory.read(big.args[1], 33)
    assert isinstance(beyond, Absent) and beyond.reason is Reason.TRUNCATED


def test_a_long_buffer_comes_in_pieces() -> None:
    big = numbered(WRITE, 10007)[0]
    assert big.memory.read(big.args[1], 10007) == b"b" * 10007


def test_a_buffer_that_runs_into_nothing_is_captured_to_there() -> None:
    short = numbered(WRITE)[1]
    some = short.memory.read_some(short.args[1], 4000)
    assert some == b"e" * 7
    whole = short.memory.read(short.args[1], 32)
    assert isinstance(whole, Absent)


def test_a_constant_that_nothing_touched_is_read_afterwards() -> None:
    broken = numbered(WRITE)[2]
    assert broken.memory.read(broken.args[1], 3) == b"can"


def test_a_string_that_runs_into_nothing_is_absent() -> None:
    assert isinstance(string(numbered(OPENAT)[2]), Absent)


def test_many_vectors_are_all_captured() -> None:
    (vector,) = numbered(WRITEV)
    raw = vector.memory.read(vector.args[1], 16 * 32)
    assert isinstance(raw, bytes)
    for i in range(32):
        base = int.from_bytes(raw[16 * i : 16 * i + 8], "little")
        assert vector.memory.read(base, 32) == b"b" * 32


def test_arguments_of_execve_are_captured() -> None:
    words = [f"word{i}" for i in range(29)]
    events = collect(launch("true", *words))
    first = next(event for event in events if isinstance(event, SyscallEnter))
    assert first.nr == EXECVE
    at = first.args[1]
    for word in ("true", *words):
        raw = first.memory.read(at, 8)
        assert isinstance(raw, bytes)
        found = first.memory.read_cstr(int.from_bytes(raw, "little"), 33)
        assert isinstance(found, CString) and found.data == word.encode()
        at += 8


def test_strings_of_an_execve_that_were_not_resident_come_from_the_new_program() -> None:
    path = os.fsencode(build("cold_exec.c"))
    execs = [
        event
        for event in collect(Launch(path, (path,), ()))
        if isinstance(event, SyscallEnter) and event.nr == EXECVE
    ]
    memory, args = execs[1].memory, execs[1].args
    assert isinstance(memory, Snapshot)
    assert (args[0], b"", False) in memory.regions, "the string was resident"
    name = memory.read_cstr(args[0], 4096)
    assert isinstance(name, CString) and name.data == b"/bin/true"
    pointers = memory.read(args[1], 16)
    assert isinstance(pointers, bytes)
    for at, expected in ((0, b"true"), (8, b"bin/true")):
        found = memory.read_cstr(int.from_bytes(pointers[at : at + 8], "little"), 33)
        assert isinstance(found, CString) and found.data == expected
