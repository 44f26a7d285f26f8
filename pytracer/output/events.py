"""What outputs of events have in common: where they write, and who hears of which event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from pytracer.decode.call import Call
from pytracer.decode.siginfo import SignalDecoder
from pytracer.event.schema import (
    Event,
    GroupStop,
    Lost,
    Mapped,
    Signal,
    SyscallEnter,
    SyscallExit,
    Task,
    TaskDetached,
    TaskExec,
    TaskExit,
    TaskExiting,
    TaskNew,
)
from pytracer.output.stream import Sink, Stream
from pytracer.output.style import LineStyle


def _pass_over(event: Event, call: Call | None) -> None:
    """What is mapped is told for stacks alone."""


class EventOutput(ABC):
    """Writes what happens, event by event.

    ``sink`` takes everything; a function instead makes the sink of each task (-ff), which is
    closed when the task is gone. ``signals`` decodes what comes with signals.
    """

    def __init__(
        self,
        sink: Sink | Callable[[Task], Sink],
        lines: LineStyle | None = None,
        signals: SignalDecoder | None = None,
    ) -> None:
        self.lines = lines or LineStyle()
        self.signals = signals or SignalDecoder()
        self._shared: Stream | None = None
        self._make_sink: Callable[[Task], Sink] | None = None
        if callable(sink):
            self._make_sink = sink
        else:
            self._shared = self._begin(sink)
        self._streams: dict[int, Stream] = {}  # by task, with -ff
        self._handlers: dict[type, Callable[..., None]] = {
            Signal: self._signal,
            GroupStop: self._group_stop,
            TaskNew: self._task_new,
            TaskExec: self._task_exec,
            TaskExiting: self._task_exiting,
            TaskExit: self._task_exit,
            TaskDetached: self._task_detached,
            Lost: self._lost,
            Mapped: _pass_over,
        }

    def handle(self, event: Event, call: Call | None = None) -> None:
        """Write one event, or keep it until more is known.

        ``call`` is the decoded call of SyscallEnter and SyscallExit, and the call in flight of
        TaskExiting; None when it is not to be shown.
        """
        kind = type(event)
        if kind is SyscallEnter:
            self._entered(event, call)  # type: ignore[arg-type]
        elif kind is SyscallExit:
            if call is not None:
                self._exited(event, call)  # type: ignore[arg-type]
        else:
            self._handlers[kind](event, call)

    @abstractmethod
    def _entered(self, event: SyscallEnter, call: Call | None) -> None: ...

    @abstractmethod
    def _exited(self, event: SyscallExit, call: Call) -> None: ...

    @abstractmethod
    def _signal(self, event: Signal, call: Call | None) -> None: ...

    @abstractmethod
    def _group_stop(self, event: GroupStop, call: Call | None) -> None: ...

    @abstractmethod
    def _task_new(self, event: TaskNew, call: Call | None) -> None: ...

    @abstractmethod
    def _task_exec(self, event: TaskExec, call: Call | None) -> None: ...

    @abstractmethod
    def _task_exiting(self, event: TaskExiting, call: Call | None) -> None: ...

    @abstractmethod
    def _task_exit(self, event: TaskExit, call: Call | None) -> None: ...

    @abstractmethod
    def _task_detached(self, event: TaskDetached, call: Call | None) -> None: ...

    @abstractmethod
    def _lost(self, event: Lost, call: Call | None) -> None: ...

    # Files, the end of a moment, and of everything

    def _begin(self, sink: Sink) -> Stream:
        """The stream to a sink of which nothing has been written yet."""
        return Stream(sink)

    def _stream(self, task: Task) -> Stream:
        """The stream of a task, with -ff."""
        stream = self._streams.get(task.tid)
        if stream is None:
            assert self._make_sink is not None
            stream = self._streams[task.tid] = self._begin(self._make_sink(task))
        return stream

    def _close(self, tid: int) -> None:
        stream = self._streams.pop(tid, None)
        if stream is not None:
            stream.flush()
            stream.sink.close()

    def _flush_streams(self) -> None:
        if self._shared is not None:
            self._shared.flush()
        for stream in self._streams.values():
            stream.flush()

    def flush(self) -> None:
        """Let the reader see everything that was written so far, an unfinished line included."""
        self._flush_streams()

    def pause(self) -> None:
        """Flush: what others write now begins a line of its own."""
        self.flush()

    @abstractmethod
    def close(self) -> None:
        """Write what is still open, and flush; sinks made for tasks are closed."""
