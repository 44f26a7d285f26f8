"""What is to be counted, of all targets alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytracer.event.schema import Abi


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted of all targets alike, for as long as the source lives.

    ``syscalls``: numbers wanted per ABI; None for all. ``cpu``: CPU time of calls, too, for which
    every change of tasks on a CPU is looked at. ``fd_types``: calls whose first argument is a
    descriptor are told apart by what that refers to. ``program_costs``: have the kernel keep how
    long the programs run. ``rows``: how many kinds of calls there is room for, of all targets
    together; None for what 32 MiB hold, from 512 to 4096.
    """

    syscalls: Mapping[Abi, frozenset[int]] | None = None
    cpu: bool = False
    fd_types: bool = False
    program_costs: bool = False
    rows: int | None = None
