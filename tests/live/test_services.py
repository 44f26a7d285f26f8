"""Live servers under load: traced for a while, by either backend, and none the worse for it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.event.schema import Lost, SyscallEnter, SyscallExit
from pytracer.target.selection import Attach, Selection
from tests.live.services import SERVICES, Service

PYTRACER = str(Path(sys.executable).with_name("pytracer"))
DURATION_S = 10
pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("redis-server", "redis-benchmark", "nginx", "wrk", "pgbench"),
    pytest.mark.timeout(180),
]

# A line tells of a call, the rest of one, a signal, a stop or an end.
_LINE = re.compile(
    r"""(\d+\ +)?(
        [a-z_0-9]+\(.*(\)\ +=\ .+|<unfinished\ \.\.\.>|<detached\ \.\.\.>|\)\ +=\ \?.*)
        | <\.\.\.\ [a-z_0-9]+\ resumed>.*\)\ +=\ .+
        | ---\ .*\ ---
        | \+\+\+\ .*\ \+\+\+
        )$""",
    re.VERBOSE,
)
# What a call looks like that has no description: all its registers, in hexadecimal.
_UNDESCRIBED = re.compile(r"^(\d+ +)?(syscall_0x\w+\(|[a-z_0-9]+\(0x[0-9a-f]+, 0x[0-9a-f]+, 0x)")


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    with SERVICES[request.param](tmp_path) as running:
        yield running


@contextlib.contextmanager
def load(service: Service, seconds: int) -> Iterator[list[str]]:
    """Load on the server; what the client printed is there once the context is left."""
    printed: list[str] = []
    client = subprocess.Popen(
        service.load(seconds), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        time.sleep(0.5)
        yield printed
        out, _ = client.communicate(timeout=seconds + 60)
        printed.append(out)
    finally:
        client.kill()
        client.wait(20)


def tracers_of(pid: int) -> set[str]:
    """The TracerPid of each thread."""
    return {
        re.findall(r"TracerPid:\s*(\d+)", (task / "status").read_text())[0]
        for task in Path(f"/proc/{pid}/task").iterdir()
    }


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_live_server_is_traced_and_runs_on(
    service: Service, backend: str, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    with load(service, DURATION_S + 4) as printed:
        began = time.monotonic()
        done = subprocess.run(
            [
                *(PYTRACER, f"--backend={backend}", "-f", "-p", str(service.pid)),
                *("--duration", str(DURATION_S), "-o", str(trace)),
            ],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        taken = time.monotonic() - began
        assert done.returncode == 0, done.stderr
        assert tracers_of(service.pid) == {"0"}
    assert taken >= DURATION_S - 0.5
    assert service.intact(printed[0]), printed[0][-2000:]
    lines = trace.read_text(errors="replace").splitlines()
    assert len(lines) > 1000
    assert [line for line in lines if not _LINE.match(line)][:5] == []
    assert [line for line in lines if _UNDESCRIBED.match(line)][:5] == []
    # All that was seen is written, however long that takes.
    assert "events lost" not in done.stderr, done.stderr


def test_every_call_is_seen_or_counted_as_lost(service: Service) -> None:
    backend = EbpfBackend(Attach((service.pid,)), Selection(follow=True))
    timer = threading.Timer(3, backend.stop)
    seen = lost = 0
    inside: set[int] = set()
    with load(service, 5):
        timer.start()
        try:
            for event in backend.events():
                match event:
                    case SyscallEnter():
                        inside.add(event.task.tid)
                    case SyscallExit():
                        inside.discard(event.task.tid)
                        seen += 1
                    case Lost(reason="the ring was full"):
                        lost += event.count
        finally:
            timer.cancel()
            backend.close()
    assert seen > 1000
    # Calls that never return are sent from their end; they have no exit event.
    assert seen <= backend.counted.calls - lost <= seen + len(inside)
