"""Lines of a trace: who speaks, what is unfinished, what resumes."""

from __future__ import annotations

import os
from typing import Protocol

from pytracer.decode.call import Call
from pytracer.output.text.render import Renderer
from pytracer.output.text.style import Style
from pytracer.spec.values import Became


class Sink(Protocol):
    """Where text goes: a file, a pipe, the terminal."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class TextOutput:
    """Writes calls as strace does, one stream for all tasks.

    The line of a call is opened at its entry and closed at its exit; whatever comes in between cuts
    it.
    """

    def __init__(self, sink: Sink, style: Style | None = None) -> None:
        self.style = style or Style()
        self.sink = sink
        self.renderer = Renderer(self.style)
        self.several = False
        self._open: int | None = None  # the tid whose line is unfinished
        self._column = 0

    def _lead(self, tid: int) -> str:
        cut = " <unfinished ...>\n" if self._open is not None else ""
        self._open = None
        return f"{cut}[pid {tid:5}] " if self.several else cut

    def entered(self, call: Call) -> None:
        """Open the line of a call."""
        write = self.renderer.write
        lead = self._lead(call.tid)
        text = f"{call.name}({', '.join([write(value) for _, value in call.values])}"
        self._open = call.tid
        self._column = len(lead) - (lead.rfind("\n") + 1) + len(text)
        self.sink.write(lead + text)

    def exited(self, call: Call) -> None:
        """Close the line of a call, resuming it if something else was printed since its entry."""
        write = self.renderer.write
        rest = ", ".join([write(value) for _, value in call.values[call.at_entry :]])
        if rest and call.at_entry:
            # What an argument became continues it; anything else is another argument.
            rest = f" {rest}" if isinstance(call.values[call.at_entry][1], Became) else f", {rest}"
        if self._open != call.tid:
            lead = self._lead(call.tid)
            text = f"{lead}<... {call.name} resumed>{rest}) "
            column = len(text) - (text.rfind("\n") + 1)
        else:
            text = rest + ") "
            column = self._column + len(text)
        self._open = None
        pad = " " * (self.style.column - column)
        self.sink.write(f"{text}{pad}= {self.result(call)}\n")

    def result(self, call: Call) -> str:
        """Write what follows the equals sign."""
        result = call.result
        assert result is not None
        write = self.renderer.write
        text = "?" if result.shown is None else write(result.shown)
        if result.error is not None:
            words = write(result.note) if result.note is not None else os.strerror(-result.value)
            text = (
                f"{text} {result.error} ({words})"
                if result.error
                else f"{text} (errno {-result.value})"
            )
        elif result.note is not None:
            text = f"{text} ({write(result.note)})"
        return f"{text} (INJECTED)" if call.injected else text

    def remark(self, tid: int, text: str) -> None:
        """Write a line that is no call: a signal, a stop, an exit."""
        self.sink.write(f"{self._lead(tid)}{text}\n")

    def flush(self) -> None:
        """Let the reader see an unfinished line."""
        self.sink.flush()
