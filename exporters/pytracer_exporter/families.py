"""The families of metrics: names, meanings, and what they say of a reading.

Names and units follow Prometheus' conventions: base units, ``_total`` for counters.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from pytracer import __version__
from pytracer_exporter.buckets import Buckets
from pytracer_exporter.folding import Shown
from pytracer_exporter.reading import Reading

_SECOND_NS: Final = 1_000_000_000

Labels: TypeAlias = tuple[str, ...]


class Kind(Enum):
    """What Prometheus calls the type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


_SUFFIX: Final = {Kind.COUNTER: "_total", Kind.INFO: "_info"}


@dataclass(frozen=True, slots=True)
class Family:
    """A family's name, without the suffix that its type adds, and what it means."""

    name: str
    kind: Kind
    help: str
    labels: Labels = ()

    @property
    def full_name(self) -> str:
        """The name with its suffix, as its samples bear it; of a histogram's each adds its own."""
        return self.name + _SUFFIX.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a counter, a gauge or an info."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class HistogramSample:
    """``counts``: how many were within each bound, and all."""

    labels: Labels
    counts: Sequence[int]
    total: float


@dataclass(slots=True)
class Filled:
    """A family and its samples; only histograms have ``histograms``, over the bounds ``le``."""

    family: Family
    samples: Sequence[Sample] = ()
    histograms: Sequence[HistogramSample] = ()
    le: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Own:
    """What the exporter tells of itself.

    Units: ``reading_s`` seconds, ``reloaded_s`` seconds since the epoch.
    """

    backend: str
    reading_s: float
    folded: int
    reloaded: bool
    reloaded_s: float


CALLS: Final = Family(
    "pytracer_syscalls", Kind.COUNTER, "System calls that have returned.", ("target", "syscall")
)
ERRORS: Final = Family(
    "pytracer_syscall_errors",
    Kind.COUNTER,
    "System calls that failed, by the name of the error.",
    ("target", "syscall", "errno"),
)
DURATION: Final = Family(
    "pytracer_syscall_duration_seconds",
    Kind.HISTOGRAM,
    "How long system calls took, from entry to return.",
    ("target", "syscall"),
)
CPU: Final = Family(
    "pytracer_syscall_cpu_seconds",
    Kind.COUNTER,
    "CPU time that the kernel spent in system calls.",
    ("target", "syscall"),
)
IN_FLIGHT: Final = Family(
    "pytracer_syscall_inflight",
    Kind.GAUGE,
    "System calls that were entered and have not returned.",
    ("target", "syscall"),
)
OLDEST: Final = Family(
    "pytracer_syscall_inflight_oldest_seconds",
    Kind.GAUGE,
    "How long the oldest of the calls that have not returned has been waiting.",
    ("target", "syscall"),
)
SIGNALS: Final = Family(
    "pytracer_signals",
    Kind.COUNTER,
    "Signals that were delivered, or ignored.",
    ("target", "signal"),
)
UP: Final = Family(
    "pytracer_target_up", Kind.GAUGE, "Whether there is a process of the target now.", ("target",)
)
PROCESSES: Final = Family("pytracer_processes", Kind.GAUGE, "Processes of the target.", ("target",))
THREADS: Final = Family("pytracer_threads", Kind.GAUGE, "Threads of the target.", ("target",))
LOST: Final = Family(
    "pytracer_events_lost",
    Kind.COUNTER,
    "What could not be counted, by the reason.",
    ("reason",),
)
PROGRAM_SECONDS: Final = Family(
    "pytracer_bpf_program_run_seconds",
    Kind.COUNTER,
    "Time that a BPF program of the exporter has taken, of all CPUs.",
    ("program",),
)
PROGRAM_RUNS: Final = Family(
    "pytracer_bpf_program_runs",
    Kind.COUNTER,
    "How often a BPF program of the exporter has run.",
    ("program",),
)
BACKEND: Final = Family(
    "pytracer_backend",
    Kind.INFO,
    "How system calls are seen: ebpf, or ptrace, which stops the target at each.",
    ("backend",),
)
BUILD: Final = Family(
    "pytracer_build", Kind.INFO, "The version that runs.", ("version", "python_version")
)
FOLDED: Final = Family(
    "pytracer_series_folded",
    Kind.COUNTER,
    "Label sets that have been counted as other, because --max-series was reached.",
)
READING: Final = Family(
    "pytracer_scrape_duration_seconds",
    Kind.GAUGE,
    "How long it took to read what this answer tells.",
)
RELOADED: Final = Family(
    "pytracer_config_last_reload_successful",
    Kind.GAUGE,
    "Whether the last configuration that was read is in use.",
)
RELOADED_AT: Final = Family(
    "pytracer_config_last_reload_success_timestamp_seconds",
    Kind.GAUGE,
    "When the configuration in use was read, in seconds since 1970.",
)

ALL: Final = (
    CALLS, DURATION, CPU, ERRORS, IN_FLIGHT, OLDEST, SIGNALS, UP, PROCESSES, THREADS, LOST,
    PROGRAM_SECONDS, PROGRAM_RUNS, BACKEND, BUILD, FOLDED, READING, RELOADED, RELOADED_AT,
)  # fmt: skip
# Those that tell types of descriptors apart, where that is asked for.
BY_DESCRIPTOR: Final = (CALLS, DURATION, CPU)


@dataclass(frozen=True, slots=True)
class Form:
    """How counts become samples: the histograms' bounds, and whether fd_type is a label."""

    buckets: Buckets
    fd_type: bool = False
    _by_descriptor: dict[str, Family] = field(default_factory=dict)

    def family(self, family: Family) -> Family:
        """A family with the labels that it has under this form."""
        if not self.fd_type:
            return family
        found = self._by_descriptor.get(family.name)
        if found is None:
            labels = (*family.labels, "fd_type")
            found = Family(family.name, family.kind, family.help, labels)
            self._by_descriptor[family.name] = found
        return found


def families(reading: Reading, shown: Shown, form: Form, own: Own) -> Iterator[Filled]:
    """Tell all that is exported."""
    yield from _calls(shown, form)
    yield Filled(ERRORS, [Sample(key, count) for key, count in shown.errors.items()])
    stuck = shown.in_flight.items()
    yield Filled(IN_FLIGHT, [Sample(key, each.calls) for key, each in stuck])
    yield Filled(OLDEST, [Sample(key, each.oldest_ns / _SECOND_NS) for key, each in stuck])
    yield Filled(SIGNALS, [Sample(key, count) for key, count in shown.signals.items()])
    targets = reading.targets
    yield Filled(UP, [Sample((each.name,), int(each.up)) for each in targets])
    yield Filled(PROCESSES, [Sample((each.name,), each.processes) for each in targets])
    yield Filled(THREADS, [Sample((each.name,), each.threads) for each in targets])
    yield Filled(LOST, [Sample((reason,), count) for reason, count in reading.lost.items()])
    programs = reading.programs
    yield Filled(
        PROGRAM_SECONDS, [Sample((each.name,), each.run_ns / _SECOND_NS) for each in programs]
    )
    yield Filled(PROGRAM_RUNS, [Sample((each.name,), each.runs) for each in programs])
    yield Filled(BACKEND, [Sample((own.backend,), 1)])
    yield Filled(BUILD, [Sample((__version__, platform.python_version()), 1)])
    yield Filled(FOLDED, [Sample((), own.folded)])
    yield Filled(READING, [Sample((), own.reading_s)])
    yield Filled(RELOADED, [Sample((), int(own.reloaded))])
    yield Filled(RELOADED_AT, [Sample((), own.reloaded_s)])


def _calls(shown: Shown, form: Form) -> Iterator[Filled]:
    calls, histograms, cpu = [], [], []
    cumulate = form.buckets.cumulate
    for key, counts in shown.calls.items():
        labels = key if form.fd_type else key[:2]
        calls.append(Sample(labels, counts.calls))
        histograms.append(
            HistogramSample(labels, cumulate(counts.histogram.buckets), counts.wall_ns / _SECOND_NS)
        )
        if counts.cpu_ns is not None:
            cpu.append(Sample(labels, counts.cpu_ns / _SECOND_NS))
    yield Filled(form.family(CALLS), calls)
    yield Filled(form.family(DURATION), histograms=histograms, le=form.buckets.le)
    yield Filled(form.family(CPU), cpu)
