"""Counting calls (-c, -C) beside, or instead of, writing them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from pytracer.backend.base import Backend
from pytracer.cli.building import wanted_numbers
from pytracer.cli.options import Options
from pytracer.cli.options import Summary as Wanted
from pytracer.decode.call import Call
from pytracer.decode.catalogue import name_of, numbers_by_name
from pytracer.event.durations import CallCounts
from pytracer.event.schema import Abi, Event, Lost, SyscallExit, TaskDetached, TaskNew
from pytracer.output.summary import DEFAULT_COLUMNS, Column, Summary, render
from pytracer.output.text.lines import TextOutput
from pytracer.tables.multiplexers import MULTIPLEXERS

if TYPE_CHECKING:
    from pytracer.output.ndjson.lines import NdjsonOutput

# What is said about the tracing itself is said even when no call is shown.
_TOLD: Final = frozenset({TaskNew, TaskDetached})
_TOLD_OF_JSON: Final = frozenset({Lost})


@runtime_checkable
class Counter(Protocol):
    """A backend that counts calls itself."""

    def read(self) -> list[CallCounts]:
        """What was counted since the beginning."""
        ...

    def interval(self) -> list[CallCounts]:
        """What was counted since this was last asked for."""
        ...


def own_counter(backend: Backend) -> Counter | None:
    """The backend, if it counts calls itself."""
    return backend if isinstance(backend, Counter) else None


class CountingOutput:
    """Counts calls, and writes them where both were wanted.

    ``write`` takes the tables; ``counter`` counts instead of this, if there is one.
    """

    def __init__(
        self,
        options: Options,
        text: TextOutput | NdjsonOutput,
        write: Callable[[str], None],
        counter: Counter | None = None,
    ) -> None:
        self._options = options
        self._text = text
        self._slower_than_ns = options.slower_than_ns
        self._write = write
        self._counter = counter
        self._shown = options.summary is Wanted.BOTH
        self._told_of = _TOLD_OF_JSON if options.json else _TOLD
        self._total = self._new()
        self._wanted = None if options.trace.everything else wanted_numbers(options.trace)
        # What was counted since the last table: everything, if there is to be but one.
        self._recent = self._total if options.interval_s is None else self._new()
        # When the first and the last interval began, or the last one ended.
        self._began = self._last = time.monotonic()
        self._due = False
        self._finished = False

    def _new(self) -> Summary:
        return Summary(self._options.summary_wall, self._options.overhead_ns or 0)

    def handle(self, event: Event, call: Call | None = None) -> None:
        """Count or write one event."""
        kind = type(event)
        if self._shown or kind in self._told_of:
            self._text.handle(event, call)
        if kind is SyscallExit and call is not None and self._counts(call):
            self._recent.add(call)
        if self._due:
            self._interval()

    def _counts(self, call: Call) -> bool:
        return self._counter is None and call.duration_ns >= self._slower_than_ns

    def flush(self) -> None:
        """Let the reader see what is written so far."""
        self._text.flush()
        if self._due:
            self._interval()

    def tick(self) -> None:
        """Have a table written soon: an interval is over. May be called from a signal handler."""
        self._due = True

    def _interval(self) -> None:
        self._due = False
        if self._finished:
            return
        now = time.monotonic()
        if self._counter is not None:
            self._take(self._recent, self._counter.interval())
        else:
            self._total.merge(self._recent)
        self._text.pause()
        self._write(self._told(self._recent, "the last", now - self._last))
        self._recent = self._new()
        self._last = now

    def finish(self) -> None:
        """Take what there is to count; the backend may be closed then."""
        if self._options.interval_s is not None:
            self._interval()
        else:
            self._last = time.monotonic()
        self._finished = True
        if self._counter is not None:
            self._take(self._total, self._counter.read())

    def _take(self, summary: Summary, counted: Iterable[CallCounts]) -> None:
        for counts in counted:
            abi = Abi(counts.abi)
            known = MULTIPLEXERS.get(name_of(abi, counts.nr), {}) if abi is Abi.I386 else {}
            name = known.get(counts.sub)
            if name is None or self._wants(abi, counts.nr, name):
                summary.take(counts, name)

    def _wants(self, abi: Abi, nr: int, name: str) -> bool:
        """Whether a call is wanted that a multiplexer stands for, or the multiplexer itself."""
        if self._wanted is None or nr in self._wanted[abi]:
            return True
        return numbers_by_name(abi).get(name) in self._wanted[abi]

    def table(self) -> str:
        """Write the summary of everything."""
        return self._told(self._total, "all", self._last - self._began)

    def _told(self, summary: Summary, which: str, seconds: float) -> str:
        options = self._options
        by = None if options.summary_sort == "nothing" else Column(options.summary_sort)
        if options.json:
            return _object(summary, which, seconds, by)
        columns = tuple(map(Column, options.summary_columns)) or DEFAULT_COLUMNS
        text = render(summary, columns, by)
        if options.interval_s is None:
            return text
        return _heading(which, seconds) + (text or "no calls\n")


def _object(summary: Summary, which: str, seconds: float, by: Column | None) -> str:
    from pytracer.output.ndjson.summary import Span, write

    covers = "all" if which == "all" else "interval"
    span = Span(covers, time.monotonic_ns(), time.time_ns(), int(seconds * 1e9))
    return write(summary, span, by)


def _heading(which: str, seconds: float) -> str:
    """What stands above the table of an interval: when it ended, and how long it was."""
    return f"=== {time.strftime('%Y-%m-%d %H:%M:%S')}: {which} {seconds:.3f} s ===\n"
