"""Reading afterwards what the programs could not read."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

from pytracer.backend.ebpf.repair import Repair


def mapped(protection: int) -> tuple[mmap.mmap, int]:
    """A page of a file in this very process, and its address."""
    with tempfile.TemporaryFile() as file:
        file.write(b"constant\0".ljust(mmap.PAGESIZE, b"\0"))
        file.flush()
        area = mmap.mmap(file.fileno(), mmap.PAGESIZE, mmap.MAP_PRIVATE, protection)
    for line in Path("/proc/self/maps").read_text().splitlines():
        if "(deleted)" in line and line.split()[5].startswith(tempfile.gettempdir()):
            return area, int(line.split("-")[0], 16)
    raise AssertionError("the mapping is not listed")


def test_constants_are_read() -> None:
    area, address = mapped(mmap.PROT_READ)
    regions = [(address, b"", False)]
    Repair().mend(os.getpid(), 1, regions)
    assert regions[1][0] == address and regions[1][1].startswith(b"constant\0")
    area.close()


def test_what_may_have_changed_is_not() -> None:
    area, address = mapped(mmap.PROT_READ | mmap.PROT_WRITE)
    regions = [(address, b"", False)]
    Repair().mend(os.getpid(), 1, regions)
    assert regions == [(address, b"", False)]
    area.close()


def test_another_programs_memory_is_not() -> None:
    area, address = mapped(mmap.PROT_READ)
    regions = [(address, b"", False)]
    repair = Repair()
    repair.executed(os.getpid(), 2)
    repair.mend(os.getpid(), 1, regions)
    assert len(regions) == 1
    repair.mend(os.getpid(), 3, regions)
    assert len(regions) == 2
    area.close()


def test_what_is_nowhere_stays_missing() -> None:
    regions = [(8, b"", False), (0x1000, b"known", True)]
    Repair().mend(os.getpid(), 1, regions)
    assert regions == [(8, b"", False), (0x1000, b"known", True)]
