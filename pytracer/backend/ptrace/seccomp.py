"""A filter that lets unwanted system calls pass without a stop (--seccomp-bpf).

The filter stays with the target for good, and with no tracer what it would have shown
fails with ENOSYS. So it is only for launched targets that are followed and die with
the tracer, as strace has it.

Source: include/uapi/linux/seccomp.h, include/uapi/linux/filter.h
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable
from typing import Final

from pytracer.backend.ptrace import api
from pytracer.event.schema import Abi
from pytracer.target.selection import LISTED, Launch, Selection, Target

_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_MODE_FILTER: Final = 2
_RET_TRACE: Final = 0x7FF00000
_RET_ALLOW: Final = 0x7FFF0000

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP: Final = 0x05  # BPF_JMP | BPF_JA
_IF_EQUAL: Final = 0x15
_IF_GREATER: Final = 0x25
_IF_AT_LEAST: Final = 0x35
_IF_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06

_NUMBER_OFFSET: Final = 0  # struct seccomp_data: nr, arch, ...
_ARCH_OFFSET: Final = 4
_MOST_INSTRUCTIONS: Final = 4096  # BPF_MAXINSNS

Instruction = tuple[int, int, int, int]


def why_not(target: Target, selection: Selection) -> str | None:
    """Tell, in strace's words, why no filter can be used; None when it can."""
    if not isinstance(target, Launch):
        return "--seccomp-bpf is not enabled for processes attached with -p"
    if not selection.follow:
        return "--seccomp-bpf cannot be used without -f/--follow-forks, disabling"
    if selection.syscalls is None:
        return (
            "Seccomp filter is requested but there are no syscalls to filter.  "
            "See -e trace to filter syscalls."
        )
    available = api.prctl(_PR_SET_SECCOMP, _MODE_FILTER, 0, 0, 0) < 0 and (
        api.last_errno() == 14  # EFAULT: it looked for the filter
    )
    if not available or len(build(selection.syscalls)) > _MOST_INSTRUCTIONS:
        return "seccomp filter is requested but unavailable"
    return None


def build(wanted: dict[Abi, frozenset[int]]) -> list[Instruction]:
    """Make a program that stops wanted calls and allows all others.

    Shape: (code, jump if true, jump if false, constant). It looks at the number alone, so
    the kernel (5.11 and later) remembers what is allowed and does not even run it.
    """
    x86_64 = _match(wanted.get(Abi.X86_64, ()), 0)
    x32 = _match(wanted.get(Abi.X32, ()), api.X32_BIT)
    i386 = _match(wanted.get(Abi.I386, ()), 0)
    return [
        (_LOAD, 0, 0, _ARCH_OFFSET),
        (_IF_EQUAL, 0, 1, api.ARCH_I386),
        (_JUMP, 0, 0, 5 + len(x86_64) + len(x32)),
        (_IF_EQUAL, 1, 0, api.ARCH_X86_64),
        (_RETURN, 0, 0, _RET_ALLOW),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_IF_ANY_BIT, 0, 1, api.X32_BIT),
        (_JUMP, 0, 0, len(x86_64)),
        *x86_64,
        *x32,
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        *i386,
    ]


def _match(numbers: Iterable[int], bits: int) -> list[Instruction]:
    program: list[Instruction] = []
    for first, last in _ranges(numbers):
        program += (
            (_IF_AT_LEAST, 0, 2, first | bits),
            (_IF_GREATER, 2, 0, last | bits),
            (_RETURN, 0, 0, _RET_TRACE),
            (_RETURN, 0, 0, _RET_ALLOW),
        )
    # Numbers that no table knows are always wanted.
    program += (
        (_IF_AT_LEAST, 0, 1, LISTED | bits),
        (_RETURN, 0, 0, _RET_TRACE),
        (_RETURN, 0, 0, _RET_ALLOW),
    )
    return program


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


class Filter:
    """A program laid out for the kernel, to be installed in the child before its execve."""

    def __init__(self, wanted: dict[Abi, frozenset[int]]) -> None:
        program = build(wanted)
        packed = b"".join(struct.pack("<HBBI", *each) for each in program)
        self._code = ctypes.create_string_buffer(packed, len(packed))
        header = struct.pack("<H6xQ", len(program), ctypes.addressof(self._code))
        self._header = ctypes.create_string_buffer(header, len(header))
        self._address = ctypes.addressof(self._header)

    def install(self) -> bool:
        """Filter the calling process and its descendants, for good."""
        if api.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0:
            return False
        installed: int = api.prctl(_PR_SET_SECCOMP, _MODE_FILTER, self._address, 0, 0)
        return installed == 0
