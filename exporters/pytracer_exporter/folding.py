"""How many series there may be: what comes beyond is counted under one name.

What has a series of its own keeps it, and what has been folded stays so: a counter that moved
from one to the other would go backwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pytracer.tables.constants.errno import ERRNO
from pytracer_exporter.reading import Reading, Stuck, SyscallCounts, summed

OTHER: Final = "other"

DEFAULT_LIMIT: Final = 10_000

# Target, syscall, type of the descriptor.
CallKey: TypeAlias = tuple[str, str, str]
# Target, syscall, name of the error.
ErrorKey: TypeAlias = tuple[str, str, str]
# Target, syscall or signal.
Key: TypeAlias = tuple[str, str]

# Beside its bounds a histogram has +Inf, a sum and a count; beside the histogram, a call is counted
# and has CPU time, and its errors an "other".
_BESIDE_BOUNDS: Final = 6
_IN_FLIGHT: Final = 2


@dataclass(slots=True)
class Shown:
    """What is exported of a reading, by the labels that it gets."""

    calls: dict[CallKey, SyscallCounts] = field(default_factory=dict)
    errors: dict[ErrorKey, int] = field(default_factory=dict)
    in_flight: dict[Key, Stuck] = field(default_factory=dict)
    signals: dict[Key, int] = field(default_factory=dict)


def reserve(bounds: int) -> int:
    """The series that each target has for what is folded."""
    return bounds + _BESIDE_BOUNDS + _IN_FLIGHT + 1


class Folding:
    """Decides what has a series of its own.

    ``limit``: series of all targets together, of those families that grow with what the targets
    do. ``bounds``: of a histogram. ``folded``: how many were, so far.
    """

    def __init__(self, limit: int, bounds: int, targets: Iterable[str]) -> None:
        self.folded = 0
        self._own: dict[tuple[str, ...], int] = {}
        self._shared: set[tuple[str, ...]] = set()
        # Calls that have been in flight: they are shown with zero when they are not.
        self._seen_in_flight: dict[Key, None] = {}
        self._targets: frozenset[str] = frozenset()
        self.change(limit, bounds, targets)

    def change(self, limit: int, bounds: int, targets: Iterable[str]) -> None:
        """Go on under other limits. Targets that are not there any more give back their series."""
        self._targets = frozenset(targets)
        self._own = {key: cost for key, cost in self._own.items() if key[1] in self._targets}
        self._shared = {key for key in self._shared if key[1] in self._targets}
        self._seen_in_flight = {
            key: None for key in self._seen_in_flight if key[0] in self._targets
        }
        self._call = bounds + _BESIDE_BOUNDS
        self._free = limit - reserve(bounds) * len(self._targets) - sum(self._own.values())

    def fold(self, reading: Reading) -> Shown:
        """Give each count the labels under which it is exported."""
        shown = Shown()
        for counts in reading.calls:
            if counts.target in self._targets:
                self._add_call(shown, counts)
        for stuck in reading.stuck:
            if stuck.target in self._targets:
                self._add_stuck(shown, stuck)
        for (target, signal), count in reading.signals.items():
            if target in self._targets:
                name = signal if self._admits(("signal", target, signal), 1) else OTHER
                shown.signals[target, name] = shown.signals.get((target, name), 0) + count
        for target, syscall in self._seen_in_flight:
            if (target, syscall) not in shown.in_flight:
                shown.in_flight[target, syscall] = Stuck(target, syscall, 0, 0)
        return shown

    def _add_call(self, shown: Shown, counts: SyscallCounts) -> None:
        target, syscall, fd_type = counts.target, counts.syscall, counts.fd_type
        if not self._admits(("call", target, syscall, fd_type), self._call):
            syscall, fd_type = OTHER, ""
        key = target, syscall, fd_type
        before = shown.calls.get(key)
        shown.calls[key] = counts if before is None else summed((before, counts))
        for errno, count in counts.errnos.items():
            name = ERRNO.name_of(errno)
            if not name or not self._admits(("error", target, syscall, name), 1):
                name = OTHER
            error = target, syscall, name
            shown.errors[error] = shown.errors.get(error, 0) + count

    def _add_stuck(self, shown: Shown, stuck: Stuck) -> None:
        target, syscall = stuck.target, stuck.syscall
        if not self._admits(("flight", target, syscall), _IN_FLIGHT):
            syscall = OTHER
        key = target, syscall
        self._seen_in_flight[key] = None
        before = shown.in_flight.get(key)
        if before is not None:
            stuck = Stuck(
                target,
                syscall,
                before.calls + stuck.calls,
                max(before.oldest_ns, stuck.oldest_ns),
            )
        shown.in_flight[key] = stuck

    def _admits(self, key: tuple[str, ...], cost: int) -> bool:
        """Whether something has series of its own, which ``cost`` tells the number of."""
        if key in self._own:
            return True
        if key in self._shared:
            return False
        if cost > self._free:
            self._shared.add(key)
            self.folded += 1
            return False
        self._own[key] = cost
        self._free -= cost
        return True
