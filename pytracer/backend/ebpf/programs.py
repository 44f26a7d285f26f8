"""The programs that stream calls, on their way into the kernel."""

from __future__ import annotations

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf.bpf import F_MMAPABLE, F_NO_PREALLOC, Map
from pytracer.backend.ebpf.loader import SCHED_SWITCH, Loaded, Loading, Resize, begin, compiled
from pytracer.backend.ebpf.namespace import Namespace
from pytracer.backend.ebpf.ring import possible_cpus
from pytracer.backend.ebpf.shared import MARKS, pid_max
from pytracer.backend.ebpf.threads import room_for
from pytracer.target.selection import Members, Target

HOLDS = ("hold__back", "hold__send")  # in the order in which the programs know them


class StreamPrograms:
    """What bpf/stream.c has in the kernel, begun as early in a start as its parts are known.

    ``descriptors``, ``stacks``: what plans ask for beyond memory. ``holds``: with what holds
    targets back. ``cpu``: with what measures the CPU time of calls, which looks at every change of
    tasks on a CPU. ``namespace``: whose numbers are spoken of; ``cpus``: that there may be.
    Errors: none raised; what does not work is told when the maps or programs are asked for.
    """

    def __init__(
        self,
        target: Target,
        descriptors: bool = False,
        stacks: bool = False,
        holds: bool = False,
        cpu: bool = False,
    ) -> None:
        self.namespace = Namespace()
        self.cpus = possible_cpus()
        self.holds = HOLDS if holds else ()
        self.cpu = cpu
        self._begun: Loading | BackendUnavailable
        try:
            self._begun = self._begin(target, descriptors, stacks)
        except BackendUnavailable as error:
            self._begun = error

    def _begin(self, target: Target, descriptors: bool, stacks: bool) -> Loading:
        members: frozenset[str] = frozenset()
        if isinstance(target, Members):
            from pytracer.backend.ebpf.members import programs_for

            members = programs_for(target)
        return begin(
            compiled("stream.c", descriptors=descriptors, stacks=stacks, members=bool(members)),
            {
                "threads": Resize(F_NO_PREALLOC, room_for(target)),
                "shapes": Resize(F_NO_PREALLOC),
                "gates": Resize(F_MMAPABLE, self.cpus),
                "marked": Resize(F_MMAPABLE, -(-pid_max() // MARKS)),
                "numbers": Resize(F_NO_PREALLOC),
                "events": Resize(0, self.cpus),
            },
            self.namespace.nested,
            members.union(self.holds, {SCHED_SWITCH} if self.cpu else ()),
        )

    def _loading(self) -> Loading:
        if isinstance(self._begun, BackendUnavailable):
            raise self._begun
        return self._begun

    @property
    def maps(self) -> dict[str, Map]:
        """The maps, which are there from the beginning. Errors: BackendUnavailable."""
        return self._loading().maps

    def loaded(self) -> Loaded:
        """Wait for the programs. Errors: BackendUnavailable."""
        return self._loading().finish()

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        if isinstance(self._begun, Loading):
            self._begun.close()
