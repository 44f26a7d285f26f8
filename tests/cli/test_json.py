"""--json on the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytracer.output.ndjson.schema import schema
from tests.cli.tracing import PYTRACER, TIMEOUT_S, kill, run, sleeper
from tests.output import accounts
from tests.programs.build import build

TOGETHER = Path(accounts.__file__).with_name("together.py")
PTRACE = (PYTRACER, "--backend=ptrace", "--json")


def objects(text: str) -> list[dict[str, Any]]:
    found = accounts.read(text)
    accounts.validate(found)
    assert found[0]["type"] == "start"
    return found


def syscalls(text: str) -> list[str]:
    return [each["syscall"] for each in objects(text) if each["type"] == "syscall"]


def test_beside_a_program_it_is_on_standard_error() -> None:
    ended = run(*PTRACE, "-e", "trace=write", "echo", "said")
    assert (ended.status, ended.out) == (0, "said\n")
    assert syscalls(ended.err) == ["write"]


def test_a_file(tmp_path: Path) -> None:
    ended = run(*PTRACE, "-o", "log", "cat", "/etc/hostname", "absent", cwd=tmp_path)
    assert ended.status == 1
    found = objects((tmp_path / "log").read_text())
    assert found[0]["command"] == ["cat", "/etc/hostname", "absent"]
    assert {each["type"] for each in found} == {"start", "task", "exec", "syscall", "exit"}
    (failed,) = [e for e in found if e.get("args", {}).get("pathname") == "absent"]
    assert failed["errno"] == "ENOENT"


@pytest.mark.parametrize(
    "backend",
    ["ptrace", pytest.param("ebpf", marks=[pytest.mark.needs_root, pytest.mark.needs_ebpf])],
)
def test_of_a_running_process_it_is_on_standard_output(backend: str) -> None:
    target = sleeper()
    try:
        words = (f"--backend={backend}", "--duration=2", "-p", str(target.pid))
        ended = run(PYTRACER, "--json", *words)
    finally:
        kill(target)
    assert (ended.status, ended.err) == (0, "")
    start, task, call, detach = objects(ended.out)
    assert (start["backend"], start["pids"]) == (backend, [target.pid])
    assert (task["type"], task["by"]) == ("task", "attached")
    assert call["syscall"] in ("clock_nanosleep", "restart_syscall")
    assert (call["status"], call["ret"]) == ("detached", None)
    assert detach["type"] == "detach"


def test_a_reader_that_goes_away_ends_it() -> None:
    target = subprocess.Popen(["sh", "-c", "while :; do :; done < /dev/null"])
    try:
        with subprocess.Popen(
            [*PTRACE, "-p", str(target.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as tracer:
            assert tracer.stdout is not None
            assert json.loads(tracer.stdout.readline())["type"] == "start"
            tracer.stdout.close()
            for _ in range(TIMEOUT_S * 10):
                os.kill(target.pid, signal.SIGWINCH)
                try:
                    tracer.wait(0.1)
                    break
                except subprocess.TimeoutExpired:
                    continue
            assert tracer.poll() == -signal.SIGPIPE
    finally:
        kill(target)


def test_a_file_for_each_task(tmp_path: Path) -> None:
    script = "/bin/true; exit 3"
    assert run(*PTRACE, "-ff", "-o", "log", "sh", "-c", script, cwd=tmp_path).status == 3
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    for file in files:
        found = objects(file.read_text())
        assert {str(each["tid"]) for each in found if "tid" in each} == {file.suffix[1:]}


def test_append(tmp_path: Path) -> None:
    for _ in range(2):
        assert run(*PTRACE, "-A", "-o", "log", "true", cwd=tmp_path).status == 0
    starts = [e for e in objects((tmp_path / "log").read_text()) if e["type"] == "start"]
    assert len(starts) == 2


def test_a_command(tmp_path: Path) -> None:
    assert run(*PTRACE, "-o", "|cat > log", "true", cwd=tmp_path).status == 0
    assert "exit_group" in syscalls((tmp_path / "log").read_text())


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("-z",), {"successful"}),
        (("-Z",), {"failed"}),
        (("-e", "status=unfinished,failed"), {"unfinished", "failed"}),
    ],
)
def test_only_calls_of_a_status(options: tuple[str, ...], wanted: set[str], tmp_path: Path) -> None:
    run(*PTRACE, *options, "-o", "log", "cat", "absent", cwd=tmp_path)
    found = objects((tmp_path / "log").read_text())
    assert {each["status"] for each in found if each["type"] == "syscall"} == wanted


def test_limit(tmp_path: Path) -> None:
    assert run(*PTRACE, "--syscall-limit=5", "-o", "log", "ls", "/", cwd=tmp_path).status == 0
    assert len(syscalls((tmp_path / "log").read_text())) == 5


def test_descriptors(tmp_path: Path) -> None:
    run(*PTRACE, "-y", "-e", "trace=openat,read", "-o", "log", "cat", "/etc/hostname", cwd=tmp_path)
    found = objects((tmp_path / "log").read_text())
    read = [each for each in found if each.get("syscall") == "read"][-1]
    assert read["args"]["fd"]["path"] == "/etc/hostname"
    opened = [each for each in found if each.get("syscall") == "openat"][-1]
    assert opened["result"] == {"fd": opened["ret"], "path": "/etc/hostname"}


@pytest.mark.parametrize(
    "backend",
    ["ptrace", pytest.param("ebpf", marks=[pytest.mark.needs_root, pytest.mark.needs_ebpf])],
)
def test_counted_calls(backend: str, tmp_path: Path) -> None:
    words = (f"--backend={backend}", "-c", "-S", "calls", "-o", "log", "cat", "absent")
    assert run(PYTRACER, "--json", *words, cwd=tmp_path).status == 1
    _, summary = objects((tmp_path / "log").read_text())
    assert (summary["type"], summary["covers"]) == ("summary", "all")
    calls = {each["syscall"]: each for each in summary["calls"]}
    assert calls["openat"]["errnos"]["ENOENT"] == calls["openat"]["errors"]
    assert "cpu" in calls["openat"]
    order = [each["calls"] for each in summary["calls"]]
    assert order == sorted(order, reverse=True)
    for each in calls.values():
        assert sum(count for _, count in each["histogram"]) == each["calls"]


def test_calls_written_and_counted(tmp_path: Path) -> None:
    assert run(*PTRACE, "-C", "-w", "-o", "log", "true", cwd=tmp_path).status == 0
    found = objects((tmp_path / "log").read_text())
    over = [e for e in found if e["type"] == "syscall" and e["status"] != "unfinished"]
    summary = found[-1]
    assert sum(each["calls"] for each in summary["calls"]) == len(over)
    assert sum(each["wall"]["total_ns"] for each in summary["calls"]) == sum(
        each["duration_ns"] for each in over
    )
    assert "cpu" not in summary["calls"][0]


def test_a_summary_for_each_interval(tmp_path: Path) -> None:
    script = "for i in 1 2 3 4; do sleep 0.2; done"
    run(*PTRACE, "-c", "-f", "--interval=0.3", "-o", "log", "sh", "-c", script, cwd=tmp_path)
    _, *intervals, whole = objects((tmp_path / "log").read_text())
    assert {each["covers"] for each in intervals} == {"interval"}
    assert len(intervals) >= 2
    assert whole["covers"] == "all"

    def count(summaries: list[dict[str, Any]]) -> int:
        return sum(each["calls"] for summary in summaries for each in summary["calls"])

    assert count(intervals) == count([whole]) > 0


@pytest.mark.parametrize(
    "backend",
    ["ptrace", pytest.param("ebpf", marks=[pytest.mark.needs_root, pytest.mark.needs_ebpf])],
)
def test_stacks_are_those_of_the_text(backend: str, tmp_path: Path) -> None:
    calls = "trace=execve,write,exit_group"
    words = (f"--backend={backend}", "-k", "-e", calls, "-o", "log", "echo", "said")
    assert run(sys.executable, str(TOGETHER), *words, cwd=tmp_path).status == 0
    told = accounts.read((tmp_path / "log.json").read_text())
    accounts.validate(told)
    frames = [frame for each in told for frame in each.get("stack", ())]
    assert any(frame["function"] for frame in frames)
    written = [
        line.removeprefix(" > ")
        for line in (tmp_path / "log").read_text().splitlines()
        if line.startswith(" > ")
    ]
    assert written == [f"{each['file']}({_function(each)}) [{each['address']}]" for each in frames]


def _function(frame: dict[str, Any]) -> str:
    return f"{frame['function']}+{frame['offset']:#x}" if frame["function"] else ""


@pytest.mark.parametrize(
    "option", ["-a80", "-x", "-xx", "--strings-in-hex", "-Xraw", "-r", "-cUcalls"]
)
def test_what_is_about_text_is_refused(option: str) -> None:
    ended = run(*PTRACE, option, "true")
    assert ended.status == 1
    assert "is about text, not --json" in ended.err
    assert ended.err.count("\n") == 1


def test_the_schema_is_printed() -> None:
    ended = run(PYTRACER, "--json-schema")
    assert (ended.status, json.loads(ended.out)) == (0, schema())


@pytest.mark.needs_root
@pytest.mark.needs_ebpf
def test_what_is_lost_is_told_in_objects_too(tmp_path: Path) -> None:
    words = ("--ring-size=8k", "-o", "log", "-e", "trace=read,write")
    program = ("dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20011", "status=none")
    ended = run(PYTRACER, "--backend=ebpf", "--json", *words, *program, cwd=tmp_path)
    found = objects((tmp_path / "log").read_text())
    lost = sum(each["count"] for each in found if each["type"] == "lost")
    said = [int(count) for count in re.findall(r"(\d+) events lost", ended.err)]
    assert lost == sum(said)
    reads = [each for each in found if each.get("syscall") == "read"]
    assert reads
    assert len(reads) + lost >= 20011


@pytest.mark.slow
@pytest.mark.needs_root
@pytest.mark.needs_ebpf
@pytest.mark.needs_program("gcc")
def test_calls_told_together_are_told_as_those_told_singly(tmp_path: Path) -> None:
    sources = ("files", "sockopts", "stat", "netlink")
    programs = [build(f"calls_{name}.c") for name in sources]
    script = "".join(f"{program};" for program in programs) + "ls -l /usr/include/linux"
    record = (PYTRACER, "--backend=ebpf", "-f", "--record=calls")
    run(*record, "sh", "-c", script, cwd=tmp_path)
    for options in ((), ("-Zi",)):
        told = []
        # To count calls, they are taken one by one.
        for limit in ((), ("--syscall-limit=1000000",)):
            replay = (PYTRACER, "--json", "--replay=calls", "-o", "log", *options, *limit)
            assert run(*replay, cwd=tmp_path).status == 0
            told.append((tmp_path / "log").read_text())
        assert told[0] == told[1]
        assert told[0].count("\n") > 100
