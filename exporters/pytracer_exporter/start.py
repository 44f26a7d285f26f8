"""From settings to a running exporter: what is to be counted, by whom, and who serves it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Final, NoReturn

from pytracer.decode.catalogue import numbers, with_multiplexers
from pytracer.event.schema import Abi
from pytracer_exporter import stages
from pytracer_exporter.counting import Counting
from pytracer_exporter.daemon import Task
from pytracer_exporter.log import LOG
from pytracer_exporter.settings import Settings
from pytracer_exporter.source_targets import Resolved

_SECOND: Final = "pytracer_exporter.second"


def counting(settings: Settings) -> Counting:
    """Say what is counted of all targets alike."""
    syscalls = None
    if not settings.calls.everything:
        syscalls = with_multiplexers(
            {
                abi: frozenset(nr for nr in numbers(abi) if (abi, nr) in settings.calls)
                for abi in Abi
            }
        )
    return Counting(
        syscalls,
        cpu=settings.cpu_time,
        fd_types=settings.fd_type,
        program_costs=settings.program_time,
    )


def begin(task: Task, sockets: Sequence[socket.socket]) -> NoReturn:
    """Count, and execute the stage that serves, without any privilege.

    Errors: BackendUnavailable, CannotDrop, Unwatchable.
    """
    settings = task.settings
    for target in settings.targets:
        # The second stage looks again, but what is wrong is better known before anything is done.
        Resolved(target, frozenset())
    stages.begin(
        _SECOND,
        task,
        counting(settings),
        sockets,
        user=settings.user,
        backend=settings.backend.value,
        warn=LOG.warning,
    )
