"""Durations counted: buckets that tell little lies, percentiles, sums and extremes."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pytracer.event.durations import (
    BUCKETS,
    LEAST_OCTAVE,
    LOWER_NS,
    MOST_OCTAVE,
    CallCounts,
    Histogram,
    Times,
    bucket_of,
)

MOST_NS = 1 << MOST_OCTAVE
any_ns = st.integers(0, 1 << 48)
# What the buckets are for; evenly by magnitude.
usual_ns = st.floats(LEAST_OCTAVE, MOST_OCTAVE - 0.01).map(lambda octave: int(2**octave))


def counted(durations: list[int]) -> tuple[Histogram, Times]:
    histogram, times = Histogram(), Times()
    for ns in durations:
        histogram.add(ns)
        times.add(ns)
    return histogram, times


def call_counts(durations: list[int], errnos: dict[int, int] | None = None) -> CallCounts:
    histogram, times = counted(durations)
    return CallCounts(0, 0, 0, 0, len(durations), errnos or {}, times, Times(), histogram)


def test_buckets_leave_no_gap() -> None:
    assert len(LOWER_NS) == BUCKETS
    assert LOWER_NS[0] == 0
    assert all(low < high for low, high in pairwise(LOWER_NS))


@given(any_ns)
def test_a_duration_is_in_its_bucket(ns: int) -> None:
    bucket = bucket_of(ns)
    assert LOWER_NS[bucket] <= ns
    assert bucket == BUCKETS - 1 or ns < LOWER_NS[bucket + 1]


def test_no_bucket_is_wider_than_an_eighth_of_what_is_in_it() -> None:
    for low, high in pairwise(LOWER_NS[1:]):
        assert (high - low) / low <= 0.125


@given(st.lists(usual_ns, min_size=1, max_size=200), st.sampled_from([50.0, 90.0, 99.0, 99.9]))
def test_a_percentile_is_off_by_an_eighth_at_most(durations: list[int], percent: float) -> None:
    histogram, times = counted(durations)
    exact = sorted(durations)[max(0, math.ceil(percent * len(durations) / 100) - 1)]
    assert abs(histogram.percentile(percent, times) - exact) <= 0.125 * exact


@given(st.lists(any_ns, min_size=1))
def test_percentiles_keep_their_order_and_stay_between_the_extremes(durations: list[int]) -> None:
    histogram, times = counted(durations)
    found = [histogram.percentile(percent, times) for percent in (0.1, 50.0, 90.0, 99.9, 100.0)]
    assert found == sorted(found)
    assert times.min_ns <= found[0] and found[-1] <= times.max_ns


def test_of_nothing_there_is_no_percentile() -> None:
    assert Histogram().percentile(50.0, Times()) == 0


@given(st.lists(any_ns), st.lists(any_ns))
def test_what_is_merged_is_what_would_have_been_counted_together(
    some: list[int], others: list[int]
) -> None:
    histogram, times = counted(some)
    more = counted(others)
    histogram.merge(more[0])
    times.merge(more[1])
    assert (histogram, times) == counted(some + others)


@given(st.lists(usual_ns, min_size=1), st.lists(usual_ns, min_size=1))
def test_what_came_on_top_is_what_came_later(before: list[int], later: list[int]) -> None:
    then = call_counts(before, {2: 3, 11: 1})
    now = call_counts(before + later, {2: 3, 11: 4})
    _, extremes = counted(later)
    new = now.since(then, extremes, Times())
    assert new.calls == len(later)
    assert new.errnos == {11: 3}
    assert (new.histogram, new.wall) == counted(later)


def test_extremes_that_are_not_known_are_those_of_the_buckets() -> None:
    then, now = call_counts([100]), call_counts([100, 1_000, 5_000])
    new = now.since(then, Times(), Times())
    assert new.wall.min_ns <= 1_000 <= new.wall.min_ns * 1.125
    assert new.wall.max_ns <= 5_000 <= new.wall.max_ns * 1.125
