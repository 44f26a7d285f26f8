"""The same command line with the ebpf backend: statuses, ends, and what is left behind."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.cli.tracing import PYTRACER, kill, run, sleeper, state_of, tracer_of

pytestmark = [pytest.mark.needs_ebpf, pytest.mark.slow]

EBPF = (PYTRACER, "--backend=ebpf")


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -TERM $$", -signal.SIGTERM)])
def test_exit_status_is_the_programs(script: str, status: int) -> None:
    ended = run(*EBPF, "-e", "trace=none", "sh", "-c", script)
    assert ended.status == status
    assert ended.err.startswith("+++ " if status > 0 else "--- SIGTERM")


def test_a_program_that_cannot_be_executed() -> None:
    ended = run(*EBPF, "/etc/passwd")
    assert ended.status == 1
    lines = ended.err.splitlines()
    assert lines[0].startswith('execve("/etc/passwd", ["/etc/passwd"], ')
    assert lines[0].endswith(" = -1 EACCES (Permission denied)")
    assert lines[1:] == [f"{PYTRACER}: exec: Permission denied", "+++ exited with 1 +++"]


def test_no_such_process() -> None:
    ended = run(*EBPF, "-p", "999999999")
    assert ended.status == 1
    assert ended.err == f"{PYTRACER}: attach: ptrace(PTRACE_SEIZE, 999999999): No such process\n"


def test_duration() -> None:
    target = sleeper()
    try:
        begun = time.monotonic()
        ended = run(PYTRACER, "--duration=0.5", "-p", str(target.pid))
        assert 0.5 <= time.monotonic() - begun < 10
        assert ended.status == 0
        first, _, rest = ended.err.partition("\n")
        assert first == f"{PYTRACER}: Process {target.pid} attached"
        assert rest.startswith("clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=30, tv_nsec=0}")
        assert rest.endswith(f"{PYTRACER}: Process {target.pid} detached\n <detached ...>\n")
        # It was never stopped, and nobody has traced it.
        assert state_of(target.pid) == "S"
        assert tracer_of(target.pid) == 0
    finally:
        kill(target)


def test_syscall_limit() -> None:
    ended = run(*EBPF, "--syscall-limit=5", "ls", "/")
    assert ended.status == 0
    assert sum(" = " in line for line in ended.err.splitlines()) == 5


def test_counting() -> None:
    ended = run(*EBPF, "-cw", "-e", "trace=getppid", "sh", "-c", "exit 3")
    assert ended.status == 3
    assert ended.err.splitlines()[-1].endswith(" 1           total")


def test_user() -> None:
    if os.geteuid():
        pytest.skip("only root may become somebody else")
    ended = run(*EBPF, "-o", "/dev/null", "-u", "nobody", "id", "-un")
    assert ended.out == "nobody\n"


WEAKENED = ("setpriv", "--bounding-set=-bpf,-sys_admin,-perfmon", "--inh-caps=-all")


@pytest.mark.needs_root
@pytest.mark.needs_program("setpriv")
class TestWithoutPrivileges:
    def test_ebpf_is_refused_with_the_remedy(self) -> None:
        ended = run(*WEAKENED, *EBPF, "true")
        assert ended.status == 1
        assert len(ended.err.splitlines()) == 1
        assert ended.err.startswith(f"{PYTRACER}: --backend=ebpf does not work here: ")
        assert "CAP_BPF" in ended.err

    def test_auto_falls_back_to_ptrace(self) -> None:
        target = sleeper()
        try:
            ended = run(*WEAKENED, PYTRACER, "-d", "--duration=0.3", "-p", str(target.pid))
            assert ended.status == 0
            assert f"{PYTRACER}: the backend is ptrace\n" in ended.err
        finally:
            kill(target)

    def test_the_doctor_tells(self) -> None:
        ended = run(*WEAKENED, PYTRACER, "--doctor")
        assert ended.status == 0
        assert ended.err == ""
        assert "ebpf backend    NO " in ended.out
        assert "-> run as root, or with CAP_BPF and CAP_PERFMON" in ended.out
