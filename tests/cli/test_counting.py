"""Summaries as a user sees them: intervals, percentiles, errors by name; both backends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.tracing import PYTRACER, Ended, kill, run, sleeper, state_of, wait_for

EBPF = pytest.param(
    "ebpf", marks=[pytest.mark.needs_root, pytest.mark.needs_ebpf, pytest.mark.slow]
)
BACKENDS = pytest.mark.parametrize("backend", ["ptrace", EBPF])
HEADING = re.compile(
    r"^=== \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: (the last|all) (\d+\.\d{3}) s ===$", re.MULTILINE
)


def count(backend: str, *words: str) -> Ended:
    return run(PYTRACER, f"--backend={backend}", "-c", *words)


def rows(table: str) -> dict[str, list[str]]:
    """The words of each row by the name at its end."""
    found = {}
    for line in table.splitlines():
        *cells, name = line.split() or [""]
        if cells and not line.startswith("-"):
            found[name] = cells
    return found


@BACKENDS
def test_intervals_add_up_to_the_whole(backend: str) -> None:
    script = "sleep .3; sleep .3; sleep .3"
    ended = count(backend, "-f", "-qq", "--interval=0.2", "-U", "calls,name", "sh", "-c", script)
    assert ended.status == 0
    before, *parts = HEADING.split(ended.err)
    assert before == ""
    kinds, seconds, tables = parts[0::3], parts[1::3], parts[2::3]
    assert kinds[-1] == "all" and set(kinds[:-1]) == {"the last"}
    assert len(kinds) >= 3
    assert abs(sum(map(float, seconds[:-1])) - float(seconds[-1])) < 0.1
    *intervals, whole = map(rows, tables)
    summed: dict[str, int] = {}
    for interval in intervals:
        for name, cells in interval.items():
            if name not in ("syscall", "calls"):
                summed[name] = summed.get(name, 0) + int(cells[0])
    assert summed == {name: int(cells[0]) for name, cells in whole.items() if name != "syscall"}
    assert summed["clock_nanosleep"] == 3


@BACKENDS
def test_an_interval_without_calls(backend: str) -> None:
    ended = count(backend, "-qq", "--interval=0.2", "-e", "trace=getppid", "sleep", "0.5")
    parts = HEADING.split(ended.err)
    assert len(parts) >= 7
    assert [part.strip() for part in parts[3::3]] == ["no calls"] * (len(parts) // 3)


def test_lines_and_intervals_take_turns() -> None:
    words = ("--backend=ptrace", "-C", "--interval=0.2", "-e", "trace=clock_nanosleep")
    ended = run(PYTRACER, *words, "sleep", "0.7")
    lines = ended.err.splitlines()
    cut = [at for at, line in enumerate(lines) if line.endswith(" <unfinished ...>")]
    assert cut and HEADING.match(lines[cut[0] + 1])
    assert any(line.startswith("<... clock_nanosleep resumed>") for line in lines)


@BACKENDS
@pytest.mark.parametrize("wall", [(), ("-w",)])
def test_there_is_a_line_for_each_call_of_the_table(backend: str, wall: tuple[str, ...]) -> None:
    words = (f"--backend={backend}", "-C", *wall, "-f", "-qq", "-e", "trace=openat,execve")
    ended = run(PYTRACER, *words, "-U", "calls,errors,name", "sh", "-c", "cat /nonexistent; true")
    found = rows(ended.err)
    for name in ("openat", "execve"):
        lines = [line for line in ended.err.splitlines() if f"{name}(" in line]
        failed = [line for line in lines if " = -1 E" in line]
        assert [len(lines), *filter(None, [len(failed)])] == list(map(int, found[name]))


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("-c", "-P", "/etc/hostname"),
        ("-C", "-P", "/etc/hostname"),
        ("-c", "--trace-fds=3"),
        ("-c", "--syscall-limit=23"),
        ("-c", "-b", "execve", "-f", "-e", "trace=openat,getpid,read"),
    ],
    ids=" ".join,
)
def test_what_events_tell_is_counted_alike(words: tuple[str, ...]) -> None:
    script = "exec 3</etc/hostname; read line <&3; cat /etc/hostname /nonexistent 2>&-; true"
    found = {}
    for backend in ("ptrace", "ebpf"):
        columns = ("-qq", "-S", "name", "-U", "calls,errors,name", "sh", "-c", script)
        ended = run(PYTRACER, f"--backend={backend}", *words, *columns)
        assert ended.status == 0
        found[backend] = ended.err[ended.err.index("    calls    errors syscall") :]
    assert found["ebpf"] == found["ptrace"]
    assert "total" in found["ebpf"]


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("-C",), ("-C", "-w")], ids=" ".join)
def test_json_tells_the_cpu_time_under_both_backends_or_under_none(words: tuple[str, ...]) -> None:
    told = []
    for backend in ("ptrace", "ebpf"):
        ended = run(PYTRACER, f"--backend={backend}", "--json", *words, "true")
        calls = [each for each in map(json.loads, ended.err.splitlines()) if "exit_ns" in each]
        told.append({"cpu_ns" in each for each in calls})
    assert told[0] == told[1] == {words == ("-C",)}


@BACKENDS
def test_percentiles_are_of_wall_clock_time(backend: str) -> None:
    columns = "p50,p90,p99,p99.9,calls,wall-max,errnos,name"
    ended = count(backend, "-U", columns, "-S", "p99", "sleep", "0.2")
    found = rows(ended.err)
    p50, p90, p99, p999, calls, longest = found["clock_nanosleep"]
    assert 200_000 <= float(p50) <= float(longest) * 1e6 + 1
    assert p50 == p90 == p99 == p999
    assert calls == "1"
    assert list(found)[1] == "clock_nanosleep"


@BACKENDS
def test_errors_have_names(backend: str, tmp_path: Path) -> None:
    ended = count(
        backend, "-U", "errors,errnos,name", "-e", "trace=openat", "cat", str(tmp_path / "x")
    )
    errors, errnos = rows(ended.err)["openat"]
    assert f"ENOENT:{errors}" == errnos
    assert rows(ended.err)["total"] == [errors, errnos]


@pytest.mark.parametrize("text", ["0", "-1", "x", "nan", "inf", ""])
def test_an_interval_is_a_positive_number(text: str) -> None:
    ended = run(PYTRACER, "-c", f"--interval={text}", "true")
    assert ended.status == 1
    assert ended.err == (
        f"{PYTRACER}: --interval must be a positive number of seconds, not '{text}'\n"
    )


def test_an_interval_is_of_a_summary() -> None:
    ended = run(PYTRACER, "--interval=1", "true")
    assert ended.status == 1
    assert ended.err.startswith(
        f"{PYTRACER}: --interval must be given with (-c/--summary-only or -C/--summary)\n"
    )


def test_nothing_is_sorted_by_names_of_errors() -> None:
    ended = run(PYTRACER, "-c", "-S", "errnos", "true")
    assert ended.status == 1
    assert ended.err.startswith(f"{PYTRACER}: invalid sortby: 'errnos'\n")


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.needs_ebpf
class TestInTheKernel:
    def test_an_attached_process_is_counted_and_left_as_it_was(self) -> None:
        targets = sleeper(), sleeper()
        try:
            pids = ",".join(str(target.pid) for target in targets)
            ended = count("ebpf", "-w", "--duration=0.3", "-p", pids)
            assert ended.status == 0
            said = ended.err.splitlines()
            for target in targets:
                assert f"{PYTRACER}: Process {target.pid} attached" in said
                assert f"{PYTRACER}: Process {target.pid} detached" in said
                assert state_of(target.pid) == "S"
        finally:
            for target in targets:
                kill(target)

    def test_an_interrupt_ends_in_a_table(self, tmp_path: Path) -> None:
        table = tmp_path / "table"
        words = [PYTRACER, "--backend=ebpf", "-c", "-I2", "-o", str(table)]
        words += ["sh", "-c", "trap '' INT; echo ready >&2; sleep 20"]
        with subprocess.Popen(
            words, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as tracer:
            try:
                assert tracer.stderr is not None
                while "ready" not in tracer.stderr.readline():
                    assert tracer.poll() is None
                tracer.send_signal(signal.SIGINT)
                assert tracer.wait(20) == -signal.SIGINT
            finally:
                # The program ignores the interrupt, and lives on.
                with suppress(ProcessLookupError):
                    os.killpg(tracer.pid, signal.SIGKILL)
        assert rows(table.read_text())["write"][3] == "1"

    @pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -TERM $$", -15)])
    def test_the_status_is_the_programs(self, script: str, status: int) -> None:
        assert count("ebpf", "-qq", "-f", "sh", "-c", script).status == status

    def test_a_program_that_cannot_be_executed(self) -> None:
        ended = count("ebpf", "/etc/passwd")
        assert ended.status == 1
        assert ended.err.splitlines()[0] == f"{PYTRACER}: exec: Permission denied"
        assert rows(ended.err)["execve"][3:] == ["1", "1"]

    def test_the_end_of_the_tracer_is_nothing_to_the_target(self) -> None:
        target = sleeper()
        try:
            words = (PYTRACER, "--backend=ebpf", "-c", "-p", str(target.pid))
            with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as tracer:
                assert tracer.stderr is not None
                assert "attached" in tracer.stderr.readline()
                # Nobody else holds what holds the programs.
                children = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children")
                assert children.read_text() == ""
                tracer.kill()
                tracer.wait(20)
            wait_for(lambda: state_of(target.pid) == "S", "the target to sleep on")
        finally:
            kill(target)
