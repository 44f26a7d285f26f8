"""Opening whatever counts."""

from __future__ import annotations

from collections.abc import Sequence

from pytracer_exporter.counting import Counting
from pytracer_exporter.reading import Source, Watched


def open_here(counting: Counting, targets: Sequence[Watched]) -> Source:
    """Count in this process, with the privileges that it has.

    Errors: BackendUnavailable, Unwatchable.
    """
    from pytracer_exporter.source_ebpf import EbpfSource
    from pytracer_exporter.source_programs import load_programs

    return EbpfSource(load_programs(counting), counting, targets)
