"""The ways in which a program may ask the kernel for something."""

from __future__ import annotations

from enum import IntEnum


class Abi(IntEnum):
    """The calling convention by which a system call was entered.

    Source: AUDIT_ARCH_* and __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h.
    """

    X86_64 = 0
    I386 = 1
    X32 = 2
