"""Counts by the programs in the kernel: read from maps, by their descriptors alone.

Whoever holds the descriptors needs no privilege for any of it, also not for other targets.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf import bpf, counts, wire
from pytracer.backend.ebpf.loader import Loaded, unavailable
from pytracer.backend.ebpf.members import own_threads
from pytracer.backend.ebpf.namespace import Namespace
from pytracer.backend.ebpf.ring import possible_cpus
from pytracer.backend.ebpf.shared import Marks
from pytracer.backend.ebpf.targets import MOST_TARGETS, Targets
from pytracer.decode.siginfo import name_of_signal
from pytracer.target.patterns import BadPattern
from pytracer.target.selection import Selection
from pytracer_exporter.counting import Counting
from pytracer_exporter.log import LOG
from pytracer_exporter.reading import (
    ProgramCost,
    Reading,
    Unwatchable,
    Watched,
)
from pytracer_exporter.source_present import Present
from pytracer_exporter.source_rows import Rows
from pytracer_exporter.source_targets import Resolved, is_there, resolve

_TICK_S: Final = 1.0
_ZERO: Final = bytes(4)
_SIGNALS: Final = struct.Struct(f"<{counts.SIGNALS}Q")
_NO_SIGNALS: Final = (0,) * counts.SIGNALS
_ATTACHED: Final = ("raw_tracepoint__", "members__")
_BURY_NS: Final = 1_000_000_000


class EbpfSource:
    """Reads the counts of programs that are attached. ``loaded`` is its own from now on.

    ``counting``: as for which they were loaded.
    Errors: Unwatchable, BackendUnavailable.
    """

    backend = "ebpf"

    def __init__(self, loaded: Loaded, counting: Counting, targets: Sequence[Watched]) -> None:
        self._loaded = loaded
        self._counting = counting
        self._cpus = possible_cpus()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._ticking: threading.Thread | None = None
        self._watched: dict[str, Resolved] = {}
        # By name, also of those that are not watched any more: they may come back.
        self._numbers: dict[str, int] = {}
        self._signals_before: dict[int, Sequence[int]] = {}
        self._again = self._made = 0
        self._look_ns = 0
        self._closed = False
        maps = loaded.maps
        self._threads = counts.Threads(maps["threads"])
        self._rows = Rows(maps["counted"], maps["owners"], self._cpus, counting.cpu)
        self._marks = Marks(maps["marked"])
        self._targets = Targets(loaded)
        try:
            self._spare()
            self.watch(targets)
        except (Unwatchable, BackendUnavailable):
            self.close()
            raise
        self._ticking = threading.Thread(target=self._tick, name="source", daemon=True)
        self._ticking.start()

    def _spare(self) -> None:
        """What the exporter itself does is not counted."""
        namespace = Namespace()
        namespace.enter(self._loaded, Selection())
        for tid in own_threads(()):
            key = namespace.key(tid)
            if key is not None:
                self._marks.spare(int.from_bytes(key, "little"))

    def watch(self, targets: Sequence[Watched]) -> None:
        """Watch these from now on instead; one of an unchanged name goes on being counted.

        Errors: Unwatchable, and all is as before, when one cannot be watched.
        """
        with self._lock:
            if len(targets) > MOST_TARGETS:
                raise Unwatchable(
                    targets[MOST_TARGETS].name, f"{MOST_TARGETS} targets are the most at once"
                )
            self._made = self._totals().made
            resolved = {each.name: resolve(each, self._watched.get(each.name)) for each in targets}
            numbers = self._number(resolved)
            try:
                self._choose(resolved, numbers)
            except BadPattern as error:
                comms = next(target.name for target in targets if target.comms)
                raise Unwatchable(comms, f"{error} (of all targets)") from error
            for name in resolved.keys() - self._watched.keys():
                if self._numbers.get(name) != numbers[name]:
                    self._begin(numbers[name])
            self._watched, self._numbers = resolved, numbers

    def _number(self, names: Mapping[str, object]) -> dict[str, int]:
        """Numbers for these names; those of others are given away only if there are no more."""
        numbers = dict(self._numbers)
        free = sorted(set(range(MOST_TARGETS)) - set(numbers.values()))
        for name in names:
            if name in numbers:
                continue
            if free:
                numbers[name] = free.pop(0)
            else:
                gone = next(each for each in numbers if each not in names)
                numbers[name] = numbers.pop(gone)
        # The last to be given away are those that were watched last.
        unwatched = {name: number for name, number in numbers.items() if name not in names}
        return unwatched | {name: numbers[name] for name in names}

    def _choose(self, resolved: Mapping[str, Resolved], numbers: Mapping[str, int]) -> None:
        self._look_ns = time.monotonic_ns()
        self._targets.choose([each.numbered(numbers[name]) for name, each in resolved.items()])

    def _begin(self, number: int) -> None:
        """A target that is new has this number: what was counted before is not its own."""
        self._rows.begin(number)
        self._signals_before[number] = self._signals_of(number)

    def read(self) -> Reading:
        """What was counted until now.

        Errors: BackendUnavailable.
        """
        with self._lock:
            try:
                names = {self._numbers[name]: name for name in self._watched}
                present = self._present()
                return Reading(
                    self._rows.read(names),
                    list(present.stuck(names, self._rows.sub_of, self._counting.syscalls)),
                    list(present.states(names)),
                    self._signals(names),
                    self._losses(),
                    list(self._costs()),
                )
            except bpf.BpfError as error:
                raise unavailable(error) from error

    def _present(self) -> Present:
        """The threads of all targets."""
        present = Present(self._threads)
        if present.asking:
            # They have a word that whose they are may have changed, and have made no call since.
            self._targets.look()
            present = Present(self._threads)
        return present

    def _signals(self, names: Mapping[int, str]) -> dict[tuple[str, str], int]:
        found = {}
        for number, name in names.items():
            before = self._signals_before.get(number, _NO_SIGNALS)
            for signo, (now, then) in enumerate(zip(self._signals_of(number), before, strict=True)):
                if now > then:
                    found[name, name_of_signal(signo)] = now - then
        return found

    def _signals_of(self, number: int) -> Sequence[int]:
        raw = self._loaded.maps["signals"].lookup(struct.pack("<I", number), self._cpus)
        assert raw is not None
        return tuple(map(sum, zip(*_SIGNALS.iter_unpack(raw), strict=True)))

    def _losses(self) -> dict[str, int]:
        totals = self._totals()
        return {
            "threads_full": totals.lost_tasks,
            "syscalls_full": self._rows.without_row(),
            "return_unseen": totals.lost_returns,
        }

    def _totals(self) -> counts.Totals:
        raw = self._loaded.maps["totals"].lookup(_ZERO, self._cpus)
        assert raw is not None
        return counts.Totals(*map(sum, zip(*counts.TOTALS.iter_unpack(raw), strict=True)))

    def _costs(self) -> Iterator[ProgramCost]:
        for name, fd in self._loaded.programs.items():
            prefix, _, what = name.rpartition("__")
            if f"{prefix}__" not in _ATTACHED:
                continue
            run_ns, runs = bpf.run_time(fd)
            if runs:
                yield ProgramCost(what if prefix != "members" else f"members_{what}", runs, run_ns)

    def _tick(self) -> None:
        """See to what the programs cannot do alone."""
        while not self._closing.wait(_TICK_S):
            with self._lock:
                if self._closed:
                    return
                try:
                    self._look_again()
                except (BackendUnavailable, bpf.BpfError) as error:
                    LOG.error("targets are not looked for at the moment: %s", error)

    def _look_again(self) -> None:
        totals = self._totals()
        if totals.again != self._again:
            self._again = totals.again
            self._targets.look()
        if totals.made != self._made:
            self._made = totals.made
            found = [name for name, each in self._watched.items() if each.look_again()]
            if found:
                self._choose(self._watched, self._numbers)
        if self._look_ns and time.monotonic_ns() - self._look_ns > _BURY_NS:
            self._look_ns = 0
            self._bury()

    def _bury(self) -> None:
        """Let go of threads that ended while they were looked at: nobody heard of their end."""
        for place, thread in self._threads.places():
            if thread.state != wire.STATE_ATTACHED or is_there(thread.tgid, thread.tid):
                continue
            # Somebody may have heard meanwhile.
            if self._marks.get(thread.key) == place:
                self._marks.set(thread.key, 0)
                self._threads.write(place, bytes(counts.THREAD.size))

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self._closing.set()
        if self._ticking is not None:
            self._ticking.join()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._threads.close()
            self._rows.close()
            self._marks.close()
            self._loaded.close()
