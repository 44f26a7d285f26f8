"""In a pid namespace of their own, users see the numbers of that namespace."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.needs_program("unshare", "mount"),
    pytest.mark.timeout(60),
]

INSIDE = """
import os, subprocess
from pytracer.event.schema import SyscallEnter, TaskExit, TaskNew
from pytracer.target.selection import Attach
from tests.backend.ebpf.scenes import collect, launch
events = collect(launch("sh", "-c", "true | true; exit 3"))
born = [event.task.tid for event in events if isinstance(event, TaskNew)]
assert len(born) == 3 and max(born) < 20, born
ended = {event.task.tid: event.status for event in events if isinstance(event, TaskExit)}
assert sorted(ended) == sorted(born) and ended[born[0]] == 3 << 8, ended
sleeper = subprocess.Popen(["sleep", "5"])
events = collect(Attach((sleeper.pid,)))
assert {event.task.tid for event in events} == {sleeper.pid}
assert isinstance(events[-1], TaskExit)
calls = [event.nr for event in events if isinstance(event, SyscallEnter)]
assert calls[0] == 230 and calls[-1] == 231, calls
print("fine")
"""


def test_numbers_are_those_of_the_users_namespace() -> None:
    done = subprocess.run(
        ["unshare", "-p", "-f", "--mount-proc", sys.executable, "-c", INSIDE],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stdout == "fine\n", done.stderr
