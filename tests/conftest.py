"""Markers that tell what a test needs, and what becomes of it where that is missing.

A test whose need is not met is skipped, with the reason. Where PYTRACER_REQUIRE is set, as
in continuous integration, it fails instead: a suite that skips all it is about proves nothing.
PYTRACER_REQUIRE unset or empty counts as set when the machine is root's and has eBPF.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.programs.build import build

# How long an example takes tells about the machine; and where one run decides, all are alike.
settings.register_profile("pytracer", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("pytracer")


def _keep_what_was_inherited() -> None:
    """Hand none of the caller's descriptors on: programs know which numbers theirs will have."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # that of the list itself
                os.set_inheritable(int(name), False)


_keep_what_was_inherited()

_BPF_PROG_LOAD = 5
_SYS_BPF = 321


@functools.cache
def ebpf_missing() -> str | None:
    """Return why BPF programs cannot be loaded here, or None.

    Asks what costs nothing: root, the system call, BTF and BCC's library. A defect of
    pytracer's own must show as a failure, never as something missing.
    """
    if os.geteuid() != 0:
        return "not root"
    if not Path("/sys/kernel/btf/vmlinux").exists():
        return "the kernel has no BTF (/sys/kernel/btf/vmlinux)"
    probe = (
        "import ctypes, errno, sys\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"libc.syscall({_SYS_BPF}, {_BPF_PROG_LOAD}, None, 0)\n"
        "sys.exit(ctypes.get_errno() in (errno.ENOSYS, errno.EPERM))\n"
    )
    done = subprocess.run(["/usr/bin/env", "python3", "-c", probe], timeout=30, check=False)
    if done.returncode:
        return "bpf(2) is refused"
    found = subprocess.run(
        ["/sbin/ldconfig", "-p"], capture_output=True, text=True, timeout=30, check=False
    )
    return None if "libbcc.so.0" in found.stdout else "libbcc.so.0 is not installed (python3-bpfcc)"


@functools.cache
def required() -> bool:
    """Tell whether an unmet need is a failure."""
    chosen = os.environ.get("PYTRACER_REQUIRE", "")
    return chosen != "0" if chosen else os.geteuid() == 0 and ebpf_missing() is None


def _unmet(item: pytest.Item) -> Iterator[str]:
    if item.get_closest_marker("needs_root") and os.geteuid() != 0:
        yield "needs root"
    if item.get_closest_marker("needs_ebpf") and (missing := ebpf_missing()):
        yield f"needs eBPF: {missing}"
    for marker in item.iter_markers("needs_program"):
        for name in marker.args:
            if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
                yield f"needs the program {name}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail, a test whose needs are not met."""
    for reason in _unmet(item):
        if required():
            pytest.fail(f"{reason}, and PYTRACER_REQUIRE forbids to skip", pytrace=False)
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip from inside a test that names its needs into a failure, where required."""
    report = yield
    needy = any(
        item.get_closest_marker(name) for name in ("needs_root", "needs_ebpf", "needs_program")
    )
    if report.skipped and needy and required() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although PYTRACER_REQUIRE forbids it: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def build_program() -> Callable[..., Path]:
    """Compile a C workload of tests/programs: ``build_program("futex.c", "-static")``."""
    return build
