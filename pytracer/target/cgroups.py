"""Control groups: which hierarchies there are, and where in them a path is.

Source: cgroups(7); proc(5) for /proc/self/mountinfo and /proc/self/cgroup.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytracer.target.selection import Cgroup

_OCTAL = re.compile(r"\\([0-7]{3})")
# Of the names that systemd gives to its own hierarchy of version 1.
_SYSTEMD = "name=systemd"


class NoTarget(Exception):
    """Nothing is there to be traced under a name; the text says why, and the way out."""


class NotThere(NoTarget):
    """Nothing is there under a name now, but something may come to be."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A mounted tree of control groups.

    ``number``: the kernel's, 0 for the unified one of version 2. ``mount``: where its top, as far
    as it is visible here, is found. ``names``: its controllers, or ``name=systemd``.
    """

    number: int
    mount: Path
    names: frozenset[str] = frozenset()

    def folder(self, path: str) -> Path:
        """The directory of a group, given by its path from the top."""
        return Path(f"{self.mount}{path}")

    def group(self, path: str) -> Cgroup:
        """Describe the group of a path."""
        return Cgroup(self.number, str(self.mount), path.rstrip("/") or "/")

    def groups(self) -> Iterator[str]:
        """The paths of all groups, outer ones first."""
        waiting = [""]
        while waiting:
            path = waiting.pop(0)
            yield path or "/"
            waiting += (f"{path}/{name}" for name in sorted(children(f"{self.mount}{path}")))


def children(folder: str) -> list[str]:
    """The names of the groups in a group; none when it has just been removed."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def hierarchies(proc: Path = Path("/proc")) -> list[Hierarchy]:
    """List the mounted hierarchies: the unified one first, then systemd's own, then the others.

    One may be there several times, mounted in several places: what shows all of it comes first.
    """
    numbers = _numbers(proc)
    found: list[tuple[int, Hierarchy]] = []
    for line in _lines(proc / "self" / "mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        names: frozenset[str] = frozenset()
        number: int | None = 0
        if kind[0] == "cgroup":
            words = frozenset(kind[2].split(","))
            names = next((each for each in numbers if each and each <= words), frozenset())
            number = numbers.get(names)
        if number is None:
            continue
        root, mount = fields[3], _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4])
        if not os.path.exists(f"{mount}/cgroup.procs"):
            continue  # something else is mounted over it
        found.append((len(root.strip("/")), Hierarchy(number, Path(mount), names)))
    return [hierarchy for _, hierarchy in sorted(found, key=_rank)]


def _rank(found: tuple[int, Hierarchy]) -> tuple[bool, bool, int, int]:
    hidden, hierarchy = found
    return bool(hierarchy.number), _SYSTEMD not in hierarchy.names, hierarchy.number, hidden


def _numbers(proc: Path) -> dict[frozenset[str], int]:
    """The kernel's number of each hierarchy, by its controllers."""
    found = {}
    for line in _lines(proc / "self" / "cgroup"):
        number, _, rest = line.partition(":")
        names = rest.partition(":")[0]
        if number.isdigit():
            found[frozenset(filter(None, names.split(",")))] = int(number)
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []


def mounted(trees: Sequence[Hierarchy]) -> Sequence[Hierarchy]:
    """Check that there are hierarchies at all.

    Errors: NoTarget.
    """
    if not trees:
        raise NoTarget("no control groups are mounted: mount -t cgroup2 none /sys/fs/cgroup")
    return trees


def by_path(text: str, trees: Sequence[Hierarchy]) -> Cgroup:
    """Find a group by its directory, or by its path inside the hierarchies.

    Errors: NoTarget.
    """
    mounted(trees)
    group = _by_directory(text, trees)
    if group is not None and os.path.isdir(group.folder):
        return group
    relative = _relative(text)
    found = [tree.group(relative) for tree in trees if tree.folder(relative).is_dir()]
    if found:
        return inhabited(found)
    where = ", ".join(str(tree.mount) for tree in trees)
    raise NotThere(f"there is no such control group in {where}: list them with systemd-cgls")


def by_future_path(text: str, trees: Sequence[Hierarchy]) -> list[Cgroup]:
    """The groups that may come to be under a path, of which by_path finds none now.

    Errors: NoTarget.
    """
    group = _by_directory(text, mounted(trees))
    return [group] if group is not None else [tree.group(_relative(text)) for tree in trees]


def _by_directory(text: str, trees: Sequence[Hierarchy]) -> Cgroup | None:
    """What has this directory, or would have it; None when it is inside of no hierarchy."""
    path = os.path.normpath(text)
    if not path.startswith("/"):
        return None
    real = os.path.realpath(path)
    inside = [
        tree for tree in trees if real == str(tree.mount) or real.startswith(f"{tree.mount}/")
    ]
    # A hierarchy may be mounted inside another one's mount.
    tree = max(inside, key=lambda each: len(str(each.mount)), default=None)
    return None if tree is None else tree.group(real.removeprefix(str(tree.mount)) or "/")


def _relative(text: str) -> str:
    path = os.path.normpath(text)
    return "/" if path in ("/", ".") else f"/{path.strip('/')}"


def matching(fits: Callable[[str], object], trees: Sequence[Hierarchy]) -> list[Cgroup]:
    """The groups whose own name fits, of one hierarchy; no group that is in another of them.

    It is the first in which they have processes. A runtime may have made them in all, and
    use some.
    """
    first: list[Cgroup] = []
    for tree in trees:
        found: list[Cgroup] = []
        for path in tree.groups():
            inner = any(path.startswith(f"{group.path}/") for group in found)
            if not inner and fits(path.rpartition("/")[2]):
                found.append(tree.group(path))
        if any(map(processes, found)):
            return found
        first = first or found
    return first


def inhabited(groups: Sequence[Cgroup]) -> Cgroup:
    """Choose the first of some groups that has processes in it; the first if none has."""
    return next(filter(processes, groups), groups[0])


def processes(group: Cgroup) -> list[int]:
    """The processes in a group and in those below it, now."""
    found: set[int] = set()
    waiting = [group.folder]
    while waiting:
        folder = waiting.pop()
        try:
            listed = Path(folder, "cgroup.procs").read_text().split()
        except OSError:  # just removed; or a threaded group, whose threads the one above lists
            listed = []
        found.update(map(int, listed))
        waiting += (f"{folder}/{name}" for name in children(folder))
    found.discard(0)  # processes that this pid namespace does not see
    return sorted(found)
