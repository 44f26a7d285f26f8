"""What is exported: whom to watch, and what was counted of them. Data only, whoever has counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pytracer.event.durations import Histogram


@dataclass(frozen=True, slots=True)
class Watched:
    """A target and the name of its series.

    Whatever fits one of the criteria belongs to it. A process that belongs to several targets is
    counted for the first of them. ``everyone``: whatever belongs to no other.
    """

    name: str
    pids: tuple[int, ...] = ()
    units: tuple[str, ...] = ()
    cgroups: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    comms: tuple[str, ...] = ()
    everyone: bool = False


@dataclass(slots=True)
class SyscallCounts:
    """What was counted of one system call of one target since the exporter began.

    Shape: ``fd_type`` is empty where descriptors are not told apart; ``errnos``: failed calls by
        errno, the kernel's own -512..-516 among them.
    Units: nanoseconds. ``cpu_ns`` is None where it is not measured.
    """

    target: str
    syscall: str
    calls: int
    errnos: dict[int, int]
    wall_ns: int
    cpu_ns: int | None
    histogram: Histogram
    fd_type: str = ""


def summed(parts: Sequence[SyscallCounts]) -> SyscallCounts:
    """Add up what is exported as one, under the names of the first."""
    first = parts[0]
    if len(parts) == 1:
        return first
    errnos: Counter[int] = Counter()
    histogram = Histogram()
    for part in parts:
        errnos.update(part.errnos)
        histogram.merge(part.histogram)
    cpu = [part.cpu_ns for part in parts if part.cpu_ns is not None]
    return SyscallCounts(
        first.target,
        first.syscall,
        sum(part.calls for part in parts),
        dict(errnos),
        sum(part.wall_ns for part in parts),
        sum(cpu) if cpu else None,
        histogram,
        first.fd_type,
    )


@dataclass(frozen=True, slots=True)
class Stuck:
    """Calls of one kind that have been entered and have not returned.

    ``oldest_ns``: how long the oldest has been in flight.
    """

    target: str
    syscall: str
    calls: int
    oldest_ns: int


@dataclass(frozen=True, slots=True)
class TargetState:
    """``up``: whether there is a process of it now."""

    name: str
    up: bool
    processes: int
    threads: int


@dataclass(frozen=True, slots=True)
class ProgramCost:
    """What one BPF program has taken since it was loaded, of all CPUs."""

    name: str
    runs: int
    run_ns: int


@dataclass(slots=True)
class Reading:
    """All that was counted, at one moment.

    Shape: ``signals``: (target, signal name) -> delivered or ignored; ``lost``: reason -> events,
        every reason that there can be, 0 included; ``programs`` is empty where the kernel does
        not keep the figures (kernel.bpf_stats_enabled) and for ptrace.
    """

    calls: Sequence[SyscallCounts]
    stuck: Sequence[Stuck]
    targets: Sequence[TargetState]
    signals: Mapping[tuple[str, str], int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    programs: Sequence[ProgramCost] = ()


class Unwatchable(Exception):
    """A target cannot be watched. ``target``: its name. ``reason``: why, and the way out."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(target, reason)
        self.target = target
        self.reason = reason

    def __str__(self) -> str:
        return f"target {self.target}: {self.reason}"


class Source(Protocol):
    """Counts. All numbers that are counters only grow while the source lives."""

    @property
    def backend(self) -> str:
        """Either ``ebpf`` or ``ptrace``."""
        ...

    def read(self) -> Reading:
        """What was counted until now. Called at each scrape, one call at a time."""
        ...

    def watch(self, targets: Sequence[Watched]) -> None:
        """Watch these from now on instead; one of an unchanged name goes on being counted.

        Errors: Unwatchable, and all is as before, when one cannot be watched.
        """
        ...

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        ...
