"""A session: the events of one backend, decoded and filtered, to one output."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, runtime_checkable

from pytracer.backend.base import Backend, NotExecuted, Runs, TargetError
from pytracer.cli.messages import Messages
from pytracer.cli.options import Options
from pytracer.decode.call import Call
from pytracer.decode.decoder import Decoder
from pytracer.event.schema import (
    Event,
    Lost,
    NewBy,
    Run,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskExit,
    TaskNew,
)
from pytracer.output.style import Quiet, Status

_CALLS: Final = frozenset({SyscallEnter, SyscallExit})


class Output(Protocol):
    """What takes the events of a session."""

    def handle(self, event: Event, call: Call | None = None) -> None: ...

    def flush(self) -> None: ...


@runtime_checkable
class TakesRuns(Protocol):
    """An output that can decode and write many calls at once."""

    def run(self, run: Run, decoder: Decoder) -> None: ...


class Session:
    """Hands events on until the targets are gone or somebody has had enough.

    ``root``: the launched process, 0 for none. ``status``: its wait status once it is over.
    ``attached``: whether any target was ever traced. ``waited``: whether it was for targets to
    come, of which there may be none.
    """

    def __init__(
        self,
        options: Options,
        backend: Backend,
        decoder: Decoder,
        output: Output,
        messages: Messages,
    ) -> None:
        self.root = 0
        self.status: int | None = None
        self.attached = False
        self.waited = options.grouped is not None
        self._options = options
        self._backend = backend
        self._decoder = decoder
        self._output = output
        self._messages = messages
        self._left = options.syscall_limit
        self._failure_told = False
        self._lost: dict[str, int] = {}
        self._live = backend.name != "replay"

    def interrupt(self, signo: int) -> None:
        """End the session. With a signal, the launched program gets it too, as in strace."""
        if signo and self.root and self.status is None and self._live:
            for number in (signal.SIGCONT, signo):
                try:
                    os.kill(self.root, number)
                except ProcessLookupError:
                    break
        self._backend.stop()

    def run(self, started: Callable[[], None]) -> None:
        """Hand on all events. ``started`` is called once the first has come.

        Errors: TargetError, BackendUnavailable.
        """
        output, decode = self._output, self._decoder.handle
        handle = output.handle
        watched: dict[type, Callable[[Any], None]] = {
            TaskNew: self._task_new,
            TaskExit: self._task_exit,
        }
        take = output.run if isinstance(output, TakesRuns) else None
        debug = self._options.debug
        limited = self._left is not None
        # On a terminal shared with the target, a line stands before what the target does next:
        # it is written while the task is still stopped, as strace does.
        prompt = self._backend.name == "ptrace" and self._options.output is None
        mine = True  # what is to be written, unless another process is the tracer by now
        try:
            for event in self._events():
                if event is None:
                    output.flush()
                    continue
                if isinstance(event, Run):
                    assert take is not None
                    take(event, self._decoder)
                    continue
                kind = type(event)
                if kind is Lost:
                    self._lose(event)
                    if self._options.json:
                        handle(event)
                    continue
                if debug:
                    self._messages.note(_outline(event))
                watch = watched.get(kind)
                if watch is not None:
                    if not self.attached:
                        self.attached = True
                        started()
                    watch(event)
                if limited and not self._left and kind in _CALLS:
                    continue
                call = decode(event)
                handle(event, call)
                if prompt:
                    output.flush()
                if limited and call is not None and kind is SyscallExit:
                    self._count(call)
        except NotExecuted:
            mine = False
            raise
        finally:
            if mine:
                output.flush()

    def _events(self) -> Iterator[Run | Event | None]:
        """What happens, with calls together where the output can take them so."""
        singly = self._left is not None or self._options.debug
        if not singly and isinstance(self._output, TakesRuns) and isinstance(self._backend, Runs):
            return self._backend.runs()
        return self._backend.events()

    def _count(self, call: Call) -> None:
        """Take one from the limit of calls."""
        status = Status.FAILED if call.failed else Status.SUCCESSFUL
        if not self._left or status not in self._options.statuses:
            return
        if call.duration_ns < self._options.slower_than_ns:
            return
        self._left -= 1
        if not self._left:
            if Quiet.ATTACH not in self._options.quiet:
                self._output.flush()
                self._messages.note("System call limit has been reached, detaching tracees")
            self._backend.stop()

    def _lose(self, event: Event) -> None:
        assert isinstance(event, Lost)
        self._lost[event.reason] = self._lost.get(event.reason, 0) + event.count

    def tell_losses(self) -> None:
        """Say what is missing of the trace, at its end."""
        for reason, count in self._lost.items():
            self._messages.note(f"{count} events lost: {reason}")

    def _task_new(self, event: TaskNew) -> None:
        if event.by is NewBy.LAUNCHED:
            self.root = event.task.pid
            if self._options.daemonize and Quiet.ATTACH not in self._options.quiet:
                self._messages.note(f"Process {self.root} attached")

    def _task_exit(self, event: TaskExit) -> None:
        if event.task.tid != self.root:
            return
        self.status = event.status
        error = self._backend.failure()
        if error is not None:
            # What the program's own process would say, before it is said that it exited.
            self._output.flush()
            self.tell(error)
            self._failure_told = True

    def tell(self, error: TargetError) -> None:
        """Say what went wrong with a target, unless that was said before."""
        if not self._failure_told:
            self._messages.note(explain(error))


def _outline(event: Event) -> str:
    """Name an event and what it carries, but for the memory (-d)."""
    parts = []
    for name in event.__slots__:
        value = getattr(event, name)
        match value:
            case Task():
                parts.append(f"{name}={value.tid}")
            case bytes():
                parts.append(f"{name}={len(value)} bytes")
            case _ if name != "memory":
                parts.append(f"{name}={value}")
    return f"{type(event).__name__} {' '.join(parts)}"


def explain(error: TargetError) -> str:
    """Word an error of a target as strace does."""
    return f"{error.call}: {os.strerror(error.errno)}"
