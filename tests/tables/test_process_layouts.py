"""Structures of the calls about processes are laid out as the C compiler lays them out."""

from __future__ import annotations

import shutil

import pytest

from pytracer.spec.abi import I386, LAYOUTS, X86_64, Layout
from pytracer.spec.aggregate import StructOf
from pytracer.tables import confinement, memory, pidfds, system
from pytracer.tables.structs import (
    bpf_filter,
    capability,
    clock,
    clone,
    futex,
    limit,
    ptrace,
    sched,
    signal,
    time,
    waitstatus,
)
from tests.tables.layout import assert_laid_out

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

_SIGNAL = ("asm/signal.h",)
_TIME = ("linux/time.h",)
_SECCOMP = ("linux/seccomp.h",)
_LANDLOCK = ("linux/landlock.h",)
_RESOURCE = ("linux/resource.h",)
# The C name, the headers that have it, and what describes it.
STRUCTURES: tuple[tuple[str, tuple[str, ...], StructOf], ...] = (
    ("struct clone_args", ("linux/types.h", "linux/sched.h"), clone.CLONE_ARGS.inner),
    ("struct rusage", _RESOURCE, waitstatus.RUSAGE),
    ("struct rlimit64", _RESOURCE, limit.RLIMIT64),
    ("struct timezone", _TIME, clock.TIMEZONE),
    ("struct __kernel_timex", ("linux/timex.h",), clock.TIMEX64),
    ("struct __user_cap_header_struct", ("linux/capability.h",), capability.CAP_HEADER),
    ("struct sched_attr", ("linux/types.h", "linux/sched/types.h"), sched.GIVEN),
    ("struct futex_waitv", ("linux/futex.h",), futex.WAITER),
    ("struct sock_fprog", ("linux/filter.h",), bpf_filter.SECCOMP_PROGRAM),
    ("struct seccomp_notif_sizes", _SECCOMP, confinement.NOTIFICATION_SIZES),
    ("struct landlock_path_beneath_attr", _LANDLOCK, confinement.PATH_BENEATH),
    ("struct ptrace_peeksiginfo_args", ("linux/ptrace.h",), ptrace.PEEKSIGINFO_ARGS),
    ("struct kcmp_epoll_slot", ("linux/types.h", "linux/kcmp.h"), pidfds.SLOT),
    ("struct new_utsname", ("linux/utsname.h",), system.UTSNAME),
    ("struct sysinfo", ("linux/sysinfo.h",), system.SYSINFO),
)
# Of these x32 has the kernel's idea of a long, and the compiler its own.
OF_LONGS: tuple[tuple[str, tuple[str, ...], StructOf], ...] = (
    ("struct timex", ("linux/timex.h",), clock.TIMEX),
    ("struct itimerval", _TIME, time.ITIMERVAL),
    ("struct rlimit", _RESOURCE, limit.RLIMIT),
    ("struct sigaltstack", _SIGNAL, signal.STACK_T),
)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize(
    ("name", "headers", "described"), STRUCTURES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_layout_is_the_compilers(
    layout: Layout, name: str, headers: tuple[str, ...], described: StructOf
) -> None:
    assert_laid_out(layout, name, headers, described)


@pytest.mark.parametrize("layout", (X86_64, I386), ids=lambda layout: layout.name)
@pytest.mark.parametrize(
    ("name", "headers", "described"), OF_LONGS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_longs_are_the_compilers(
    layout: Layout, name: str, headers: tuple[str, ...], described: StructOf
) -> None:
    assert_laid_out(layout, name, headers, described)


def test_mapping_of_old_i386_takes_six_words() -> None:
    [block] = memory.old_mmap.args.values()
    assert block.block.measure(I386)[:2] == (24, 4)  # type: ignore[attr-defined]
