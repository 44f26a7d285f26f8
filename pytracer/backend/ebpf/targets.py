"""Several targets at once, each with a number: what the programs of bpf/targets.h are told.

Nothing here needs more than the maps' descriptors: targets come and go without a privilege.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pytracer.backend.ebpf import bpf
from pytracer.backend.ebpf.loader import Loaded, unavailable
from pytracer.backend.ebpf.members import CHOICE, Paths, look
from pytracer.target.patterns import STATES, Automaton, BadPattern, compile_patterns
from pytracer.target.selection import Cgroup

MOST_TARGETS: Final = 64
RANKING: Final = struct.Struct("<IIQQ64s")
NAMES: Final = struct.Struct("<QQQ256Q64s")
MOST_AUTOMATA: Final = 8
_NUMBER: Final = struct.Struct("<I")
_MASK: Final = struct.Struct("<Q")
_ZERO: Final = bytes(4)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A target by its number, below MOST_TARGETS. Its threads are counted in that group."""

    number: int
    pids: tuple[int, ...] = ()
    cgroups: tuple[Cgroup, ...] = ()
    comms: tuple[str, ...] = ()
    everyone: bool = False

    @property
    def bit(self) -> int:
        """It among targets."""
        return 1 << self.number


class Targets:
    """Tells the programs whom to trace, and as what."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._maps = loaded.maps
        self._now: tuple[Numbered, ...] = ()
        self._paths = Paths(())

    def choose(self, wanted: Sequence[Numbered]) -> None:
        """Trace these from now on: whoever fits several belongs to the first.

        A process that was named before, and is named still, is the same one; others are looked
        for now.
        Errors: BackendUnavailable; BadPattern, and nothing has changed.
        """
        names = automata(wanted)
        try:
            self._forget(wanted)
            self._name(wanted)
            self._choose_groups(wanted, names)
        except bpf.BpfError as error:
            raise unavailable(error) from error
        self._now = tuple(wanted)

    def look(self) -> None:
        """Have all tasks looked at.

        Errors: BackendUnavailable.
        """
        look(self._loaded)

    def _forget(self, wanted: Sequence[Numbered]) -> None:
        """Have threads forget the targets that named them and do so no more.

        A target's number may be another one's later.
        """
        before = {target.number: target for target in self._now}
        after = {target.number: target for target in wanted}
        valid = [
            target
            for target in self._now
            if target.number in after and set(target.pids) <= set(after[target.number].pids)
        ]
        if len(valid) == len(before):
            return
        kept = [target for target in self._now if target.number in after]
        self._rank(kept, sum(target.bit for target in valid), automata(kept))
        self.look()

    def _rank(self, targets: Sequence[Numbered], live: int, names: Sequence[bytes]) -> None:
        # What belongs to no other target does to one that takes everything.
        order = sorted(targets, key=lambda target: target.everyone)
        ranking = RANKING.pack(
            len(targets),
            any(target.pids for target in targets),
            sum(target.bit for target in targets if target.everyone),
            live,
            bytes(target.number for target in order),
        )
        groups = [cgroup for target in targets for cgroup in target.cgroups]
        choice = CHOICE.pack(
            any(target.everyone for target in targets),
            bool(groups),
            any(cgroup.hierarchy for cgroup in groups),
            0,
            0,
            0,
            any(target.comms for target in targets),
            *bytes(256),
        )
        nobody = bytes(NAMES.size)
        for number in range(MOST_AUTOMATA):
            value = names[number] if number < len(names) else nobody
            self._maps["automata"].update(_NUMBER.pack(number), value)
        self._maps["choices"].update(_ZERO, choice)
        self._maps["rankings"].update(_ZERO, ranking)

    def _name(self, wanted: Sequence[Numbered]) -> None:
        """Tell of processes by their numbers, once: the kernel forgets those that end."""
        named = self._maps["named_pids"]
        before, after = _by_pid(self._now), _by_pid(wanted)
        for pid in before.keys() | after.keys():
            key = _NUMBER.pack(pid)
            known = named.lookup(key)
            then, now = before.get(pid, 0), after.get(pid, 0)
            mask = now & ~then | (_MASK.unpack(known)[0] & now if known is not None else 0)
            if mask:
                named.update(key, _MASK.pack(mask))
            elif known is not None:
                named.delete(key)

    def _choose_groups(self, wanted: Sequence[Numbered], names: Sequence[bytes]) -> None:
        """Tell of control groups, then of the order of all targets, and have all tasks looked at.

        What the programs take in meanwhile for what they were told before is put right at last.
        """
        groups, edges = self._maps["groups"], self._maps["edges"]
        known = set(bpf.MapReader(groups).keys())
        former = self._paths
        chosen = ((cgroup, target.bit) for target in wanted for cgroup in target.cgroups)
        paths = Paths(chosen, former.nodes)
        for edge, what in paths.steps():
            edges.update(edge, what)
        found = set()
        for group, what in paths.groups():
            found.add(group)
            groups.update(group, what)
        self._paths = paths
        for key in known - found:
            groups.delete(key)
        for edge, _ in former.steps():
            edges.delete(edge)
        self._rank(wanted, sum(target.bit for target in wanted), names)
        self.look()


def automata(targets: Sequence[Numbered]) -> list[bytes]:
    """Compile the patterns of all targets, as few automata as they fit into.

    Errors: BadPattern.
    """
    found: list[bytes] = []
    patterns: list[tuple[str, int]] = []
    compiled: Automaton | None = None
    for pattern, number in ((each, target.number) for target in targets for each in target.comms):
        try:
            both = compile_patterns([*(known for known, _ in patterns), pattern])
        except BadPattern:
            compile_patterns([pattern])  # what is wrong with this one alone is the user's to know
            assert compiled is not None
            found.append(_packed(compiled, [whose for _, whose in patterns]))
            patterns, both = [], compile_patterns([pattern])
        patterns.append((pattern, number))
        compiled = both
    if compiled is not None:
        found.append(_packed(compiled, [whose for _, whose in patterns]))
    if len(found) > MOST_AUTOMATA:
        raise BadPattern(
            f"the patterns are too long together: {MOST_AUTOMATA * STATES} letters are the most"
        )
    return found


def _packed(names: Automaton, whose: Sequence[int]) -> bytes:
    ends = (state for state in range(STATES) if names.ends >> state & 1)
    targets = bytearray(STATES)
    for state, number in zip(ends, whose, strict=True):
        targets[state] = number
    return NAMES.pack(names.begins, names.stays, names.ends, *names.accepts, bytes(targets))


def _by_pid(targets: Sequence[Numbered]) -> dict[int, int]:
    found: dict[int, int] = {}
    for target in targets:
        for pid in target.pids:
            found[pid] = found.get(pid, 0) | target.bit
    return found
