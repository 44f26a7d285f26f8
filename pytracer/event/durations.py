"""How long calls took, counted: sums, extremes, and a histogram from which percentiles come.

The histogram's buckets are those of bpf/count.h, so that what the kernel has counted and what was
counted here agree.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

# Eight buckets an octave, from 2^6 to 2^36 nanoseconds; one for what is below, one for what is
# above. A bucket is at most an eighth of its lower bound wide.
LEAST_OCTAVE: Final = 6
MOST_OCTAVE: Final = 36
_PARTS: Final = 8
BUCKETS: Final = 2 + _PARTS * (MOST_OCTAVE - LEAST_OCTAVE)


def bucket_of(ns: int) -> int:
    """Find the bucket of a duration."""
    if ns < 1 << LEAST_OCTAVE:
        return 0
    octave = ns.bit_length() - 1
    if octave >= MOST_OCTAVE:
        return BUCKETS - 1
    return 1 + (octave - LEAST_OCTAVE) * _PARTS + (ns >> octave - 3 & _PARTS - 1)


def _lower_bounds() -> tuple[int, ...]:
    octaves = range(LEAST_OCTAVE, MOST_OCTAVE)
    parts = ((_PARTS + part) << octave - 3 for octave in octaves for part in range(_PARTS))
    return (0, *parts, 1 << MOST_OCTAVE)


# The least duration of each bucket; it ends before the next one's.
LOWER_NS: Final = _lower_bounds()


@dataclass(slots=True)
class Times:
    """A sum of durations and its extremes, in nanoseconds. ``min_ns``: -1 while there is none."""

    total_ns: int = 0
    min_ns: int = -1
    max_ns: int = 0

    def add(self, ns: int) -> None:
        """Count one duration; a negative one counts as none."""
        ns = max(ns, 0)
        self.total_ns += ns
        self.reach(ns, ns)

    def reach(self, min_ns: int, max_ns: int) -> None:
        """Widen the extremes; they stay if nothing was measured, which ``min_ns`` -1 says."""
        if min_ns >= 0:
            self.min_ns = min_ns if self.min_ns < 0 else min(self.min_ns, min_ns)
            self.max_ns = max(self.max_ns, max_ns)

    def merge(self, other: Times) -> None:
        """Count what another has counted."""
        self.total_ns += other.total_ns
        self.reach(other.min_ns, other.max_ns)


@dataclass(slots=True)
class Histogram:
    """Numbers of durations by bucket."""

    buckets: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def add(self, ns: int) -> None:
        """Count one duration; a negative one counts as none."""
        self.buckets[bucket_of(ns)] += 1

    def merge(self, other: Histogram) -> None:
        """Count what another has counted."""
        self.buckets = [a + b for a, b in zip(self.buckets, other.buckets, strict=True)]

    def extremes(self) -> Times:
        """The shortest and the longest duration, as far as buckets tell."""
        used = [bucket for bucket, count in enumerate(self.buckets) if count]
        return Times(0, LOWER_NS[used[0]], LOWER_NS[used[-1]]) if used else Times()

    def percentile(self, percent: float, times: Times) -> int:
        """Estimate the duration that so many percent of all did not exceed.

        It is off by at most an eighth: it lies in the bucket of the true one, and between the
        extremes. 0 when nothing was counted.
        Units: nanoseconds.
        """
        sums = list(accumulate(self.buckets))
        if not sums[-1]:
            return 0
        rank = max(1, -int(-percent * sums[-1] // 100))
        bucket = bisect_left(sums, rank)
        low, high = max(LOWER_NS[bucket], times.min_ns), times.max_ns
        if bucket + 1 < BUCKETS:
            high = min(high, LOWER_NS[bucket + 1] - 1)
        within = 2 * (rank - (sums[bucket] - self.buckets[bucket])) - 1
        return low + (high - low) * within // (2 * self.buckets[bucket])


@dataclass(slots=True)
class CallCounts:
    """What was counted of one kind of call, and for whom.

    Shape: ``group`` of targets; ``sub``: which call a multiplexer stands for, else 0; ``errnos``:
        failed calls by errno, the kernel's own -512..-516 among them.
    """

    group: int
    abi: int
    nr: int
    sub: int
    calls: int
    errnos: dict[int, int]
    wall: Times
    cpu: Times
    histogram: Histogram

    def since(self, before: CallCounts | None, wall: Times, cpu: Times) -> CallCounts:
        """What came on top of what was counted ``before``, with the extremes that belong to it."""
        if before is None:
            return self
        buckets = zip(self.histogram.buckets, before.histogram.buckets, strict=True)
        histogram = Histogram([now - then for now, then in buckets])
        errnos = {e: n - before.errnos.get(e, 0) for e, n in self.errnos.items()}
        # A call may be counted while the interval ends: its extremes are the next one's then.
        if wall.min_ns < 0:
            wall, cpu = histogram.extremes(), Times(0, 0, 0)
        return CallCounts(
            self.group,
            self.abi,
            self.nr,
            self.sub,
            self.calls - before.calls,
            {errno: count for errno, count in errnos.items() if count},
            replace(wall, total_ns=self.wall.total_ns - before.wall.total_ns),
            replace(cpu, total_ns=self.cpu.total_ns - before.cpu.total_ns),
            histogram,
        )


@dataclass(frozen=True, slots=True)
class InFlight:
    """A call that has not returned. ``enter_ns`` on CLOCK_MONOTONIC."""

    pid: int
    tid: int
    group: int
    abi: int
    nr: int
    sub: int
    enter_ns: int
