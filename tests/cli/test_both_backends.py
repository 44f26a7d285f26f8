"""Whom to trace and until when: the same under either backend as under strace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.tracing import PYTRACER, STRACE, Ended, kill, plain, run, sleeper, wait_for

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.slow]

BACKENDS = [
    pytest.param(("--backend=ptrace",), id="ptrace"),
    pytest.param(("--backend=ebpf",), id="ebpf"),
]
TRACERS = [
    pytest.param((STRACE,), id="strace"),
    pytest.param((PYTRACER, "--backend=ptrace"), id="ptrace"),
    pytest.param((PYTRACER, "--backend=ebpf"), id="ebpf"),
]


def both(backend: tuple[str, ...], *words: str) -> tuple[Ended, Ended]:
    """Run the same under strace and under pytracer; texts are made comparable."""
    expected, found = run(STRACE, *words), run(PYTRACER, *backend, *words)
    return (
        Ended(expected.status, expected.out, plain(expected.err, STRACE)),
        Ended(found.status, found.out, plain(found.err, PYTRACER)),
    )


@pytest.mark.parametrize("backend", BACKENDS)
class TestDetachingAtExecve:
    def test_children_and_the_program_itself_are_let_go_of(self, backend: tuple[str, ...]) -> None:
        script = "(exec /bin/echo one); (exec /nowhere) 2>&-; exec /bin/sh -c 'echo two; exit 3'"
        words = ("-f", "-b", "execve", "-e", "trace=execve,exit_group", "-e", "signal=none")
        expected, found = both(backend, *words, "sh", "-c", script)
        assert found.err == expected.err
        assert found.err.count("TRACER: Process N detached\n <detached ...>\n") == 2
        assert found.status == expected.status == 0

    def test_the_first_execve_is_not_meant(self, backend: tuple[str, ...]) -> None:
        words = ("-b", "execve", "-e", "trace=execve", "sh", "-c", "exit 3")
        expected, found = both(backend, *words)
        assert found == expected
        assert found.status == 3

    def test_a_thread_that_takes_its_leader_s_place(
        self, backend: tuple[str, ...], build_program: Callable[..., Path], tmp_path: Path
    ) -> None:
        program = str(build_program("thread_exec.c", "-pthread"))
        last = []
        for tracer in ((STRACE,), (PYTRACER, *backend)):
            log = tmp_path / tracer[0].rpartition("/")[2]
            words = ("-f", "-b", "execve", "-e", "trace=execve,pause", "-o", str(log), program)
            assert run(*tracer, *words).status == 0
            last.append(plain(log.read_text(), tracer[0]).splitlines()[-1])
        assert last[0] == last[1]
        assert last[0].startswith("N +++ superseded by execve in pid N +++")

    def test_while_counting(self, backend: tuple[str, ...]) -> None:
        words = ("-c", "-w", "-U", "name,calls", "-S", "name", "-b", "execve")
        expected, found = both(backend, *words, "sh", "-c", "exec sh -c 'exit 3'")
        assert found == expected


@pytest.mark.parametrize("tracer", TRACERS)
class TestProgramAndProcess:
    def test_both_are_traced_to_their_ends(self, tracer: tuple[str, ...], tmp_path: Path) -> None:
        target = sleeper()
        script = f"kill -TERM {target.pid}; exit 3"
        words = ("-ff", "-o", str(tmp_path / "log"), "-p", str(target.pid))
        try:
            assert run(*tracer, *words, "sh", "-c", script).status == 3
        finally:
            kill(target)
        attached = tmp_path / f"log.{target.pid}"
        (launched,) = (each for each in tmp_path.iterdir() if each != attached)
        assert attached.read_text().endswith("+++ killed by SIGTERM +++\n")
        assert launched.read_text().startswith("execve(")
        assert f"\nkill({target.pid}, SIGTERM) " in launched.read_text()
        assert launched.read_text().endswith("+++ exited with 3 +++\n")

    def test_both_are_counted(self, tracer: tuple[str, ...]) -> None:
        target = sleeper()
        script = f"kill -TERM {target.pid}; exit 3"
        words = ("-c", "-w", "-U", "name,calls", "-e", "trace=kill", "-p", str(target.pid))
        try:
            ended = run(*tracer, *words, "sh", "-c", script)
        finally:
            kill(target)
        assert ended.status == 3
        assert "kill                     1\n" in ended.err

    def test_a_process_that_is_not_there(self, tracer: tuple[str, ...]) -> None:
        ended = run(*tracer, "-o", "/dev/null", "-p", "999999999", "sh", "-c", "exit 3")
        words = "attach: ptrace(PTRACE_SEIZE, 999999999): No such process"
        assert f"{tracer[0]}: {words}\n" in ended.err


@pytest.mark.parametrize("tracer", TRACERS)
class TestTheTracerAsAGrandchild:
    @pytest.mark.parametrize("option", ["-D", "-DD", "-DDD"])
    def test_the_program_is_the_caller_s_child(
        self, tracer: tuple[str, ...], option: str, tmp_path: Path
    ) -> None:
        log = tmp_path / "log"
        ended = run(*tracer, option, "-o", str(log), "sh", "-c", "echo $PPID; exit 3")
        assert (ended.status, ended.out) == (3, f"{os.getpid()}\n")
        wait_for(lambda: log.read_text().endswith("+++ exited with 3 +++\n"), "the log")
        lines = log.read_text().splitlines()
        assert lines[0].startswith("execve(")
        assert f'write(1, "{os.getpid()}\\n", ' in log.read_text()

    def test_while_counting(self, tracer: tuple[str, ...], tmp_path: Path) -> None:
        log = tmp_path / "log"
        words = ("-D", "-c", "-w", "-U", "name,calls", "-e", "trace=exit_group,getppid")
        assert run(*tracer, *words, "-o", str(log), "sh", "-c", "exit 3").status == 3
        wait_for(lambda: "\ntotal " in log.read_text(), "the table")
        assert "getppid                  1\n" in log.read_text()

    def test_a_file_that_is_no_program(self, tracer: tuple[str, ...], tmp_path: Path) -> None:
        log = tmp_path / "log"
        ended = run(*tracer, "-D", "-o", str(log), "/etc/passwd")
        assert ended.status == 1
        assert f"{tracer[0]}: exec: Permission denied\n" in ended.err
        wait_for(lambda: log.read_text().endswith("+++ exited with 1 +++\n"), "the log")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("options", "once"),
    [(("--json",), '"type":"start"'), (("-c", "-w"), "% time "), ((), "execve(")],
    ids=("json", "count", "text"),
)
def test_one_process_alone_writes(
    backend: tuple[str, ...], options: tuple[str, ...], once: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    ended = run(PYTRACER, *backend, "-D", *options, "-o", str(log), "/etc/passwd")
    assert ended.status == 1
    wait_for(lambda: "execve" in log.read_text(), "the log")
    assert log.read_text().count(once) == 1
    assert ended.err.count("exec: Permission denied") == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_program_does_not_get_the_tracer_s_timers(
    backend: tuple[str, ...], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    words = ("-D", "--duration=0.3", "-q", "-o", str(log), "sleep", "1")
    assert run(PYTRACER, *backend, *words).status == 0
    assert "SIGALRM" not in log.read_text()


def test_what_ebpf_does_without_is_said() -> None:
    ended = run(
        PYTRACER, "--backend=ebpf", "--seccomp-bpf", "-f", "-e", "trace=kill", "sh", "-c", ":"
    )
    assert ended.status == 0
    note = "--seccomp-bpf has no effect with --backend=ebpf: no call stops the program"
    assert ended.err == f"{PYTRACER}: {note}\n+++ exited with 0 +++\n"
