"""Which of the kernel's buckets are told apart in a histogram that Prometheus keeps."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from pytracer.event.durations import LOWER_NS
from pytracer.event.units import duration_ns

DEFAULT_COUNT: Final = 28
LEAST_COUNT: Final = 2
MOST_COUNT: Final = 64
# Between these the bounds are spread that are asked for by their number: with the default, one an
# octave. What takes less than the first is not worth telling apart.
_FIRST: Final = LOWER_NS.index(1 << 8)
_LAST: Final = LOWER_NS.index(1 << 35)
_SECOND_NS: Final = 1_000_000_000


class BadBuckets(ValueError):
    """Buckets cannot be had so; the text says why."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The upper bounds of a histogram.

    ``edges``: the kernel's bucket that is the first above each bound.
    """

    edges: tuple[int, ...]

    @property
    def bounds_ns(self) -> tuple[int, ...]:
        """The longest duration within each bound.

        Durations are whole nanoseconds and a kernel's bucket ends before the next one's least, so
        one less than that is the bound that ``le``, less than or equal, is exactly true of.
        """
        return tuple(LOWER_NS[edge] - 1 for edge in self.edges)

    @property
    def le(self) -> tuple[str, ...]:
        """The values of the label, in seconds, with the one that is above all."""
        return (*(repr(bound / _SECOND_NS) for bound in self.bounds_ns), "+Inf")

    def cumulate(self, counts: Sequence[int]) -> list[int]:
        """How many durations were within each bound; the last is the number of all."""
        sums = list(accumulate(counts))
        return [*(sums[edge - 1] for edge in self.edges), sums[-1]]


def evenly(count: int) -> Buckets:
    """Spread so many bounds evenly over octaves, from 256 ns to 34 s.

    Errors: BadBuckets.
    """
    if not LEAST_COUNT <= count <= MOST_COUNT:
        raise BadBuckets(
            f"{count} bounds: there may be {LEAST_COUNT} to {MOST_COUNT} (each is a series of "
            "every histogram)"
        )
    steps = count - 1
    return Buckets(tuple(_FIRST + (_LAST - _FIRST) * i // steps for i in range(count)))


DEFAULT: Final = evenly(DEFAULT_COUNT)


def at(times: Sequence[str]) -> Buckets:
    """Take the first bounds that the kernel's buckets have at these times or above.

    Errors: BadBuckets.
    """
    if not 1 <= len(times) <= MOST_COUNT:
        raise BadBuckets(f"{len(times)} bounds: there may be 1 to {MOST_COUNT}")
    edges: list[int] = []
    for text in times:
        edge = _edge(text)
        if edges and edge < edges[-1]:
            raise BadBuckets(f"{text} comes after something longer: give them in rising order")
        if edges and edge == edges[-1]:
            raise BadBuckets(
                f"{text} falls into the same bucket as what comes before it: leave one out (the "
                "kernel tells times apart that differ by an eighth)"
            )
        edges.append(edge)
    return Buckets(tuple(edges))


def _edge(text: str) -> int:
    ns = duration_ns(text)
    if ns is None:
        raise BadBuckets(f"'{text}' is no time: write 250us, 10ms or 1.5s")
    edge = bisect_left(LOWER_NS, ns + 1, lo=1)
    if edge == len(LOWER_NS):
        raise BadBuckets(f"{text} is too long: the kernel tells times apart up to 68s")
    return edge


def read(text: str) -> Buckets:
    """Read a number of bounds, or the bounds themselves, separated by commas.

    Errors: BadBuckets.
    """
    if re.fullmatch(r"[0-9]{1,9}", text):
        return evenly(int(text))
    return at([part.strip() for part in text.split(",")])
