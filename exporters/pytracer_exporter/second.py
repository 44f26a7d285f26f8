"""The second stage: serves what the first has begun to count. Executed by stages.begin."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from pytracer_exporter import log, stages
from pytracer_exporter.daemon import Task, serve
from pytracer_exporter.failing import EXPECTED, crashed, fail

# Source: TASK_COMM_LEN, include/linux/sched.h, less the NUL.
_COMM = log.PROGRAM[:15]


def main() -> None:
    """Serve until a signal says to end."""
    sys.excepthook = crashed
    with suppress(OSError):  # it is for ps alone
        Path("/proc/self/comm").write_text(_COMM)
    begun = stages.take(sys.argv[1])
    task: Task = begun.settings
    log.begin(task.settings.log_level)
    try:
        serve(task, begun.open(task.settings.targets), begun.sockets())
    except EXPECTED as error:
        fail(error)


if __name__ == "__main__":
    main()
