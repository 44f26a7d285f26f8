"""--comm, --all and --slower-than, on processes that know what they did."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.live.watching import PYTRACER, Watch, calls, done, ended, forked, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.timeout(120),
]
CHECKOUT = Path(__file__).resolve().parents[2]
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None)
# Nobody else's names begin so, not even in another run of these tests.
ME = f"t{os.getpid()}"


def rename(name: str) -> None:
    """Give the current thread a name."""
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def test_a_name_that_fits_is_traced_while_it_does() -> None:
    def work() -> None:
        calls(3)
        rename(f"{ME}-worker")
        calls(7)
        done(forked(lambda: calls(5)))
        rename("another")
        calls(11)
        rename(f"{ME}-again")
        calls(2)

    with Watch(
        "--comm", f"{ME}-*", "--comm", "nobody", canary=lambda: rename(f"{ME}-canary")
    ) as watch:
        worker = done(forked(work))
        found = watch.end()
        assert found.pop(worker) == 7 + 2, (found, watch.said())
        assert list(found.values()) == [5], (found, watch.said())


def test_a_process_is_traced_with_its_threads_and_a_thread_by_its_own_name() -> None:
    def with_thread(name: str, thread_name: str) -> None:
        turn = threading.Barrier(2)

        def inner() -> None:
            rename(thread_name)
            turn.wait()
            turn.wait()
            calls(3)

        thread = threading.Thread(target=inner)
        thread.start()
        turn.wait()
        rename(name)
        calls(7)
        turn.wait()
        thread.join()

    with Watch("--comm", f"{ME}-[a-m]*", canary=lambda: rename(f"{ME}-canary")) as watch:
        whole = done(forked(lambda: with_thread(f"{ME}-leader", "other")))
        part = done(forked(lambda: with_thread(f"{ME}-zzz", f"{ME}-a")))
        none = done(forked(lambda: with_thread(f"{ME}-zzz", f"{ME}-z")))
        found = watch.end()
        # The lines of threads begin with their own numbers.
        assert found.pop(whole) == 7, (found, watch.said())
        assert part not in found and none not in found
        assert list(found.values()) == [3, 3], (found, watch.said())


def test_an_execve_that_gives_or_takes_a_name(tmp_path: Path) -> None:
    program = tmp_path / f"{ME}-program"
    program.symlink_to(sys.executable)
    first = "import os; os.getppid(); os.execv(os.sys.argv[1], ['python3', '-c', os.sys.argv[2]])"
    second = "import os; os.getppid(); os.getppid()"

    def execute(one: str, other: str) -> int:
        command = [one, "-c", first, other, second]
        return done(os.posix_spawn(one, command, os.environ))

    with Watch("--comm", f"{ME}-*", canary=lambda: rename(f"{ME}-canary")) as watch:
        becomes = execute(sys.executable, str(program))
        was = execute(str(program), sys.executable)
        found = watch.end()
        assert found == {becomes: 2, was: 1}, (found, becomes, was, watch.said())


def test_with_f_who_had_the_name_stays() -> None:
    def work() -> None:
        rename(f"{ME}-worker")
        calls(1)
        rename("another")
        calls(2)
        done(forked(lambda: calls(3)))

    with Watch("-f", "--comm", f"{ME}-worker", "--comm", f"{ME}-canary") as watch:
        watch.ready(lambda: rename(f"{ME}-canary"))
        worker = done(forked(work))
        found = watch.end()
        assert found.pop(worker) == 3 and list(found.values()) == [3], (found, watch.said())


def test_the_whole_host_but_for_the_tracer() -> None:
    reading, writing = os.pipe()
    there = forked(lambda: calls(3 * len(os.read(reading, 1))))
    try:
        with Watch("--all", canary=lambda: None) as watch:
            os.write(writing, b".")
            done(there)
            born = done(forked(lambda: calls(5)))
            inner = done(forked(lambda: done(forked(lambda: calls(7)))))
            # It reads the rings in a process of its own, which asks for its parent as it begins.
            children = Path(f"/proc/{watch.pid}/task/{watch.pid}/children").read_text().split()
            found = watch.end()
            assert found[there] == 3 and found[born] == 5 and inner not in found, found
            assert 7 in found.values()
            assert children and not found.keys() & {watch.pid, *map(int, children)}
            assert "attached" not in watch.said()
    finally:
        ended(there)


def _descendants(pid: int) -> set[int]:
    """The processes that a process has started, and theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children}.union(*map(_descendants, map(int, children)))


def test_what_takes_the_output_is_not_traced(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    # More than one command, so that the shell starts a process for it.
    taking = f"|cat > {trace}; true"
    command = [PYTRACER, "--all", "-e", "trace=read,write", "-o", taking]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracer:
        try:
            wait_for(lambda: trace.exists() and trace.read_bytes(), "nothing is written")
            started = _descendants(tracer.pid)
        finally:
            tracer.send_signal(signal.SIGINT)
    assert len(started) > 2
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), "cat goes on")
    seen = {int(line.split()[0]) for line in trace.read_text().splitlines()}
    assert seen and not seen & {tracer.pid, *started}


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        *(("ebpf", options) for options in ((), ("-c", "-w"), ("-Z",), ("-z",), ("--json",))),
        *(("ptrace", options) for options in ((), ("-c", "-w"), ("--json",))),
    ],
)
def test_only_slow_calls_are_shown(backend: str, options: tuple[str, ...], tmp_path: Path) -> None:
    script = (
        "import os, time\n"
        "for _ in range(5): os.getppid()\n"
        "for _ in range(3): time.sleep(0.8)\n"
        "os.kill(os.getpid(), 9)"
    )
    trace = tmp_path / "trace"
    command = [PYTRACER, f"--backend={backend}", *options, "--slower-than=500ms", "-o", str(trace)]
    filters = ["-e", "trace=clock_nanosleep,getppid"]
    python = [sys.executable, "-c", script]
    subprocess.run([*command, *filters, *python], timeout=60, check=False)
    lines = trace.read_text().splitlines()
    if "-c" in options:
        (line,) = (line for line in lines if "clock_nanosleep" in line)
        assert line.split()[3] == "3" and "getppid" not in trace.read_text(), lines
        return
    if "--json" in options:
        names = [event.get("syscall") for event in map(json.loads, lines)]
        assert [name for name in names if name] == ["clock_nanosleep"] * 3, lines
        return
    shown = [line for line in lines if not line.startswith("+++")]
    assert len(shown) == (0 if "-Z" in options else 3), lines
    assert all(line.startswith("clock_nanosleep(") for line in shown), lines


def test_a_recording_tells_who_came_and_went(tmp_path: Path) -> None:
    def work() -> None:
        rename(f"{ME}-worker")
        calls(7)
        rename("another")
        calls(5)

    record = tmp_path / "record"
    options = ("--comm", f"{ME}-*", "--record", str(record))
    with Watch(*options, canary=lambda: rename(f"{ME}-canary")) as watch:
        worker = done(forked(work))
        found = watch.end()
        live = watch.text()
    assert found == {worker: 7}, found
    ran = subprocess.run(
        [PYTRACER, "--replay", str(record), "-o", str(tmp_path / "trace")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (tmp_path / "trace").read_text() == live
    assert f"Process {worker} attached" in ran.stderr


_INSIDE = """
import os
from tests.live.watching import Watch, calls, done, forked
with Watch("--all", canary=lambda: None) as watch:
    worker = done(forked(lambda: (calls(5), done(forked(lambda: calls(3))))))
    found = watch.end()
    assert found.pop(worker) == 5, (found, watch.said())
    assert list(found.values()) == [3] and max(found) < 100, (found, watch.said())
print("fine")
"""


def test_in_a_pid_namespace_all_is_all_of_that_namespace() -> None:
    outside = subprocess.Popen([sys.executable, "-c", "import os\nwhile os.getppid(): pass"])
    try:
        inside = ["unshare", "-p", "-f", "--mount-proc", sys.executable, "-c", _INSIDE]
        ran = subprocess.run(
            inside, cwd=CHECKOUT, capture_output=True, text=True, timeout=100, check=False
        )
        assert ran.stdout == "fine\n", ran.stderr[-3000:]
    finally:
        outside.kill()
        outside.wait(20)
