"""Offsets from BTF."""

from __future__ import annotations

import struct

import pytest

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf.btf import VMLINUX, Btf, kernel_offsets


def blob() -> bytes:
    """A BTF of two types: an int, and ``struct pair { int first; int second; }``."""
    strings = b"\0int\0pair\0first\0second\0"
    types = struct.pack("<IIII", 1, 1 << 24, 4, 32)
    types += struct.pack("<III", 5, 4 << 24 | 2, 8)
    types += struct.pack("<III", 10, 1, 0) + struct.pack("<III", 16, 1, 32)
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
    return head + types + strings


def test_finds_members_by_name() -> None:
    btf = Btf(blob())
    assert btf.offset("pair", "first") == 0
    assert btf.offset("pair", "second") == 4
    assert btf.names("pair") and not btf.names("triple")


@pytest.mark.parametrize("path", [("pair", "third"), ("triple", "first"), ("int", "first")])
def test_what_is_not_there_is_named(path: tuple[str, str]) -> None:
    with pytest.raises(KeyError, match=path[0]):
        Btf(blob()).offset(*path)


def test_something_else_is_refused() -> None:
    with pytest.raises(BackendUnavailable, match="magic"):
        Btf(b"\x7fELF" + bytes(60))


@pytest.mark.skipif(not VMLINUX.exists(), reason="the kernel has no BTF")
def test_this_kernel_has_all_that_the_programs_need() -> None:
    offsets = kernel_offsets()
    assert offsets["SIZE_UPID"] == 16
    assert offsets["OFFSET_STATUS"] < 64


@pytest.mark.skipif(not VMLINUX.exists(), reason="the kernel has no BTF")
def test_functions_are_numbered_as_the_kernel_numbers_them() -> None:
    number = Btf(VMLINUX.read_bytes()).function("bpf_iter_task")
    assert number > 1
    with pytest.raises(KeyError, match="no_such_function"):
        Btf(VMLINUX.read_bytes()).function("no_such_function")
