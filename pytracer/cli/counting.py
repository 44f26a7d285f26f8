"""Counting calls (-c, -C) beside, or instead of, writing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytracer.cli.options import Options
from pytracer.cli.options import Summary as Wanted
from pytracer.decode.call import Call
from pytracer.event.schema import Event, SyscallExit, TaskDetached, TaskNew
from pytracer.output.summary import DEFAULT_COLUMNS, Column, Summary, render
from pytracer.output.text.lines import TextOutput

if TYPE_CHECKING:
    from pytracer.output.ndjson.lines import NdjsonOutput

# What is said about the tracing itself is said even when no call is shown.
_TOLD: Final = frozenset({TaskNew, TaskDetached})


class CountingOutput:
    """Counts calls, and writes them where both were wanted."""

    def __init__(self, options: Options, text: TextOutput | NdjsonOutput) -> None:
        self.summary = Summary(options.summary_wall, options.overhead_ns or 0)
        self._options = options
        self._text = text
        self._slower_than_ns = options.slower_than_ns
        self._shown = options.summary is Wanted.BOTH

    def handle(self, event: Event, call: Call | None = None) -> None:
        """Count or write one event."""
        kind = type(event)
        if self._shown or kind in _TOLD:
            self._text.handle(event, call)
        if kind is SyscallExit and call is not None and call.duration_ns >= self._slower_than_ns:
            self.summary.add(call)

    def flush(self) -> None:
        """Let the reader see what is written so far."""
        self._text.flush()

    def table(self) -> str:
        """Write the summary."""
        options = self._options
        columns = tuple(map(Column, options.summary_columns)) or DEFAULT_COLUMNS
        by = None if options.summary_sort == "nothing" else Column(options.summary_sort)
        return render(self.summary, columns, by)
