"""Calls and descriptors that strace 7.2 prints otherwise than 6.1: see accepted.py."""

from __future__ import annotations

import re

from tests.differential.difference import Difference, differs


def _epoll_data(match: re.Match[str]) -> str:
    value = int(match[1])
    return f"data={value:#x}" if value else "data=0"


def _policy(match: re.Match[str]) -> str:
    value = int(match[1])
    return f" = {value:#x} ({match[2]})" if value else f" = 0 ({match[2]})"


_RSEQ = (
    r"rseq({cpu_id_start=⟦\d+⟧, cpu_id=RSEQ_CPU_ID_UNINITIALIZED, rseq_cs=NULL, flags=0, "
    r"node_id=⟦\d+⟧, mm_cid=⟦\d+⟧, slice_ctrl={request=0, granted=0, __reserved=0}, "
    r"__reserved=0}, 32, 0, \1)"
)

DIFFERENCES: tuple[Difference, ...] = (
    # Calls
    differs(
        "7.2 decodes the structure of rseq, the length in decimal, and the flags",
        r"rseq\(0x[0-9a-f]+, 0x20, 0, (0x[0-9a-f]+)\)",
        _RSEQ,
        "rseq",
    ),
    differs(
        "7.2 prints no structure as NULL, and the length in decimal",
        r"rseq\(0, 0x20, 0, ",
        "rseq(NULL, 32, 0, ",
        "rseq",
    ),
    differs(
        "7.2 prints the data of an epoll event as one hexadecimal number",
        r"data=\{u32=-?\d+, u64=(\d+)\}",
        _epoll_data,
        "epoll_ctl",
        "epoll_wait",
        "epoll_pwait",
        "epoll_pwait2",
    ),
    differs(
        "7.2 prints both values of sendfile's offset in one bracket",
        r"\[(\d+)\] => \[(\d+)\]",
        lambda m: f"[{m[1]}]" if m[1] == m[2] else f"[{m[1]} => {m[2]}]",
        "sendfile",
        "sendfile64",
    ),
    differs(
        "7.2 prints a pointer where 6.1 prints the stale contents of a buffer of size 0",
        r'(, )"[^"]*", 0\)( += \d+)$',
        r"\1⟦0x[0-9a-f]+⟧, 0)\2",
        "getxattr",
        "lgetxattr",
        "fgetxattr",
        "listxattr",
        "llistxattr",
        "flistxattr",
    ),
    differs(
        "7.2 prints struct sched_param as a structure, 6.1 as an array",
        r"\[(-?\d+)\]\)",
        r"{sched_priority=\1})",
        "sched_setparam",
        "sched_getparam",
        "sched_setscheduler",
    ),
    differs(
        "7.2 prints the policy that sched_getscheduler returns in hexadecimal",
        r" = (\d+) \((SCHED_\w+)\)$",
        _policy,
        "sched_getscheduler",
    ),
    differs(
        "7.2 prints the flags of sched_getattr and sched_setattr by name, else in hexadecimal",
        r", (\d+)\)(\s+= )",
        lambda m: f", {int(m[1]):#x}){m[2]}" if int(m[1]) else m[0],
        "sched_setattr",
    ),
    differs(
        "7.2 also prints the new address for MREMAP_DONTUNMAP",
        r"(MREMAP_MAYMOVE\|MREMAP_DONTUNMAP(?: \*/)?|, 0x5)\)",
        r"\1, ⟦NULL|0x[0-9a-f]+⟧)",
        "mremap",
    ),
    differs(
        "7.2 names one more of the commands that membarrier knows",
        r"\|0x200( \*/)?\)",
        r"|MEMBARRIER_CMD_GET_REGISTRATIONS\1)",
        "membarrier",
    ),
    differs(
        "7.2 names access right 0",
        r"pkey_alloc\((\S+), 0\)",
        r"pkey_alloc(\1, PKEY_UNRESTRICTED)",
        "pkey_alloc",
    ),
    differs(
        "7.2 renamed the only mode of syscall user dispatch that 6.1 knew",
        r"\bPR_SYS_DISPATCH_ON\b",
        "PR_SYS_DISPATCH_EXCLUSIVE_ON",
        "prctl",
    ),
    differs(
        "7.2 prints a zero last argument of PR_SCHED_CORE as 0, but for PR_SCHED_CORE_GET",
        r"\(((?:PR_SCHED_CORE|0x3e(?: /\* PR_SCHED_CORE \*/)?), "
        r"(?!PR_SCHED_CORE_GET,|0(?: /\* PR_SCHED_CORE_GET \*/)?,).*), NULL\)",
        r"(\1, 0)",
        "prctl",
    ),
    differs(
        "7.2 prints user_addr at the end of both offset structures",
        r"(array=\d+|flags=\d+)\}",
        r"\1, user_addr=0}",
        "io_uring_setup",
    ),
    differs(
        "7.2 prints the FUTEX2 names in the flags of a futex waiter",
        r"\bFUTEX_32(?:\|FUTEX_PRIVATE_FLAG)?(?=[,} ])",
        lambda m: "FUTEX2_SIZE_U32" + ("|FUTEX2_PRIVATE" if "PRIVATE" in m[0] else ""),
        "futex_waitv",
    ),
    differs(
        "7.2's comment for an unknown value is the constants' common prefix",
        r"/\* (?:QFMT_VFS_|SECCOMP_SET_MODE_)\?\?\? \*/",
        lambda m: "/* QFMT_??? */" if "QFMT" in m[0] else "/* SECCOMP_??? */",
        "quotactl",
        "quotactl_fd",
        "seccomp",
    ),
    differs(
        "7.2 tells the two magic numbers of reboot apart in its comments",
        r"reboot\((0x[0-9a-f]+) /\* LINUX_REBOOT_MAGIC_\?\?\? \*/",
        r"reboot(\1 /* LINUX_REBOOT_MAGIC1??? */",
        "reboot",
    ),
    differs(
        "7.2 tells the two magic numbers of reboot apart in its comments",
        r", (0x[0-9a-f]+) /\* LINUX_REBOOT_MAGIC_\?\?\? \*/",
        r", \1 /* LINUX_REBOOT_MAGIC2??? */",
        "reboot",
    ),
    # Descriptors, -yy
    differs(
        "7.2 knows the commands for write hints",
        r"0x40(b|c) /\* F_\?\?\? \*/, 0x[0-9a-f]+\)",
        r"⟦F_[GS]ET_RW_HINT, \[RWH_WRITE_LIFE_\w+\]⟧)",
        "fcntl",
        "fcntl64",
    ),
    differs(
        "7.2 prints the state of an eventfd with -yy",
        r"<anon_inode:\[eventfd\]>",
        r"<⟦anon_inode:\[eventfd\]|\{eventfd-count=[0-9a-fx]+, eventfd-id=\d+, "
        r"eventfd-semaphore=\d+\}⟧>",
    ),
    differs(
        "7.2 prints the mask of a signalfd with -yy",
        r"<anon_inode:\[signalfd\]>",
        r"<⟦anon_inode:\[signalfd\]|signalfd:~?\[[^]]*\]⟧>",
    ),
)
