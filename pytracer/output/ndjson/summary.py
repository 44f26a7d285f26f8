"""Counted calls (-c) as one JSON object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from pytracer.decode.decoder import failure
from pytracer.event.durations import LOWER_NS, Times
from pytracer.output.ndjson.calls import ABIS
from pytracer.output.summary import Column, Counts, Summary, rows

PERCENTILES: Final = {"p50_ns": 50.0, "p90_ns": 90.0, "p99_ns": 99.0, "p99_9_ns": 99.9}


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a summary is about: it ended at ``time_ns`` and was ``duration_ns`` long.

    ``covers``: "interval" (--interval) or "all".
    """

    covers: str
    time_ns: int
    wall_ns: int
    duration_ns: int


def write(summary: Summary, span: Span, sort: Column | None) -> str:
    """Write a summary as a line; calls are in the order of -S within each ABI."""
    found = {
        "type": "summary",
        "time_ns": span.time_ns,
        "wall_ns": span.wall_ns,
        "covers": span.covers,
        "duration_ns": span.duration_ns,
        "calls": [
            {"syscall": counts.name, "abi": name, **_counts(counts, summary.wall)}
            for abi, name in ABIS.items()
            for counts in rows(summary, abi, sort)
        ],
    }
    return json.dumps(found, separators=(",", ":")) + "\n"


def _counts(counts: Counts, wall_only: bool) -> dict[str, Any]:
    wall = _times(counts.wall)
    histogram = counts.histogram
    for name, percent in PERCENTILES.items():
        wall[name] = histogram.percentile(percent, counts.wall)
    buckets = zip(LOWER_NS, histogram.buckets, strict=True)
    errnos = sorted(counts.errnos.items())
    return {
        "calls": counts.calls,
        "errors": counts.errors,
        "errnos": {failure(-errno).error or str(errno): calls for errno, calls in errnos},
        "wall": wall,
        **({} if wall_only else {"cpu": _times(counts.time)}),
        "histogram": [[lower, calls] for lower, calls in buckets if calls],
    }


def _times(times: Times) -> dict[str, int]:
    return {
        "total_ns": times.total_ns,
        "min_ns": max(times.min_ns, 0),
        "max_ns": times.max_ns,
    }
