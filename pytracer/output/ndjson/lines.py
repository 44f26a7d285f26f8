"""A trace as lines of JSON, one object each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as encode
from typing import TYPE_CHECKING

from pytracer import __version__
from pytracer.decode.call import Call
from pytracer.decode.decoder import Decoder
from pytracer.decode.siginfo import SignalDecoder, name_of_signal
from pytracer.event.schema import (
    Abi,
    GroupStop,
    Lost,
    Run,
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
from pytracer.output.events import EventOutput
from pytracer.output.ndjson.calls import CallWriter
from pytracer.output.ndjson.runs import RunWriter
from pytracer.output.ndjson.values import ValueWriter, name
from pytracer.output.stream import MOST_PIECES, Sink, Stream
from pytracer.output.style import LineStyle, Quiet, Status, Style

if TYPE_CHECKING:
    from pytracer.output.ndjson.stacked import StackMembers

# Enumeration members are slow to look up on Python 3.11.
_NATIVE, _SUCCESSFUL, _FAILED = Abi.X86_64, Status.SUCCESSFUL, Status.FAILED
# Grows when an object loses a member or a member changes its meaning; new ones may come any time.
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Start:
    """What the first object tells about the trace.

    ``kernel``: the release that the target runs on. ``command``: the program and its arguments,
    empty when there is none. ``pids``: the processes attached. ``string_limit``: of -s.
    """

    backend: str
    kernel: str
    wall_offset_ns: int
    command: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    string_limit: int = 32

    def write(self) -> str:
        """Write the object as a line."""
        command = ",".join(map(name, self.command))
        return (
            f'{{"type":"start","schema":{SCHEMA_VERSION},"pytracer":{encode(__version__)},'
            f'"backend":{encode(self.backend)},"kernel":{encode(self.kernel)},'
            f'"wall_offset_ns":{self.wall_offset_ns},"command":[{command}],'
            f'"pids":[{",".join(map(str, self.pids))}],"string_limit":{self.string_limit}}}\n'
        )


class NdjsonOutput(EventOutput):
    """Writes what happens as JSON, one object a line.

    A call is written when it is over: objects stand in the order of their ends. What is written
    to each sink begins with a ``start``. ``style`` and ``lines`` are the choices of the
    text output, as far as they are about what is told and not how. ``stacks`` tells stacks where
    they are wanted.
    """

    def __init__(
        self,
        sink: Sink | Callable[[Task], Sink],
        start: Start,
        style: Style | None = None,
        lines: LineStyle | None = None,
        *,
        signals: SignalDecoder | None = None,
        stacks: StackMembers | None = None,
    ) -> None:
        self.start = start
        super().__init__(sink, lines, signals)
        self._stacks = stacks
        self.calls = CallWriter(style or Style(), start.wall_offset_ns, self.lines.ip)
        self._values = ValueWriter()
        self._in_flight: dict[int, Call] = {}
        self._abis: dict[int, Abi] = {}
        self._runs: RunWriter | None = None
        self._by_run = False

    # Calls

    def run(self, run: Run, decoder: Decoder) -> None:
        """Write calls that nothing interrupts."""
        runs = self._runs
        if runs is None:
            runs = self._runs = RunWriter(self.calls, decoder, self.lines.statuses)
            odd = self.lines.slower_than_ns or self._stacks is not None
            self._by_run = decoder.repeats and self._shared is not None and not odd
        rest: Run | None = run
        if self._by_run and run.abi is _NATIVE and not self._abis and not decoder.interrupted:
            assert self._shared is not None
            rest = runs.write(run, self._shared)
        if rest is not None:
            for event in rest.events():
                self.handle(event, decoder.handle(event))

    def _entered(self, event: SyscallEnter, call: Call | None) -> None:
        if call is not None:
            self._in_flight[event.task.tid] = call
            if self._stacks is not None:
                self._stacks.entered(call)
        if event.abi is not _NATIVE or self._abis:
            self._abis[event.task.tid] = event.abi

    def _exited(self, event: SyscallExit, call: Call) -> None:
        self._in_flight.pop(event.task.tid, None)
        # Nothing but failures has the name of an error.
        error = call.result.error  # type: ignore[union-attr]
        self._over(call, _SUCCESSFUL if error is None else _FAILED)

    def _over(self, call: Call, status: Status) -> None:
        lines = self.lines
        more = "" if self._stacks is None else self._stacks.over(call)
        if lines.slower_than_ns and call.duration_ns < lines.slower_than_ns:
            return
        if lines.statuses is None or status in lines.statuses:
            stream = self._shared or self._stream(call.task)
            pieces = stream.pieces
            pieces.append(self.calls.write(call, status, more))
            if len(pieces) > MOST_PIECES:
                stream.drain()

    def _left(self, tid: int, status: Status) -> None:
        """Write the call that a task has not come back from."""
        call = self._in_flight.pop(tid, None)
        if call is not None:
            self._over(call, status)

    def _task_exiting(self, event: TaskExiting, call: Call | None) -> None:
        self._left(event.task.tid, Status.UNFINISHED)

    # Signals and stops

    def _signal(self, event: Signal, call: Call | None) -> None:
        if self.lines.shows_signal(event.signo):
            abi = self._abis.get(event.task.tid, _NATIVE)
            info = self.signals.explain(event, abi)
            written = "null" if info is None else self._values.write(info)
            members = f'{self._named(event.signo)},"siginfo":{written}'
            self._tell("signal", event, members + self._stack(event))

    def _group_stop(self, event: GroupStop, call: Call | None) -> None:
        if self.lines.shows_signal(event.signo):
            self._tell("stop", event, self._named(event.signo) + self._stack(event))

    def _stack(self, event: Signal | GroupStop) -> str:
        return "" if self._stacks is None else self._stacks.of_signal(event)

    def _named(self, signo: int) -> str:
        return f'"signal":{encode(name_of_signal(signo))},"signo":{signo}'

    # Tasks

    def _task_new(self, event: TaskNew, call: Call | None) -> None:
        parent = event.parent
        if parent is not None and parent.tid in self._abis:
            self._abis[event.task.tid] = self._abis[parent.tid]
        if self.lines.says(Quiet.ATTACH):
            by = f'"by":"{event.by.value}"'
            if parent is not None:
                by = f'{by},"parent":{{"pid":{parent.pid},"tid":{parent.tid}}}'
            self._tell("task", event, by)

    def _task_exec(self, event: TaskExec, call: Call | None) -> None:
        former, tid = event.former_tid, event.task.tid
        if former != tid:
            # The leader is gone, and with it the call that it was in.
            self._left(tid, Status.UNFINISHED)
            if former in self._in_flight:
                self._in_flight[tid] = self._in_flight.pop(former)
            if former in self._abis:
                self._abis[tid] = self._abis.pop(former)
            self._close(former)
        self._tell("exec", event, f'"former_tid":{former}')

    def _task_exit(self, event: TaskExit, call: Call | None) -> None:
        self._left(event.task.tid, Status.UNFINISHED)
        if self.lines.shows_end(event.status):
            self._end(event)
        self._drop(event.task.tid)

    def _end(self, event: TaskExit) -> None:
        status = event.status
        if os.WIFSIGNALED(status):
            dumped = "true" if os.WCOREDUMP(status) else "false"
            signal = self._named(os.WTERMSIG(status))
            self._tell("killed", event, f'{signal},"core_dumped":{dumped}')
        else:
            self._tell("exit", event, f'"code":{os.WEXITSTATUS(status)}')

    def _task_detached(self, event: TaskDetached, call: Call | None) -> None:
        self._left(event.task.tid, Status.DETACHED)
        if self.lines.says(Quiet.ATTACH):
            self._tell("detach", event)
        self._drop(event.task.tid)

    def _drop(self, tid: int) -> None:
        self._abis.pop(tid, None)
        self._close(tid)

    def _tell(
        self,
        kind: str,
        event: Signal | GroupStop | TaskNew | TaskExec | TaskExit | TaskDetached,
        members: str = "",
    ) -> None:
        """Write an object about a task."""
        text = self.calls.begin(kind, event.task, event.time_ns)
        ip = getattr(event, "ip", None) if self.lines.ip else None
        if ip is not None:
            members += f',"ip":"{ip:#x}"'
        stream = self._shared or self._stream(event.task)
        stream.pieces.append(f"{text},{members}}}\n" if members else f"{text}}}\n")

    def _lost(self, event: Lost, call: Call | None) -> None:
        time = f'"time_ns":{event.time_ns},"wall_ns":{event.time_ns + self.start.wall_offset_ns}'
        self.tell(
            f'{{"type":"lost",{time},"count":{event.count},"reason":{encode(event.reason)}}}\n'
        )

    def tell(self, line: str) -> None:
        """Write an object that is about no task: to every file, where there are several."""
        for stream in [self._shared] if self._shared is not None else self._streams.values():
            stream.pieces.append(line)

    # Files, the end of a moment, and of everything

    def _begin(self, sink: Sink) -> Stream:
        stream = Stream(sink)
        stream.pieces.append(self.start.write())
        return stream

    def close(self) -> None:
        """Write the calls that are still in flight and flush; sinks made for tasks are closed."""
        for tid in list(self._in_flight):
            self._left(tid, Status.DETACHED)
        self.flush()
        for tid in list(self._streams):
            self._close(tid)
