"""Signals to a tracer whose output nobody takes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.tracing import PYTRACER, kill, wait_for

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.slow,
    pytest.mark.timeout(120),
]

BUSY = "import os\nwhile True: os.getppid()"


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_the_third_signal_ends_it_whatever_it_does(backend: str, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    target = subprocess.Popen([sys.executable, "-c", BUSY])
    words = [PYTRACER, f"--backend={backend}", "-p", str(target.pid), "-o", str(fifo)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as tracer:
        try:
            seen: list[str] = []
            wait_for(lambda: _stuck(tracer.pid, seen), "the output to be stuck")
            for _ in range(3):
                assert tracer.poll() is None
                tracer.send_signal(signal.SIGTERM)
                time.sleep(0.5)
            assert tracer.wait(20) == -signal.SIGTERM
            wait_for(lambda: "TracerPid:\t0" in _status(target.pid), "the target to be let go")
            assert target.poll() is None and "State:\tT" not in _status(target.pid)
        finally:
            tracer.kill()
            kill(target)
            os.close(reading)


def _stuck(pid: int, seen: list[str]) -> bool:
    """Whether a process has been in the same write for a while."""
    seen.append(Path(f"/proc/{pid}/syscall").read_text())
    return len(seen) > 50 and seen[-1].startswith("1 ") and len(set(seen[-50:])) == 1


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()
