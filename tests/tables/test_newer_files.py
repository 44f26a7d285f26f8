"""Calls on files and mounts that strace 6.1 does not know, in the words of strace 7.2."""

from __future__ import annotations

import struct

import pytest

from pytracer.decode.catalogue import numbers
from pytracer.event.schema import Abi, Task
from pytracer.output.style import LineStyle, Style
from tests.output.scene import Tracing, snapshot
from tests.tables import test_newer_calls

AT = 0x7FFF05A6CE00
PATH = 0x7FFF05A70000
NAME = 0x7FFF05A71000
OUT = 0x7FFF05A72000
VALUE = 0x7FFF05A73000
BAD = 0x7FF6E95CA000
HERE = 2**64 - 100  # AT_FDCWD
NONE = 2**64 - 1
EMPTY = 0x1000  # AT_EMPTY_PATH
BY_NUMBER = {nr: name for nr, (name, _) in numbers(Abi.X86_64).items()}
NUMBERS = {name: nr for nr, name in BY_NUMBER.items()}

Pieces = tuple[tuple[int, bytes], ...]


def request(mount: int, param: int) -> bytes:
    return struct.pack("<IIQQ", 24, 0, mount, param)


def mounted(
    mask: int, fields: tuple[tuple[int, str, int], ...] = (), strings: bytes = b""
) -> bytes:
    """struct statmount, with (offset, format, value) of fields."""
    data = bytearray(512)
    struct.pack_into("<IIQ", data, 0, 512 + len(strings), 0, mask)
    for offset, code, value in fields:
        struct.pack_into(f"<{code}", data, offset, value)
    return bytes(data) + strings


def value(size: int, flags: int) -> bytes:
    return struct.pack("<QII", VALUE, size, flags)


RANGE = struct.pack("<2Q", 0, 4096)
NO_PATH = (PATH, b"\0")
X = (PATH, b"x\0")
USER = (NAME, b"user.t\0")
ATTRIBUTES = struct.pack("<QIIII", 1 << 40, 1, 7, 3, 4)
TREE = struct.pack("<4Q", 1, 0x70, 1 << 18, 0)
NAMESPACES = struct.pack("<IIQIIQ", 32, 0, 0, 0x04000000, 0, NONE)
ROOT = (AT, request(NONE, 0))
MOUNT = 0x80000018

# (call, registers, memory, result, what follows the name)
LINES: tuple[tuple[str, tuple[int, ...], Pieces, int, str], ...] = (
    (
        "cachestat",
        (3, AT, OUT, 0),
        ((AT, RANGE), (OUT, struct.pack("<5Q", 1, 1, 0, 0, 0))),
        0,
        "(3, {off=0, len=4096}, {nr_cache=1, nr_dirty=1, nr_writeback=0, nr_evicted=0,"
        " nr_recently_evicted=0}, 0) = 0",
    ),
    (
        "cachestat",
        (NONE, AT, OUT, 0),
        ((AT, RANGE),),
        -9,
        f"(-1, {{off=0, len=4096}}, {OUT:#x}, 0) = -1 EBADF (Bad file descriptor)",
    ),
    ("cachestat", (3, 0, 0, 0), (), -14, "(3, NULL, NULL, 0) = -1 EFAULT (Bad address)"),
    ("fchmodat2", (3, PATH, 0o644, EMPTY), (NO_PATH,), 0, '(3, "", 0644, AT_EMPTY_PATH) = 0'),
    (
        "fchmodat2",
        (HERE, BAD, 0o7777, 0x1001F),
        (),
        -22,
        f"(AT_FDCWD, {BAD:#x}, 07777, 0x1001f /* AT_??? */) = -1 EINVAL (Invalid argument)",
    ),
    (
        "statmount",
        (AT, OUT, 512, 0),
        (
            (AT, request(MOUNT, 1)),
            (OUT, mounted(1, ((16, "I", 0), (20, "I", 21), (24, "Q", 0x9FA0), (32, "I", 0)))),
        ),
        0,
        "({size=24, mnt_ns_fd=0, mnt_id=0x80000018, param=STATMOUNT_SB_BASIC}, {size=512,"
        " mask=STATMOUNT_SB_BASIC, sb_dev_major=0, sb_dev_minor=21, sb_magic=PROC_SUPER_MAGIC,"
        " sb_flags=0}, 512, 0) = 0",
    ),
    (
        "statmount",
        (AT, OUT, 4096, 1),
        ((AT, request(MOUNT, 0x10)),),
        -22,
        "({size=24, mnt_ns_fd=0, mnt_id=0x80000018, param=STATMOUNT_MNT_POINT},"
        f" {OUT:#x}, 4096, STATMOUNT_BY_FD) = -1 EINVAL (Invalid argument)",
    ),
    (
        "statmount",
        (AT, OUT, 4096, 0),
        ((AT, struct.pack("<2I", 8, 0)),),
        -22,
        f"({{size=8}}, {OUT:#x}, 4096, 0) = -1 EINVAL (Invalid argument)",
    ),
    (
        "listmount",
        (AT, OUT, 2, 0),
        (ROOT, (OUT, struct.pack("<2Q", MOUNT, MOUNT + 1))),
        2,
        "({size=24, mnt_ns_fd=0, mnt_id=LSMT_ROOT, param=0}, [0x80000018, 0x80000019], 2, 0) = 2",
    ),
    (
        "listmount",
        (AT, OUT, 0, 0),
        (ROOT,),
        0,
        "({size=24, mnt_ns_fd=0, mnt_id=LSMT_ROOT, param=0}, [], 0, 0) = 0",
    ),
    (
        "listmount",
        (AT, OUT, 3, 0),
        ((AT, struct.pack("<IIQQQ", 32, 3, 0x37, 6, 7)),),
        -22,
        "({size=32, mnt_ns_fd=3, mnt_id=0x37, param=0x6, mnt_ns_id=0x7},"
        f" {OUT:#x}, 3, 0) = -1 EINVAL (Invalid argument)",
    ),
    (
        "listmount",
        (AT, OUT, 2, 0xFE),
        ((AT, request(NONE, MOUNT + 1)),),
        -22,
        "({size=24, mnt_ns_fd=0, mnt_id=LSMT_ROOT, param=0x80000019},"
        f" {OUT:#x}, 2, 0xfe /* LISTMOUNT_??? */) = -1 EINVAL (Invalid argument)",
    ),
    (
        "listns",
        (AT, OUT, 4, 0),
        ((AT, NAMESPACES), (OUT, struct.pack("<2Q", 1, 2))),
        2,
        "({size=32, ns_id=0, ns_type=UTS_NS, user_ns_id=LISTNS_CURRENT_USER}, [0x1, 0x2], 4, 0)"
        " = 2",
    ),
    (
        "listns",
        (AT, OUT, 1, 0),
        ((AT, struct.pack("<2I", 16, 0)),),
        -38,
        f"({{size=16}}, {OUT:#x}, 1, 0) = -1 ENOSYS (Function not implemented)",
    ),
    (
        "setxattrat",
        (3, PATH, EMPTY, NAME, AT, 16),
        (NO_PATH, USER, (AT, value(3, 1)), (VALUE, b"val")),
        0,
        '(3, "", AT_EMPTY_PATH, "user.t", {value="val", size=3, flags=XATTR_CREATE}, 16) = 0',
    ),
    (
        "setxattrat",
        (3, PATH, 0x100, NAME, AT, 24),
        (NO_PATH, USER, (AT, value(3, 3) + struct.pack("<Q", 1)), (VALUE, b"val")),
        -7,
        '(3, "", AT_SYMLINK_NOFOLLOW, "user.t", {value="val", size=3,'
        ' flags=XATTR_CREATE|XATTR_REPLACE, /* bytes 16..23 */ "\\x01\\x00\\x00\\x00\\x00\\x00'
        '\\x00\\x00"}, 24) = -1 E2BIG (Argument list too long)',
    ),
    (
        "setxattrat",
        (NONE, PATH, 0xFFFF, NAME, AT, 8),
        (X, (NAME, b"n\0")),
        -22,
        f'(-1, "x", AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH|0xeeff, "n", {AT:#x}, 8)'
        " = -1 EINVAL (Invalid argument)",
    ),
    (
        "getxattrat",
        (HERE, PATH, 0, NAME, AT, 16),
        ((PATH, b"/w/f.txt\0"), USER, (AT, value(32, 0)), (VALUE, b"val" + bytes(29))),
        3,
        '(AT_FDCWD, "/w/f.txt", 0, "user.t", {value="val", size=32, flags=0}, 16) = 3',
    ),
    (
        "getxattrat",
        (3, PATH, EMPTY, NAME, 0, 0),
        (NO_PATH, USER),
        -22,
        '(3, "", AT_EMPTY_PATH, "user.t", NULL, 0) = -1 EINVAL (Invalid argument)',
    ),
    (
        "listxattrat",
        (HERE, PATH, 0, OUT, 32),
        ((PATH, b"/w/f.txt\0"), (OUT, b"user.t\0" + bytes(25))),
        7,
        '(AT_FDCWD, "/w/f.txt", 0, "user.t\\0", 32) = 7',
    ),
    (
        "listxattrat",
        (3, PATH, EMPTY, 0, 0),
        (NO_PATH,),
        7,
        '(3, "", AT_EMPTY_PATH, NULL, 0) = 7',
    ),
    (
        "listxattrat",
        (NONE, PATH, 0, OUT, 32),
        (X,),
        -9,
        f'(-1, "x", 0, {OUT:#x}, 32) = -1 EBADF (Bad file descriptor)',
    ),
    (
        "removexattrat",
        (3, PATH, EMPTY, NAME),
        (NO_PATH, USER),
        0,
        '(3, "", AT_EMPTY_PATH, "user.t") = 0',
    ),
    (
        "removexattrat",
        (NONE, PATH, 1, BAD),
        (X,),
        -22,
        f'(-1, "x", 0x1 /* AT_??? */, {BAD:#x}) = -1 EINVAL (Invalid argument)',
    ),
    (
        "open_tree_attr",
        (HERE, PATH, 0x80001, AT, 32),
        ((PATH, b"/tmp\0"), (AT, TREE)),
        3,
        '(AT_FDCWD, "/tmp", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC, {attr_set=MOUNT_ATTR_RDONLY,'
        " attr_clr=MOUNT_ATTR__ATIME, propagation=MS_PRIVATE, userns_fd=0}, 32) = 3",
    ),
    (
        "open_tree_attr",
        (NONE, PATH, 2, 0, 0),
        (X,),
        -22,
        '(-1, "x", OPEN_TREE_NAMESPACE, NULL, 0) = -1 EINVAL (Invalid argument)',
    ),
    (
        "open_tree_attr",
        (NONE, PATH, 0, AT, 16),
        (X,),
        -9,
        f'(-1, "x", 0, {AT:#x}, 16) = -1 EBADF (Bad file descriptor)',
    ),
    (
        "file_getattr",
        (3, PATH, AT, 24, EMPTY),
        (NO_PATH, (AT, bytes(24))),
        0,
        '(3, "", {fa_xflags=0, fa_extsize=0, fa_nextents=0, fa_projid=0, fa_cowextsize=0}, 24,'
        " AT_EMPTY_PATH) = 0",
    ),
    (
        "file_getattr",
        (NONE, PATH, AT, 24, 0x100),
        (X,),
        -9,
        f'(-1, "x", {AT:#x}, 24, AT_SYMLINK_NOFOLLOW) = -1 EBADF (Bad file descriptor)',
    ),
    (
        "file_setattr",
        (3, PATH, AT, 24, EMPTY),
        (NO_PATH, (AT, ATTRIBUTES)),
        -22,
        '(3, "", {fa_xflags=0x10000000000 /* FS_XFLAG_??? */, fa_extsize=1, fa_projid=0x3,'
        " fa_cowextsize=4}, 24, AT_EMPTY_PATH) = -1 EINVAL (Invalid argument)",
    ),
    (
        "file_setattr",
        (3, PATH, AT, 24, EMPTY),
        (NO_PATH, (AT, bytes(24))),
        0,
        '(3, "", {fa_xflags=0, fa_extsize=0, fa_projid=0, fa_cowextsize=0}, 24, AT_EMPTY_PATH) = 0',
    ),
    # What test_newer_calls.py has with one outcome: here with the other one.
    (
        "map_shadow_stack",
        (0x1000, 65536, 3),
        (),
        -38,
        "(0x1000, 65536, SHADOW_STACK_SET_TOKEN|0x2) = -1 ENOSYS (Function not implemented)",
    ),
    (
        "futex_wait",
        (AT, 5, 0xFFFFFFFF, 2, 0, 0),
        (),
        0,
        f"({AT:#x}, 5, FUTEX_BITSET_MATCH_ANY, FUTEX2_SIZE_U32, NULL, CLOCK_REALTIME) = 0",
    ),
    (
        "futex_requeue",
        (AT, 0, 1, 1),
        ((AT, struct.pack("<QQIIQQII", 5, OUT, 2, 0, 6, OUT, 0x82, 0)),),
        1,
        f"([{{val=0x5, uaddr={OUT:#x}, flags=FUTEX2_SIZE_U32}}, {{val=0x6, uaddr={OUT:#x},"
        " flags=FUTEX2_SIZE_U32|FUTEX2_PRIVATE}], 0, 1, 1) = 1",
    ),
    (
        "lsm_set_self_attr",
        (100, AT, 40, 0),
        ((AT, struct.pack("<4Q8s", 101, 0, 40, 8, b"ctx")),),
        0,
        "(LSM_ATTR_CURRENT, {id=LSM_ID_SELINUX, flags=0, len=40, ctx_len=8,"
        ' ctx="\\x63\\x74\\x78\\x00\\x00\\x00\\x00\\x00"}, 40, 0) = 0',
    ),
    (
        "lsm_list_modules",
        (OUT, AT, 0),
        ((AT, struct.pack("<I", 32)),),
        -7,
        f"({OUT:#x}, [32], 0) = -1 E2BIG (Argument list too long)",
    ),
    ("mseal", (AT, 4096, 0), (), 0, f"({AT:#x}, 4096, 0) = 0"),
    ("rseq_slice_yield", (), (), 0, "() = 0"),
    ("uretprobe", (), (), -38, "() = -1 ENOSYS (Function not implemented)"),
)


@pytest.mark.parametrize(
    ("call", "registers", "pieces", "ret", "expected"),
    LINES,
    ids=[f"{call}-{i}" for i, (call, *_) in enumerate(LINES)],
)
def test_in_the_words_of_7_2(
    call: str, registers: tuple[int, ...], pieces: Pieces, ret: int, expected: str
) -> None:
    task, memory = Task(1, 1), snapshot(*pieces)
    tracing = Tracing(Style(column=0), LineStyle())
    tracing.enter(task, NUMBERS[call], *registers, memory=memory).leave(task, ret, memory)
    assert tracing.text == f"{call}{expected}\n"


def test_every_newer_call_has_both_outcomes() -> None:
    newer = {name for nr, name in BY_NUMBER.items() if nr > 450} | {"uretprobe"}
    told = {(call, ret < 0) for call, _, _, ret, _ in (*LINES, *test_newer_calls.LINES)}
    assert {(name, failed) for name in newer for failed in (False, True)} <= told
