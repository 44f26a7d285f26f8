"""Run programs under the ebpf backend, and look at what was yielded."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.decode.plans import TablePlans
from pytracer.event.schema import Event
from pytracer.target.selection import Launch, Selection, Target

FOLLOW = Selection(follow=True)


def launch(*argv: str) -> Launch:
    """Describe the launch of a program found on PATH, with a small environment."""
    path = shutil.which(argv[0])
    assert path is not None
    return Launch(os.fsencode(path), tuple(map(os.fsencode, argv)), (b"PATH=/usr/bin:/bin",))


def backend_for(target: Target, selection: Selection = FOLLOW) -> EbpfBackend:
    """Make a backend with the plans of the tables."""
    plans = TablePlans(selection.string_bytes, selection.verbose, selection.syscalls)
    return EbpfBackend(target, selection, plans)


def collect(
    target: Target,
    selection: Selection = FOLLOW,
    each: Callable[[EbpfBackend, Event | None], None] | None = None,
    seconds: float = 20.0,
) -> list[Event]:
    """Take all events, for a bounded time."""
    found = []
    backend = backend_for(target, selection)
    timer = threading.Timer(seconds, backend.stop)
    timer.start()
    try:
        with closing(backend):
            for event in backend.events():
                if event is not None:
                    found.append(event)
                if each is not None:
                    each(backend, event)
    finally:
        timer.cancel()
        timer.join()
    return found


def of_kind(events: list[Event], kind: type[Event]) -> Iterator[Event]:
    """Pick the events of one kind."""
    return (event for event in events if isinstance(event, kind))
