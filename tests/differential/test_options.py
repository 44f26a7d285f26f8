"""Every option that shapes the output, against strace, on cheap programs."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.differential.compare import compare, compare_same_run
from tests.differential.diff import column_of
from tests.differential.run import (
    PYTRACER,
    STRACE,
    Program,
    run,
    trace_once,
    trace_together,
    trace_twice,
)
from tests.programs.build import build

pytestmark = pytest.mark.needs_program("strace", "setarch", "gcc")

OPTIONS = (
    "-t",
    "-tt",
    "-ttt",
    "-r",
    "-T",
    "-s 0",
    "-s 5",
    "-s 4096",
    "-x",
    "-xx",
    "-x -s 3",
    "-v",
    "-v -s 2",
    "-y",
    "-yy",
    "-X raw",
    "-X verbose",
    "-X abbrev",
    "-n",
    "-i",
    "-n -i -t",
    "-n -e trace=write",
    "-a 0",
    "-a 17",
    "-a 80",
    "-q",
    "-qq",
    "-qqq",
    "-e quiet=exit",
    "--quiet=attach,personality",
    "-e trace=openat,close",
    "-e trace=!openat,close",
    "-e open,read,write",
    "-e trace=%file",
    "-e trace=file",
    "-e trace=%desc",
    "-e trace=%network",
    "-e trace=%process",
    "-e trace=%memory",
    "-e trace=%signal",
    "-e trace=%creds",
    "-e trace=%clock",
    "-e trace=%pure",
    "-e trace=%stat",
    "-e trace=%lstat",
    "-e trace=%fstat",
    "-e trace=%%stat",
    "-e trace=%statfs",
    "-e trace=%%statfs",
    "-e trace=!%file,%memory",
    "-e trace=/^(open|read)",
    "-e trace=?nonesuch,write",
    "-e trace=none",
    "-e trace=all",
    "-e trace=write@64",
    "-e trace=exit_group -e status=unavailable",
    "-z",
    "-Z",
    "-e status=failed",
    "-e status=successful,unfinished",
    "-e status=!failed",
    "-e signal=none",
    "-e signal=!SIGCHLD",
    "-e raw=all",
    "-e raw=openat,mmap",
    "-e abbrev=none",
    "-e abbrev=!newfstatat",
    "-e verbose=none",
    "-e verbose=!newfstatat",
    "-P file",
    "-P file -P folder",
    "-E ADDED=1 -E HOME",
    "-b execve",
    "-A",
    "--seccomp-bpf -f -e trace=openat,write",
    "-f",
    "-ff",
    "-ff -t",
    "--follow-forks --decode-fds=all --string-limit=7",
    "--absolute-timestamps=precision:ns",
    "--relative-timestamps=ms",
    "--syscall-times=ns",
    "--timestamps=format:unix,precision:ms",
    "--instruction-pointer --syscall-number",
    "--strings-in-hex=non-ascii --no-abbrev",
    "--trace-path=file --failed-only",
)

# With the ebpf backend on the same run. Times cannot be equal; what the backend refuses, such as
# -y, is tested with the command line.
SAME_RUN = (
    "-s 0",
    "-n -e trace=write",
    "-s 5",
    "-s 1000",
    "-x",
    "-xx",
    "-v",
    "-X raw",
    "-X verbose",
    "-a 17",
    "-n",
    "-e trace=%file",
    "-e trace=%network,%desc",
    "-e trace=!mmap",
    "-z",
    "-Z",
    "-e signal=none",
    "-e raw=openat,mmap",
    "-e abbrev=none",
    "-e verbose=none",
    "-q",
    "-qq",
)

SUMMARIES = (
    "-c",
    "-c -f",
    "-c -S calls",
    "-c -S name",
    "-c -w -S errors",
    "-c -U name,calls,errors",
    "-c -e trace=%file",
    "-c -Z",
    "--summary-only --summary-sort-by=calls --summary-columns=calls,syscall",
)


def _program(*arguments: str) -> Program:
    # strace 6.1 does not decode rseq: what raw and verbose do to it cannot be compared.
    return Program(
        (str(build("plain.c")), "fork", *arguments), env={"GLIBC_TUNABLES": "glibc.pthread.rseq=0"}
    )


@pytest.mark.parametrize("options", OPTIONS)
def test_ptrace_heeds(options: str) -> None:
    words = options.split()
    pair = trace_twice(_program(), words)
    report = compare(*pair, rewrite=True, column=column_of(words))
    if not report:
        pytest.fail(report.text(), pytrace=False)


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.parametrize("options", SAME_RUN)
def test_ebpf_heeds(options: str) -> None:
    words = options.split()
    pair = trace_together(_program(), words)
    report = compare_same_run(*pair, rewrite=True, column=column_of(words))
    if not report:
        pytest.fail(f"{report.text()}\n{pair[1].stderr[-1500:]}", pytrace=False)


def _summary(tracer: Sequence[str], options: Sequence[str]) -> tuple[int, list[list[str]]]:
    """Return exit status and the table's words, without those that are times, in a fixed order."""
    trace = trace_once(_program("known"), options, tracer)
    rows = [line.text.split() for line in trace.streams["0"].lines]
    head, *body = [row for row in rows if row and not row[0].startswith("-")]
    timed = "usecs/call" in head
    counted = []
    for row in body:
        counts = [word for word in row if "." not in word]
        # usecs/call is a time without a point: the first number of a row that has it.
        counted.append(counts[1:] if timed else counts)
    return trace.status, [head, *sorted(counted)]


@pytest.mark.parametrize("options", SUMMARIES)
def test_ptrace_counts(options: str) -> None:
    words = options.split()
    assert _summary((*PYTRACER, "--backend=ptrace"), words) == _summary(STRACE, words)


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.parametrize("options", SUMMARIES)
def test_ebpf_counts(options: str) -> None:
    words = options.split()
    assert _summary((*PYTRACER, "--backend=ebpf"), words) == _summary(STRACE, words)


def test_pipes_to_a_command() -> None:
    """``-o '|command'`` hands the log to a command, as strace does."""
    lines = []
    for tracer in (STRACE, (*PYTRACER, "--backend=ptrace")):
        command = [*tracer, "-e", "trace=none", "-o", "|sed s/exited/LEFT/ > log", "sh", "-c", ":"]
        status, out = _shell(command)
        assert status == 0
        lines.append(re.sub(r"^\d+ +", "", out))
    assert lines[0] == lines[1] == "+++ LEFT with 0 +++\n"


def _shell(command: Sequence[str]) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        status, _stderr, _pid = run(command, Program((), timeout_s=30), base, base)
        return status, (base / "log").read_text()


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.parametrize(
    ("program", "flags"),
    [
        ("calls_messages.c", ("-m32",)),  # calls that stand for others, some of them unreadable
        ("calls_unimplemented.c", ()),  # numbers without a call
        ("thread_exec.c", ()),
        ("vfork.c", ()),
        ("killed.c", ()),
        ("seccomp_answers.c", ()),
    ],
)
def test_ebpf_counts_every_call_that_strace_counts(program: str, flags: tuple[str, ...]) -> None:
    words = ("-f", "-q", "-c", "--summary-columns=calls,errors,name", str(build(program, *flags)))
    tables = []
    for tracer in (STRACE, (*PYTRACER, "--backend=ebpf")):
        done = subprocess.run(
            [*tracer, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        rows = [line.split() for line in done.stderr.splitlines()]
        tables.append((done.returncode, sorted(row for row in rows if row and row[0].isdigit())))
    assert tables[0] == tables[1]
