"""^Z and fg on a terminal stop and continue tracer and target together."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path

import pytest

from tests.backend.ptrace.scenes import children, scenes, status_of, until

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(60)]

TRACER = """
import os, sys
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import TaskExit
from pytracer.target.selection import Launch, Selection
argv = tuple(map(os.fsencode, sys.argv[1:]))
for event in PtraceBackend(Launch(path=argv[0], argv=argv, env=()), Selection()).events():
    if isinstance(event, TaskExit):
        print("ended", event.status, flush=True)
"""

# A shell in all that matters: a session leader whose job has the terminal.
SHELL = """
import fcntl, os, signal, subprocess, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = subprocess.Popen(sys.argv[1:], process_group=0)
os.tcsetpgrp(0, job.pid)
print("job", job.pid, flush=True)
while not os.WIFEXITED(os.waitpid(job.pid, os.WUNTRACED)[1]):
    pass
"""


def is_in(states: str, pid: int) -> bool:
    """Tell whether a process is in one of these states of proc(5)."""
    return status_of(pid)["State"][0] in states


def read_line(terminal: int) -> list[str]:
    """Read a line from the other side of a terminal."""
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(terminal, 1)
    return line.decode().split()


def test_a_job_is_stopped_and_continued() -> None:
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    command = [sys.executable, "-c", TRACER, str(scenes()), "worker"]
    shell = subprocess.Popen(
        [sys.executable, "-c", SHELL, *command], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    target = 0
    try:
        words = [*read_line(ours), *read_line(ours)]  # "job PID" and "ready", in any order
        tracer = int(words[words.index("job") + 1])
        (target,) = children(tracer)
        for _ in range(3):
            os.write(ours, b"\x1a")  # ^Z
            assert until(partial(is_in, "T", tracer))
            assert until(partial(is_in, "Tt", target))
            os.killpg(tracer, signal.SIGCONT)
            assert until(partial(_has_worked, target, _ticks(target)))
        os.kill(target, signal.SIGTERM)
        assert read_line(ours) == ["ended", str(29 << 8)]
        assert shell.wait(10) == 0
    finally:
        if shell.poll() is None:
            shell.kill()
            shell.wait(10)
        os.close(ours)


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _has_worked(pid: int, before: int) -> bool:
    return _ticks(pid) > before + 2
