"""What a launched program can see of its tracer: nothing but TracerPid."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pytracer.backend.base import TargetError
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import Event, SyscallEnter, SyscallExit, TaskExit
from pytracer.target.selection import Launch, Selection
from tests.backend.ptrace.scenes import (
    children,
    collect,
    launch_of,
    of,
    scenes,
    status_of,
    until,
)

pytestmark = [pytest.mark.needs_program("gcc"), pytest.mark.timeout(60)]

SHOW = r"""
grep -E '^(Sig(Blk|Ign|Cgt|Pnd)|ShdPnd|Cpus_allowed|NoNewPrivs|Seccomp|[UG]id|Groups):' \
    /proc/self/status
ls -l /proc/self/fd | sed 's/.*[0-9] \([0-9]* -> \)/\1/' | grep -v /proc/
env | sort | grep -v ^_=
ulimit -a
"""

TRACER = """
import sys, os
from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.backend.base import TargetError
from pytracer.target.selection import Launch, Selection
argv = tuple(map(os.fsencode, sys.argv[2:]))
env = tuple(key + b"=" + value for key, value in os.environb.items())
target = Launch(path=argv[0], argv=argv, env=env, daemon=int(sys.argv[1]))
backend = PtraceBackend(target, Selection(follow=True))
try:
    for event in backend.events():
        if event is not None and os.environ.get("LOG"):
            with open(os.environ["LOG"], "a") as log:
                print(type(event).__name__, file=log, flush=True)
except TargetError as error:
    sys.exit(f"{error.call}: {os.strerror(error.errno)}")
"""


def traced(
    *argv: str, daemon: int = 0, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command under a tracer of its own."""
    return subprocess.run(
        [sys.executable, "-c", TRACER, str(daemon), *argv],
        capture_output=True, text=True, timeout=30, check=False, preexec_fn=before,
    )  # fmt: skip


def test_the_program_sees_the_world_as_without_a_tracer(tmp_path: Path) -> None:
    script = tmp_path / "show"
    script.write_text(SHOW)
    bare = subprocess.run(
        ["/bin/sh", str(script)], capture_output=True, text=True, timeout=30, check=True
    )
    seen = traced("/bin/sh", str(script))
    assert seen.returncode == 0 and "Cpus_allowed" in seen.stdout
    pipes = re.compile(r"pipe:\[\d+\]")
    assert pipes.sub("pipe", seen.stdout) == pipes.sub("pipe", bare.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGCHLD])
def test_a_signal_that_was_ignored_stays_so(number: signal.Signals) -> None:
    def ignore() -> None:
        signal.signal(number, signal.SIG_IGN)

    command = ("/bin/grep", "SigIgn", "/proc/self/status")
    bare = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=True, preexec_fn=ignore
    )
    assert int(bare.stdout.split()[1], 16) >> (number - 1) & 1
    assert traced(*command, before=ignore).stdout == bare.stdout


@pytest.mark.parametrize(
    ("make", "number"),
    [("missing", errno.ENOENT), ("script", errno.ENOENT), ("data", errno.EACCES)],
)
def test_a_program_that_cannot_be_executed(tmp_path: Path, make: str, number: int) -> None:
    path = tmp_path / make
    if make == "script":
        path.write_text("#!/nonexistent/interpreter\n")
        path.chmod(0o755)
    elif make == "data":
        path.write_text("data")
    backend = PtraceBackend(launch_of(path), Selection(follow=True))
    events: list[Event] = []
    with pytest.raises(TargetError) as caught:
        for event in backend.events():
            if event is not None:
                events.append(event)
    assert (caught.value.call, caught.value.errno) == ("exec", number)
    assert [each.nr for each in of(SyscallEnter, events)] == [59]
    assert [each.ret for each in of(SyscallExit, events)] == [-number]
    assert [each.status for each in of(TaskExit, events)] == [1 << 8]


@pytest.mark.needs_root
def test_another_user_may_be_chosen(tmp_path: Path) -> None:
    target = launch_of(Path("/usr/bin/id"))
    output = tmp_path / "id"
    script = Path("/bin/sh")
    tmp_path.chmod(0o777)
    argv = (b"/bin/sh", b"-c", b"id > '%s'" % os.fsencode(output))
    user = (65534, 65534, "nobody")
    target = Launch(path=os.fsencode(script), argv=argv, env=target.env, user=user)
    for folder in output.parents[:3]:
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    collect(PtraceBackend(target, Selection(follow=True)))
    assert output.read_text().startswith("uid=65534(nobody) gid=65534(nogroup)")
    assert "root" not in output.read_text()


@pytest.mark.parametrize("daemon", [1, 2, 3])
def test_a_daemon_traces_its_caller(daemon: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "echo pid $$ parent $PPID; ps -o pid= --ppid $$; exit 7"
    tracer = subprocess.Popen(
        [sys.executable, "-c", TRACER, str(daemon), "/bin/sh", "-c", script],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "LOG": str(log)},
    )  # fmt: skip
    output, errors = tracer.communicate(timeout=30)
    assert not errors
    words = output.split()
    assert words[:4] == ["pid", str(tracer.pid), "parent", str(os.getpid())]
    assert len(words) == 5  # ps itself: the program has no other child
    assert tracer.returncode == 7
    assert until(lambda: log.exists() and log.read_text().rstrip().endswith("TaskExit"))
    assert log.read_text().split()[:2] == ["TaskNew", "SyscallEnter"]


def test_a_daemon_whose_program_fails_says_so_once() -> None:
    done = traced("/etc/passwd", daemon=1)
    assert done.returncode == 1
    assert done.stderr == "exec: Permission denied\n"


def test_a_tracer_killed_while_it_launches_leaves_no_one_waiting() -> None:
    for delay in (0.0, 0.001, 0.003, 0.007, 0.011, 0.017):
        tracer = subprocess.Popen([sys.executable, "-c", TRACER, "0", scenes(), "sleeper"])
        until(partial(_has_children, tracer.pid))
        pids = children(tracer.pid)
        signal.sigtimedwait([], delay)
        tracer.kill()
        tracer.wait(10)
        for pid in pids:
            assert until(partial(_let_go, pid))
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)


def _has_children(pid: int) -> bool:
    return bool(children(pid))


def _let_go(pid: int) -> bool:
    try:
        status = status_of(pid)
    except OSError:
        return True
    return status["TracerPid"] == "0" and not status["State"].startswith(("t", "T"))
