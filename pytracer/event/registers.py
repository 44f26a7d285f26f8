"""The registers of a task as a call was entered, as events of a session with -k carry them."""

from __future__ import annotations

import struct
from typing import Final

# Where the call's memory holds them, beyond all addresses and all descriptors.
REGISTERS: Final = 1 << 66
# struct pt_regs, which struct user_regs_struct begins with: arch/x86/include/asm/{ptrace,user_64}.h
_PT_REGS: Final = struct.Struct("<21Q")
LENGTH: Final = _PT_REGS.size

# DWARF's numbers of the registers, in the order of struct pt_regs; -1 has none.
# Source: System V ABI, AMD64 Architecture Processor Supplement, figure 3.36.
_NUMBERS: Final = (15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, 16, -1, -1, 7, -1)

RBP: Final = 6
RSP: Final = 7
RIP: Final = 16


_SEGMENT: Final = 17  # of cs
_NATIVE: Final = 0x33  # __USER_CS, arch/x86/include/asm/segment.h


def is_native(data: bytes) -> bool:
    """Whether the task runs code of 64 bits."""
    return int(_PT_REGS.unpack(data)[_SEGMENT]) == _NATIVE


def numbered(data: bytes) -> dict[int, int]:
    """Give the registers by DWARF's number."""
    found = dict(zip(_NUMBERS, _PT_REGS.unpack(data), strict=True))
    del found[-1]
    return found
