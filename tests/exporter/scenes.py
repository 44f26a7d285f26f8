"""Readings made by hand, and a source that gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytracer_exporter.reading import Reading, Stuck, SyscallCounts, TargetState, Watched

from pytracer.event.durations import Histogram


def counts(
    target: str,
    syscall: str,
    durations_ns: Sequence[int],
    errnos: Mapping[int, int] | None = None,
    *,
    fd_type: str = "",
    cpu_ns: int | None = None,
) -> SyscallCounts:
    """Count calls of such durations."""
    histogram = Histogram()
    for ns in durations_ns:
        histogram.add(ns)
    return SyscallCounts(
        target,
        syscall,
        len(durations_ns),
        dict(errnos or {}),
        sum(durations_ns),
        cpu_ns,
        histogram,
        fd_type,
    )


def reading(
    calls: Sequence[SyscallCounts] = (),
    stuck: Sequence[Stuck] = (),
    signals: Mapping[tuple[str, str], int] | None = None,
    targets: Sequence[str] = ("web",),
) -> Reading:
    """A reading of targets that are all up."""
    return Reading(
        calls,
        stuck,
        [TargetState(name, True, 2, 3) for name in targets],
        signals or {},
        {"map_full": 0, "ring_full": 7},
    )


class Given:
    """A source that gives what it was made to hold, and counts how often it is read."""

    backend = "ebpf"

    def __init__(self, now: Reading) -> None:
        self.now = now
        self.reads = 0
        self.watched: list[Sequence[Watched]] = []

    def read(self) -> Reading:
        """Give it."""
        self.reads += 1
        return self.now

    def watch(self, targets: Sequence[Watched]) -> None:
        """Remember it."""
        self.watched.append(targets)

    def close(self) -> None:
        """There is nothing to close."""
