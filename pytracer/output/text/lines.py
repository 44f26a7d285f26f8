"""Lines of a trace: who speaks, what is unfinished, what resumes, what else happens."""

from __future__ import annotations

import os
from collections.abc import Callable

from pytracer.decode.call import Call
from pytracer.decode.decoder import Decoder
from pytracer.decode.siginfo import SignalDecoder, name_of_signal
from pytracer.event.schema import (
    Abi,
    Event,
    GroupStop,
    Lost,
    NewBy,
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
from pytracer.output.stream import MOST_PIECES, Sink, Stream
from pytracer.output.style import LineStyle, Quiet, Status, Style
from pytracer.output.text.calls import CallWriter
from pytracer.output.text.leader import Leader
from pytracer.output.text.runs import RunWriter, by_task

_NATIVE = Abi.X86_64
_MODES = {Abi.X86_64: "64 bit", Abi.I386: "32 bit", Abi.X32: "x32"}


def _no_message(text: str) -> None:
    """Say nothing."""


class TextOutput(EventOutput):
    """Writes what happens as strace does.

    ``message`` takes what is said about the tracing itself, such as ``Process 1 attached``;
    whoever gives it puts the program's name in front. ``writer`` writes calls where they are
    written otherwise than usual.
    """

    def __init__(
        self,
        sink: Sink | Callable[[Task], Sink],
        style: Style | None = None,
        lines: LineStyle | None = None,
        *,
        wall_offset_ns: int = 0,
        message: Callable[[str], None] = _no_message,
        signals: SignalDecoder | None = None,
        writer: CallWriter | None = None,
    ) -> None:
        super().__init__(sink, lines, signals)
        self.style = style or Style()
        self.message = message
        self.leader = Leader(self.lines, wall_offset_ns)
        self.writer = writer or CallWriter(self.style, self.lines)
        self._alive: set[int] = set()
        self._attached: dict[int, list[int]] = {}  # process -> its threads, not yet announced
        # Text of calls that are shown only once it is known what became of them.
        self._staged: dict[int, str] = {}
        self._stage = self.lines.statuses is not None
        self._numbered = self.lines.number
        self._runs: RunWriter | None = None
        self._by_run = False
        for kind, handler in self._handlers.items():
            if kind is not TaskNew:
                self._handlers[kind] = self._after_announcing(handler)

    def _after_announcing(self, handler: Callable[..., None]) -> Callable[..., None]:
        def handle(event: Event, call: Call | None) -> None:
            if self._attached:
                self._announce()
            handler(event, call)

        return handle

    # Calls

    def _entered(self, event: SyscallEnter, call: Call | None) -> None:
        """Open the line of a call."""
        task = event.task
        if self._attached:
            self._announce()
        leader = self.leader
        if leader.abis.get(task.tid, _NATIVE) is not event.abi:
            self._changed_mode(event)
        if self._numbered:
            leader.numbers[task.tid] = event.nr
        if call is None:
            return
        text = self.writer.begin(call)
        if self._stage:
            self._staged[task.tid] = leader.make(task, event.time_ns, event.ip) + text
            return
        stream = self._shared or self._stream(task)
        if stream.open:
            stream.cut()
        if not leader.bare:
            text = leader.make(task, event.time_ns, event.ip) + text
        stream.open = task.tid
        stream.column = len(text)
        stream.pieces.append(text)

    def run(self, run: Run, decoder: Decoder) -> None:
        """Write the lines of calls that nothing interrupts."""
        runs = self._runs
        if runs is None:
            runs = self._runs = RunWriter(self.writer, self.leader, decoder)
            # Lines that tell more of a call than its words, or are not written at once.
            odd = self._stage or self._numbered or self.lines.ip or not self.writer.uniform
            self._by_run = decoder.repeats and not odd
        at_once = self._by_run and run.abi is _NATIVE and not self.leader.abis
        if at_once and self._attached:
            self._announce()
        for part in by_task(run) if at_once and self._shared is None else (run,):
            rest: Run | None = part
            if at_once and not decoder.interrupted:
                rest = runs.write(part, self._shared or self._stream(part.calls[0][0]))
            if rest is not None:
                for event in rest.events():
                    self.handle(event, decoder.handle(event))

    def _changed_mode(self, event: SyscallEnter) -> None:
        tid = event.task.tid
        self.leader.abis[tid] = event.abi
        if self.lines.says(Quiet.PERSONALITY):
            mode = _MODES[event.abi]
            self._remark(event, f"[ Process PID={tid} runs in {mode} mode. ]")

    def _exited(self, event: SyscallExit, call: Call) -> None:
        """Close the line of a call, resuming it if something else was printed since its entry."""
        task = event.task
        if self._stage:
            self._exited_staged(event, call)
            return
        stream = self._shared or self._stream(task)
        if stream.open != task.tid:
            self._resume(stream, event, event.ip, call)
        stream.open = 0
        pieces = stream.pieces
        pieces.append(self.writer.end(call, stream.column))
        if len(pieces) > MOST_PIECES:
            stream.drain()

    def _resume(
        self, stream: Stream, event: SyscallExit | TaskExiting, ip: int | None, call: Call
    ) -> None:
        stream.cut()
        lead = self.leader.make(event.task, event.time_ns, ip)
        text = f"{lead}<... {call.compiled.name} resumed>"
        stream.column = len(text)
        stream.pieces.append(text)

    def _exited_staged(self, event: SyscallExit, call: Call) -> None:
        text = self._staged.pop(event.task.tid, None)
        failed = call.result is not None and call.result.error is not None
        if not self.lines.shows_status(Status.FAILED if failed else Status.SUCCESSFUL):
            return
        if call.duration_ns < self.lines.slower_than_ns:
            return
        if text is None:
            # Its entry ended with the name of another task: execve by a thread.
            lead = self.leader.make(event.task, event.time_ns, event.ip)
            text = f"{lead}<... {call.compiled.name} resumed>"
        stream = self._shared or self._stream(event.task)
        stream.pieces.append(text + self.writer.end(call, len(text)))

    def _task_exiting(self, event: TaskExiting, call: Call | None) -> None:
        if call is None:
            return
        task = event.task
        stream = self._shared or self._stream(task)
        if self._stage:
            text = self._staged.pop(task.tid, None)
            if text is not None and self.lines.shows_status(Status.UNFINISHED):
                stream.pieces.append(text + self.writer.gone(call, len(text)))
            return
        if stream.open != task.tid:
            self._resume(stream, event, None, call)
        stream.open = 0
        stream.pieces.append(self.writer.gone(call, stream.column))

    # Signals and stops

    def _remark(
        self,
        event: SyscallEnter | Signal | GroupStop | TaskExec | TaskExit,
        text: str,
        ip: int | None = None,
        below: str = "",
    ) -> None:
        """Write a line that is no call, and the lines ``below`` it."""
        stream = self._shared or self._stream(event.task)
        stream.cut()
        stream.pieces.append(f"{self.leader.make(event.task, event.time_ns, ip)}{text}\n{below}")

    def _signal(self, event: Signal, call: Call | None) -> None:
        if not self.lines.shows_signal(event.signo):
            return
        name = name_of_signal(event.signo)
        info = self.signals.explain(event, self.leader.abis.get(event.task.tid, _NATIVE))
        if info is not None:
            name = f"{name} {self.writer.renderer.write(info)}"
        self._remark(event, f"--- {name} ---", event.ip, self.writer.below(event))

    def _group_stop(self, event: GroupStop, call: Call | None) -> None:
        if self.lines.shows_signal(event.signo):
            text = f"--- stopped by {name_of_signal(event.signo)} ---"
            self._remark(event, text, event.ip, self.writer.below(event))

    # Tasks

    def _count(self) -> None:
        self.leader.several(len(self._alive) > 1)

    def _say(self, text: str) -> None:
        """Say something about the tracing itself, in order with what was written before."""
        self._flush_streams()
        self.message(text)

    def _announce(self) -> None:
        attached, self._attached = self._attached, {}
        for pid, tids in attached.items():
            if not self.lines.says(Quiet.ATTACH):
                continue
            who = tids[0] if len(tids) == 1 else pid
            threads = f" with {len(tids)} threads" if len(tids) > 1 else ""
            self._say(f"Process {who} attached{threads}")

    def _task_new(self, event: TaskNew, call: Call | None) -> None:
        task = event.task
        self._alive.add(task.tid)
        self._count()
        if event.parent is not None and event.parent.tid in self.leader.abis:
            self.leader.abis[task.tid] = self.leader.abis[event.parent.tid]
        if self._shared is None:
            self._stream(task)
        if event.by is NewBy.ATTACHED:
            self._attached.setdefault(task.pid, []).append(task.tid)
        elif event.by is NewBy.FORKED and self.lines.says(Quiet.ATTACH):
            self._say(f"Process {task.tid} attached")

    def _task_exec(self, event: TaskExec, call: Call | None) -> None:
        former, tid = event.former_tid, event.task.tid
        if former == tid:
            return
        moved = f" <pid changed to {tid} ...>\n"
        if self._stage:
            text = self._staged.pop(former, None)
            if text is not None and self.lines.shows_status(Status.DETACHED):
                (self._shared or self._streams[former]).pieces.append(text + moved)
        if self._shared is not None:
            if self._shared.open == former:
                self._shared.open = 0
                self._shared.pieces.append(moved)
        else:
            thread = self._streams.get(former)
            if thread is not None and thread.open:
                thread.open = 0
                thread.pieces.append(moved)
            self._close(former)
        self._alive.discard(former)
        self._alive.add(tid)
        self._count()
        for known in (self.leader.abis, self.leader.numbers):
            if former in known:
                known[tid] = known.pop(former)  # type: ignore[assignment]
        if self.lines.says(Quiet.THREAD_EXECVE):
            self._remark(event, f"+++ superseded by execve in pid {former} +++", event.ip)

    def _task_exit(self, event: TaskExit, call: Call | None) -> None:
        self._staged.pop(event.task.tid, None)
        if self.lines.shows_end(event.status):
            self._end(event)
        self._drop(event.task)

    def _end(self, event: TaskExit) -> None:
        status = event.status
        if os.WIFSIGNALED(status):
            dumped = "(core dumped) " if os.WCOREDUMP(status) else ""
            name = name_of_signal(os.WTERMSIG(status))
            self._remark(event, f"+++ killed by {name} {dumped}+++")
        else:
            text = f"+++ exited with {os.WEXITSTATUS(status)} +++"
            self._remark(event, text, None, self.writer.below(event))

    def _task_detached(self, event: TaskDetached, call: Call | None) -> None:
        task = event.task
        if self.lines.says(Quiet.ATTACH):
            self._say(f"Process {task.tid} detached")
        text = self._staged.pop(task.tid, None)
        if text is not None and self.lines.shows_status(Status.DETACHED):
            stream = self._shared or self._stream(task)
            stream.pieces.append(f"{text} <detached ...>\n")
        self._drop(task)

    def _drop(self, task: Task) -> None:
        """Forget a task; a line of its that is still open ends here."""
        tid = task.tid
        stream = self._shared or self._streams.get(tid)
        if stream is not None and stream.open == tid:
            stream.open = 0
            stream.pieces.append(" <detached ...>\n")
        self._close(tid)
        self._alive.discard(tid)
        self._count()
        self.leader.abis.pop(tid, None)
        self.leader.numbers.pop(tid, None)

    def _lost(self, event: Lost, call: Call | None) -> None:
        self._say(f"{event.count} events lost: {event.reason}")

    # The end of a moment, and of everything

    def flush(self) -> None:
        """Let the reader see everything that was written so far, an unfinished line included."""
        if self._attached:
            self._announce()
        super().flush()

    def pause(self) -> None:
        """Flush, and end an open line as unfinished: what others write now begins a new one."""
        if self._shared is not None:
            self._shared.cut()
        self.flush()

    def close(self) -> None:
        """End the lines that are still open and flush; sinks made for tasks are closed."""
        if self._shared is not None and self._shared.open:
            self._shared.open = 0
            self._shared.pieces.append(" <detached ...>\n")
        for tid in list(self._streams):
            stream = self._streams[tid]
            if stream.open:
                stream.open = 0
                stream.pieces.append(" <detached ...>\n")
            self._close(tid)
        self.flush()
