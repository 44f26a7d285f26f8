"""Tasks that are traced for what they belong to: what the programs of bpf/members.h are told."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from pytracer.backend.ebpf import bpf, wire
from pytracer.backend.ebpf.loader import Loaded, unavailable
from pytracer.target.cgroups import children
from pytracer.target.patterns import Automaton, compile_patterns
from pytracer.target.selection import Cgroup, Members, Target

CHOICE: Final = struct.Struct("<IIIIQQQ256Q")
GROUP_KEY: Final = struct.Struct("<IIQ")
GROUP: Final = struct.Struct("<QII")
EDGE: Final = struct.Struct("<I252s")
_ZERO: Final = bytes(4)
_LONGEST_NAME: Final = 251
_NOBODY: Final = Automaton(0, 0, 0, (0,) * 256)


# What takes in a thread at the entry or exit of a call, and what goes on with it: enum join_place.
_JOINS: Final = (
    "members_tail__enter",
    "members_tail__exit",
    "raw_tracepoint__sys_enter",
    "raw_tracepoint__sys_exit",
)
_ANY: Final = (
    "members_iter__task",
    "members__sched_process_fork",
    "members__sched_process_exec",
    *_JOINS,
)
_MATES: Final = "members_tail__mates"
_CGROUPS: Final = (
    "members__cgroup_attach_task",
    "members__cgroup_mkdir",
    "members__cgroup_rmdir",
    _MATES,
)
_COMMS: Final = ("members__task_rename", _MATES)


def programs_for(target: Target) -> frozenset[str]:
    """Name the programs that follow what tasks belong to, as far as it matters for a target."""
    if not isinstance(target, Members):
        return frozenset()
    cgroups = _CGROUPS if target.cgroups else ()
    return frozenset((*_ANY, *cgroups, *(_COMMS if target.comms else ())))


def connect(loaded: Loaded) -> None:
    """Tell the programs which others they go on to.

    Errors: BpfError.
    """
    for place, name in enumerate(_JOINS):
        program = struct.pack("<i", loaded.programs[name])
        loaded.maps["joins"].update(struct.pack("<I", place), program)
    if _MATES in loaded.programs:
        loaded.maps["mates"].update(_ZERO, struct.pack("<i", loaded.programs[_MATES]))


def look(loaded: Loaded) -> None:
    """Have the programs look at all tasks. Errors: BackendUnavailable."""
    try:
        bpf.run_iterator(loaded.programs[_ANY[0]])
    except bpf.BpfError as error:
        raise unavailable(error) from error


class Marks(Protocol):
    """The map that says which threads are traced."""

    def spare(self, tid: int) -> None:
        """Never trace the thread, nor what it starts."""
        ...


class Paths:
    """The paths that are waited for, as a tree: its nodes are numbered, its edges are names.

    ``wanted``: the control groups, each with the targets that it makes tasks belong to, a bit
    each. ``nodes``: the number of the last node that was in use before.
    ``edges``: (node, name) -> what the group of that name below the node's is: (targets, node).
    ``tops``: the same of the hierarchies' tops, by (hierarchy, mount).
    """

    def __init__(self, wanted: Iterable[tuple[Cgroup, int]], nodes: int = 0) -> None:
        self.edges: dict[tuple[int, str], tuple[int, int]] = {}
        self.tops: dict[tuple[int, str], tuple[int, int]] = {}
        self.nodes = nodes
        for cgroup, targets in wanted:
            self._add(cgroup, targets)

    def _add(self, cgroup: Cgroup, targets: int) -> None:
        places: dict[Any, tuple[int, int]] = self.tops
        place: tuple[int, str] = cgroup.hierarchy, cgroup.mount
        for name in filter(None, cgroup.path.split("/")):
            chosen, node = places.get(place, (0, 0))
            if not node:
                self.nodes += 1
                node = self.nodes
                places[place] = chosen, node
            places, place = self.edges, (node, name)
        chosen, node = places.get(place, (0, 0))
        places[place] = chosen | targets, node

    def present(self) -> Iterator[tuple[int, str, tuple[int, int]]]:
        """Walk those that are there: (hierarchy, directory, what it is).

        A group is given before it is listed: who takes it in at once misses none that is made
        meanwhile, if the programs see those.
        """
        for (hierarchy, mount), what in self.tops.items():
            waiting = [(mount, what)]
            while waiting:
                folder, (targets, node) = waiting.pop()
                yield hierarchy, folder, (targets, node)
                for name in children(folder):
                    own, below = self.edges.get((node, name), (0, 0))
                    if targets | own or below:
                        waiting.append((f"{folder}/{name}", (targets | own, below)))

    def groups(self) -> Iterator[tuple[bytes, bytes]]:
        """What the programs' map of groups is to say of those that are there."""
        for hierarchy, folder, (targets, node) in self.present():
            try:
                number = os.stat(folder).st_ino
            except OSError:
                continue  # it has just been removed
            yield GROUP_KEY.pack(hierarchy, 0, number), GROUP.pack(targets, node, 0)

    def steps(self) -> Iterator[tuple[bytes, bytes]]:
        """What their map of edges is to say."""
        for (node, name), what in self.edges.items():
            key = EDGE.pack(node, os.fsencode(name)[:_LONGEST_NAME])
            yield key, GROUP.pack(*what, 0)


class Membership:
    """Tells the programs whom to trace.

    Errors: BackendUnavailable when the kernel refuses.
    """

    def __init__(self, loaded: Loaded, members: Members) -> None:
        self._loaded = loaded
        self._paths = Paths((cgroup, 1) for cgroup in members.cgroups)
        self._spared = members.spared
        names = compile_patterns(members.comms) if members.comms else _NOBODY
        choice = CHOICE.pack(
            members.everyone,
            bool(members.cgroups),
            any(cgroup.hierarchy for cgroup in members.cgroups),
            0,
            names.begins,
            names.stays,
            names.ends,
            *names.accepts,
        )
        maps = loaded.maps
        connect(loaded)
        maps["choices"].update(_ZERO, choice)
        for edge, what in self._paths.steps():
            maps["edges"].update(edge, what)

    def begin(self, marks: Marks, key_of: Callable[[int], bytes | None]) -> None:
        """Choose from what is there already; the programs are attached, and see what changes.

        ``key_of``: what the programs call a thread.
        """
        for tid in own_threads(self._spared):
            key = key_of(tid)
            if key is not None:
                marks.spare(int.from_bytes(key, "little"))
        groups = self._loaded.maps["groups"]
        try:
            for group, what in self._paths.groups():
                groups.update(group, what)
        except bpf.BpfError as error:
            raise unavailable(error) from error
        self.look()

    def look(self) -> None:
        """Have all tasks looked at. Errors: BackendUnavailable."""
        look(self._loaded)

    def present(self) -> Iterator[tuple[int, bytes]]:
        """The threads that are traced now: what the user calls each, and its key."""
        found: list[tuple[int, bytes]] = []

        def take(values: bytearray, at: int) -> None:
            _, _, key = wire.THREAD_HEAD.unpack_from(values, at)
            record = wire.SAMPLE_RECORD.unpack_from(values, at + wire.THREAD_RECORD)
            found.append((record[wire.TID], key.to_bytes(4, "little")))

        bpf.MapReader(self._loaded.maps["threads"]).read(take)
        yield from sorted(found)


def own_threads(spared: Iterable[int]) -> Iterator[int]:
    """The threads of this process, and of those given with all that they have started.

    Each is given before its children are looked for: who spares it at once misses none.
    """
    waiting = [os.getpid(), *spared]
    while waiting:
        pid = waiting.pop(0)
        folder = Path("/proc", str(pid), "task")
        try:
            threads = [int(entry.name) for entry in folder.iterdir()]
        except OSError:
            continue  # it is over
        yield from threads
        if pid == os.getpid():
            continue
        for tid in threads:
            with suppress(OSError):
                waiting += map(int, (folder / str(tid) / "children").read_text().split())
