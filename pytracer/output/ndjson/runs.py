"""Calls that nothing interrupts as JSON: where they repeat, from memory."""

from __future__ import annotations

from typing import Final, TypeAlias

from pytracer.decode.call import Call
from pytracer.decode.decoder import INTERRUPTED, MAX_ERRNO, MOST_NUMBERS, Decoder, failure
from pytracer.event.memory import Memory, Patched
from pytracer.event.schema import Registers, Run, SyscallEnter, SyscallExit, Task, WholeCall
from pytracer.output.ndjson.calls import CallWriter
from pytracer.output.stream import MOST_PIECES, Stream
from pytracer.output.style import Status
from pytracer.spec.context import LATER, Decode
from pytracer.spec.values import Became, Returned

# Objects remembered, and the longest content for which that is worth the room.
MOST_OBJECTS: Final = 1 << 14
LONGEST: Final = 1024
# Texts of one argument, or of one call's results, that are remembered.
MOST_TEXTS: Final = 1 << 12

_SUCCESSFUL, _FAILED = Status.SUCCESSFUL, Status.FAILED

# The key of a member; what is known of it by its number, where that is all it depends on; its
# register; its decoder.
_Step: TypeAlias = tuple[str, dict[int, str] | None, int, Decode]


class _Writable:
    """What writing a call's objects takes: the beginning, the members, and the results known.

    ``odd``: there are members that take the others to be written, or whose name decoding tells.
    """

    __slots__ = ("call", "compiled", "odd", "results", "start", "steps", "write")

    def __init__(self, call: Call, writer: CallWriter) -> None:
        values = writer.values(call)
        compiled = self.compiled = call.compiled
        self.call = call
        self.start = writer.start(call)
        self.odd = compiled.redirect is not None or any(not name for name, _, _ in compiled.steps)
        self.steps: list[_Step] = [
            (values.key(name), {} if kind.by_number() else None, register, decode)
            for (name, register, decode), kind in zip(compiled.steps, compiled.kinds, strict=True)
            if name
        ]
        self.results: dict[int, str] = {}
        self.write = values.write


class RunWriter:
    """Writes calls of runs.

    Two calls of equal contents are told alike but for task and times, as long as nothing but
    their contents was asked for: the decoder's sockets tell. ``statuses``: the calls wanted.
    """

    def __init__(
        self, writer: CallWriter, decoder: Decoder, statuses: frozenset[Status] | None
    ) -> None:
        self._writer = writer
        self._decoder = decoder
        self._asked = decoder.asked
        self._statuses = statuses
        self._ip = writer.ip
        self._writables: dict[int, _Writable | None] = {}
        # What is told of a call, by content; empty for one that is not wanted.
        self._known: dict[bytes, str] = {}
        # What holds as long as a descriptor is no netlink socket's.
        self._of_plain: dict[bytes, tuple[int, str]] = {}

    def write(self, run: Run, stream: Stream) -> Run | None:
        """Write the objects of a run.

        Shape: the part of the run that has to be written call by call, None for nothing.
        """
        known, writer = self._known, self._writer
        offset_ns = writer.offset_ns
        pieces = stream.pieces
        append = pieces.append
        last: Task | None = None
        who = ""
        calls = iter(run.calls)
        for call in calls:
            task, enter_ns, exit_ns, content, cpu_ns = call
            told = known.get(content)
            if told is None:
                told = self._make(run, call)
                if told is None:
                    return Run(run.abi, [call, *calls], run.open)
            if not told:
                continue
            if task is not last:
                last = task
                who = writer.who(task)
            took = exit_ns - enter_ns
            measured = "" if cpu_ns is None else f',"cpu_ns":{cpu_ns}'
            append(
                f'{{"type":"syscall","time_ns":{enter_ns},"wall_ns":{enter_ns + offset_ns},{who}'
                f'{told},"exit_ns":{exit_ns},"duration_ns":{took if took > 0 else 0}'
                f"{measured}}}\n"
            )
        if len(pieces) > MOST_PIECES:
            stream.drain()
        return None

    def _make(self, run: Run, whole: WholeCall) -> str | None:
        """Tell of a call that is not known.

        Shape: "" when it is not wanted, None when it takes a decoder that sees all events.
        """
        task, _, _, content, _ = whole
        asked = self._asked
        plain = self._of_plain.get(content)
        if plain is not None and asked.netlink(task.pid, plain[0]) is None:
            return plain[1]
        parts = nr, args, ret, ip, before, after = run.open(whole)
        try:
            writable = self._writables[nr]
        except KeyError:
            writable = self._prepare(run, nr)
        if writable is None:
            return ""
        if ret == INTERRUPTED:
            return None
        asked.forget()
        writable.call.task = task
        told = None if writable.odd else self._tell(writable, args, ret, before, after)
        if told is None:
            told = self._singly(*Run(run.abi, [whole], lambda _: parts).events())
        elif self._ip:
            told = f'{told},"ip":"{ip:#x}"'
        if self._statuses is not None:
            status = _FAILED if -MAX_ERRNO <= ret < 0 else _SUCCESSFUL
            if status not in self._statuses:
                told = ""
        if isinstance(before, Patched) or len(content) > LONGEST:
            return told
        if not asked.asked:
            if len(self._known) >= MOST_OBJECTS:
                self._known.clear()
            self._known[content] = told
        elif not asked.changes:
            if len(self._of_plain) >= MOST_OBJECTS:
                self._of_plain.clear()
            self._of_plain[content] = asked.plain, told
        return told

    def _singly(self, enter: SyscallEnter | SyscallExit, leave: SyscallEnter | SyscallExit) -> str:
        """Tell of a call as if it had not come in a run."""
        call = self._decoder.handle(enter)
        if call is None:
            return ""
        self._decoder.handle(leave)
        return self._writer.tell(call, _FAILED if call.failed else _SUCCESSFUL)

    def _prepare(self, run: Run, nr: int) -> _Writable | None:
        call = self._decoder.blank(run.abi, nr)
        writable = None if call is None else _Writable(call, self._writer)
        if len(self._writables) < MOST_NUMBERS:
            self._writables[nr] = writable
        return writable

    def _tell(
        self, writable: _Writable, args: Registers, ret: int, before: Memory, after: Memory
    ) -> str | None:
        """Write the members of a call that neither its task nor its times decide.

        Shape: None for a call that has to be written with all its values at hand.
        """
        call = writable.call
        call.args = args
        call.memory = before
        call.ret = 0
        call.failed = call.exiting = exiting = False
        call.saved = {}
        write = writable.write
        members = []
        for key, known, register, decode in writable.steps:
            raw = args[register]
            if known is not None:
                text = known.get(raw)
                if text is None:
                    text = key + write(decode(call, raw, args))
                    if len(known) < MOST_TEXTS:
                        known[raw] = text
                members.append(text)
                continue
            value = decode(call, raw, args)
            if value is LATER:
                _leave(writable, ret, after)
                exiting = True
                value = decode(call, raw, args)
            if value is not None:
                if type(value) is Became:
                    writable.odd = True
                    return None
                members.append(key + write(value))
        if not exiting:
            _leave(writable, ret, after)
        result = writable.results.get(ret) or self._result(writable, ret)
        return f"{writable.start}{','.join(members)}{result}"

    def _result(self, writable: _Writable, ret: int) -> str:
        call, compiled = writable.call, writable.compiled
        if call.failed:
            text = self._writer.result(call, failure(ret, compiled.raw), _FAILED)
        else:
            shown, note = compiled.result(call)
            text = self._writer.result(call, Returned(ret, shown, None, note), _SUCCESSFUL)
        if (call.failed or compiled.result_by_number) and len(writable.results) < MOST_TEXTS:
            writable.results[ret] = text
        return text


def _leave(writable: _Writable, ret: int, memory: Memory) -> None:
    """Let the call know of its end."""
    call = writable.call
    for keep in writable.compiled.keepers:
        keep(call)
    call.exiting = True
    call.failed = -MAX_ERRNO <= ret < 0
    call.ret = ret
    call.memory = memory
