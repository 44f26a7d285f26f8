"""Every described call of x86_64 is made by a program here, with success and with failure.

The programs are those whose text test_calls.py and test_backends.py compare between strace, ptrace
and ebpf, so a call that stands in none of the lists below is compared with both outcomes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytracer.decode.catalogue import numbers
from pytracer.event.schema import Abi
from tests.differential.run import PYTRACER, Program, run, work_directory
from tests.programs.build import PROGRAMS, build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("gcc"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

# Programs of cases.py, for what no function written in C can do in another way.
OTHERS = ("futex.c", "signals.c", "vfork.c")


def _named(reasons: dict[str, str]) -> dict[str, str]:
    return {name: reason for reason, names in reasons.items() for name in names.split()}


# The kernel that this was reviewed on: Linux 6.18 on a virtual machine. A call of these lists that
# has the outcome on another kernel is none the worse for it.
NO_SUCCESS = _named(
    {
        "x86_64 has the number, and never a call": (
            "afs_syscall create_module epoll_ctl_old epoll_wait_old get_kernel_syms getpmsg"
            " nfsservctl putpmsg query_module security tuxcall vserver"
        ),
        "only i386 has it; there it is compared": "get_thread_area set_thread_area",
        "the kernel was built without it": "_sysctl ioperm iopl lookup_dcookie uselib",
        "the processor does not have it": "map_shadow_stack pkey_alloc pkey_free",
        "younger than the kernel": "listns rseq_slice_yield",
        "would change the machine, in whichever namespace": (
            "acct clock_settime delete_module finit_module init_module kexec_file_load kexec_load"
            " reboot swapoff swapon"
        ),
        "no file system of the machine has quotas": "quotactl quotactl_fd",
        "no security module of the kernel has attributes": "lsm_get_self_attr lsm_set_self_attr",
        "does not come back, or with an error": "exit exit_group pause rt_sigsuspend",
        "only the kernel makes it after an interruption that no program can time": (
            "restart_syscall"
        ),
        "only a trampoline of the kernel's may make it; others are killed": "uretprobe",
        "wins a race with the end of a process": "process_mrelease",
        "answers EINPROGRESS where it succeeds": "io_cancel",
    }
)
NO_FAILURE = _named(
    {
        "cannot fail": (
            "alarm brk exit exit_group getegid geteuid getgid getpgrp getpid getppid gettid getuid"
            " munlockall personality sched_yield set_tid_address setfsgid setfsuid sync umask"
        ),
        "its errors are returned as positive numbers": "modify_ldt",
        "only a trampoline of the kernel's may make it; others are killed": "uretprobe",
    }
)
NEVER = {"uretprobe"}


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, set[str]]]:
    """Give the outcomes that each call had in one run of all programs: name -> statuses."""
    sources = [*sorted(path.name for path in PROGRAMS.glob("calls_*.c")), *OTHERS]
    built = [build(source) for source in sources]
    setup = "".join(f"mkdir {path.name};" for path in built)
    script = "".join(f"(cd {path.name}; timeout 30 {path});" for path in built)
    program = Program(("sh", "-c", script), setup, timeout_s=150)
    known = tuple(path.name[:15] for path in built)
    found: dict[str, set[str]] = {name: set() for name, _ in numbers(Abi.X86_64).values()}
    with tempfile.TemporaryDirectory(prefix="pytracer-made-") as name:
        base = Path(name)
        log = base / "log"
        command = [*PYTRACER, "--backend=ebpf", "-f", "--json", "-o", str(log), *program.argv]
        with work_directory(base, program) as work:
            _, stderr, _ = run(command, program, work, base)
        # What the shell calls does not count; a program may call itself something else later on.
        ours: set[int] = set()
        with log.open() as lines:
            for line in lines:
                told = json.loads(line)
                if told.get("comm", "").startswith(known):
                    ours.add(told["pid"])
                if told["type"] == "syscall" and told["abi"] == "x86_64" and told["pid"] in ours:
                    found[told["syscall"]].add(told["status"])
    assert len(ours) > len(sources), stderr
    yield found


def test_every_call_is_made(outcomes: dict[str, set[str]]) -> None:
    assert {name for name, seen in outcomes.items() if not seen} <= NEVER


def test_every_call_succeeds(outcomes: dict[str, set[str]]) -> None:
    assert {name for name, seen in outcomes.items() if "successful" not in seen} <= set(NO_SUCCESS)


def test_every_call_fails(outcomes: dict[str, set[str]]) -> None:
    assert {name for name, seen in outcomes.items() if "failed" not in seen} <= set(NO_FAILURE)


def test_the_reviewed_calls_exist() -> None:
    names = {name for name, _ in numbers(Abi.X86_64).values()}
    assert {*NO_SUCCESS, *NO_FAILURE, *NEVER} <= names
