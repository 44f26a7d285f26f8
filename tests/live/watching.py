"""Watch targets that are selected by what they belong to, and count what was seen of whom.

A canary that belongs to the target makes calls all the time: once it is seen, everybody is.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PYTRACER = str(Path(sys.executable).with_name("pytracer"))
LIMIT_S = 30
# Of a call that others interrupt, the beginning.
_LINE = re.compile(r"^(\d+) +getppid\(", re.MULTILINE)


def forked(work: Callable[[], object]) -> int:
    """Do something in a process of its own; its pid."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def calls(count: int) -> None:
    """Make so many calls that are counted."""
    for _ in range(count):
        os.getppid()


def done(pid: int) -> int:
    """Wait for a process that must end well; its pid."""
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
    return pid


def ended(*pids: int) -> None:
    """End processes that would not by themselves."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def wait_for(ready: Callable[[], object], what: str) -> None:
    """Wait until something holds, for a bounded time."""
    deadline = time.monotonic() + LIMIT_S
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Watch:
    """pytracer over some target; ``pid``: its process."""

    def __init__(
        self, *options: str, canary: Callable[[], object] | None = None, trace: str = "getppid"
    ) -> None:
        folder = tempfile.mkdtemp()
        self.trace = Path(folder, "trace")
        self._said = Path(folder, "said")
        self._canary = canary
        self._chirper = 0
        self._options = [PYTRACER, *options, "-e", f"trace={trace}", "-o", str(self.trace)]

    def __enter__(self) -> Watch:
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                self._options, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self.pid = self._process.pid
        if self._canary is not None:
            self.ready(self._canary)
        return self

    def ready(self, canary: Callable[[], object]) -> None:
        """Return once a process that becomes a member by ``canary`` is seen."""

        def chirp() -> None:
            canary()
            while os.getppid():
                time.sleep(0.01)

        self._chirper = forked(chirp)
        attached = f"Process {self._chirper} attached"
        wait_for(
            lambda: self.counts()[self._chirper] > 1 or attached in self.said(),
            f"the canary is not seen: {self.said()}",
        )
        ended(self._chirper)

    def counts(self) -> Counter[int]:
        """How many calls are seen of each process."""
        return Counter(int(found[1]) for found in _LINE.finditer(self.text()))

    def text(self) -> str:
        """The trace."""
        return self.trace.read_text() if self.trace.exists() else ""

    def said(self) -> str:
        """What pytracer has said."""
        return self._said.read_text()

    def end(self) -> Counter[int]:
        """End the tracing; what was seen of all but the canary."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(LIMIT_S)
        found = self.counts()
        found.pop(self._chirper, None)
        return found

    def over(self) -> int:
        """Wait until it ends by itself; its exit status."""
        return self._process.wait(LIMIT_S)

    def __exit__(self, *error: object) -> None:
        ended(self._chirper) if self._chirper else None
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(LIMIT_S)
        for path in (self.trace, self._said):
            path.unlink(missing_ok=True)
        self.trace.parent.rmdir()
