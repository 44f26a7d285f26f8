"""When time is up, what was taken and not handed on is counted to the unit."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.event.schema import Lost, Run, SyscallExit, TaskDetached
from pytracer.target.selection import Attach, Selection

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_ebpf]

BUSY = "import os\nwhile True: os.getppid()"


@pytest.mark.parametrize("together", [False, True], ids=["events", "runs"])
def test_what_is_given_up_is_counted(together: bool) -> None:
    target = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        time.sleep(0.5)
        backend = EbpfBackend(Attach((target.pid,)), Selection())
        seen = lost = detached = enough = 0
        try:
            for event in backend.runs() if together else backend.events():
                match event:
                    case SyscallExit() | Run():
                        seen += len(event.calls) if isinstance(event, Run) else 1
                        if seen >= 307 and not enough:
                            enough = seen
                            backend.stop()
                            backend.give_up()
                    case Lost(reason="there was no time left to write them"):
                        lost = event.count
                    case TaskDetached():
                        detached += 1
        finally:
            backend.close()
        assert 307 <= enough <= seen <= enough + 1
        assert lost > 0
        assert detached == 1
        assert seen + lost == backend.counted.calls - backend.counted.lost_calls
        assert target.poll() is None
    finally:
        target.kill()
        target.wait(20)
