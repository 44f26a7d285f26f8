"""Groups of calls: those of descriptions follow from these, those of the rest are written down."""

from __future__ import annotations

import pytest

from pytracer.decode.catalogue import book
from pytracer.event.schema import Abi
from pytracer.tables.groups import GROUPS

# Groups that strace(1) gives calls whose arguments alone would not tell: one of each kind.
KNOWN = {
    "bpf": {"desc"},
    "perf_event_open": {"desc"},
    "io_uring_setup": {"desc"},
    "io_uring_enter": {"desc", "signal"},
    "io_uring_register": {"desc", "memory"},
    "shmat": {"ipc", "memory"},
    "semctl": {"ipc"},
    "ipc": {"ipc"},
    "socketcall": {"desc"},
    "recvmmsg": {"network"},
    "sendmmsg": {"network"},
    "keyctl": set(),
    "mount": {"file"},
    "fanotify_mark": {"desc", "file"},
    "signalfd4": {"desc", "signal"},
    "oldfstat": {"desc", "fstat", "stat_like"},
    "io_setup": {"memory"},
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_description_has_the_groups_of_strace(name: str) -> None:
    entries = [book().entries.get((name, int(abi))) for abi in Abi]
    assert any(entries)
    for entry in entries:
        assert entry is None or entry.classes == KNOWN[name]


def test_only_undescribed_calls_are_written_down() -> None:
    assert not GROUPS.keys() & {name for name, _ in book().entries}
