"""The stream as a whole: calls that hang, attaching, loss that is accounted for, sudden ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pytracer.backend.base import TargetError
from pytracer.backend.ebpf import merge, ring
from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.backend.ebpf.reader import _Drain
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.memory import CString
from pytracer.event.schema import (
    Abi,
    Event,
    Lost,
    NewBy,
    Signal,
    SyscallEnter,
    SyscallExit,
    TaskDetached,
    TaskExit,
    TaskNew,
)
from pytracer.target.selection import Attach, Selection
from tests.backend.ebpf.scenes import backend_for, collect, launch

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.timeout(60)]

READ, GETPPID = 0, 110
LOOP = "import os\nfor i in range(%d): os.getppid()"


@contextmanager
def reader_of_a_pipe() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that hangs in read(0), and the other end of its pipe."""
    read_end, write_end = os.pipe()
    with subprocess.Popen(["cat"], stdin=read_end, stdout=subprocess.DEVNULL) as process:
        os.close(read_end)
        try:
            while Path(f"/proc/{process.pid}/syscall").read_text().split()[0] != str(READ):
                time.sleep(0.01)
            yield process, write_end
        finally:
            process.kill()
            os.close(write_end)


def test_a_call_that_hangs_is_shown_while_it_hangs_and_once() -> None:
    shown: list[float] = []

    def each(backend: EbpfBackend, event: Event | None) -> None:
        if isinstance(event, SyscallEnter) and event.nr == 230:
            shown.append(time.monotonic() - event.time_ns / 1e9)

    events = collect(launch("sleep", "0.6"), each=each)
    assert len(shown) == 1 and shown[0] < 0.4
    enters = [event for event in events if isinstance(event, SyscallEnter)]
    exits = [event for event in events if isinstance(event, SyscallExit)]
    assert len(enters) == len(exits) + 1  # exit_group


def test_a_call_that_hung_before_the_attach_is_shown() -> None:
    with reader_of_a_pipe() as (process, write_end):

        def each(backend: EbpfBackend, event: Event | None) -> None:
            match event:
                case SyscallEnter(nr=nr) if nr == READ and not written:
                    written.append(os.write(write_end, b"seven!\n"))
                case SyscallEnter(nr=nr) if nr == READ:
                    backend.stop()

        written: list[int] = []
        events = collect(Attach((process.pid,)), each=each)
        assert process.poll() is None
    new, enter, leave = events[:3]
    assert isinstance(new, TaskNew) and new.by is NewBy.ATTACHED
    assert isinstance(enter, SyscallEnter) and enter.nr == READ and enter.args[0] == 0
    assert isinstance(leave, SyscallExit) and leave.ret == 7
    assert leave.memory.read(enter.args[1], 7) == b"seven!\n"
    assert isinstance(events[-1], TaskDetached)


# The name lies on a page that nobody has looked at yet: no program can read it.
_WAITS_UNREAD = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
name = libc.mmap(None, 4096, 1, 2, os.open(sys.argv[1], os.O_RDONLY), ctypes.c_long(0))
os.read(0, 1)
libc.open(ctypes.c_void_p(name), os.O_RDONLY)
"""
_OPENAT = 257


def test_a_call_that_is_held_back_as_tracing_ends_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(merge, "_PATIENCE_NS", 1 << 62)
    fifo, text = tmp_path / "fifo", tmp_path / "text"
    os.mkfifo(fifo)
    text.write_bytes(bytes(fifo) + b"\0")
    command = [sys.executable, "-c", _WAITS_UNREAD, str(text)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            gate = process.stdin
            assert gate is not None
            doing = Path(f"/proc/{process.pid}/syscall")
            while doing.read_text().split()[:2] != [str(READ), "0x0"]:
                time.sleep(0.01)

            def each(backend: EbpfBackend, event: Event | None) -> None:
                if isinstance(event, SyscallEnter) and event.nr == READ:
                    gate.write(b"x")
                    gate.flush()
                if backend._digest.merger._held:
                    backend.stop()

            events = collect(Attach((process.pid,)), each=each)
        finally:
            process.kill()
    *_, enter, detached = events
    assert isinstance(enter, SyscallEnter) and enter.nr == _OPENAT
    name = enter.memory.read_cstr(enter.args[1], 4096)
    assert isinstance(name, CString) and name.data == bytes(fifo)
    assert isinstance(detached, TaskDetached)


def test_a_process_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TargetError) as caught:
        collect(Attach((1 << 22,)))
    assert caught.value.pid == 1 << 22


def test_only_what_is_wanted_is_sent() -> None:
    wanted = {abi: frozenset({GETPPID} if abi is Abi.X86_64 else ()) for abi in Abi}
    target = launch(sys.executable, "-c", LOOP % 1009)
    backend = backend_for(target, Selection(syscalls=wanted))
    with closing(backend):
        events = [event for event in backend.events() if event is not None]
        assert backend.counted.calls == 1009
    assert sum(isinstance(event, SyscallEnter) for event in events) == 1009


@pytest.mark.parametrize("failed", [True, False])
def test_calls_are_left_out_by_their_result_in_the_kernel(failed: bool) -> None:
    selection = Selection(follow=True, failed=failed, succeeded=not failed)
    backend = backend_for(launch("ls", "/", "/absent"), selection)
    with closing(backend):
        events = [event for event in backend.events() if event is not None]
        assert backend.counted.dropped > 0
    results = [event.ret for event in events if isinstance(event, SyscallExit)]
    assert results and all((-4095 <= ret < 0) is failed for ret in results)


def test_what_is_received_and_what_is_lost_is_what_was_executed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ring, "_MOST_BYTES", 1 << 18)
    pause = _Drain._pause

    def pause_long(drain: _Drain, milliseconds: int, bell: int, watched: set[int]) -> None:
        time.sleep(0.05)
        pause(drain, milliseconds, bell, watched)

    # A reader that looks too seldom.
    monkeypatch.setattr(_Drain, "_pause", pause_long)
    executed = 100_003
    wanted = {abi: frozenset({GETPPID} if abi is Abi.X86_64 else ()) for abi in Abi}
    target = launch(sys.executable, "-c", LOOP % executed)
    events = collect(target, Selection(syscalls=wanted))
    received = sum(isinstance(event, SyscallExit) for event in events)
    lost = sum(
        event.count
        for event in events
        if isinstance(event, Lost) and event.reason == "the ring was full"
    )
    assert lost > 0, "the ring was not overrun"
    assert received + lost == executed
    assert isinstance(events[-1], TaskExit | Lost)


TRACER = """
import sys
from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.target.selection import Attach, Selection
for event in EbpfBackend(Attach((int(sys.argv[1]),)), Selection(follow=True)).events():
    print("event", flush=True)
"""


def test_nothing_is_left_when_the_tracer_is_killed() -> None:
    loop = "import os,time\nwhile True: os.getppid(); time.sleep(0.001)"
    with subprocess.Popen([sys.executable, "-c", loop]) as target:
        try:
            with subprocess.Popen(
                [sys.executable, "-c", TRACER, str(target.pid)], stdout=subprocess.PIPE
            ) as tracer:
                assert tracer.stdout is not None
                for _ in range(7):
                    assert tracer.stdout.readline() == b"event\n"
                links = [
                    path
                    for path in map(os.readlink, descriptors(tracer.pid))
                    if "bpf" in path and "link" in path
                ]
                assert len(links) == 7
                helpers = children(tracer.pid)
                assert helpers
                tracer.send_signal(signal.SIGKILL)
            deadline = time.monotonic() + 5
            while any(Path(f"/proc/{pid}/exe").exists() for pid in helpers):
                assert time.monotonic() < deadline, "the process that reads the rings lives on"
                time.sleep(0.01)
            assert target.poll() is None
            before = switches(target.pid)
            time.sleep(0.3)
            assert switches(target.pid) > before
        finally:
            target.kill()


def children(pid: int) -> list[int]:
    """The children of a process."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def descriptors(pid: int) -> list[str]:
    """The descriptors of a process, as paths."""
    return [entry.path for entry in os.scandir(f"/proc/{pid}/fd")]


def switches(pid: int) -> int:
    """How often a process has gone to sleep."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("voluntary"):
            return int(line.split()[1])
    raise AssertionError("no such line")


def test_instruction_pointers_are_those_that_ptrace_sees() -> None:
    seen = []
    target = launch("setarch", "-R", "kill", "-CONT", str(os.getpid()))
    for backend in (PtraceBackend(target, Selection()), backend_for(target, Selection())):
        with closing(backend):
            seen.append(
                [
                    event.ip
                    for event in backend.events()
                    if isinstance(event, SyscallEnter | SyscallExit | Signal)
                ]
            )
    last = 20  # calls of kill: before its exec, addresses are random
    assert len(seen[0]) > 100
    assert seen[1][-last:] == seen[0][-last:]
