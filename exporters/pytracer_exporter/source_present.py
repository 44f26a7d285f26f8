"""Who is there at this moment, and what they are in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Final

from pytracer.backend.ebpf.counts import Threads
from pytracer.backend.ebpf.wire import STATE_ATTACHED, STATE_CALL, WHY_LEAVING, WHY_NOBODYS
from pytracer.event.schema import Abi
from pytracer_exporter.reading import Stuck, TargetState
from pytracer_exporter.source_rows import named

# A thread's state is read before its call, and that before when it began: should another call begin
# meanwhile, it does not look as if it had been going on since the one before.
_FIELDS: Final = ("why", "group", "tgid", "state", "abi", "nr", "row", "enter_ns")


class Present:
    """The threads of all targets. ``asking``: whether some may be another target's by now."""

    def __init__(self, threads: Threads) -> None:
        found = threads.columns(*_FIELDS)
        self._now = time.monotonic_ns()
        self.asking = any(why == WHY_LEAVING for why, *_ in found)
        self._threads = [each for each in found if not each[0] & WHY_NOBODYS]

    def states(self, names: Mapping[int, str]) -> Iterator[TargetState]:
        """How many there are of each target; ``names`` by number."""
        threads = Counter(group for _, group, *_ in self._threads)
        processes = Counter(group for group, _ in {each[1:3] for each in self._threads})
        for number, name in names.items():
            yield TargetState(name, processes[number] > 0, processes[number], threads[number])

    def stuck(
        self,
        names: Mapping[int, str],
        sub_of: Callable[[int], int],
        wanted: Mapping[Abi, Container[int]] | None,
    ) -> Iterator[Stuck]:
        """The calls that have been entered and have not returned.

        ``sub_of``: which call a multiplexer stands for, by the row. ``wanted``: as of Counting.
        """
        kinds: dict[tuple[int, int, int, int], list[int]] = {}
        for _, group, _, state, abi, nr, row, enter_ns in self._threads:
            if state == STATE_CALL or (state == STATE_ATTACHED and nr >= 0):
                kinds.setdefault((group, abi, nr, row), []).append(enter_ns)
        found: dict[tuple[int, str], list[int]] = {}
        for (group, abi, nr, row), begun in kinds.items():
            if group in names and (wanted is None or nr in wanted.get(Abi(abi), ())):
                syscall, _ = named(Abi(abi), nr, sub_of(row))
                found.setdefault((group, syscall), []).extend(begun)
        for (group, syscall), begun in found.items():
            age_ns = max(0, self._now - min(begun))
            yield Stuck(names[group], syscall, len(begun), age_ns)
