"""From turns to events: the part of the backend that needs no kernel, and serves recordings too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.aside import Told
from pytracer.backend.ebpf.merge import Merger
from pytracer.backend.ebpf.outline import outline
from pytracer.backend.ebpf.stops import stops_now
from pytracer.backend.ebpf.tasks import Tasks
from pytracer.backend.ebpf.turn import SPOOL_FULL, Turn
from pytracer.backend.ebpf.wire import EventRecord
from pytracer.event.schema import (
    Event,
    GroupStop,
    Lost,
    NewBy,
    Run,
    SyscallEnter,
    Task,
    TaskDetached,
    TaskNew,
)

Given = TypeVar("Given", Event, Run | Event)
# What is made of a turn.
Make: TypeAlias = Callable[[Turn], Iterator[Given | Event]]

# Counters, and what is missing when they move.
_LOSSES = (
    ("lost_calls", "the ring was full"),
    ("lost_chunks", "the ring was full for captured memory"),
    ("lost_events", "the ring was full for signals and tasks"),
    ("lost_tasks", "the map of threads was full"),
)
COMM_BYTES = 16
UNWRITTEN = "they could not be written to the disk"
GIVEN_UP = "there was no time left to write them"


def _why(refused: int) -> str:
    """Why the ring was not emptied, if that was so."""
    if not refused:
        return ""
    if refused == SPOOL_FULL:
        return ", as was the spool (--spool-size)"
    return f", and could not be emptied ({os.strerror(refused)})"


class Digest:
    """Makes events of turns.

    ``merger``, ``tasks``: what is known so far. ``counted``: what the kernel had counted, up to
    the last turn. ``given_up``: set it to have no more events made. ``live``: the processes
    are looked at, as far as they are still there; otherwise, turns come with what was looked up.
    ``measured``: CPU times are known.
    """

    def __init__(
        self,
        filtered: bool,
        signals: frozenset[int] | None,
        live: bool = True,
        measured: bool = False,
    ) -> None:
        self._told = None if live else Told()
        self.merger = Merger(filtered, self._told, measured)
        self.tasks = Tasks(self.merger, signals, self._told.stops if self._told else stops_now)
        self.counted = wire.Stats(*[0] * len(wire.Stats._fields))
        self.given_up = False
        self._refused = 0

    def turn(self, turn: Turn) -> Iterator[Event]:
        """Give the events of a turn."""
        return self._given(turn, self.merger.turn)

    def runs(self, turn: Turn) -> Iterator[Run | Event]:
        """Give the events of a turn, calls that nothing interrupts together."""
        return self._given(turn, self.merger.runs)

    def _given(
        self, turn: Turn, merge: Callable[..., Iterator[Given | EventRecord]]
    ) -> Iterator[Given | Event]:
        if turn.refused:
            self._refused = turn.refused
            return
        if self._told is not None:
            self._told.learn(turn.aside)
        for happening in merge(turn.until_ns, turn.threads, turn.slices):
            if self.given_up:
                break
            if isinstance(happening, Run):
                self.merger.ended += len(happening.calls)
            if isinstance(happening, EventRecord):
                yield from self.tasks.apply(happening)
            else:
                yield happening
        yield from self._losses(turn)

    def outline(self, turn: Turn) -> Iterator[Event]:
        """Give the events of a turn that tell of tasks and losses, but not of calls."""
        gone = [thread for thread in turn.threads if thread[0] == wire.STATE_GONE]
        slices = map(outline, turn.slices) if turn.has_events else ()
        short = Turn(turn.until_ns, gone, (), slices, refused=turn.refused, aside=turn.aside)
        yield from self.turn(short)
        yield from self._losses(turn)

    def _losses(self, turn: Turn) -> Iterator[Event]:
        if not turn.counters:
            return
        counted = wire.Stats(*turn.counters)
        if turn.whole:
            yield from self.tasks.find(turn.threads)
        why = _why(self._refused)
        for field, reason in _LOSSES:
            new = getattr(counted, field) - getattr(self.counted, field)
            if new > 0:
                self._refused = 0
                yield Lost(turn.until_ns, new, reason + why)
        self.counted = counted

    def begin(self, task: Task, time_ns: int, by: NewBy) -> TaskNew:
        """A task is traced because the user asked for it."""
        comm = task.comm.encode("utf-8", "surrogateescape").ljust(COMM_BYTES, b"\0")
        event = self.tasks.begin(task.tid, task.pid, comm, by)
        event.time_ns = time_ns
        return event

    def add(self, event: SyscallEnter | GroupStop) -> None:
        """Take in what a thread was found at as it was attached to; told when its time comes."""
        if isinstance(event, SyscallEnter):
            self.merger.entered_before(event.task.tid)
        self.merger.add(event)

    def over(self, now_ns: int, counters: wire.Stats, calls: bool) -> Iterator[Event]:
        """Give what there is to tell once no more turns come.

        ``counters``: what the kernel has counted. ``calls``: whether calls were handed on.
        """
        yield from self._losses(Turn(now_ns, [], counters))
        missing = counters.calls - counters.lost_calls - self.merger.ended
        if self.given_up and calls and missing > 0:
            yield Lost(now_ns, missing, GIVEN_UP)
        if not self.given_up:
            yield from self.merger.held()
        for task in self.tasks.let_go():
            yield TaskDetached(task, now_ns)
