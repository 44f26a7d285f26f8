"""The bounds of exported histograms are true of what the kernel has counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytracer_exporter.buckets import MOST_COUNT, BadBuckets, Buckets, at, evenly, read

from pytracer.event.durations import LOWER_NS, Histogram

DURATIONS = st.lists(
    st.one_of(
        st.integers(0, 1 << 40),
        st.sampled_from(LOWER_NS).flatmap(lambda ns: st.integers(max(0, ns - 1), ns + 1)),
    ),
    max_size=50,
)
BUCKETS = st.one_of(
    st.integers(2, MOST_COUNT).map(evenly),
    st.sets(st.integers(1, len(LOWER_NS) - 1), min_size=1, max_size=MOST_COUNT).map(
        lambda edges: Buckets(tuple(sorted(edges)))
    ),
)


@given(BUCKETS, DURATIONS)
def test_what_is_within_a_bound_is_counted_exactly(buckets: Buckets, durations: list[int]) -> None:
    histogram = Histogram()
    for ns in durations:
        histogram.add(ns)
    counted = buckets.cumulate(histogram.buckets)
    within = [sum(ns <= bound for ns in durations) for bound in buckets.bounds_ns]
    assert counted == [*within, len(durations)]


@pytest.mark.parametrize("count", range(2, MOST_COUNT + 1))
def test_bounds_are_as_many_as_asked_for_and_rise(count: int) -> None:
    buckets = evenly(count)
    assert len(set(buckets.bounds_ns)) == count
    assert list(buckets.bounds_ns) == sorted(buckets.bounds_ns)
    assert (buckets.bounds_ns[0], buckets.bounds_ns[-1]) == (2**8 - 1, 2**35 - 1)


def test_the_default_has_one_bound_an_octave() -> None:
    assert evenly(28).bounds_ns == tuple(2**i - 1 for i in range(8, 36))


def test_labels_are_seconds() -> None:
    assert at(["1us", "1ms", "1s"]).le == ("1.023e-06", "0.001048575", "1.006632959", "+Inf")


@given(st.integers(1, (1 << 36) - 1))
def test_a_bound_is_the_first_one_that_the_kernel_has(ns: int) -> None:
    (bound,) = at([f"{ns}ns"]).bounds_ns
    assert ns <= bound <= max(63, ns + ns // 8)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("2", (255, 2**35 - 1)),
        ("1us,10ms", (1023, 10485759)),
        (" 5ms , 1m", (5242879, 60129542143)),
    ],
)
def test_reads_a_number_or_times(text: str, bounds: tuple[int, ...]) -> None:
    assert read(text).bounds_ns == bounds


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("1", "1 bounds: there may be 2 to 64"),
        ("65", "65 bounds: there may be 2 to 64"),
        ("", "'' is no time"),
        ("1ms,fast", "'fast' is no time"),
        ("1ms,1us", "1us comes after something longer"),
        ("1ms,1.01ms", "1.01ms falls into the same bucket"),
        ("2m", "2m is too long"),
        (",".join(f"{i}ms" for i in range(1, 66)), "65 bounds"),
    ],
)
def test_says_what_is_wrong(text: str, cause: str) -> None:
    with pytest.raises(BadBuckets) as caught:
        read(text)
    assert cause in str(caught.value)
