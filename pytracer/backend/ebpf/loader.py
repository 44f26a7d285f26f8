"""Bring a source file into the kernel: compiled once, loaded in milliseconds ever after.

A warm start uses bpf(2) alone; libbcc, which brings LLVM along, is loaded only to compile.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from pytracer.backend.base import BackendUnavailable
from pytracer.backend.ebpf import bpf
from pytracer.backend.ebpf.cache import Cache, cache_folder, cache_key
from pytracer.backend.ebpf.checking import TRACEPOINT, Check, Checks
from pytracer.backend.ebpf.compiler import (
    Compiled,
    MapShape,
    decode,
    encode,
    find_library,
)
from pytracer.backend.ebpf.source import source_folder

_NO_MEMBERS = BackendUnavailable(
    "ebpf",
    "the kernel's BTF tells too little of control groups and tasks to select by them",
    "name processes with -p",
)
# The first belong to pid namespaces, all of members to targets that are selected by what they
# belong to.
_MEMBERS = "members"
_HOLD = "hold"
# What measures CPU time.
SCHED_SWITCH = "raw_tracepoint__sched_switch"
_ITERATORS = ("iter", "members_iter")
_NUMBER = struct.Struct("<I")
_ARRAY = 2  # BPF_MAP_TYPE_ARRAY, include/uapi/linux/bpf.h


def compiled(
    name: str,
    cache: Cache | None = None,
    descriptors: bool = False,
    stacks: bool = False,
    members: bool = False,
    targets: bool = False,
) -> Compiled:
    """Give the compiled form of a source in bpf/, from the cache where possible.

    ``descriptors``, ``stacks``: with what plans may ask for beyond memory. ``members``: with what
    selects tasks by what they belong to; ``targets``: and tells several targets apart.

    Errors: BackendUnavailable.
    """
    wanted = descriptors, stacks, members, targets
    folder = source_folder()
    library = os.stat(find_library())
    kernel = os.uname()
    sources = sorted(path for path in folder.rglob("*") if path.suffix in (".c", ".h"))
    parts: list[str | bytes] = [
        f"{name} {library.st_size} {library.st_mtime_ns}",
        f"{kernel.release} {kernel.version} {kernel.machine} {wanted}",
    ]
    for path in sources:
        parts += [path.name, path.read_bytes()]
    key = cache_key(*parts)
    cache = cache or Cache(cache_folder())
    stored = cache.get(key)
    found = decode(stored) if stored is not None else None
    if found is None:
        # All of this belongs to the first start alone.
        from pytracer.backend.ebpf.btf import kernel_offsets, member_offsets
        from pytracer.backend.ebpf.compiler import compile_source
        from pytracer.backend.ebpf.filefields import descriptor_offsets, kind_offsets

        _require_bpf()
        constants = kernel_offsets()
        if descriptors:
            constants |= descriptor_offsets()
        if members:
            constants |= member_offsets()
        if targets:
            if not members or "MEMBERS" not in constants:
                raise _NO_MEMBERS
            constants |= kind_offsets() | {"TARGETS": 1}
        if stacks:
            constants["WITH_STACKS"] = 1
        found = compile_source(folder, name, constants)
        cache.put(key, encode(found))
    return found


def _require_bpf() -> None:
    # To compile takes a second, and what BCC then says to a user who may not load is no help.
    try:
        os.close(bpf.create_map(_ARRAY, 4, 4, 1, 0, "probe"))
    except bpf.BpfError as error:
        raise unavailable(error) from error


def _iterator(name: str) -> int:
    """The number of an iterator. To find it in the kernel's BTF takes 0.1 s: it is kept."""
    kernel = os.uname()
    cache = Cache(cache_folder())
    key = cache_key("iterator", name, kernel.release, kernel.version, kernel.machine)
    stored = cache.get(key)
    if stored is not None and len(stored) == _NUMBER.size:
        (number,) = _NUMBER.unpack(stored)
        return int(number)
    from pytracer.backend.ebpf.btf import iterator_number

    number = iterator_number(name)
    cache.put(key, _NUMBER.pack(number))
    return number


class Handed(NamedTuple):
    """Descriptors of what is in the kernel. ``maps``: with the sizes of key, value and map."""

    maps: Mapping[str, tuple[int, int, int, int]]
    programs: Mapping[str, int]
    links: tuple[int, ...]

    def descriptors(self) -> list[int]:
        """All of them."""
        return [*(fd for fd, *_ in self.maps.values()), *self.programs.values(), *self.links]


class Loaded:
    """Programs and maps in the kernel, alive as long as this object is open."""

    def __init__(self) -> None:
        self.maps: dict[str, bpf.Map] = {}
        self.programs: dict[str, int] = {}
        self._links: list[int] = []

    def attach(self) -> None:
        """Attach every program that is named after a tracepoint. Idempotent.

        Errors: BackendUnavailable.
        """
        if self._links:
            return
        try:
            for name, fd in self.programs.items():
                for prefix in (TRACEPOINT, f"{_MEMBERS}__"):
                    if name.startswith(prefix):
                        tracepoint = name.removeprefix(prefix)
                        self._links.append(bpf.attach_raw_tracepoint(fd, tracepoint))
        except bpf.BpfError as error:
            raise unavailable(error) from error

    def detach(self) -> None:
        """Detach all programs; the maps stay readable."""
        while self._links:
            os.close(self._links.pop())

    def kernel_bytes(self) -> int:
        """The memory that the maps take, as the kernel accounts for it."""
        total = 0
        for each in self.maps.values():
            for line in Path(f"/proc/self/fdinfo/{each.fd}").read_text().splitlines():
                name, _, value = line.partition(":")
                if name == "memlock":
                    total += int(value)
        return total

    def hand_over(self) -> Handed:
        """Have all descriptors survive execve(2).

        The programs stay attached as long as somebody holds them.
        """
        handed = Handed(
            {name: (m.fd, m.key_bytes, m.value_bytes, m.entries) for name, m in self.maps.items()},
            dict(self.programs),
            tuple(self._links),
        )
        for fd in handed.descriptors():
            os.set_inheritable(fd, True)
        return handed

    @classmethod
    def take(cls, handed: Handed) -> Loaded:
        """Go on with descriptors that were inherited."""
        taken = cls()
        for fd in handed.descriptors():
            os.set_inheritable(fd, False)
        taken.maps = {name: bpf.Map(*shape) for name, shape in handed.maps.items()}
        taken.programs = dict(handed.programs)
        taken._links = list(handed.links)
        return taken

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        self.detach()
        for fd in self.programs.values():
            os.close(fd)
        self.programs.clear()
        for each in self.maps.values():
            os.close(each.fd)
        self.maps.clear()


class Resize(NamedTuple):
    """How a map is created otherwise than its source says. ``entries``: 0 leaves them."""

    flags: int = 0
    entries: int = 0


# What is seldom filled.
_SPARSE = {name: Resize(bpf.F_NO_PREALLOC) for name in ("groups", "edges")}


class Loading:
    """Programs that the kernel is checking; their maps are there."""

    def __init__(self, loaded: Loaded, checks: Checks) -> None:
        self.maps = loaded.maps
        self._loaded = loaded
        self._checks: Checks | None = checks

    def finish(self) -> Loaded:
        """Wait for the programs.

        Errors: BackendUnavailable when the kernel refuses one.
        """
        checks, self._checks = self._checks, None
        waiting = list(checks.wait()) if checks is not None else []
        try:
            while waiting:
                check = waiting.pop(0)
                self._loaded.programs[check.program] = check.answer()
        except bpf.BpfError as error:
            for check in waiting:
                check.forget()
            self._loaded.close()
            raise unavailable(error) from error
        return self._loaded

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        checks, self._checks = self._checks, None
        for check in checks.wait() if checks is not None else ():
            check.forget()
        self._loaded.close()


def begin(
    source: Compiled,
    shapes: Mapping[str, Resize],
    iterates: bool = False,
    optional: Collection[str] = (),
) -> Loading:
    """Create the maps and have the kernel check the programs; nothing is attached yet.

    Shape:  ``shapes`` by the name of the map; ``iterates``: load the iterator of pid namespaces
        too; ``optional``: names of programs to load too, such as those that select tasks by what
        they belong to.
    Errors: BackendUnavailable.
    """
    if not {program.name for program in source.programs}.issuperset(optional):
        raise _NO_MEMBERS
    loaded = Loaded()
    checks = []
    try:
        for shape in source.maps:
            change = shapes.get(shape.name, _SPARSE.get(shape.name))
            wanted = shape
            if change is not None:
                wanted = shape._replace(flags=change.flags, entries=change.entries or shape.entries)
            loaded.maps[shape.name] = _create(wanted)
        for program in source.programs:
            kind, _, what = program.name.rpartition("__")
            if kind == _ITERATORS[0] and not iterates:
                continue
            extra = program.name == SCHED_SWITCH or kind.startswith((_MEMBERS, _HOLD))
            if extra and program.name not in optional:
                continue
            number = _iterator(what) if kind in _ITERATORS else None
            checks.append(Check(program, loaded.maps, number))
    except bpf.BpfError as error:
        loaded.close()
        raise unavailable(error) from error
    return Loading(loaded, Checks(checks))


def load(
    source: Compiled,
    shapes: Mapping[str, Resize],
    iterates: bool = False,
    optional: Collection[str] = (),
) -> Loaded:
    """Create the maps and load the programs, as :func:`begin` does, and wait.

    Errors: BackendUnavailable.
    """
    return begin(source, shapes, iterates, optional).finish()


def _create(shape: MapShape) -> bpf.Map:
    fd = bpf.create_map(
        shape.kind, shape.key_bytes, shape.value_bytes, shape.entries, shape.flags, shape.name
    )
    return bpf.Map(fd, shape.key_bytes, shape.value_bytes, shape.entries)


def unavailable(error: bpf.BpfError) -> BackendUnavailable:
    """Say what a failure of bpf(2) means for the user."""
    match error.errno:
        case errno.EPERM | errno.EACCES if not error.log:
            return BackendUnavailable(
                "ebpf",
                str(error),
                "run as root, or with CAP_BPF and CAP_PERFMON; kernel lockdown must not forbid it",
            )
        case errno.ENOSYS:
            return BackendUnavailable("ebpf", "the kernel has no bpf(2)", "use --backend=ptrace")
        case errno.ENOMEM | errno.E2BIG if not error.log:
            return BackendUnavailable("ebpf", str(error), "free memory, or use --backend=ptrace")
    last = error.log.strip().splitlines()[-3:]
    reason = f"{error} ({'; '.join(last)})" if last else str(error)
    return BackendUnavailable("ebpf", reason, "use --backend=ptrace and report this")
