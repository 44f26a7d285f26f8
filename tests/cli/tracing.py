"""Running pytracer and strace as a user does."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PYTRACER = str(Path(sys.executable).parent / "pytracer")
STRACE = "strace"
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. ``status`` is negative for a signal, as in subprocess."""

    status: int
    out: str
    err: str


def run(*words: str, cwd: Path | None = None, limit_s: int = TIMEOUT_S) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        words,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def plain(text: str, tracer: str) -> str:
    """Leave out what differs between two runs: the tracer's name, pids and addresses."""
    text = text.replace(f"{tracer}: ", "TRACER: ").replace(f"'{tracer} -h'", "'TRACER -h'")
    text = re.sub(r"0x[0-9a-f]{5,}", "ADDRESS", text)
    text = re.sub(r"(Process|pid|si_pid=) *\d+", r"\1 N", text)
    return re.sub(r"^\d+ +", "N ", text, flags=re.MULTILINE)


def both(*words: str, cwd: Path | None = None) -> tuple[Ended, Ended]:
    """Run the same under strace and under pytracer with ptrace; texts are made comparable."""
    found = []
    for tracer in (STRACE, PYTRACER):
        options = ("--backend=ptrace",) if tracer is PYTRACER else ()
        ended = run(tracer, *options, *words, cwd=cwd)
        found.append(Ended(ended.status, ended.out, plain(ended.err, tracer)))
    return found[0], found[1]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def state_of(pid: int) -> str:
    """The state letter of a process, empty when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]


def tracer_of(pid: int) -> int:
    """The pid of who traces a process, 0 for nobody."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"TracerPid:\s+(\d+)", text)
    assert found is not None
    return int(found[1])


class Tracer:
    """A tracer in the background, that is ended with its context."""

    def __init__(self, *words: str, tracer: str = PYTRACER, cwd: Path | None = None) -> None:
        options = ("--backend=ptrace",) if tracer is PYTRACER else ()
        # A file: whoever inherits a pipe from the tracer keeps its reader waiting.
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the tracer
        self.process = subprocess.Popen(
            [tracer, *options, *words],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )
        self.tracer = tracer

    def __enter__(self) -> Tracer:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT_S)
        self._said.close()

    def signal(self, number: int) -> Ended:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> Ended:
        """Wait for the end."""
        status = self.process.wait(TIMEOUT_S)
        self._said.seek(0)
        return Ended(status, "", plain(self._said.read(), self.tracer))


def sleeper(seconds: int = 30) -> subprocess.Popen[bytes]:
    """Start a process that sleeps and is in its call."""
    process = subprocess.Popen(["sleep", str(seconds)])
    wait_for(lambda: _sleeps(process.pid), "the sleeper to sleep")
    return process


def _sleeps(pid: int) -> bool:
    return Path(f"/proc/{pid}/syscall").read_text().startswith("230 ")  # clock_nanosleep


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that a test has started."""
    process.send_signal(signal.SIGKILL)
    process.wait(TIMEOUT_S)
