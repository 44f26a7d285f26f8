"""The backend: programs, rings and tasks put together."""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pytracer.backend.base import BackendUnavailable, NotExecuted, TargetError
from pytracer.backend.ebpf import wire
from pytracer.backend.ebpf.bpf import BpfError, Map
from pytracer.backend.ebpf.digest import UNWRITTEN, Digest, Given, Make
from pytracer.backend.ebpf.garbage import rare_collections
from pytracer.backend.ebpf.image import plan_image
from pytracer.backend.ebpf.loader import Loaded, unavailable
from pytracer.backend.ebpf.outline import calls_in
from pytracer.backend.ebpf.plan import NoPlans, Plans
from pytracer.backend.ebpf.plan import select as select_calls
from pytracer.backend.ebpf.programs import StreamPrograms
from pytracer.backend.ebpf.reader import Reader
from pytracer.backend.ebpf.ring import Rings
from pytracer.backend.ebpf.shared import Gates, Marks
from pytracer.backend.ebpf.spool import DEFAULT_BYTES, Spool
from pytracer.backend.ebpf.threads import Thread, ran_ns, threads_of
from pytracer.backend.ebpf.turn import Turn
from pytracer.event.schema import Clock, Event, Lost, NewBy, Run
from pytracer.target.selection import Attach, Launch, Members, Selection, Target
from pytracer.target.spawn import ExecuteFailed, Spawned, spawn
from pytracer.target.start import Dispositions

if TYPE_CHECKING:
    from pytracer.backend.ebpf.members import Membership
    from pytracer.backend.recorder import Recording

_ZERO = bytes(4)
_PATIENCE_TURNS = 20


class Sizes(NamedTuple):
    """How much room there is for what was seen, in bytes.

    ``ring``: of each CPU's ring, a power of two; None for as much as is reasonable. ``spool``: for
    what waits to be handed on. ``holds``: the target is held back while there is little room.
    """

    ring: int | None = None
    spool: int = DEFAULT_BYTES
    holds: bool = False


class EbpfBackend:
    """Reports the system calls of its targets without ever stopping them.

    ``refuse``, when given, hears of each process that is not there; otherwise the first is
    raised. ``recording``: where what was seen is kept, if anywhere. ``programs``: where their
    loading was begun for this target, these plans and sizes.
    Errors: BackendUnavailable when the system does not let it work.
    """

    name = "ebpf"

    def __init__(
        self,
        target: Target,
        selection: Selection,
        plans: Plans | None = None,
        dispositions: Dispositions | None = None,
        refuse: Callable[[TargetError], None] | None = None,
        sizes: Sizes | None = None,
        recording: Recording | None = None,
        programs: StreamPrograms | None = None,
    ) -> None:
        self._plans = plans or NoPlans()
        self._sizes = sizes or Sizes()
        self._programs = programs or StreamPrograms(
            target, self._plans.descriptors, self._plans.stacks, self._sizes.holds
        )
        self._namespace = self._programs.namespace
        self._cpus = self._programs.cpus
        self.clock = Clock(time.time_ns() - time.monotonic_ns())
        self._target = target
        self._selection = selection
        self._refuse = refuse
        self._dispositions = dispositions or Dispositions()
        by_result, live = selection.by_result, recording is None
        self._digest = Digest(by_result, selection.signals, live, self._programs.cpu)
        self._tasks = self._digest.tasks
        self._recording = recording
        self._first: list[Event] = []
        self._stopping = False
        self._spawned: Spawned | None = None
        self._pidfds: list[int] = []
        self._rings: Rings | None = None
        self._gates: Gates | None = None
        self._marks: Marks | None = None
        self._reader: Reader | None = None
        self._membership: Membership | None = None
        self._loaded = Loaded()  # nothing yet
        try:
            self._prepare(self._programs.maps)
            # Until now the kernel has checked the programs.
            self._loaded = self._programs.loaded()
            self._complete(self._loaded)
        except BackendUnavailable:
            self.close()
            raise
        except BpfError as error:
            self.close()
            raise unavailable(error) from error

    def _prepare(self, maps: dict[str, Map]) -> None:
        """Do what takes the maps alone."""
        image = plan_image(self._plans, self._selection)
        calls = select_calls(image.calls, self._selection)
        count = len(calls) // maps["calls"].value_bytes
        maps["calls"].update_many(struct.pack(f"<{count}I", *range(count)), calls)
        count = len(image.steps) // maps["steps"].value_bytes
        maps["steps"].update_many(struct.pack(f"<{count}I", *range(count)), image.steps)
        maps["shapes"].update_many(image.shape_keys, image.shapes)
        self._rings = Rings(maps["events"], self._sizes.ring)
        self._gates = Gates(maps["gates"])
        self._marks = Marks(maps["marked"])
        spool = Spool(self._sizes.spool, self._recording)
        joining = isinstance(self._target, Members) if self._plans.stacks else None
        self._reader = Reader(self._rings, maps, self._gates, spool, self._sizes.holds, joining)

    def _complete(self, loaded: Loaded) -> None:
        """Do what takes the programs too."""
        self._namespace.enter(loaded, self._selection)
        if isinstance(self._target, Members):
            from pytracer.backend.ebpf.members import Membership

            self._membership = Membership(loaded, self._target)
        capture = struct.pack("<i", loaded.programs["capture"])
        loaded.maps["tails"].update(_ZERO, capture)
        for place, name in enumerate(self._programs.holds):
            program = struct.pack("<i", loaded.programs[name])
            loaded.maps["holds"].update(struct.pack("<I", place), program)
        if self._recording is not None:
            layout, counters = wire.LAYOUT, wire.Stats._fields
            self._recording.begin("slices", self.clock, self._programs.cpu, layout, counters)

    def events(self) -> Iterator[Event | None]:
        """Yield events until the targets are gone or :meth:`stop` was called.

        Errors: TargetError when the target cannot be found or started.
        """
        with rare_collections():
            yield from self._events(self._digest.turn)

    def runs(self) -> Iterator[Run | Event | None]:
        """Yield what :meth:`events` yields, calls that nothing interrupts together."""
        with rare_collections():
            yield from self._events(self._digest.runs)

    def _events(self, make: Make[Given]) -> Iterator[Given | Event | None]:
        reader = self._reader
        assert reader is not None
        reader.listen()
        beginning: Iterator[Event]
        match self._target:
            case Launch(besides=besides):
                beginning = chain(self._launch(self._target), self._attach(besides))
            case Attach():
                beginning = self._attach(self._target.pids)
            case Members():
                beginning = self._join(self._target)
        for event in beginning:
            self._first.append(event)
            yield event
        if self._recording is not None:
            self._recording.first(self._first)
        self._first.clear()
        reader.start()
        if self._spawned is not None:
            self._spawned.release()
        while (self._tasks.alive or self._membership) and not self._stopping:
            turn = reader.take(0.1)
            if turn is not None:
                yield from self._take(turn, make)
                if turn.refused and self._recording is not None and not reader.any_goes_on():
                    break  # nobody will write down that they have ended
            elif reader.failure is not None:
                raise BackendUnavailable("ebpf", str(reader.failure), "use --backend=ptrace")
            yield None
        yield from self._finish(reader, make)

    def _take(self, turn: Turn, make: Make[Given]) -> Iterator[Given | Event]:
        digest = self._digest
        if self._recording and self._recording.alone:
            yield from digest.outline(turn)
        else:
            yield from make(turn)
        while digest.merger.gone:
            self._loaded.maps["threads"].delete(digest.merger.gone.pop())
        if self._tasks.look_again and self._membership is not None:
            self._tasks.look_again = False
            self._membership.look()

    def _finish(self, reader: Reader, make: Make[Given]) -> Iterator[Given | Event]:
        """Let go of the targets, but not of what is known about them."""
        self._loaded.detach()
        ended = time.monotonic_ns()
        reader.hasten()
        until = hopeless = unwritten = 0
        handed_on = ended
        recording = self._recording
        while reader.failure is None and not (self._digest.given_up and recording is None):
            turn = reader.take(1.0)
            if turn is None:
                continue
            if not self._digest.given_up:
                yield from self._take(turn, make)
            if not turn.refused:
                hopeless = 0
                handed_on = time.monotonic_ns()
            elif turn.until_ns > handed_on:
                # Nothing waits any more, which would make room; a recording only grows.
                hopeless += 1
            if turn.until_ns > ended and (not turn.refused or hopeless > _PATIENCE_TURNS):
                until = turn.until_ns
                break
        now = time.monotonic_ns()
        counters = wire.total(self._loaded.maps["stats"].lookup(_ZERO, self._cpus))
        if hopeless > _PATIENCE_TURNS:
            reader.end()
            left = reader.left()
            unwritten = sum(map(calls_in, left))
            yield from self._digest.outline(Turn(now, slices=left))
            yield Lost(now, unwritten, UNWRITTEN)
        if recording is not None:
            reader.end()
            recording.finish(
                until_ns=until,
                now_ns=now,
                counters=counters,
                unwritten=unwritten,
                failure=self._spawned.failure() if self._spawned is not None else None,
            )
        yield from self._digest.over(now, counters, recording is None or not recording.alone)
        failure = self.failure()
        if failure is not None:
            raise failure

    def _launch(self, target: Launch) -> Iterator[Event]:
        try:
            child = self._spawned = spawn(target, self._dispositions)
        except ExecuteFailed as error:
            raise NotExecuted(0, error.errno, error.stage) from error
        except OSError as error:
            raise TargetError(0, error.errno or 0, "fork") from error
        if not child.ours:
            assert self._rings is not None
            self._rings.reopen()  # this is another process than the one that made them
        if self._enter(child.pid, child.pid, wire.STATE_LAUNCHING) is None:
            raise TargetError(child.pid, errno.ESRCH, "fork")
        self._loaded.attach()
        self._watch(child.pid)
        comm = os.path.basename(target.path)[:15].ljust(16, b"\0")
        yield self._tasks.begin(child.pid, child.pid, comm, NewBy.LAUNCHED)

    def _join(self, target: Members) -> Iterator[Event]:
        assert self._membership is not None and self._marks is not None
        yield from self._attach(target.pids)
        self._membership.begin(self._marks, self._namespace.key)
        for tid, key in self._membership.present():
            for thread in threads_of(tid, False):
                if tid not in self._tasks.alive:
                    yield from self._begin(thread)
                    self._show_state(thread, key)

    def _attach(self, pids: tuple[int, ...]) -> Iterator[Event]:
        self._loaded.attach()
        refusal: TargetError | None = None
        for pid in pids:
            found = threads_of(pid, self._selection.follow)
            if not found:
                refusal = TargetError(pid, errno.ESRCH, f"attach: ptrace(PTRACE_SEIZE, {pid})")
                if self._refuse is None:
                    raise refusal
                self._refuse(refusal)
                continue
            self._watch(pid)
            while found:
                for thread in found:
                    key = self._enter(thread.tid, thread.pid, wire.STATE_ATTACHED)
                    if key is None:
                        continue
                    yield from self._begin(thread)
                    self._show_state(thread, key)
                # Threads may have been made while the list was read.
                found = [
                    thread
                    for thread in threads_of(pid, self._selection.follow)
                    if thread.tid not in self._tasks.alive
                ]
        if refusal is not None and not self._tasks.alive and not self._membership:
            raise refusal

    def _begin(self, thread: Thread) -> Iterator[Event]:
        """Tell of a thread that was attached to, and of what its process has mapped."""
        new = self._tasks.begin(thread.tid, thread.pid, thread.comm, NewBy.ATTACHED)
        yield new
        if self._plans.stacks:
            from pytracer.backend.ebpf.mappings import first_of

            yield from first_of(new.task, self._tasks.alive.values())

    def _enter(self, tid: int, tgid: int, state: int) -> bytes | None:
        """Have the programs trace a thread; its key, None when it is gone."""
        key = self._namespace.key(tid)
        if key is not None:
            value = wire.thread_value(key, state, tid, tgid, time.monotonic_ns(), ran_ns(tid))
            self._loaded.maps["threads"].update(key, value)
            assert self._marks is not None
            self._marks.set(int.from_bytes(key, "little"))
        return key

    def _show_state(self, thread: Thread, key: bytes) -> None:
        """Have it told, when its turn comes, what a thread is doing as it is attached to."""

        def unchanged() -> bool:
            value = self._loaded.maps["threads"].lookup(key)
            return (
                value is not None and wire.THREAD_HEAD.unpack_from(value)[0] == wire.STATE_ATTACHED
            )

        task = self._tasks.alive[thread.tid]
        from pytracer.backend.ebpf.attach import doing  # who launches a program does not need it

        event = doing(thread, task, self._selection, self._plans, unchanged)
        if event is not None:
            self._digest.add(event)
            self._first.append(event)

    def _watch(self, pid: int) -> None:
        """Have the reader woken when the process ends."""
        with suppress(OSError):  # it may be over already: then there is nothing to wait for
            fd = os.pidfd_open(pid)
            self._pidfds.append(fd)
            assert self._reader is not None
            self._reader.watch(fd)

    @property
    def counted(self) -> wire.Stats:
        """What the kernel has counted, up to the last event."""
        return self._digest.counted

    def waiting(self) -> int:
        """How many bytes of what was seen wait to be handed on."""
        return 0 if self._reader is None else self._reader.spool.waiting()

    def kernel_bytes(self) -> int:
        """The kernel's memory that maps and rings take."""
        rings = self._rings.kernel_bytes() if self._rings is not None else 0
        return self._loaded.kernel_bytes() + rings

    def failure(self) -> TargetError | None:
        """Tell why the launched process, now over, did not execute its program."""
        failure = self._spawned.failure() if self._spawned is not None else None
        return None if failure is None else TargetError(0, failure[1], failure[0])

    def stop(self) -> None:
        """Let go of the targets; what they have done until now is still handed on."""
        self._stopping = True
        # At once: what the targets do while a long turn is written is nobody's business.
        self._loaded.detach()
        if self._reader is not None:
            self._reader.hasten()

    def give_up(self) -> None:
        """Hand on no more of what the rings held: it is counted as lost."""
        self._digest.given_up = True

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        if self._spawned is not None:
            self._spawned.close()
        self._loaded.detach()
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._gates is not None:
            self._gates.close()
            self._gates = None
        if self._marks is not None:
            self._marks.close()
            self._marks = None
        if self._rings is not None:
            self._rings.close()
            self._rings = None
        for fd in self._pidfds:
            os.close(fd)
        self._pidfds.clear()
        self._programs.close()
