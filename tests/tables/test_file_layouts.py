"""Structures of the file calls are laid out as the C compiler lays them out."""

from __future__ import annotations

import shutil

import pytest

from pytracer.spec.abi import LAYOUTS, Layout
from pytracer.spec.aggregate import Pad, StructOf
from pytracer.tables.ioctls import block, filesystems, loop, terminal
from pytracer.tables.structs import aio, flock, mount, pollfd, quota, stat, time
from tools.probe import ProbeError, compile_and_read

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

_FCNTL = ("asm/fcntl.h",)
_STAT = ("asm/stat.h",)
_FS = ("linux/fs.h",)
# The C name, the headers that have it, and what describes it.
STRUCTURES: tuple[tuple[str, tuple[str, ...], StructOf], ...] = (
    ("struct iocb", ("linux/aio_abi.h",), aio.IOCB),
    ("struct io_event", ("linux/aio_abi.h",), aio.IO_EVENT),
    ("struct flock", _FCNTL, flock.FLOCK),
    ("struct flock64", _FCNTL, flock.FLOCK64),
    ("struct f_owner_ex", _FCNTL, flock.OWNER),
    ("struct statx", ("linux/stat.h",), stat.STATX),
    ("struct statfs", ("asm/statfs.h",), stat.STATFS),
    ("struct epoll_event", ("linux/eventpoll.h",), pollfd.EPOLL_EVENT),
    ("struct termios", ("asm/termbits.h",), terminal.TERMIOS),
    ("struct termios2", ("asm/termbits.h",), terminal.TERMIOS2),
    ("struct termio", ("asm/termios.h",), terminal.TERMIO),
    ("struct winsize", ("asm/termios.h",), terminal.WINSIZE),
    ("struct file_clone_range", _FS, filesystems.CLONE_RANGE),
    ("struct fstrim_range", _FS, filesystems.TRIM_RANGE),
    ("struct fiemap", ("linux/types.h", "linux/fiemap.h"), filesystems.FIEMAP_ASKED),
    ("struct blkpg_partition", ("linux/blkpg.h",), block.PARTITION),
    ("struct blkpg_ioctl_arg", ("linux/blkpg.h",), block.PARTITION_CHANGE),
    ("struct loop_info", ("linux/loop.h",), loop.INFO),
    ("struct loop_info64", ("linux/loop.h",), loop.INFO64),
    ("struct loop_config", ("linux/loop.h",), loop.CONFIG),
    ("struct if_nextdqblk", ("linux/quota.h",), quota.NEXT_QUOTA),
    ("struct if_dqinfo", ("linux/quota.h",), quota.INFO),
    ("struct fs_disk_quota", ("linux/dqblk_xfs.h",), quota.XFS_QUOTA),
    ("struct fs_quota_stat", ("linux/dqblk_xfs.h",), quota.XFS_STATE),
    ("struct fs_quota_statv", ("linux/dqblk_xfs.h",), quota.XFS_STATE_V),
    ("struct mount_attr", ("linux/mount.h",), mount.MOUNT_ATTRIBUTES.inner),
    ("struct __kernel_timespec", ("linux/time_types.h",), time.TIMESPEC64),
)

OTHERWISE = {
    ("struct statfs", "x32"): "the kernel fills x86_64's, whatever the header says to x32 programs"
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize(
    ("name", "headers", "described"), STRUCTURES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_layout_is_the_compilers(
    layout: Layout, name: str, headers: tuple[str, ...], described: StructOf
) -> None:
    placed, size, _ = described.place(layout)
    source = "#define __force\n" + "".join(f"#include <{header}>\n" for header in headers)
    shown = [field for field in placed if not isinstance(field.kind, Pad)]
    expressions = {"": f"sizeof({name})"}
    expressions |= {field.name: f"offsetof({name}, {field.name})" for field in shown}
    if (name, layout.name) in OTHERWISE:
        pytest.skip(OTHERWISE[name, layout.name])
    try:
        found = compile_and_read(source, expressions, layout.name)
    except ProbeError as younger:
        # Fields that these headers do not know yet.
        expressions = {k: v for k, v in expressions.items() if k not in younger.expressions}
        found = compile_and_read(source, expressions, layout.name)
    assert len(found) > 1
    expected = {field.name: field.offset for field in shown} | {"": size}
    assert {key: expected[key] for key in found} == found


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_stat_is_the_kernels(layout: Layout) -> None:
    # The x32 compiler has the C library's idea of this structure; the kernel fills x86_64's.
    described = stat.STAT.under(layout)
    assert isinstance(described, StructOf)
    placed, size, _ = described.place(layout)
    abi = "i386" if layout.name == "i386" else "x86_64"
    shown = [field for field in placed if not isinstance(field.kind, Pad)]
    expressions = {f.name: f"offsetof(struct stat, {f.name})" for f in shown}
    expressions[""] = "sizeof(struct stat)"
    found = compile_and_read("#include <asm/stat.h>\n", expressions, abi)
    assert {field.name: field.offset for field in shown} | {"": size} == found
