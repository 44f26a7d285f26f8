"""What bpf/count.c has in the kernel: its maps, prepared for a selection, and read."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import Final

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf import bpf, counts, wire
from pytracer.backend.ebpf.attach import in_progress
from pytracer.backend.ebpf.bpf import F_MMAPABLE, F_NO_PREALLOC, BpfError
from pytracer.backend.ebpf.loader import (
    SCHED_SWITCH,
    Loaded,
    Resize,
    compiled,
    load,
    unavailable,
)
from pytracer.backend.ebpf.members import Membership, programs_for
from pytracer.backend.ebpf.namespace import Namespace
from pytracer.backend.ebpf.ring import possible_cpus
from pytracer.backend.ebpf.shared import MARKS, Marks, pid_max
from pytracer.backend.ebpf.threads import Thread, is_over, ran_ns, room_for
from pytracer.event.durations import CallCounts, InFlight, Times
from pytracer.event.schema import Abi
from pytracer.target.selection import Members, Selection, Target

_ZERO: Final = bytes(4)
_FILLED_AT_ONCE: Final = 64  # FILLED_AT_ONCE, bpf/count.c
# More kinds of calls than x86_64 programs make, unless that is more than 64 MiB for all CPUs.
_ROWS_A_GROUP: Final = 448
_LEAST_ROWS: Final = 192
_MOST_BYTES: Final = 64 << 20
# Calls of i386 that stand for many, and which bits of the first argument tell for which.
_MANY: Final = {102: counts.SLOT_MANY, 117: counts.SLOT_MANY_LOW}


class Tally:
    """The programs and maps of one counting.

    ``groups``: how many groups of targets are counted apart. For the rest see CountBackend.
    ``entered``: how many threads user space has entered.
    ``membership``: what tells the programs whom to trace, if targets are selected so.
    Errors: BackendUnavailable when the system does not let it work.
    """

    def __init__(
        self, target: Target, selection: Selection, cpu: bool, overhead_ns: int, groups: int
    ) -> None:
        self.namespace = Namespace()
        self.membership: Membership | None = None
        self._selection = selection
        self._cpus = possible_cpus()
        self._overhead_ns = overhead_ns
        self._epoch = 1
        self.entered = 0
        self._detached = False
        self._lost_returns = 0
        self._before: dict[counts.Key, CallCounts] = {}
        rows = self._most_rows(groups)
        self.loaded = load_counting(target, self.namespace, rows, groups, cpu)
        self._mapped: list[counts.Threads | counts.Rows | Marks] = []
        try:
            self._prepare(self.loaded, target, groups)
        except BpfError as error:
            self.close()
            raise unavailable(error) from error
        except BackendUnavailable:
            self.close()
            raise

    def _prepare(self, loaded: Loaded, target: Target, groups: int) -> None:
        maps = loaded.maps
        choose_calls(loaded, slots(self._selection), groups)
        self._configure()
        self.namespace.enter(loaded, self._selection)
        if isinstance(target, Members):
            self.membership = Membership(loaded, target)
        self.threads = counts.Threads(maps["threads"])
        self._rows = counts.Rows(maps["counted"], maps["owners"], self._cpus)
        self.marks = Marks(maps["marked"])
        self._mapped = [self.threads, self._rows, self.marks]
        fill(loaded)

    def _most_rows(self, groups: int) -> int:
        """How many kinds of calls can be counted, and one."""
        affordable = _MOST_BYTES // (counts.COUNTS.size * self._cpus)
        return min(max(affordable, _LEAST_ROWS * groups), _ROWS_A_GROUP * groups, counts.MOST_ROWS)

    def _configure(self) -> None:
        config = counts.COUNTING.pack(self._epoch, self._overhead_ns)
        self.loaded.maps["counting"].update(_ZERO, config)

    def enter(self, thread: Thread, state: int, group: int = 0) -> bool:
        """Have the programs count a thread; whether they did not yet, and there is room for it."""
        key = self.namespace.key(thread.tid)
        if key is None or self.marks.get(int.from_bytes(key, "little")):
            return False
        place = self.loaded.maps["free_threads"].pop()
        if place is None:
            return False
        number = int.from_bytes(place, "little")
        call = in_progress(thread) if state == wire.STATE_ATTACHED else None
        abi, nr = (call.abi, call.nr) if call is not None else (0, -1)
        now = time.monotonic_ns()
        ran = ran_ns(thread.tid)
        value = counts.thread_value(key, state, thread.tid, thread.pid, group, now, ran, abi, nr)
        self.threads.write(number, value)
        self.entered += 1
        self.marks.set(int.from_bytes(key, "little"), number)
        return True

    def bury(self) -> None:
        """Let go of threads that ended while they were attached to: nobody heard of their end."""
        for place, thread in self.threads.places():
            if thread.state == wire.STATE_ATTACHED and is_over(thread.tgid, thread.tid):
                self.marks.set(thread.key, 0)
                self.threads.write(place, bytes(counts.THREAD.size))
                self.entered -= 1

    def detach(self) -> None:
        """Count no more; what was counted stays readable. May be called from a signal handler."""
        # While programs are detached one by one, entries are seen whose returns are not.
        if not self._detached:
            self._detached = True
            self._lost_returns = self.totals().lost_returns
        self.loaded.detach()

    def totals(self) -> counts.Totals:
        """What happened to the counting itself."""
        raw = self.loaded.maps["totals"].lookup(_ZERO, self._cpus)
        assert raw is not None
        return counts.Totals(*map(sum, zip(*counts.TOTALS.iter_unpack(raw), strict=True)))

    def losses(self) -> Iterator[tuple[int, str]]:
        """What is missing of the counts, and why."""
        yield self.totals().lost_tasks, "the map of threads was full"
        yield self._lost_returns, "the kernel did not tell of their return"
        yield self._rows.without_row(), "the table of system calls was full"

    def births(self) -> Iterator[tuple[int, int]]:
        """Threads that were followed since this was last asked for: tid and pid."""
        queue = self.loaded.maps["births"]
        while (birth := queue.pop()) is not None:
            tid, tgid = counts.BIRTH.unpack(birth)
            yield tid, tgid

    def read(self) -> list[CallCounts]:
        """What was counted since the beginning, in the order in which calls were first made."""
        return list(self._rows.read(self._epoch).values())

    def interval(self) -> list[CallCounts]:
        """What was counted since this was last asked for, or since the beginning."""
        over = self._epoch
        self._epoch += 1
        self._configure()
        now = self._rows.read(over)
        before, self._before = self._before, now
        found = []
        for key, total in now.items():
            new = total.since(before.get(key), *self._rows.recent.get(key, (Times(), Times())))
            if new.calls:
                found.append(new)
        return found

    def in_flight(self) -> list[InFlight]:
        """The calls that have been entered and have not returned."""
        return self.threads.in_flight(self._rows.sub_of)

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        while self._mapped:
            self._mapped.pop().close()
        self.loaded.close()


def load_counting(
    target: Target, namespace: Namespace, rows: int, groups: int, cpu: bool, targets: bool = False
) -> Loaded:
    """Create the maps and load the programs; nothing is attached yet.

    ``rows``: for how many kinds of calls there is room, and one. ``targets``: with what tells
    several targets apart. For the rest see Tally.
    Errors: BackendUnavailable.
    """
    members = programs_for(target)
    source = compiled("count.c", members=bool(members), targets=targets)
    threads = min(room_for(target), counts.MOST_THREADS)
    shapes = {
        "threads": Resize(F_MMAPABLE, threads),
        "free_threads": Resize(0, threads),
        "rows": Resize(0, groups * counts.CALLS),
        "owners": Resize(F_MMAPABLE, rows),
        "free_rows": Resize(0, rows),
        "odd_rows": Resize(F_NO_PREALLOC, rows),
        "counted": Resize(0, rows),
        "gates": Resize(0, possible_cpus()),
        "marked": Resize(F_MMAPABLE, -(-pid_max() // MARKS)),
        "numbers": Resize(F_NO_PREALLOC),
    }
    return load(source, shapes, namespace.nested, members | ({SCHED_SWITCH} if cpu else set()))


def choose_calls(loaded: Loaded, slots: bytes, groups: int) -> None:
    """Tell the programs what to do about each call, of every group.

    Errors: BpfError.
    """
    count = groups * counts.CALLS
    loaded.maps["rows"].update_many(struct.pack(f"<{count}I", *range(count)), slots * groups)


def fill(loaded: Loaded) -> None:
    """Have the numbers of all rows and threads free to be given.

    Errors: BpfError.
    """
    for program, name in (("fill_rows", "owners"), ("fill_threads", "threads")):
        end = loaded.maps[name].entries
        for begin in range(1, end, _FILLED_AT_ONCE):
            bpf.run_program(loaded.programs[program], begin, end)


def slots(selection: Selection) -> bytes:
    """What the programs are to do about each call of a group."""
    image = bytearray()
    for abi in Abi:
        kinds = [0] * wire.MAX_NR
        if selection.syscalls is not None:
            listed = selection.syscalls.get(abi, frozenset())
            kinds = [0 if nr in listed else counts.SLOT_UNWANTED for nr in range(wire.MAX_NR)]
        if abi is Abi.I386:
            for nr, kind in _MANY.items():
                kinds[nr] = kinds[nr] or kind
        kinds[-1] = counts.SLOT_ODD
        image += struct.pack(f"<{wire.MAX_NR}H", *kinds)
    return bytes(image)
