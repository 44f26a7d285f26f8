"""Calls that nothing interrupts, written whole and, where they repeat, from memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

from pytracer.decode.call import Call
from pytracer.decode.decoder import INTERRUPTED, MAX_ERRNO, MOST_NUMBERS, Decoder, failure
from pytracer.event.memory import Memory, Patched
from pytracer.event.schema import Abi, Registers, Run, Task, WholeCall
from pytracer.output.stream import MOST_PIECES, Stream
from pytracer.output.text.calls import CallWriter
from pytracer.output.text.direct import MOST_TEXTS, Continuation, arguments
from pytracer.output.text.leader import Leader, seconds
from pytracer.output.text.render import Renderer
from pytracer.spec.context import LATER
from pytracer.spec.values import Returned

# Lines remembered: those of a loop are few, and more of them do not stay in the processor's caches.
# The longest content for which it is worth the room.
MOST_LINES: Final = 1 << 11
LONGEST: Final = 1024


class _Writable:
    """What writing the lines of one system call takes.

    ``numbers``: where all arguments are but numbers, what is known of each, and its register.
    ``results``: what is known of results that are but numbers.
    """

    __slots__ = ("call", "compiled", "numbers", "results", "start", "steps")

    def __init__(self, call: Call, renderer: Renderer) -> None:
        compiled = self.compiled = call.compiled
        self.call = call
        self.start = f"{compiled.name}("
        self.results: dict[int, str] = {}
        self.steps = arguments(compiled, renderer, call.whole)
        numbers = [(known, register) for known, register, _ in self.steps if known is not None]
        by_number = len(numbers) == len(self.steps) and not compiled.keepers
        self.numbers = numbers if by_number else None


def by_task(run: Run) -> Iterator[Run]:
    """Take a run apart where one task follows another."""
    for _, calls in groupby(run.calls, itemgetter(0)):
        yield Run(run.abi, list(calls), run.open)


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
        if stream.open:
            stream.cut()
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
            task, enter_ns, exit_ns, content, _ = call
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
        content = whole[3]
        asked = self._asked
        plain = self._of_plain.get(content)
        if plain is not None:
            fd, at, text = plain
            if at == column and asked.netlink(whole[0].pid, fd) is None:
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
        if asked.asked:
            asked.forget()
        result = writable.results.get(ret)
        numbers = writable.numbers
        if numbers is not None and result is not None:
            try:
                texts = [texts[args[register]] for texts, register in numbers]
            except KeyError:
                text = self._tell(writable, whole[0], args, ret, before, after)
            else:
                text = writable.start + ", ".join(texts)
        else:
            text = self._tell(writable, whole[0], args, ret, before, after)
            if result is None:
                result = self._result(writable, ret)
        end = column + len(text)
        if end < len(self._closing):
            text = f"{text}{self._closing[end]}{result}"
        else:
            text = f"{text}) = {result}"
        if len(content) > LONGEST or type(before) is Patched:
            return text
        if not asked.asked:
            if len(known) >= MOST_LINES:
                known.clear()
            known[content] = text
        elif not asked.changes:
            if len(self._of_plain) >= MOST_LINES:
                self._of_plain.clear()
            self._of_plain[content] = asked.plain, column, text
        return text

    def _prepare(self, abi: Abi, nr: int) -> _Writable | None:
        call = self._decoder.blank(abi, nr)
        writable = None if call is None else _Writable(call, self._writer.renderer)
        if len(self._writables[abi]) < MOST_NUMBERS:
            self._writables[abi][nr] = writable
        return writable

    def _tell(
        self,
        writable: _Writable,
        task: Task,
        args: Registers,
        ret: int,
        before: Memory,
        after: Memory,
    ) -> str:
        """Write a call's name and arguments, as far as its result."""
        call = writable.call
        call.task = task
        call.args = args
        call.memory = before
        call.ret = 0
        call.failed = call.exiting = exiting = False
        call.saved = {}
        texts = []
        for known, register, write in writable.steps:
            raw = args[register]
            if known is not None:
                texts.append(known.get(raw) or write(call, raw, args))
                continue
            text = write(call, raw, args)
            if text is LATER:
                exiting = True
                for keep in writable.compiled.keepers:
                    keep(call)
                call.exiting = True
                call.failed = -MAX_ERRNO <= ret < 0
                call.ret = ret
                call.memory = after
                text = write(call, raw, args)
                if type(text) is Continuation and texts:
                    text = f"{texts.pop()} {text}"
            if text is not None:
                texts.append(text)
        if not exiting:
            for keep in writable.compiled.keepers:
                keep(call)
            call.exiting = True
            call.failed = -MAX_ERRNO <= ret < 0
            call.ret = ret
            call.memory = after
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
