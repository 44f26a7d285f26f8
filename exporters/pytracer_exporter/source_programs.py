"""The programs that count, brought into the kernel: all that needs privileges."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf import counts, tally
from pytracer.backend.ebpf.bpf import BpfError
from pytracer.backend.ebpf.loader import Loaded, unavailable
from pytracer.backend.ebpf.members import connect
from pytracer.backend.ebpf.namespace import Namespace
from pytracer.backend.ebpf.ring import possible_cpus
from pytracer.backend.ebpf.targets import MOST_TARGETS
from pytracer.backend.ebpf.wire import MAX_NR
from pytracer.decode.catalogue import book, numbers
from pytracer.event.schema import Abi
from pytracer.spec.scalar import Fd
from pytracer.target.selection import Cgroup, Members, Selection
from pytracer_exporter.counting import Counting

# Whatever the first targets are, others may come: all programs that follow any are loaded.
_ANYBODY: Final = Members((Cgroup(0, "/", "/"),), ("*",), True)
# Rows for kinds of calls, of all targets: what 32 MiB hold, and within bounds. A program that does
# much makes some sixty; on 64 CPUs 512 of them take 112 MiB.
_MOST_BYTES: Final = 32 << 20
_LEAST_ROWS: Final = 512
_MOST_ROWS: Final = 4096


def load_programs(counting: Counting) -> Loaded:
    """Load and attach the programs. They trace nobody yet.

    Errors: BackendUnavailable.
    """
    affordable = _MOST_BYTES // (counts.COUNTS.size * possible_cpus())
    rows = counting.rows or min(max(affordable, _LEAST_ROWS), _MOST_ROWS)
    rows = min(rows + 1, counts.MOST_ROWS)  # the first is for calls without one
    loaded = tally.load_counting(
        _ANYBODY, Namespace(), rows, MOST_TARGETS, counting.cpu, targets=True
    )
    try:
        _prepare(loaded, counting)
        loaded.attach()
    except BpfError as error:
        loaded.close()
        raise unavailable(error) from error
    except BackendUnavailable:
        loaded.close()
        raise
    return loaded


def _prepare(loaded: Loaded, counting: Counting) -> None:
    selection = Selection(syscalls=dict(counting.syscalls) if counting.syscalls else None)
    tally.choose_calls(loaded, _slots(selection, counting), MOST_TARGETS)
    loaded.maps["counting"].update(bytes(4), counts.COUNTING.pack(1, 0))
    connect(loaded)
    tally.fill(loaded)


def _slots(selection: Selection, counting: Counting) -> bytes:
    """What the programs are to do about each call.

    Numbers that no kernel knows share a row: there may be as many as a program likes.
    """
    slots = bytearray(tally.slots(selection))
    for abi in Abi:
        known = numbers(abi)
        for nr in range(MAX_NR):
            if nr not in known:
                _change(slots, abi, nr, counts.SLOT_STRANGE)
        for nr in _of_descriptors(abi) if counting.fd_types else ():
            _change(slots, abi, nr, counts.SLOT_FILE)
    return bytes(slots)


def _change(slots: bytearray, abi: Abi, nr: int, kind: int) -> None:
    at = 2 * (int(abi) * MAX_NR + nr)
    (now,) = struct.unpack_from("<H", slots, at)
    if now != counts.SLOT_UNWANTED:
        struct.pack_into("<H", slots, at, kind)


def _of_descriptors(abi: Abi) -> Iterator[int]:
    """The calls whose first argument is a descriptor."""
    entries = book().entries
    for nr, (name, _) in numbers(abi).items():
        entry = entries.get((name, int(abi)))
        if entry is not None and entry.args and isinstance(next(iter(entry.args.values())), Fd):
            yield nr
