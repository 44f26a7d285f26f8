"""The collector: reads the source when somebody asks, and shares what was read just before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from pytracer_exporter.families import Family, Filled, Form, Kind, Own, families
from pytracer_exporter.folding import Folding
from pytracer_exporter.reading import Source

# Two scrapes that are closer together get the same: nobody can make us read all the time.
FRESH_NS: Final = 100_000_000


class SourceCollector(Collector):
    """What a source has counted, as families. Not for several threads at a time.

    ``limit``: of series; see Folding. ``targets``: their names.
    """

    def __init__(
        self,
        source: Source,
        form: Form,
        limit: int,
        targets: Iterable[str],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._source = source
        self._form = form
        self._folding = Folding(limit, len(form.buckets.edges), targets)
        self._now_ns = now_ns
        self._read_ns: int | None = None
        self._families: Sequence[Filled] = ()
        self._reloaded = True
        self._reloaded_s = time.time()

    def change(self, form: Form, limit: int, targets: Iterable[str]) -> None:
        """Go on under a configuration that was read again."""
        self._form = form
        self._folding.change(limit, len(form.buckets.edges), targets)
        self._reloaded, self._reloaded_s = True, time.time()
        self._read_ns = None

    def refused(self) -> None:
        """Tell from now on that the last configuration could not be used."""
        self._reloaded = False
        self._read_ns = None

    def current(self) -> tuple[int, Sequence[Filled]]:
        """All families as of now, or of just before, and when they were read.

        Errors: those of Source.read.
        """
        now = self._now_ns()
        if self._read_ns is None or now - self._read_ns > FRESH_NS:
            reading = self._source.read()
            shown = self._folding.fold(reading)
            read_ns = self._now_ns()
            own = Own(
                self._source.backend,
                (read_ns - now) / 1e9,
                self._folding.folded,
                self._reloaded,
                self._reloaded_s,
            )
            self._families = tuple(families(reading, shown, self._form, own))
            self._read_ns = read_ns
        return self._read_ns, self._families

    def collect(self) -> Iterator[Metric]:
        """Give the families to prometheus-client, in its own form."""
        for filled in self.current()[1]:
            yield metric(filled)

    def describe(self) -> Iterator[Metric]:
        """Nothing: who registers the collector shall not read the source for it."""
        return iter(())


_MAKE: Final[dict[Kind, Callable[[Family], Metric]]] = {
    Kind.COUNTER: lambda f: CounterMetricFamily(f.name, f.help, labels=f.labels),
    Kind.GAUGE: lambda f: GaugeMetricFamily(f.name, f.help, labels=f.labels),
    Kind.HISTOGRAM: lambda f: HistogramMetricFamily(f.name, f.help, labels=f.labels),
    Kind.INFO: lambda f: InfoMetricFamily(f.name, f.help),
}


def metric(filled: Filled) -> Metric:
    """Make prometheus-client's metric of a family."""
    family = filled.family
    made = _MAKE[family.kind](family)
    for sample in filled.samples:
        labels = dict(zip(family.labels, sample.labels, strict=True))
        made.add_sample(family.full_name, labels, sample.value)
    for histogram in filled.histograms:
        labels = dict(zip(family.labels, histogram.labels, strict=True))
        for le, count in zip(filled.le, histogram.counts, strict=True):
            made.add_sample(f"{family.name}_bucket", {**labels, "le": le}, count)
        made.add_sample(f"{family.name}_count", labels, histogram.counts[-1])
        made.add_sample(f"{family.name}_sum", labels, histogram.total)
    return made
