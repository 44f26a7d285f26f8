"""Calls that nothing interrupts as JSON: where they repeat, from memory."""

from __future__ import annotations

from typing import Final

from pytracer.decode.decoder import INTERRUPTED, Decoder
from pytracer.event.memory import Patched
from pytracer.event.schema import Run, SyscallEnter, SyscallExit, Task, WholeCall
from pytracer.output.ndjson.calls import CallWriter
from pytracer.output.text.stream import MOST_PIECES, Stream
from pytracer.output.text.style import Status

# Objects remembered, and the longest content for which that is worth the room.
MOST_OBJECTS: Final = 1 << 14
LONGEST: Final = 1024

_SUCCESSFUL, _FAILED = Status.SUCCESSFUL, Status.FAILED


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
            task, enter_ns, exit_ns, content = call
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
            append(
                f'{{"type":"syscall","time_ns":{enter_ns},"wall_ns":{enter_ns + offset_ns},{who}'
                f'{told},"exit_ns":{exit_ns},"duration_ns":{took if took > 0 else 0}}}\n'
            )
        if len(pieces) > MOST_PIECES:
            stream.drain()
        return None

    def _make(self, run: Run, whole: WholeCall) -> str | None:
        """Tell of a call that is not known.

        Shape: "" when it is not wanted, None when it takes a decoder that sees all events.
        """
        task, enter_ns, exit_ns, content = whole
        asked = self._asked
        plain = self._of_plain.get(content)
        if plain is not None and asked.netlink(task.pid, plain[0]) is None:
            return plain[1]
        nr, args, ret, ip, before, after = run.open(whole)
        if ret == INTERRUPTED:
            return None
        asked.forget()
        told = ""
        decoder = self._decoder
        call = decoder.entered(SyscallEnter(task, enter_ns, run.abi, nr, args, before, ip))
        if call is not None:
            decoder.exited(SyscallExit(task, exit_ns, ret, after, False, None, ip))
            # Nothing but failures has the name of an error.
            error = call.result.error  # type: ignore[union-attr]
            status = _SUCCESSFUL if error is None else _FAILED
            if self._statuses is None or status in self._statuses:
                told = self._writer.tell(call, status)
        if asked.asked or isinstance(before, Patched) or len(content) > LONGEST:
            return told
        if asked.plain < 0:
            if len(self._known) >= MOST_OBJECTS:
                self._known.clear()
            self._known[content] = told
        else:
            if len(self._of_plain) >= MOST_OBJECTS:
                self._of_plain.clear()
            self._of_plain[content] = asked.plain, told
        return told
