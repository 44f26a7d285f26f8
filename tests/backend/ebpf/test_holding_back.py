"""A target that is held back loses nothing, and is never left so."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pytracer.backend.ebpf.backend import EbpfBackend, Sizes
from pytracer.event.schema import Abi, Lost, SyscallExit
from pytracer.target.selection import Selection
from tests.backend.ebpf.scenes import launch
from tests.cli.tracing import state_of, wait_for
from tests.programs.build import build

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.needs_ebpf,
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

LOOPS = str(Path(__file__).parents[3] / "benchmarks" / "loops.c")
GETPPID = Selection(syscalls={abi: frozenset({110} if abi is Abi.X86_64 else ()) for abi in Abi})
CALLS = 100_003


def until_over(pid: int) -> None:
    """Wait until a process has ended."""
    wait_for(lambda: state_of(pid) in "Z", "the target to end")


@pytest.mark.parametrize("holds", [True, False])
def test_a_slow_reader(holds: bool) -> None:
    # More than rings and spool can take while nobody reads.
    target = launch(str(build(LOOPS)), "getppid", str(CALLS))
    sizes = Sizes(ring=(1 << 22) if holds else (1 << 18), spool=1 << 20, holds=holds)
    seen = lost = 0
    with closing(EbpfBackend(target, GETPPID, sizes=sizes)) as backend:
        for event in backend.events():
            match event:
                case SyscallExit(task=task):
                    if not seen and holds:
                        time.sleep(1.5)
                    elif not seen:
                        until_over(task.pid)
                    seen += 1
                case Lost(reason=reason) if "signals and tasks" not in reason:
                    lost += event.count
    assert seen + lost == CALLS
    # A look at the rings may come too late where nobody gets a CPU; it must not be the rule.
    assert lost < CALLS // 100 if holds else lost > CALLS // 2


TRACER = """
import os, sys, time
from pytracer.backend.ebpf.backend import EbpfBackend, Sizes
from pytracer.event.schema import SyscallExit
from pytracer.target.selection import Launch, Selection
words = tuple(map(os.fsencode, sys.argv[1:]))
sizes = Sizes(ring=1 << 20, spool=1 << 16, holds=True)
for event in EbpfBackend(Launch(words[0], words, ()), Selection(), sizes=sizes).events():
    if isinstance(event, SyscallExit):
        time.sleep(2)
        print("held", flush=True)
        time.sleep(1000)
"""


def test_a_target_that_is_held_back_runs_on_when_the_tracer_is_killed() -> None:
    # Held back, this many calls take most of an hour.
    words = [sys.executable, "-c", TRACER, str(build(LOOPS)), "getppid", "3000000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as tracer:
        try:
            assert tracer.stdout is not None
            assert tracer.stdout.readline() == b"held\n"
            tracer.kill()
            # The target has the same standard output, and ends it when it has ended.
            out, _ = tracer.communicate(timeout=120)
            assert out.startswith(b"3000000 ")
        finally:
            tracer.kill()
