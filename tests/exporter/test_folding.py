"""The number of series is bounded, and no counter goes backwards for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pytracer_exporter.folding import Folding, Shown, reserve
from pytracer_exporter.reading import Stuck, SyscallCounts

from tests.exporter.scenes import counts, reading

BOUNDS = 5
TARGETS = ("web", "db")

# What happens between two readings: so many more calls of one kind, of which some have failed.
STEPS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(TARGETS),
            st.sampled_from([f"call{i}" for i in range(12)]),
            st.sampled_from(["", "file", "socket"]),
            st.integers(1, 5),
            st.dictionaries(st.integers(1, 9), st.integers(1, 5), max_size=3),
        ),
        max_size=8,
    ),
    max_size=5,
)


def _series(shown: Shown) -> int:
    return (
        len(shown.calls) * (BOUNDS + 5)
        + len(shown.errors)
        + 2 * len(shown.in_flight)
        + len(shown.signals)
    )


@given(STEPS, st.integers(2 * reserve(BOUNDS), 300))
def test_counters_never_go_back_and_nothing_is_lost(
    steps: list[list[tuple[str, str, str, int, dict[int, int]]]], limit: int
) -> None:
    folding = Folding(limit, BOUNDS, TARGETS)
    so_far: dict[tuple[str, str, str], SyscallCounts] = {}
    before = Shown()
    for step in steps:
        for target, syscall, fd_type, calls, errnos in step:
            key = target, syscall, fd_type
            now = so_far.setdefault(key, counts(target, syscall, [], fd_type=fd_type))
            now.calls += calls
            now.histogram.buckets[7] += calls
            now.wall_ns += 100 * calls
            for errno, count in errnos.items():
                now.errnos[errno] = now.errnos.get(errno, 0) + count
        stuck = [Stuck(target, syscall, 2, 5) for target, syscall, *_ in step]
        shown = folding.fold(reading(list(so_far.values()), stuck, targets=TARGETS))
        assert _series(shown) <= limit
        for call, was in before.calls.items():
            assert shown.calls[call].calls >= was.calls
            assert shown.calls[call].wall_ns >= was.wall_ns
        for error, count in before.errors.items():
            assert shown.errors[error] >= count
        assert before.in_flight.keys() <= shown.in_flight.keys()
        assert sum(each.calls for each in shown.calls.values()) == sum(
            each.calls for each in so_far.values()
        )
        assert sum(shown.errors.values()) == sum(
            sum(each.errnos.values()) for each in so_far.values()
        )
        for each in shown.calls.values():
            assert sum(each.histogram.buckets) == each.calls
        before = shown


def test_what_comes_too_late_is_other_and_counted() -> None:
    folding = Folding(reserve(BOUNDS) + 2 * (BOUNDS + 6), BOUNDS, ["web"])
    first = [counts("web", "read", [1]), counts("web", "write", [2, 3])]
    later = [counts("web", "close", [7] * 5), counts("web", "fsync", [9], cpu_ns=11)]
    folding.fold(reading(first))
    shown = folding.fold(reading([*later, *first]))
    assert {key: each.calls for key, each in shown.calls.items()} == {
        ("web", "read", ""): 1,
        ("web", "write", ""): 2,
        ("web", "other", ""): 6,
    }
    assert shown.calls["web", "other", ""].cpu_ns == 11
    assert folding.folded == 2
    folding.fold(reading([*later, *first]))
    assert folding.folded == 2, "each is counted once"


def test_errors_without_room_keep_their_call() -> None:
    folding = Folding(reserve(BOUNDS) + BOUNDS + 6 + 1, BOUNDS, ["web"])
    shown = folding.fold(reading([counts("web", "read", [1] * 9, {11: 2, 4: 3, 32: 1})]))
    assert shown.errors == {("web", "read", "EAGAIN"): 2, ("web", "read", "other"): 4}


def test_signals_without_room_are_other() -> None:
    folding = Folding(reserve(BOUNDS) + 1, BOUNDS, ["web"])
    shown = folding.fold(reading(signals={("web", "SIGTERM"): 2, ("web", "SIGCHLD"): 5}))
    assert shown.signals == {("web", "SIGTERM"): 2, ("web", "other"): 5}


def test_what_was_in_flight_is_shown_with_zero_afterwards() -> None:
    folding = Folding(10_000, BOUNDS, ["web"])
    folding.fold(reading(stuck=[Stuck("web", "read", 3, 500)]))
    shown = folding.fold(reading())
    assert shown.in_flight == {("web", "read"): Stuck("web", "read", 0, 0)}


def test_in_flight_without_room_is_other() -> None:
    folding = Folding(reserve(BOUNDS), BOUNDS, ["web"])
    shown = folding.fold(
        reading(stuck=[Stuck("web", "read", 3, 500), Stuck("web", "futex", 2, 900)])
    )
    assert shown.in_flight == {("web", "other"): Stuck("web", "other", 5, 900)}


def test_a_target_that_is_gone_gives_its_series_back() -> None:
    folding = Folding(2 * reserve(BOUNDS) + BOUNDS + 6, BOUNDS, TARGETS)
    folding.fold(reading([counts("web", "read", [1])], targets=TARGETS))
    folding.change(2 * reserve(BOUNDS) + BOUNDS + 6, BOUNDS, ["db"])
    calls = [counts("db", "read", [1]), counts("web", "read", [1])]
    shown = folding.fold(reading(calls, targets=["db"]))
    assert list(shown.calls) == [("db", "read", "")]
