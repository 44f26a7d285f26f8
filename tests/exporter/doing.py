"""A process that makes so many calls as it is told to, and its name and place known."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PROGRAM: Final = """
import ctypes, os, sys
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "call":
        for _ in range(int(rest)):
            os.getppid()
    elif word in ("fork", "bear"):
        name, _, rest = rest.rpartition(" ")
        pid = os.fork()
        if not pid:
            if name:
                ctypes.CDLL(None).prctl(15, name.encode())
            for _ in range(int(rest)):
                os.getppid()
            os._exit(0)
        os.waitpid(pid, 0)
    elif word == "name":
        ctypes.CDLL(None).prctl(15, rest.encode())
    else:
        exec(rest)
    print("done", flush=True)
"""
_SOON_S: Final = 20
# The beginning of command names that no process has but those of this test.
OWN: Final = f"t{os.getpid()}"


class Doer:
    """The process. ``pid``: its number."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    def do(self, order: str) -> None:
        """Have something done, and wait for it: call N, fork N, bear NAME N, name NAME, run PYTHON.

        What the test starts while it counts is spared like the test itself: have a doer bear it.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def end(self) -> None:
        """End it and wait until it is over."""
        self.process.kill()
        self.process.wait()


@contextmanager
def doer(name: str = "") -> Iterator[Doer]:
    """Start one, of that name, that waits for orders."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            made = Doer(process)
            made.do(f"name {name}" if name else "call 0")
            # It waits in read(2) for what comes next.
            eventually(lambda: Path(f"/proc/{made.pid}/syscall").read_text().split()[0] == "0")
            yield made
        finally:
            process.kill()


def eventually(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + _SOON_S
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)
