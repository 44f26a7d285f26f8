"""From settings to a running exporter: what is to be counted, by whom, and who serves it."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from pytracer.decode.catalogue import numbers, with_multiplexers
from pytracer.event.schema import Abi
from pytracer_exporter.counting import Counting
from pytracer_exporter.daemon import Task, serve
from pytracer_exporter.settings import Settings
from pytracer_exporter.source import open_here


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


def begin(task: Task, sockets: Sequence[socket.socket]) -> None:
    """Count, and serve until a signal says to end.

    Errors: BackendUnavailable, Unwatchable.
    """
    serve(task, open_here(counting(task.settings), task.settings.targets), sockets)
