"""Run a program under a tracer, in a directory and an environment that are the same every time."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.differential.lines import (
    Stream,
    children_of,
    read_files,
    single_log,
    split_log,
    stitch,
    streams_of,
)

CHECKOUT = Path(__file__).resolve().parents[2]
STRACE = ("strace",)
PYTRACER = (str(Path(sys.executable).parent / "pytracer"),)


@dataclass(frozen=True, slots=True)
class Program:
    """What is run. ``setup`` is shell text that fills the empty working directory first.

    ``service`` is a command started beside it, which prints one line when it is ready.
    """

    argv: tuple[str, ...]
    setup: str = ""
    service: tuple[str, ...] = ()
    timeout_s: float = 60.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """One tracer's account of a run. ``status`` is what the tracer exited with."""

    streams: dict[str, Stream]
    status: int
    stderr: str
    tracer: int

    @property
    def pids(self) -> dict[str, int]:
        """Every process and thread that is known of, by a name that is the same in every run."""
        traced = {key: stream.pid for key, stream in self.streams.items()}
        return traced | children_of(self.streams)


class RunFailed(Exception):
    """A tracer left no trace, or did not end in time. The message says which and why."""


def environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Return an environment of fixed size, free of the caller's."""
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "PERL_HASH_SEED": "0",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SHELL": "/bin/sh",
        "TERM": "dumb",
        "TZ": "UTC",
        "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
        "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
        "GIT_CONFIG_NOSYSTEM": "1",
        **extra,
    }


@contextlib.contextmanager
def work_directory(base: Path, program: Program) -> Iterator[Path]:
    """Yield the fresh directory BASE/work, set up for the program, and remove it afterwards.

    Two runs get the same path: it is part of what the program prints and of its stack.
    """
    work = base / "work"
    work.mkdir()
    try:
        if program.setup:
            subprocess.run(
                ["/bin/sh", "-ec", program.setup],
                cwd=work,
                env=environment(work, program.env),
                check=True,
                timeout=program.timeout_s,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        with _service(program, work):
            yield work
    finally:
        shutil.rmtree(work)


@contextlib.contextmanager
def _service(program: Program, work: Path) -> Iterator[None]:
    if not program.service:
        yield
        return
    with subprocess.Popen(
        program.service,
        cwd=work,
        env=environment(work, program.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdout is not None
        server.stdout.readline()
        try:
            yield
        finally:
            server.kill()


# The first pid of a run: none of the pids that follow looks like a size, a limit or a descriptor.
_FIRST_PID = 21011
_APART = (
    "unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
    "sh", "-c", f'echo {_FIRST_PID - 1} > /proc/sys/kernel/ns_last_pid; "$@"', "sh",
)  # fmt: skip


def _apart() -> Sequence[str]:
    """Return the words that put a command into a pid namespace of its own.

    There it and its children have the same pids in every run. It takes root; without, pids are
    whatever the machine has come to, and are told apart by :mod:`normalise` alone.
    """
    return _APART if os.geteuid() == 0 else ()


def run(command: Sequence[str], program: Program, cwd: Path, logs: Path) -> tuple[int, str, int]:
    """Run a command line to its end; return exit status, its standard error and its pid.

    Errors: RunFailed when it outlives the program's time-out; its whole session is killed.
    """
    with (
        (logs / "stdout").open("wb") as out,
        (logs / "stderr").open("wb") as err,
        subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(cwd, program.env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        ) as process,
    ):
        try:
            status = process.wait(program.timeout_s)
        except subprocess.TimeoutExpired:
            status = None
        # A background job may outlive the program; nothing may outlive the run.
        _kill_session(process.pid)
    stderr = (logs / "stderr").read_text(errors="replace")
    if status is None:
        raise RunFailed(f"{command[0]} ran for more than {program.timeout_s} s\n{stderr[-2000:]}")
    return status, stderr, process.pid


def _kill_session(session: int) -> None:
    """Kill what is left of a session started here, whatever process groups it made."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.getsid(int(entry)) == session and int(entry) != os.getpid():
                os.kill(int(entry), signal.SIGKILL)


def _collect(log: Path, options: Sequence[str], status: int, stderr: str, pid: int) -> Trace:
    if separate(options):
        tasks = read_files(log)
    elif log.exists():
        text = log.read_text(errors="surrogateescape")
        tasks = split_log(text) if following(options) else single_log(text)
    else:
        tasks = {}
    if not any(tasks.values()):
        raise RunFailed(f"no trace was written (exit status {status}):\n{stderr[-3000:]}")
    return Trace(streams_of(tasks), status, stderr, pid)


_WITH_ARGUMENT = "abeEIoOpPsSuUX"


def _short(options: Sequence[str], letter: str) -> int:
    count = 0
    for option in options:
        clustered = option.startswith("-") and option[1:2] not in ("-", *_WITH_ARGUMENT)
        if clustered:
            count += option.count(letter)
    return count


def following(options: Sequence[str]) -> bool:
    """Tell whether options ask to follow children (-f)."""
    return bool(_short(options, "f")) or "--follow-forks" in options


def separate(options: Sequence[str]) -> bool:
    """Tell whether options ask for one file a process (-ff)."""
    return _short(options, "f") > 1 or "--output-separately" in options


def trace_twice(
    program: Program,
    options: Sequence[str],
    first: Sequence[str] = STRACE,
    second: Sequence[str] = (*PYTRACER, "--backend=ptrace"),
    keep: Path | None = None,
) -> tuple[Trace, Trace]:
    """Run the program twice without address randomisation, under one tracer and the other."""
    with tempfile.TemporaryDirectory(prefix="pytracer-diff-") as name:
        base = Path(name)
        return (
            _trace_in(base, program, options, first, keep / "a" if keep else None),
            _trace_in(base, program, options, second, keep / "b" if keep else None),
        )


def trace_once(program: Program, options: Sequence[str], tracer: Sequence[str]) -> Trace:
    """Run the program without address randomisation under one tracer."""
    with tempfile.TemporaryDirectory(prefix="pytracer-diff-") as name:
        return _trace_in(Path(name), program, options, tracer, None)


def _trace_in(
    base: Path, program: Program, options: Sequence[str], tracer: Sequence[str], keep: Path | None
) -> Trace:
    logs = base / "logs"  # the same path for both tracers: the target's stdout lies in it
    log = logs / "log"
    logs.mkdir()
    try:
        with work_directory(base, program) as work:
            apart = _apart()
            command = [*apart, "setarch", "-R", *tracer, *options, "-o", str(log), *program.argv]
            status, stderr, pid = run(command, program, work, logs)
        if keep is not None:
            shutil.copytree(logs, keep, dirs_exist_ok=True)
        return _collect(log, options, status, stderr, _FIRST_PID if apart else pid)
    finally:
        shutil.rmtree(logs)


def trace_together(
    program: Program,
    options: Sequence[str],
    watcher: Sequence[str] = (*PYTRACER, "--backend=ebpf"),
    keep: Path | None = None,
) -> tuple[Trace, Trace]:
    """Run the program once, under strace, with another tracer watching strace and its children."""
    rest = [option for option in options if option not in ("-f", "-ff")]
    with tempfile.TemporaryDirectory(prefix="pytracer-diff-") as name:
        base = Path(name)
        logs = base / "logs"
        logs.mkdir()
        seen, told = logs / "seen", logs / "told"
        command = [
            *watcher, "-ff", *rest, "-o", str(seen),
            "strace", "-ff", *rest, "-o", str(told), *program.argv,
        ]  # fmt: skip
        with work_directory(base, program) as work:
            status, stderr, pid = run(command, program, work, logs)
        if keep is not None:
            shutil.copytree(logs, keep, dirs_exist_ok=True)
        from_strace = _collect(told, ("-ff",), status, stderr, pid)
        from_watcher = read_files(seen)
    streams = {
        key: Stream(key, theirs.pid, stitch(from_watcher.get(theirs.pid, [])))
        for key, theirs in from_strace.streams.items()
    }
    return from_strace, Trace(streams, status, stderr, pid)
