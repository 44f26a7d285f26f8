"""A session: the events of one backend, decoded, to one output."""

from __future__ import annotations

import os
import signal

from pytracer.backend.base import Backend
from pytracer.decode.decoder import Decoder
from pytracer.event.schema import (
    Lost,
    NewBy,
    Signal,
    SyscallEnter,
    SyscallExit,
    TaskExit,
    TaskExiting,
    TaskNew,
)
from pytracer.output.text.lines import TextOutput


def run(backend: Backend, decoder: Decoder, output: TextOutput) -> int:
    """Print everything until the end; return the exit status of the launched program."""
    root: int | None = None
    result = 0
    for event in backend.events():
        match event:
            case SyscallEnter():
                output.entered(decoder.entered(event))
            case SyscallExit():
                call = decoder.exited(event)
                if call is not None:
                    output.exited(call)
            case Signal():
                name = signal.Signals(event.signo).name
                output.remark(event.task.tid, f"--- {name} ---")
            case TaskNew():
                if event.by is NewBy.LAUNCHED:
                    root = event.task.pid
                else:
                    output.several = True
            case TaskExiting():
                pass
            case TaskExit():
                if os.WIFSIGNALED(event.status):
                    name = signal.Signals(os.WTERMSIG(event.status)).name
                    text = f"killed by {name}"
                else:
                    text = f"exited with {os.WEXITSTATUS(event.status)}"
                if event.task.tid == root:
                    result = os.waitstatus_to_exitcode(event.status)
                output.remark(event.task.tid, f"+++ {text} +++")
            case Lost():
                output.remark(0, f"{event.count} events lost: {event.reason}")
            case _:
                pass
        if event is None:
            output.flush()
    output.flush()
    return result
