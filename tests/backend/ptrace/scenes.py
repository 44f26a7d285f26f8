"""Play a scene of ptrace_scenes.c under the backend, and look at what was yielded."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pytracer.backend.ptrace.backend import PtraceBackend
from pytracer.event.schema import Event, Lost, SyscallEnter
from pytracer.target.selection import Attach, Launch, Selection
from tests.programs.build import build

GETPPID = 110
_PATIENCE = 10.0

E = TypeVar("E")


def scenes(*flags: str) -> Path:
    """Build the scenes."""
    return build("ptrace_scenes.c", *flags)


def launch_of(program: Path, *args: str) -> Launch:
    """Describe a launch with this process's own environment."""
    argv = (os.fsencode(program), *map(os.fsencode, args))
    env = tuple(key + b"=" + value for key, value in os.environb.items())
    return Launch(path=argv[0], argv=argv, env=env)


def play(
    name: str,
    *flags: str,
    selection: Selection | None = None,
    each: Callable[[Event], None] | None = None,
) -> list[Event]:
    """Trace a scene from its launch to its end."""
    backend = PtraceBackend(launch_of(scenes(*flags), name), selection or Selection(follow=True))
    return collect(backend, each)


def collect(backend: PtraceBackend, each: Callable[[Event], None] | None = None) -> list[Event]:
    """Take all events; ``each`` sees every one while its task is held."""
    events = []
    for event in backend.events():
        if event is not None:
            events.append(event)
            if each is not None:
                each(event)
    return events


def of(kind: type[E], events: list[Event]) -> list[E]:
    """Pick the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def by_task(events: list[Event], tid: int) -> list[Event]:
    """Pick the events of one task."""
    return [each for each in events if not isinstance(each, Lost) and each.task.tid == tid]


def asked(events: list[Event], tid: int | None = None) -> int:
    """Count getppid of x86_64."""
    return sum(
        event.nr == GETPPID and tid in (None, event.task.tid) for event in of(SyscallEnter, events)
    )


@contextmanager
def running(name: str) -> Iterator[subprocess.Popen[str]]:
    """Run a scene untraced until it says that it is ready; killed at the end."""
    process = subprocess.Popen(
        ["timeout", "--foreground", "-s", "KILL", "60", scenes(), name],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if name in ("sleeper", "long_vfork"):
            (pid,) = children(process.pid)
            assert until(lambda: status_of(pid)["State"].startswith(("S", "D")))
        yield process
    finally:
        for child in children(process.pid):
            os.kill(child, signal.SIGKILL)
        process.wait(_PATIENCE)


def children(pid: int) -> list[int]:
    """List the children of a process; none when it is gone."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(each) for each in listed.split()]


def status_of(tid: int) -> dict[str, str]:
    """Read /proc/TID/status."""
    lines = Path(f"/proc/{tid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def attach_for(
    pids: tuple[int, ...], seconds: float, *, follow: bool = True, stop_at: int | None = None
) -> list[Event]:
    """Attach, take events for a while (or ``stop_at`` of them), and detach as Ctrl-C would."""
    backend = PtraceBackend(Attach(pids), Selection(follow=follow))
    former = signal.signal(signal.SIGVTALRM, lambda *_: backend.stop())
    main = threading.get_ident()
    timer = threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGVTALRM))
    timer.start()
    seen: list[Event] = []

    def count(event: Event) -> None:
        seen.append(event)
        if len(seen) == stop_at:
            backend.stop()

    try:
        return collect(backend, count)
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGVTALRM, former)


def until(condition: Callable[[], bool]) -> bool:
    """Wait a bounded time for something to become true."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
