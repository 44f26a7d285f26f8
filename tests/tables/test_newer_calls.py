"""Calls and forms that strace 6.1 does not know, in the words of strace 7.2."""

from __future__ import annotations

import struct

import pytest

from pytracer.decode.catalogue import numbers
from pytracer.event.memory import Snapshot
from pytracer.event.schema import Abi, Task
from pytracer.output.style import LineStyle, Style
from tests.output.scene import Tracing, snapshot

AT = 0x7FFF05A6CE6C
BAD = 0x7FF6E95CA000
NUMBERS = {name: nr for nr, (name, _) in numbers(Abi.X86_64).items()}
TIME = struct.pack("<2q", 5165, 284441410)


def waiter(val: int, uaddr: int, flags: int, reserved: int = 0) -> bytes:
    return struct.pack("<QQII", val, uaddr, flags, reserved)


RSEQ = struct.pack("<IIQIIII", 0, 0xFFFFFFFF, 0, 0, 0, 0, 0)
RULESET = struct.pack("<6Q", 1, 1, 1, 0, 0, 0)

# (call, registers, memory, result, what follows the name)
LINES: tuple[tuple[str, tuple[int, ...], bytes, int, str], ...] = (
    (
        "futex_wake",
        (AT, 0xFFFFFFFF, 1, 2),
        b"",
        0,
        f"({AT:#x}, FUTEX_BITSET_MATCH_ANY, 1, FUTEX2_SIZE_U32) = 0",
    ),
    (
        "futex_wake",
        (BAD, 2**64 - 1, 2**64 - 1, 0xFFFFFF7F),
        b"",
        -22,
        f"({BAD:#x}, 0xffffffffffffffff, -1, FUTEX2_SIZE_U64|FUTEX2_NUMA|FUTEX2_MPOL|0xffffff70)"
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "futex_wait",
        (0x1000, 5, 1, 0x82, AT, 1),
        TIME,
        -110,
        "(0x1000, 5, 0x1, FUTEX2_SIZE_U32|FUTEX2_PRIVATE, {tv_sec=5165, tv_nsec=284441410},"
        " CLOCK_MONOTONIC) = -1 ETIMEDOUT (Connection timed out)",
    ),
    (
        "futex_requeue",
        (AT, 0, 1, 1),
        waiter(5, 0x1230, 2) + waiter(6, 0x1238, 0x82),
        -22,
        "([{val=0x5, uaddr=0x1230, flags=FUTEX2_SIZE_U32}, {val=0x6, uaddr=0x1238,"
        " flags=FUTEX2_SIZE_U32|FUTEX2_PRIVATE}], 0, 1, 1) = -1 EINVAL (Invalid argument)",
    ),
    ("futex_requeue", (0, 0, 0, 0), b"", -22, "(NULL, 0, 0, 0) = -1 EINVAL (Invalid argument)"),
    (
        "futex_waitv",
        (AT, 2, 0, 0, 1),
        waiter(5, 0x1230, 0x13) + waiter(6, 0x1238, 0x82, 7),
        -22,
        "([{val=0x5, uaddr=0x1230, flags=FUTEX2_SIZE_U64|0x10}, {val=0x6, uaddr=0x1238,"
        " flags=FUTEX2_SIZE_U32|FUTEX2_PRIVATE, __reserved=0x7}], 2, 0, NULL, CLOCK_MONOTONIC)"
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "futex",
        (AT, 0x20A, 1, 0, 0, 0xFFFFFFFF),
        b"",
        -38,
        f"({AT:#x}, FUTEX_UNLOCK_BITSET_LIST64, 1, FUTEX_BITSET_MATCH_ANY)"
        " = -1 ENOSYS (Function not implemented)",
    ),
    (
        "rseq",
        (AT, 32, 0, 0x53053053),
        RSEQ,
        0,
        "({cpu_id_start=0, cpu_id=RSEQ_CPU_ID_UNINITIALIZED, rseq_cs=NULL, flags=0, node_id=0,"
        " mm_cid=0, slice_ctrl={request=0, granted=0, __reserved=0}, __reserved=0}, 32, 0,"
        " 0x53053053) = 0",
    ),
    (
        "rseq",
        (0, 32, 3, 1),
        b"",
        -22,
        "(NULL, 32, RSEQ_FLAG_UNREGISTER|RSEQ_FLAG_SLICE_EXT_DEFAULT_ON, 0x1)"
        " = -1 EINVAL (Invalid argument)",
    ),
    ("rseq", (AT, 20, 0, 1), RSEQ, -22, f"({AT:#x}, 20, 0, 0x1) = -1 EINVAL (Invalid argument)"),
    ("rseq_slice_yield", (), b"", -38, "() = -1 ENOSYS (Function not implemented)"),
    ("uretprobe", (), b"", 0, "() = 0"),
    (
        "map_shadow_stack",
        (0, 4096, 1),
        b"",
        139637976731648,
        "(NULL, 4096, SHADOW_STACK_SET_TOKEN) = 139637976731648",
    ),
    ("mseal", (0, 4096, 1), b"", -22, "(NULL, 4096, 0x1) = -1 EINVAL (Invalid argument)"),
    (
        "sched_setscheduler",
        (0, 0x40000003, AT),
        bytes(4),
        0,
        "(0, SCHED_RESET_ON_FORK|SCHED_BATCH, {sched_priority=0}) = 0",
    ),
    (
        "sched_getscheduler",
        (0,),
        b"",
        0x40000003,
        "(0) = 0x40000003 (SCHED_RESET_ON_FORK|SCHED_BATCH)",
    ),
    (
        "sched_getattr",
        (0, AT, 56, 6),
        b"",
        -22,
        f"(0, {AT:#x}, 56, 0x6 /* SCHED_GETATTR_FLAG_??? */) = -1 EINVAL (Invalid argument)",
    ),
    (
        "clone3",
        (AT, 64),
        struct.pack("<8Q", 0x3C00000000, 0, 0, 0, 0, 0, 0, 0),
        -22,
        "({flags=CLONE_AUTOREAP|CLONE_NNP|CLONE_PIDFD_AUTOKILL|CLONE_EMPTY_MNTNS, exit_signal=0,"
        " stack=NULL, stack_size=0}, 64) = -1 EINVAL (Invalid argument)",
    ),
    (
        "pidfd_open",
        (0, 0xFFFFFFFF),
        b"",
        -22,
        "(0, PIDFD_NONBLOCK|PIDFD_THREAD|PIDFD_AUTOKILL|0xfffff57f) = -1 EINVAL (Invalid argument)",
    ),
    ("pidfd_send_signal", (3, 0, 0, 1), b"", 0, "(3, 0, NULL, PIDFD_SIGNAL_THREAD) = 0"),
    (
        "set_mempolicy",
        (0x8006, 0, 0),
        b"",
        -22,
        "(MPOL_WEIGHTED_INTERLEAVE|MPOL_F_STATIC_NODES, NULL, 0) = -1 EINVAL (Invalid argument)",
    ),
    (
        "mmap",
        (0, 4096, 3, 0x28, 2**64 - 1, 0),
        b"",
        0x7FFFF7FBC000,
        "(NULL, 4096, PROT_READ|PROT_WRITE, MAP_DROPPABLE|MAP_ANONYMOUS, -1, 0) = 0x7ffff7fbc000",
    ),
    (
        "mremap",
        (0x1000, 4096, 4096, 5, 0),
        b"",
        0x2000,
        "(0x1000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_DONTUNMAP, NULL) = 0x2000",
    ),
    ("pkey_alloc", (0, 0), b"", 1, "(0, PKEY_UNRESTRICTED) = 1"),
    ("madvise", (0x1000, 1, 102), b"", 0, "(0x1000, 1, MADV_GUARD_INSTALL) = 0"),
    (
        "execveat",
        (2**64 - 1, 0, 0, 0, 0xFFFFFFFF),
        b"",
        -22,
        "(-1, NULL, NULL, NULL, AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH|AT_EXECVE_CHECK|0xfffeeeff)"
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "landlock_create_ruleset",
        (AT, 16, 0),
        RULESET,
        5,
        "({handled_access_fs=LANDLOCK_ACCESS_FS_EXECUTE,"
        " handled_access_net=LANDLOCK_ACCESS_NET_BIND_TCP}, 16, 0) = 5",
    ),
    (
        "landlock_create_ruleset",
        (AT, 56, 0),
        struct.pack("<7Q", 1, 0, 2, 0, 0, 0, 9),
        -7,
        "({handled_access_fs=LANDLOCK_ACCESS_FS_EXECUTE, handled_access_net=0,"
        " scoped=LANDLOCK_SCOPE_SIGNAL, quiet_access_fs=0, quiet_access_net=0, quiet_scoped=0,"
        " ...}, 56, 0) = -1 E2BIG (Argument list too long)",
    ),
    (
        "landlock_add_rule",
        (5, 2, AT, 0),
        struct.pack("<2Q", 1, 80),
        0,
        "(5, LANDLOCK_RULE_NET_PORT, {allowed_access=LANDLOCK_ACCESS_NET_BIND_TCP, port=80}, 0)"
        " = 0",
    ),
    (
        "landlock_add_rule",
        (5, 3, AT, 3),
        b"",
        -22,
        f"(5, 0x3 /* LANDLOCK_RULE_??? */, {AT:#x}, LANDLOCK_ADD_RULE_QUIET|0x2)"
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "lsm_get_self_attr",
        (100, 0, AT, 0),
        bytes(4),
        -95,
        "(LSM_ATTR_CURRENT, NULL, [0], 0) = -1 EOPNOTSUPP (Operation not supported)",
    ),
    (
        "lsm_get_self_attr",
        (100, AT, AT + 64, 0),
        bytes(64) + struct.pack("<I", 256),
        1,
        "(LSM_ATTR_CURRENT, [{id=LSM_ID_UNDEF, flags=0, len=0, ctx_len=0}], [256], 0) = 1",
    ),
    (
        "lsm_get_self_attr",
        (104, AT, AT + 64, 1),
        bytes(64) + struct.pack("<I", 256),
        1,
        "(LSM_ATTR_PREV, {id=LSM_ID_UNDEF} => [{id=LSM_ID_UNDEF, flags=0, len=0, ctx_len=0}],"
        " [256], LSM_FLAG_SINGLE) = 1",
    ),
    (
        "lsm_get_self_attr",
        (0, AT, BAD, 2),
        b"",
        -22,
        f"(LSM_ATTR_UNDEF, {AT:#x}, {BAD:#x}, 0x2 /* LSM_FLAG_??? */)"
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "lsm_set_self_attr",
        (100, AT, 40, 0),
        struct.pack("<4Q8s", 101, 0, 40, 8, b"ctx"),
        -95,
        "(LSM_ATTR_CURRENT, {id=LSM_ID_SELINUX, flags=0, len=40, ctx_len=8,"
        ' ctx="\\x63\\x74\\x78\\x00\\x00\\x00\\x00\\x00"}, 40, 0)'
        " = -1 EOPNOTSUPP (Operation not supported)",
    ),
    (
        "lsm_set_self_attr",
        (100, AT, 16, 0),
        bytes(64),
        -22,
        f"(LSM_ATTR_CURRENT, {AT:#x}, 16, 0) = -1 EINVAL (Invalid argument)",
    ),
    (
        "lsm_list_modules",
        (AT, AT + 64, 0),
        struct.pack("<8QI", 108, 100, 110, 109, 0, 0, 0, 0, 32),
        4,
        "([LSM_ID_LOCKDOWN, LSM_ID_CAPABILITY, LSM_ID_LANDLOCK, LSM_ID_BPF], [32], 0) = 4",
    ),
    (
        "seccomp",
        (99, 1, 2),
        b"",
        -22,
        "(0x63 /* SECCOMP_??? */, 0x1, 0x2) = -1 EINVAL (Invalid argument)",
    ),
    (
        "prctl",
        (0x41, 1, 0, 0, 0),
        b"",
        0,
        "(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) = 0",
    ),
    (
        "prctl",
        (0x42, 0, 0, 0, 0),
        b"",
        1,
        "(PR_GET_MDWE, 0, 0, 0, 0) = 0x1 (PR_MDWE_REFUSE_EXEC_GAIN)",
    ),
    ("prctl", (0x44, 0, 0, 0, 0), b"", 1, "(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) = 1"),
    (
        "prctl",
        (0x45, 0x1F),
        b"",
        -22,
        "(PR_RISCV_V_SET_CONTROL, 0x3|0x3<<2|PR_RISCV_V_VSTATE_CTRL_INHERIT)"
        " = -1 EINVAL (Invalid argument)",
    ),
    ("prctl", (0x46,), b"", -22, "(PR_RISCV_V_GET_CONTROL) = -1 EINVAL (Invalid argument)"),
    (
        "prctl",
        (0x47, 0, 0),
        b"",
        -22,
        "(PR_RISCV_SET_ICACHE_FLUSH_CTX, PR_RISCV_CTX_SW_FENCEI_ON, PR_RISCV_SCOPE_PER_PROCESS)"
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "prctl",
        (0x49, 4, 2, 1, 2),
        b"",
        0,
        "(PR_PPC_SET_DEXCR, 0x4 /* PR_PPC_DEXCR_??? */, PR_PPC_DEXCR_CTRL_SET, 0x1, 0x2) = 0",
    ),
    ("prctl", (0x4E, 1, 16, 0, 0), b"", 0, "(PR_FUTEX_HASH, 0x1, 0x10, 0, 0) = 0"),
    (
        "prctl",
        (27,),
        b"",
        0xF00,
        "(PR_GET_SECUREBITS) = 0xf00 (SECBIT_EXEC_RESTRICT_FILE|SECBIT_EXEC_RESTRICT_FILE_LOCKED|"
        "SECBIT_EXEC_DENY_INTERACTIVE|SECBIT_EXEC_DENY_INTERACTIVE_LOCKED)",
    ),
    (
        "ptrace",
        (0x4212, 5475, 3, AT),
        b"\x04\x81\x82\x00",
        -3,
        "(PTRACE_SET_SYSCALL_INFO, 5475, 3, {op=0x4 /* PTRACE_SYSCALL_INFO_??? */, reserved=0x81,"
        " flags=0x82}) = -1 ESRCH (No such process)",
    ),
    (
        "ptrace",
        (0x4212, 21897, 88, AT),
        struct.pack("<B3xIQQ", 0x21, 0, 0x7FFFF7FC8000, 0x33) + bytes(64),
        -3,
        "(PTRACE_SET_SYSCALL_INFO, 21897, 88, {op=0x21 /* PTRACE_SYSCALL_INFO_??? */, arch=0"
        " /* AUDIT_ARCH_??? */, instruction_pointer=0x7ffff7fc8000, stack_pointer=0x33})"
        " = -1 ESRCH (No such process)",
    ),
    (
        "reboot",
        (1, 0x28121969, 0),
        b"",
        -22,
        "(0x1 /* LINUX_REBOOT_MAGIC1??? */, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF)"
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "arch_prctl",
        (0x5001, 1),
        b"",
        -22,
        "(ARCH_SHSTK_ENABLE, 0x1) = -1 EINVAL (Invalid argument)",
    ),
    (
        "ioctl",
        (2**32 - 1, 0xC4C03D09, AT),
        struct.pack("<IiII", 0, 0x20, 0, 0) + bytes(1200),
        -9,
        "(-1, PTP_SYS_OFFSET_EXTENDED, {n_samples=0, clockid=0x20 /* CLOCK_??? */})"
        " = -1 EBADF (Bad file descriptor)",
    ),
    (
        "ioctl",
        (2**32 - 1, 0x80503D01, AT),
        struct.pack("<9i", 1, 0, 0, 0, 1, 0, 1, 1, -1_500_000_000) + bytes(40) + b"\1\0\0\0",
        0,
        "(-1, PTP_CLOCK_GETCAPS, {max_adj=1, n_alarm=0, n_ext_ts=0, n_per_out=0, pps=1, n_pins=0,"
        " cross_timestamping=1, adjust_phase=1, max_phase_adj=-1500000000 /* -1.500000000 s */,"
        " rsv=[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1]}) = 0",
    ),
    (
        "ioctl",
        (2**32 - 1, 0x40187542, AT),
        struct.pack("<iIQQ", 3, 1, 0, 4096),
        -9,
        "(-1, UDMABUF_CREATE, {memfd=3, flags=UDMABUF_FLAGS_CLOEXEC, offset=0, size=4096})"
        " = -1 EBADF (Bad file descriptor)",
    ),
    (
        "ioctl",
        (2**32 - 1, 0x40087543, AT),
        struct.pack("<II", 1, 1) + struct.pack("<iIQQ", 3, 0, 0, 4096),
        -9,
        "(-1, UDMABUF_CREATE_LIST, {flags=UDMABUF_FLAGS_CLOEXEC, count=1, list=[{memfd=3, offset=0,"
        " size=4096}]}) = -1 EBADF (Bad file descriptor)",
    ),
)


def line(call: str, registers: tuple[int, ...], data: bytes, ret: int) -> str:
    """The text of one call on a memory that holds ``data`` at AT."""
    memory: Snapshot = snapshot((AT, data)) if data else snapshot()
    task = Task(1, 1)
    tracing = Tracing(Style(column=0), LineStyle())
    tracing.enter(task, NUMBERS[call], *registers, memory=memory).leave(task, ret, memory)
    return tracing.text


@pytest.mark.parametrize(
    ("call", "registers", "data", "ret", "expected"),
    LINES,
    ids=[f"{call}-{i}" for i, (call, *_) in enumerate(LINES)],
)
def test_in_the_words_of_7_2(
    call: str, registers: tuple[int, ...], data: bytes, ret: int, expected: str
) -> None:
    assert line(call, registers, data, ret) == f"{call}{expected}\n"
