"""Lines and counts at once: the calls are streamed, and counted in the kernel beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pytracer.backend.base import TargetError
from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.backend import EbpfBackend
from pytracer.backend.ebpf.tally import Tally
from pytracer.backend.ebpf.threads import Thread
from pytracer.event.durations import CallCounts
from pytracer.event.schema import Event, Lost, NewBy, TaskNew


class CountedStream:
    """A stream whose calls are counted by other programs: those know of CPU time (-C without -w).

    They follow on their own whom the stream has let in. ``tally`` is closed with the stream.
    """

    name = "ebpf"

    def __init__(self, stream: EbpfBackend, tally: Tally) -> None:
        self.clock = stream.clock
        self._stream = stream
        self._tally = tally

    def events(self) -> Iterator[Event | None]:
        """Yield what the stream yields.

        Errors: TargetError, BackendUnavailable.
        """
        self._tally.loaded.attach()
        if self._tally.membership is not None:
            self._tally.membership.begin(self._tally.marks, self._tally.namespace.key)
        # A launched program waits until all first events have been taken.
        for event in self._stream.events():
            if type(event) is TaskNew and event.by is not NewBy.FORKED:
                state = wire.STATE_LAUNCHING if event.by is NewBy.LAUNCHED else wire.STATE_ATTACHED
                task = event.task
                self._tally.enter(Thread(task.pid, task.tid, b"", False), state)
            yield event
        self._tally.detach()
        for count, reason in self._tally.losses():
            if count:
                yield Lost(time.monotonic_ns(), count, f"{reason} while counting")

    def read(self) -> list[CallCounts]:
        """What was counted since the beginning, in the order in which calls were first made."""
        return self._tally.read()

    def interval(self) -> list[CallCounts]:
        """What was counted since this was last asked for, or since the beginning."""
        return self._tally.interval()

    def stop(self) -> None:
        """Let go of the targets; what they have done until now is still handed on."""
        self._stream.stop()
        self._tally.detach()

    def give_up(self) -> None:
        """Hand on no more of what the rings held: it is counted as lost."""
        self._stream.give_up()

    def waiting(self) -> int:
        """Tell how many bytes of what was taken in advance are still to be handed on."""
        return self._stream.waiting()

    def failure(self) -> TargetError | None:
        """Tell why the launched process, now over, did not execute its program."""
        return self._stream.failure()

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self._tally.close()
        self._stream.close()
