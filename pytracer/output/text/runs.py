"""Calls that nothing interrupts, written whole and, where they repeat, from memory."""

from __future__ import annotations

from typing import Final, TypeAlias

from pytracer.decode.call import Call
from pytracer.decode.decoder import INTERRUPTED, MAX_ERRNO, MOST_NUMBERS, Decoder, failure
from pytracer.event.memory import NO_MEMORY, Memory, Patched
from pytracer.event.schema import Abi, Registers, Run, SyscallEnter, Task, WholeCall
from pytracer.output.text.calls import CallWriter
from pytracer.output.text.leader import Leader, seconds
from pytracer.output.text.stream import MOST_PIECES, Stream
from pytracer.spec.context import LATER, Decode
from pytracer.spec.entry import Compiled
from pytracer.spec.values import Became, Returned

# Lines remembered, and the longest content for which that is worth the room.
MOST_LINES: Final = 1 << 14
LONGEST: Final = 1024
# Texts of one argument, or of one call's results, that are remembered.
MOST_TEXTS: Final = 1 << 12

# What is known of an argument by its number, where that is all it depends on; its register; its
# decoder.
_Step: TypeAlias = tuple[dict[int, str] | None, int, Decode]


class _Writable:
    """What writing a call's lines takes: the beginning, arguments, and the results known."""

    __slots__ = ("call", "compiled", "results", "start", "steps")

    def __init__(self, compiled: Compiled, call: Call) -> None:
        self.compiled = compiled
        self.call = call
        self.start = f"{compiled.name}("
        self.steps: list[_Step] = [
            ({} if alone else None, register, decode)
            for (_, register, decode), alone in zip(compiled.steps, compiled.by_number, strict=True)
        ]
        self.results: dict[int, str] = {}


class RunWriter:
    """Writes calls of runs.

    Two calls of equal contents are written alike, as long as nothing but their contents was asked
    for: the decoder's sockets tell. What has been written is remembered by content.
    """

    def __init__(self, writer: CallWriter, leader: Leader, decoder: Decoder) -> None:
        self._writer = writer
        self._leader = leader
        self._decoder = decoder
        self._asked = decoder.asked
        self._digits = writer.digits
        self._write = writer.renderer.write
        self._closing = writer.closing
        # Lines by ABI and the column at which they begin, then by content.
        self._lines: dict[tuple[Abi, int], dict[bytes, str]] = {}
        # Those that hold as long as a descriptor is no netlink socket's: it, the column, the line.
        self._of_plain: dict[bytes, tuple[int, int, str]] = {}
        self._writables: tuple[dict[int, _Writable | None], ...] = ({}, {}, {})

    def write(self, run: Run, stream: Stream) -> Run | None:
        """Write the lines of a run, of which the first is a new one.

        Shape: the part of the run that has to be written call by call, None for nothing.
        """
        leader, digits = self._leader, self._digits
        timed = leader.timed
        pieces = stream.pieces
        append = pieces.append
        abi = run.abi
        last: Task | None = None
        previous_ns: int | None = None
        known: dict[bytes, str] = {}
        column = -1
        lead = ""
        calls = iter(run.calls)
        for call in calls:
            task, enter_ns, exit_ns, content = call
            if task is not last or timed:
                last = task
                previous_ns = leader.previous_ns
                lead = leader.make(task, enter_ns)
                if len(lead) != column:
                    column = len(lead)
                    known = self._known(abi, column)
            text = known.get(content)
            if text is None:
                text = self._make(run, call, column, known)
                if text is None:
                    leader.previous_ns = previous_ns
                    return Run(abi, [call, *calls], run.open)
                if not text:
                    continue
            if digits is None:
                append(lead + text)
            else:
                append(f"{lead}{text} <{seconds(max(0, exit_ns - enter_ns), digits)}>\n")
        if len(pieces) > MOST_PIECES:
            stream.drain()
        return None

    def _known(self, abi: Abi, column: int) -> dict[bytes, str]:
        """The lines known that begin at a column."""
        found = self._lines.get((abi, column))
        if found is None:
            found = self._lines[abi, column] = {}
        return found

    def _make(self, run: Run, whole: WholeCall, column: int, known: dict[bytes, str]) -> str | None:
        """Write a call of which no line is known.

        Shape: "" when it is not wanted, None when it takes a decoder that sees its events.
        """
        plain = self._of_plain.get(whole[3])
        if plain is not None:
            fd, at, text = plain
            if at == column and self._asked.netlink(whole[0].pid, fd) is None:
                return text
        nr, args, ret, _, before, after = run.open(whole)
        try:
            writable = self._writables[run.abi][nr]
        except KeyError:
            writable = self._prepare(run.abi, nr)
        if writable is None:
            return ""
        if writable.compiled.redirect is not None or ret == INTERRUPTED:
            return None
        self._asked.forget()
        call = writable.call
        call.task = whole[0]
        text = self._tell(writable, args, ret, before, after)
        end = column + len(text)
        closing = self._closing[end] if end < len(self._closing) else ") = "
        result = writable.results.get(ret) or self._result(writable, ret)
        text = f"{text}{closing}{result}"
        asked = self._asked
        if not asked.asked and not isinstance(before, Patched) and len(whole[3]) <= LONGEST:
            if asked.plain < 0:
                if len(known) >= MOST_LINES:
                    known.clear()
                known[whole[3]] = text
            else:
                if len(self._of_plain) >= MOST_LINES:
                    self._of_plain.clear()
                self._of_plain[whole[3]] = asked.plain, column, text
        return text

    def _prepare(self, abi: Abi, nr: int) -> _Writable | None:
        found = self._decoder.find(abi, nr)
        writable = None
        if found is not None:
            compiled, make = found
            call = make()
            call.compiled = compiled
            call.entry = SyscallEnter(Task(0, 0), 0, abi, nr, (0, 0, 0, 0, 0, 0), NO_MEMORY)
            call.interrupted = None
            writable = _Writable(compiled, call)
        if len(self._writables[abi]) < MOST_NUMBERS:
            self._writables[abi][nr] = writable
        return writable

    def _tell(
        self, writable: _Writable, args: Registers, ret: int, before: Memory, after: Memory
    ) -> str:
        """Write a call's name and arguments, as far as its result."""
        call = writable.call
        call.args = args
        call.memory = before
        call.ret = 0
        call.failed = call.exiting = exiting = False
        call.saved = {}
        write = self._write
        texts = []
        became = 0
        for known, register, decode in writable.steps:
            raw = args[register]
            if known is not None:
                text = known.get(raw)
                if text is None:
                    text = write(decode(call, raw, args))
                    if len(known) < MOST_TEXTS:
                        known[raw] = text
                texts.append(text)
                continue
            value = decode(call, raw, args)
            if value is LATER:
                _leave(writable, ret, after)
                exiting = True
                value = decode(call, raw, args)
                if type(value) is Became:
                    became = len(texts)
            if value is not None:
                texts.append(write(value))
        if not exiting:
            _leave(writable, ret, after)
        if became:
            texts[became - 1 : became + 1] = [" ".join(texts[became - 1 : became + 1])]
        return writable.start + ", ".join(texts)

    def _result(self, writable: _Writable, ret: int) -> str:
        call, compiled = writable.call, writable.compiled
        alone = call.failed or compiled.result_by_number
        if call.failed:
            returned = failure(ret, compiled.raw)
        else:
            shown, note = compiled.result(call)
            returned = Returned(ret, shown, None, note)
        text = self._writer.result(call, returned)
        if self._digits is None:
            text += "\n"
        if alone and len(writable.results) < MOST_TEXTS:
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
