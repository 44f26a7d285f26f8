"""From the names of targets to what the kernel knows: control groups, which may come later."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable, Sequence
from typing import Final

from pytracer.backend.ebpf.targets import Numbered
from pytracer.target.cgroups import (
    Hierarchy,
    NoTarget,
    NotThere,
    by_future_path,
    by_path,
    hierarchies,
)
from pytracer.target.containers import by_container
from pytracer.target.patterns import BadPattern, compile_patterns
from pytracer.target.selection import Cgroup
from pytracer.target.units import by_unit
from pytracer_exporter.log import LOG
from pytracer_exporter.reading import Unwatchable, Watched

_SYS_TGKILL: Final = 234  # x86_64
_libc = ctypes.CDLL(None, use_errno=True)


def is_there(pid: int, tid: int = 0) -> bool:
    """Whether a process, or one thread of it, is there: whoever's, and if /proc hides it, too."""
    if _libc.syscall(_SYS_TGKILL, pid, tid or pid, 0) == 0:
        return True
    return ctypes.get_errno() != errno.ESRCH


def resolve(target: Watched, before: Resolved | None) -> Resolved:
    """Look up a target's names. ``before``: what was watched under its name until now, if any.

    What was watched already is no mistake now, even if it is not known any more.
    Errors: Unwatchable.
    """
    try:
        return Resolved(target, frozenset(before.watched.pids if before is not None else ()))
    except Unwatchable:
        if before is None or before.watched != target:
            raise
        return before


class Resolved:
    """A target whose names have been looked up, as far as they are there.

    ``known``: processes that were watched under its name before, and may be over. ``cgroups``:
    those whose paths are known. ``waiting``: whether others may come to be.
    Errors: Unwatchable.
    """

    def __init__(self, watched: Watched, known: frozenset[int] = frozenset()) -> None:
        self.watched = watched
        self.waiting = False
        for pid in watched.pids:
            if pid not in known and not is_there(pid):
                raise Unwatchable(
                    watched.name, f"there is no process {pid}: pgrep and systemctl status tell pids"
                )
        try:
            compile_patterns(watched.comms)
        except BadPattern as error:
            raise Unwatchable(watched.name, str(error)) from error
        self.cgroups = self._look_up()

    def look_again(self) -> bool:
        """Look up again what was not there; whether anything was found."""
        if not self.waiting:
            return False
        before = self.cgroups
        try:
            self.cgroups = self._look_up()
        except Unwatchable as error:  # there are several now that it may mean
            LOG.warning("%s", error)
            return False
        return self.cgroups != before

    def numbered(self, number: int) -> Numbered:
        """What the programs are told of it."""
        watched = self.watched
        return Numbered(number, watched.pids, self.cgroups, watched.comms, watched.everyone)

    def _look_up(self) -> tuple[Cgroup, ...]:
        watched = self.watched
        self.waiting = False
        if not (watched.units or watched.cgroups or watched.containers):
            return ()
        trees = hierarchies()
        found: list[Cgroup] = []
        for name in watched.units:
            found += self._find(name, by_unit, trees, "unit")
        for name in watched.cgroups:
            found += self._find(name, by_path, trees, "cgroup", by_future_path)
        for name in watched.containers:
            found += self._find(name, by_container, trees, "container")
        return tuple(found)

    def _find(
        self,
        name: str,
        find: Callable[[str, Sequence[Hierarchy]], Cgroup],
        trees: Sequence[Hierarchy],
        kind: str,
        foresee: Callable[[str, Sequence[Hierarchy]], list[Cgroup]] | None = None,
    ) -> list[Cgroup]:
        try:
            return [find(name, trees)]
        except NotThere:
            # A path is known before it is there; where something of that name will be is not.
            if foresee is not None:
                return foresee(name, trees)
            self.waiting = True
            return []
        except NoTarget as error:
            raise Unwatchable(self.watched.name, f"{kind} {name}: {error}") from error
