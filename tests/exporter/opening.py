"""Counting in the process of the test, with the privileges that it has."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from pytracer_exporter.counting import Counting
from pytracer_exporter.reading import Source, Watched
from pytracer_exporter.source_ebpf import EbpfSource
from pytracer_exporter.source_programs import load_programs


def opened(targets: Sequence[Watched], how: Counting | None = None) -> closing[Source]:
    """Count of these targets; as a context. Errors: BackendUnavailable, Unwatchable."""
    how = how or Counting()
    return closing(EbpfSource(load_programs(how), how, targets))
