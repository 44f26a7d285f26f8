"""Families in Prometheus' text format and in OpenMetrics'.

What prometheus-client writes, only sooner: it takes 70 ms for 300 histograms, and a scrape may
take 50. What a line begins with does not change from scrape to scrape and is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pytracer_exporter.families import Family, Filled, HistogramSample, Kind, Labels

# More than there can be series at a time. It is reached when targets come and go.
_MOST_KEPT: Final = 50_000


class Writer:
    """Writes families; keeps what their lines begin with."""

    def __init__(self) -> None:
        self._heads: dict[tuple[str, Labels], str] = {}
        self._bucket_heads: dict[tuple[str, Labels], list[str]] = {}
        self._le: Sequence[str] = ()

    def text(self, families: Iterable[Filled]) -> str:
        """Write in the text format."""
        lines: list[str] = []
        for filled in families:
            name = filled.family.full_name
            kind = "gauge" if filled.family.kind is Kind.INFO else filled.family.kind.value
            self._write(filled, name, kind, lines)
        return "\n".join(lines) + "\n"

    def openmetrics(self, families: Iterable[Filled]) -> str:
        """Write as OpenMetrics 1.0, but for the mark of its end."""
        lines: list[str] = []
        for filled in families:
            self._write(filled, filled.family.name, filled.family.kind.value, lines)
        return "\n".join(lines) + "\n"

    def _write(self, filled: Filled, name: str, kind: str, lines: list[str]) -> None:
        family = filled.family
        lines.append(f"# HELP {name} {family.help}")
        lines.append(f"# TYPE {name} {kind}")
        lines.extend(
            f"{self._head(family, sample.labels)} {sample.value}" for sample in filled.samples
        )
        if filled.le != self._le:
            self._le = filled.le
            self._bucket_heads.clear()
        for histogram in filled.histograms:
            heads = self._heads_of(family, histogram)
            lines.extend(map("%s %d".__mod__, zip(heads, histogram.counts, strict=False)))
            count, total = heads[-2:]
            lines.append(f"{count} {histogram.counts[-1]}")
            lines.append(f"{total} {histogram.total}")

    def _head(self, family: Family, labels: Labels) -> str:
        key = family.name, labels
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= _MOST_KEPT:
                self._heads.clear()
            name = family.full_name
            pairs = _pairs(family.labels, labels)
            head = f"{name}{{{pairs}}}" if pairs else name
            self._heads[key] = head
        return head

    def _heads_of(self, family: Family, histogram: HistogramSample) -> list[str]:
        """The beginnings of a histogram's lines: its buckets', then of count and sum."""
        key = family.name, histogram.labels
        heads = self._bucket_heads.get(key)
        if heads is None:
            if len(self._bucket_heads) >= _MOST_KEPT // len(self._le):
                self._bucket_heads.clear()
            pairs = _pairs(family.labels, histogram.labels)
            heads = [f'{family.name}_bucket{{{pairs},le="{le}"}}' for le in self._le]
            heads += [f"{family.name}_count{{{pairs}}}", f"{family.name}_sum{{{pairs}}}"]
            self._bucket_heads[key] = heads
        return heads


def _pairs(names: Labels, values: Labels) -> str:
    return ",".join(
        f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True)
    )


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
