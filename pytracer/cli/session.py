"""A session: the events of one backend, decoded, to one output."""

from __future__ import annotations

import os

from pytracer.backend.base import Backend
from pytracer.decode.decoder import Decoder
from pytracer.event.schema import NewBy, TaskExit, TaskNew
from pytracer.output.text.lines import TextOutput


def run(backend: Backend, decoder: Decoder, output: TextOutput) -> int:
    """Print everything until the end; return the exit status of the launched program."""
    root: int | None = None
    result = 0
    for event in backend.events():
        if event is None:
            output.flush()
            continue
        output.handle(event, decoder.handle(event))
        match event:
            case TaskNew(by=NewBy.LAUNCHED):
                root = event.task.pid
            case TaskExit() if event.task.tid == root:
                result = os.waitstatus_to_exitcode(event.status)
            case _:
                pass
    output.close()
    return result
