"""Whole runs: exit statuses, where the output goes, what signals do. With ptrace, beside strace."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.tracing import (
    PYTRACER,
    STRACE,
    Tracer,
    both,
    kill,
    run,
    sleeper,
    state_of,
    tracer_of,
    wait_for,
)

pytestmark = [pytest.mark.needs_program("strace"), pytest.mark.slow]

QUICK = ("-e", "trace=exit_group")


@pytest.mark.parametrize(
    "script", ["exit 0", "exit 7", "exit 255", "kill -TERM $$", "kill -KILL $$", "kill -SEGV $$"]
)
def test_exit_status_is_the_programs(script: str) -> None:
    theirs, ours = both(*QUICK, "sh", "-c", script)
    assert ours.status == theirs.status
    assert ours.err == theirs.err


@pytest.mark.parametrize(
    "line",
    [
        "-P /bin/sh -e trace=none true",
        "-c -w -t -e trace=none true",
        "-e trace=none -F true",
        "-z -Z -e trace=none true",
        "-b execve -f -e trace=execve sh -c /bin/true",
        "-D -e trace=none true",
        "-p 999999999",
        "-p 999999998,999999999",
        "-u nobody -e trace=none true",
        "-u nonesuch true",
        "-o |cat -ff true",
        "-cff true",
        "-DDDD true",
        "-x --strings-in-hex true",
        "/nonexistent/../etc/passwd",
    ],
)
def test_says_what_strace_says(line: str) -> None:
    theirs, ours = both(*line.split())
    if "/nonexistent" in line:
        assert ours.err.replace("Cannot stat", "Can't stat") == theirs.err
    else:
        assert ours.err == theirs.err
    assert ours.status == theirs.status


def test_syscall_limit() -> None:
    ended = run(PYTRACER, "--backend=ptrace", "--syscall-limit=3", "sleep", "0.1")
    lines = ended.err.splitlines()
    assert ended.status == 0
    assert len([line for line in lines if " = " in line]) == 3
    assert f"{PYTRACER}: System call limit has been reached, detaching tracees" in lines
    assert "detached" in lines[-1]


def test_argv0() -> None:
    ended = run(PYTRACER, "--argv0=zzz", "-e", "trace=execve", "true")
    assert '["zzz"]' in ended.err


def test_environment() -> None:
    script = "echo $A-${HOME+set}"
    for tracer in (STRACE, PYTRACER):
        words = ("-o", "/dev/null", "-E", "A=1", "-E", "HOME", "-E", "A=2")
        assert run(tracer, *words, "/bin/sh", "-c", script).out == "2-\n"


def test_the_environment_is_passed_on_untouched() -> None:
    for tracer in (STRACE, PYTRACER):
        done = subprocess.run(
            [tracer, "-o", "/dev/null", "/usr/bin/env"],
            env={"LC_ALL": "C", "Z": "1", "A": "2", "PATH": "/usr/bin"},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert done.stdout.splitlines() == ["LC_ALL=C", "Z=1", "A=2", "PATH=/usr/bin"]


@pytest.mark.needs_root
def test_user_by_ids() -> None:
    ended = run(PYTRACER, "-o", "/dev/null", "-u", "65534:65533", "sh", "-c", "id -u; id -g; id -G")
    assert ended.out == "65534\n65533\n65533\n"
    for wrong in ("1:", ":1", "1:1x", "99999999999:1"):
        ended = run(PYTRACER, "-u", wrong, "true")
        assert ended.status == 1
        assert ended.err == f"{PYTRACER}: Invalid UID:GID pair '{wrong}'\n"


class TestOutput:
    def test_file(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        ended = run(PYTRACER, *QUICK, "-o", str(log), "true")
        assert ended.err == ""
        text = log.read_text()
        assert text.startswith("exit_group(0)")
        assert text.endswith("+++ exited with 0 +++\n")

    def test_mode_follows_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            for tracer in (STRACE, PYTRACER):
                run(tracer, *QUICK, "-o", tracer.rpartition("/")[2], "true", cwd=tmp_path)
        finally:
            os.umask(before)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == {0o640}

    def test_append(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_text("before\n")
        run(PYTRACER, *QUICK, "-A", "-o", str(log), "true")
        assert log.read_text().startswith("before\nexit_group(0)")
        run(PYTRACER, *QUICK, "-o", str(log), "true")
        assert log.read_text().startswith("exit_group(0)")

    @pytest.mark.parametrize("sign", ["|", "!"])
    def test_command(self, sign: str, tmp_path: Path) -> None:
        words = (*QUICK, "-o", f"{sign}sed s/exited/LEFT/ >log; sleep 0.2; echo >>log end", "true")
        for tracer in (STRACE, PYTRACER):
            ended = run(tracer, *words, cwd=tmp_path)
            assert ended.status == 0
            assert ended.err == ""
            # The tracer has waited for the command.
            text = (tmp_path / "log").read_text()
            assert text.endswith("+++ LEFT with 0 +++\nend\n"), tracer

    def test_a_command_that_does_not_read(self) -> None:
        ended = run(PYTRACER, "-o", "|exit 3", "true")
        assert ended.status == 0
        assert ended.err == f"{PYTRACER}: |exit 3: Broken pipe\n"

    def test_a_file_for_each_process(self, tmp_path: Path) -> None:
        for tracer in (STRACE, PYTRACER):
            name = tracer.rpartition("/")[2]
            run(
                tracer, *QUICK, "-ff", "-o", f"{name}.log", "sh", "-c", "/bin/true; :", cwd=tmp_path
            )
            texts = sorted(path.read_text() for path in tmp_path.glob(f"{name}.log.*"))
            assert len(texts) == 2
            assert all(text.endswith("+++ exited with 0 +++\n") for text in texts)

    def test_a_full_device(self) -> None:
        ended = run(PYTRACER, *QUICK, "-o", "/dev/full", "true")
        assert ended.status == 0
        assert ended.err == f"{PYTRACER}: /dev/full: No space left on device\n"

    @pytest.mark.needs_root
    def test_not_through_somebody_elses_link(self, tmp_path: Path) -> None:
        folder = tmp_path / "shared"
        folder.mkdir()
        folder.chmod(0o1777)
        victim = tmp_path / "victim"
        victim.write_text("precious")
        link = folder / "log"
        link.symlink_to(victim)
        os.chown(link, 65534, 65534, follow_symlinks=False)
        ended = run(PYTRACER, "-o", str(link), "true")
        assert ended.status == 1
        assert ended.err.startswith(f"{PYTRACER}: Can't fopen '{link}': ")
        assert victim.read_text() == "precious"
        # One's own link, and a link where nobody else can put one, are as good as the file.
        os.chown(link, os.geteuid(), os.getegid(), follow_symlinks=False)
        assert run(PYTRACER, *QUICK, "-o", str(link), "true").status == 0
        assert victim.read_text() != "precious"

    def test_the_program_does_not_inherit_it(self, tmp_path: Path) -> None:
        for tracer in (STRACE, PYTRACER):
            ended = run(tracer, "-o", str(tmp_path / "log"), "ls", "/proc/self/fd")
            assert ended.out.split() == ["0", "1", "2", "3"]

    def test_a_reader_sees_the_end_of_a_pipe_of_the_program(self) -> None:
        script = "{ sleep 0.3; yes | head -n 99999; } | "
        script += f"{PYTRACER} -o/dev/null sh -c 'exec <&-; sleep 1'; echo ${{PIPESTATUS[0]}}"
        begun = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.stdout == "141\n"  # SIGPIPE
        assert time.monotonic() - begun < 20


class TestAttached:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_detaches(self, number: int) -> None:
        found = []
        for tracer in (STRACE, PYTRACER):
            target = sleeper()
            try:
                with Tracer("-p", str(target.pid), tracer=tracer) as tracing:
                    wait_for(_traced(target.pid), "the target to be traced")
                    time.sleep(0.3)
                    ended = tracing.signal(number)
                    assert tracer_of(target.pid) == 0
                    wait_for(_sleeping(target.pid), "the target to sleep on")
            finally:
                kill(target)
            found.append(ended)
        assert found[1].status == found[0].status == -number
        first, _, rest = found[1].err.partition("\n")
        assert first == "TRACER: Process N attached"
        assert rest.startswith("restart_syscall(<... resuming interrupted clock_nanosleep ...>")
        assert rest.endswith("TRACER: Process N detached\n <detached ...>\n")

    def test_duration(self) -> None:
        target = sleeper()
        try:
            begun = time.monotonic()
            ended = run(PYTRACER, "--duration=0.3", "-p", str(target.pid))
            assert 0.3 <= time.monotonic() - begun < 10
            assert ended.status == 0
            assert tracer_of(target.pid) == 0
            wait_for(_sleeping(target.pid), "the target to sleep on")
        finally:
            kill(target)

    def test_stopped_stays_stopped(self) -> None:
        target = sleeper()
        try:
            target.send_signal(signal.SIGSTOP)
            wait_for(lambda: state_of(target.pid) == "T", "the target to stop")
            run(PYTRACER, "--backend=ptrace", "--duration=0.3", "-p", str(target.pid))
            assert state_of(target.pid) == "T"
        finally:
            kill(target)

    def test_a_killed_tracer_leaves_the_target_running(self) -> None:
        target = sleeper()
        try:
            with Tracer("-p", str(target.pid)) as tracing:
                wait_for(lambda: tracer_of(target.pid) != 0, "the target to be traced")
                tracing.signal(signal.SIGKILL)
                wait_for(lambda: tracer_of(target.pid) == 0, "the target to be free")
                wait_for(lambda: state_of(target.pid) == "S", "the target to sleep")
        finally:
            kill(target)

    def test_already_traced(self) -> None:
        target = sleeper()
        try:
            with Tracer("-p", str(target.pid), tracer=STRACE) as tracing:
                wait_for(lambda: tracer_of(target.pid) != 0, "the target to be traced")
                ended = run(PYTRACER, "--backend=ptrace", "-p", str(target.pid))
                assert ended.status == 1
                assert ended.err.splitlines() == [
                    f"{PYTRACER}: attach: ptrace(PTRACE_SEIZE, {target.pid}): "
                    "Operation not permitted",
                    f"{PYTRACER}: Process {target.pid} is already being traced by pid "
                    f"{tracing.process.pid}",
                ]
        finally:
            kill(target)

    def test_one_of_two_is_enough(self) -> None:
        target = sleeper()
        try:
            ended = run(
                PYTRACER, "--backend=ptrace", "--duration=0.3", "-p", f"999999999,{target.pid}"
            )
            assert ended.status == 0
            assert "No such process" in ended.err
            assert f"Process {target.pid} attached" in ended.err
        finally:
            kill(target)


class TestLaunched:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_is_passed_on(self, number: int) -> None:
        for tracer in (STRACE, PYTRACER):
            with Tracer("-e", "trace=none", "sleep", "37", tracer=tracer) as tracing:
                child = _only_child(tracing.process.pid)
                ended = tracing.signal(number)
                assert ended.status == -number
                wait_for(_over(child), "the program to end")

    def test_with_a_file_signals_are_the_programs_business(self, tmp_path: Path) -> None:
        for tracer in (STRACE, PYTRACER):
            log = tmp_path / tracer.rpartition("/")[2]
            with Tracer("-o", str(log), "sleep", "37", tracer=tracer) as tracing:
                child = _only_child(tracing.process.pid)
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                    tracing.process.send_signal(number)
                time.sleep(0.3)
                assert tracing.process.poll() is None, tracer
                os.kill(child, signal.SIGTERM)
                assert tracing.end().status == -signal.SIGTERM

    def test_anywhere(self, tmp_path: Path) -> None:
        for tracer in (STRACE, PYTRACER):
            with Tracer("-I1", "-o", "/dev/null", "sleep", "1", tracer=tracer) as tracing:
                child = _only_child(tracing.process.pid)
                assert tracing.signal(signal.SIGTERM).status == -signal.SIGTERM
                # It is let go by the kernel and sleeps on.
                assert state_of(child) == "S", tracer

    def test_duration_leaves_the_program_running(self) -> None:
        with Tracer("--duration=0.6", "sleep", "3") as tracing:
            child = _only_child(tracing.process.pid)
            assert tracing.end().status == 0
            assert state_of(child) == "S"
            assert tracer_of(child) == 0
            os.kill(child, signal.SIGKILL)

    def test_daemonized(self, tmp_path: Path) -> None:
        for option in ("-D", "-DD", "-DDD", "--daemonize=session"):
            log = tmp_path / "log"
            ended = run(PYTRACER, option, *QUICK, "-o", str(log), "sh", "-c", "echo $PPID; exit 3")
            assert ended.status == 3
            # The program is our own child, as without a tracer.
            assert ended.out == f"{os.getpid()}\n"
            wait_for(_ends(log, "+++ exited with 3 +++\n"), "the log")
            log.unlink()


def test_the_ends_of_all_at_once_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "sleep 37 & sleep 37 & wait"
    with Tracer("-f", "-e", "trace=none", "-o", str(log), "sh", "-c", script) as tracing:
        pid = tracing.process.pid
        wait_for(lambda: _sleepers(pid) == 2, "the children to sleep")
        (shell,) = _children(pid)
        family = [shell, *_children(shell)]
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: state_of(pid) == "T", "the tracer to stop")
        for each in family:
            os.kill(each, signal.SIGKILL)
        wait_for(lambda: all(state_of(each) in "Zt" for each in family), "their ends")
        assert tracing.signal(signal.SIGCONT).status == -signal.SIGKILL
    ended = {f"{each} +++ killed by SIGKILL +++" for each in family}
    assert {" ".join(line.split()) for line in log.read_text().splitlines()} == ended


def _sleepers(pid: int) -> int:
    found = [child for shell in _children(pid) for child in _children(shell)]
    return sum(_comm_of(each) == "sleep" and state_of(each) == "S" for each in found)


def _comm_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _sleeping(pid: int) -> Callable[[], bool]:
    return lambda: state_of(pid) == "S"


def _traced(pid: int) -> Callable[[], bool]:
    return lambda: tracer_of(pid) != 0


def _over(pid: int) -> Callable[[], bool]:
    return lambda: state_of(pid) in ("", "Z")


def _ends(log: Path, text: str) -> Callable[[], bool]:
    return lambda: log.read_text().endswith(text)


def _only_child(pid: int) -> int:
    path = Path(f"/proc/{pid}/task/{pid}/children")

    def slept() -> bool:
        for child in path.read_text().split():
            if Path(f"/proc/{child}/comm").read_text() == "sleep\n":
                return Path(f"/proc/{child}/syscall").read_text().startswith("230 ")
        return False

    wait_for(slept, "the program to sleep")
    return int(path.read_text().split()[0])


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors(closed: str, tmp_path: Path) -> None:
    found = []
    for tracer in (STRACE, PYTRACER):
        log = tmp_path / tracer.rpartition("/")[2]
        script = f"{tracer} -e trace=none -o {log} sh -c 'exit 5' {closed}"
        found.append((run("sh", "-c", script).status, log.read_text()))
    assert found[0] == found[1] == (5, "+++ exited with 5 +++\n")
