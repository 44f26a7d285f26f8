"""Commands that people learn tracing by, with pytracer in strace's place.

Each is a line of shell; what it writes must be what it writes with strace, but for pids and times.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.differential.accepted import equal, expected
from tests.differential.lines import name_of
from tests.differential.normalise import normaliser
from tests.differential.run import PYTRACER, STRACE, environment
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_program("strace", "setarch", "bash", "curl", "gcc"),
]

BACKENDS = (
    "ptrace",
    pytest.param("ebpf", marks=pytest.mark.needs_ebpf),
)

LESSONS = (
    "TRACE -e trace=open,read,write cat data >out",
    "TRACE -e trace=network curl -s http://127.0.0.1:1/",
    "TRACE -e trace=file sh -c 'test -e absent || exec cat data' >out",
    "TRACE -e trace=process sh -c 'exit 3'",
    "TRACE -f bash -c 'cat data; (exit 3)' 2>&1 | grep -c 'exited with'",
    "TRACE -ff -o log sh -c 'cat data; cat data' >out; ls log.* | wc -l; grep -hc execve log.*",
    "TRACE -T -e trace=open,connect,stat sh -c : 2>&1 | sort -t'<' -k2 -rn | head",
    "TRACE -u nobody -e trace=open,stat,access,openat cat /etc/shadow 2>&1 | grep EACCES",
    "TRACE -e trace=network -f curl -s http://127.0.0.1:1/ 2>&1 | grep connect",
    "TRACE -e trace=openat -f sh -c 'cat data >out; test -e absent' 2>&1 | grep -v ENOENT",
    "TRACE -e trace='!futex,clock_gettime' ls >out",
    "TRACE -s 1024 cat data >out",
    "TRACE -o log cat data >out; cat log",
    "TRACE -c -w ls -R . 2>&1 >out | awk '{print $NF}' | sort",
)

# Processor time is not to be had from the ebpf backend, which says so.
COUNTED = "TRACE -c ls -R . 2>&1 >out | awk '{print $NF}' | sort"


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pytracer-lesson-") as name:
        work = Path(name) / "work"
        work.mkdir()
        (work / "data").write_text("".join(f"line {number}\n" for number in range(97)))
        yield work


def _lines(tracer: Sequence[str], lesson: str, rewrite: bool) -> list[str]:
    command = lesson.replace("TRACE", shlex.join(["setarch", "-R", *tracer]))
    with _place() as work:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=work,
            env=environment(work, {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="surrogateescape",
            timeout=60,
            check=False,
        )
        text = done.stdout.replace(str(work), "/WORK")
    hide = normaliser({}, root=True)
    lines = []
    for number, line in enumerate(text.splitlines()):
        bare = re.sub(r"^\[pid +\d+\] ", "", line)
        if re.match(r"\S*(strace|pytracer): Process \d+ (at|de)tached$", line):
            bare = re.sub(r"^\S+: Process \d+", "TRACER: Process PID", line)
        name = name_of(bare)
        column = 40 - (len(line) - len(bare))
        bare = expected(bare, name, column) if rewrite else bare
        bare = re.sub(r"(?<= = )\d{3,7}$|(?<=si_pid=)\d+|(?<=wait4\()\d+", "PID", bare)
        lines.append(hide(0 if "execve(" in bare else number + 1, name, bare))
    return lines


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_says_what_strace_says(lesson: str, backend: str) -> None:
    wanted = _lines(STRACE, lesson, rewrite=True)
    actual = _lines((*PYTRACER, f"--backend={backend}"), lesson, rewrite=False)
    same = len(wanted) == len(actual) and all(map(equal, wanted, actual))
    if not same:
        assert actual == wanted


def test_counting_says_what_strace_says() -> None:
    assert _lines((*PYTRACER, "--backend=ptrace"), COUNTED, False) == _lines(STRACE, COUNTED, True)
    assert _lines(PYTRACER, COUNTED, False) == _lines(STRACE, COUNTED, True)


def test_lines_come_before_what_the_program_does_next() -> None:
    """On a terminal that both share, ptrace's lines stand among the program's own, as strace's."""
    lesson = "TRACE -e trace=write sh -c 'echo one; echo two' 2>&1"
    wanted = _lines(STRACE, lesson, rewrite=True)
    assert _lines((*PYTRACER, "--backend=ptrace"), lesson, rewrite=False) == wanted


@contextlib.contextmanager
def _hanging() -> Iterator[int]:
    """Run a program that hangs in read(5, ...)."""
    with subprocess.Popen(
        [str(build("blocking_reader.c"))], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process.pid
        finally:
            process.kill()


def _wait_for(path: Path, wanted: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    text = ""
    while time.monotonic() < deadline:
        text = path.read_text()
        if wanted in text:
            return text
        time.sleep(0.05)
    pytest.fail(f"{wanted!r} was not seen within {seconds} s, but: {text!r}")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_hanging_read_shows_at_once(backend: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with _hanging() as pid, told.open("w") as err:
        command = [*PYTRACER, f"--backend={backend}", "-p", str(pid)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=err) as tracer:
            try:
                text = _wait_for(told, "read(5", 10)
                assert text.splitlines()[0].endswith(f": Process {pid} attached")
                # strace 7.2 writes a separator with the argument that follows it.
                assert text.splitlines()[1] == "read(5"
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.wait(10)
        assert tracer.returncode in (130, -signal.SIGINT)
        lines = told.read_text().splitlines()
        assert lines[1].startswith("read(5")
        assert any(line.endswith(f": Process {pid} detached") for line in lines)
        # It lives on, untraced and not stopped.
        status = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^State:\tS", status, re.MULTILINE)
        assert re.search(r"^TracerPid:\t0$", status, re.MULTILINE)


@pytest.mark.parametrize("backend", BACKENDS)
def test_detaches_when_the_time_is_up(backend: str, tmp_path: Path) -> None:
    with _hanging() as pid:
        began = time.monotonic()
        done = subprocess.run(
            [*PYTRACER, f"--backend={backend}", "-p", str(pid), "--duration", "0.5"],
            cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=20, check=False,
        )  # fmt: skip
        spent = time.monotonic() - began
        assert done.returncode == 0, done.stderr
        assert 0.5 <= spent < 5
        assert "read(5" in done.stderr
        os.kill(pid, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_killed_it_leaves_the_target_running(backend: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with _hanging() as pid, told.open("w") as err:
        command = [*PYTRACER, f"--backend={backend}", "-p", str(pid)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=err) as tracer:
            try:
                _wait_for(told, "read(5", 10)
            finally:
                tracer.kill()
        time.sleep(0.2)
        status = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^State:\tS", status, re.MULTILINE)
        assert re.search(r"^TracerPid:\t0$", status, re.MULTILINE)
