"""Sudden ends: of the target, of the tracer while it records."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.event.schema import SyscallExit, TaskDetached, TaskExit
from pytracer.target.selection import Attach, Selection
from tests.cli.tracing import PYTRACER, run, wait_for
from tests.faults.test_tasks import left_in

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.slow,
    pytest.mark.timeout(120),
]

BUSY = """
import os, threading, time
def work():
    while True: os.getppid(); time.sleep(0.0003)
for _ in range(3): threading.Thread(target=work).start()
"""
_SYS_BPF = 321
_BPF_PROG_GET_FD_BY_ID = 13


def programs_of(pid: int) -> list[int]:
    """The ids of the BPF programs that a process holds."""
    found: list[int] = []
    for entry in os.scandir(f"/proc/{pid}/fdinfo"):
        ids = re.findall(r"^prog_id:\s*(\d+)", Path(entry.path).read_text(), re.MULTILINE)
        found += map(int, ids)
    return found


def is_loaded(program: int) -> bool:
    """Whether the kernel has the BPF program of that id."""
    libc = ctypes.CDLL(None, use_errno=True)
    attr = ctypes.create_string_buffer(struct.pack("<III", program, 0, 0))
    fd = libc.syscall(_SYS_BPF, _BPF_PROG_GET_FD_BY_ID, attr, 12)
    if fd >= 0:
        os.close(fd)
    return bool(fd >= 0)


def test_a_target_that_is_killed_ends_as_such() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as target:
        try:
            wait_for(lambda: len(os.listdir(f"/proc/{target.pid}/task")) == 4, "its threads")
            with closing(EbpfBackend(Attach((target.pid,)), Selection(follow=True))) as backend:
                seen = 0
                ends = []
                for event in backend.events():
                    match event:
                        case SyscallExit():
                            seen += 1
                            if seen == 1009:
                                target.kill()
                        case TaskExit(status=status):
                            ends.append(status)
                        case TaskDetached():
                            raise AssertionError("nobody is left to let go of")
                assert left_in(backend) == 0
        finally:
            target.kill()
    assert seen > 1009
    assert ends == [signal.SIGKILL] * 4


def test_a_tracer_that_is_killed_while_it_records_leaves_what_it_has(tmp_path: Path) -> None:
    record, text = tmp_path / "record", tmp_path / "text"
    with subprocess.Popen([sys.executable, "-c", BUSY]) as target:
        try:
            words = ["--backend=ebpf", "-f", "-p", str(target.pid), "--record", str(record)]
            with subprocess.Popen([PYTRACER, *words], stderr=subprocess.DEVNULL) as tracer:
                try:
                    wait_for(
                        lambda: record.exists() and record.stat().st_size > 1 << 19,
                        "a part of the recording",
                    )
                    programs = programs_of(tracer.pid)
                    assert len(programs) > 5 and all(map(is_loaded, programs))
                finally:
                    tracer.kill()
            wait_for(lambda: not any(map(is_loaded, programs)), "the programs to go")
            assert target.poll() is None
            status = Path(f"/proc/{target.pid}/status").read_text()
            assert re.search(r"State:\s+[RS]", status) and "TracerPid:\t0" in status
        finally:
            target.kill()
    size = record.stat().st_size
    wait_for(lambda: record.stat().st_size == size, "nobody to write any more")
    ended = run(PYTRACER, "--replay", str(record), "-o", str(text), limit_s=90)
    assert ended.status == 1
    assert ended.err.splitlines()[-1].endswith("it ends too early: shown is what can be read of it")
    lines = text.read_text().splitlines()
    whole = re.compile(
        r"\d+ +((clock_nanosleep|futex|getppid)\(.*\) += -?\d+.*"
        r"|.* <(unfinished|detached) \.\.\.>|<\.\.\. \w+ resumed>.*)"
    )
    assert len(lines) > 1000
    assert [line for line in lines if not whole.fullmatch(line)] == []
